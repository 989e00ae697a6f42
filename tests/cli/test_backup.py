"""doorctl backup and restore of a board, as people type them."""

import io
import json
import os
import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from doorctl.backup import envelope, making, placing
from doorctl.backup.copies import copies
from doorctl.core.types import WallTime
from doorctl.doord.assembly import read_site
from doorctl.journal.journal import Journal
from doorctl.journal.rows import Entry, LogRow
from doorctl.seal import private_files
from doorctl.seal.keys import load_controller_keys, read_controller_file
from doorctl.seal.reader_keys import ReaderKeys, ReaderKeyStore
from tests.backup.making import archive_of, manifest_of
from tests.cli.board import Board, OnTerminal

PASSPHRASE = "correct horse battery staple"
KEYS = {"keys/identity.key": b"", "keys/lookup.key": b""}
MEMBERS = [
    "etc/doorctl.toml", "etc/monitor.toml", "etc/controller.toml", "keys/identity.key", "keys/lookup.key",
    "courier/tls.key", "courier/tls.crt", "journal/journal.db", "roster/roster.db",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "_MEMORY_KIB", 32)


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    return _secret(tmp_path / "passphrase", PASSPHRASE + "\n")


@pytest.fixture
def old(board: Board) -> Board:
    """A board that has run: it has a line in its access log."""
    with Journal.open(board.paths.journal) as journal:
        journal.append([Entry(log=LogRow(wall=WallTime(7), event="start"))])
    return board


@pytest.fixture
def new(tmp_path: Path) -> Board:
    """New hardware."""
    return Board(home=tmp_path / "new")


def _secret(path: Path, text: str) -> Path:
    with open(path, "x", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(text)
    return path


def _state(board: Board) -> dict[str, bytes]:
    """Every file that has a meaning, by its place; a WAL database by what it says when it is closed."""
    return {
        str(path.relative_to(board.home)): _said(path)
        for path in sorted(board.home.rglob("*"))
        if path.is_file() and path.suffix != ".lock" and path.name != "token-key-copies.json"
    }


def _said(path: Path) -> bytes:
    """A database's header counts how often it was written: two that say the same differ there."""
    content = bytearray(path.read_bytes())
    if not content.startswith(b"SQLite format 3"):
        return bytes(content)
    content[18:20] = b"\1\1"  # in memory there is no WAL
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(bytes(content))
        return "\n".join(connection.iterdump()).encode()


def _plain(board: Board, capsys: pytest.CaptureFixture[str], file: Path, *options: str) -> Path:
    ran = board.run(capsys, "backup", "--plain", str(file), *options)
    assert ran.code == 0, ran.err
    return file


def test_a_backup_is_the_whole_board(
    old: Board, new: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = _state(old)
    file = _plain(old, capsys, tmp_path / "a.backup")
    assert _state(old) == before
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert new.run(capsys, "restore", str(file)).code == 0
    assert _state(new) == before
    assert [path.name for path in tmp_path.iterdir() if "backup" in path.name] == ["a.backup"]
    site = read_site(new.paths)
    assert site.keys.controller == load_controller_keys(old.paths).controller
    with Journal.open(new.paths.journal) as journal:
        assert journal.last_wall() == WallTime(7)


def test_modes_are_those_of_init(old: Board, new: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = _plain(old, capsys, tmp_path / "a.backup")
    mask = os.umask(0o077)
    try:
        assert new.run(capsys, "restore", str(file)).code == 0
    finally:
        os.umask(mask)
    expected = {
        "etc/doorctl.toml": 0o644, "etc/monitor.toml": 0o644, "etc/controller.toml": 0o644,
        "var/keys": 0o700, "var/keys/identity.key": 0o600, "var/keys/lookup.key": 0o600,
        "var/courier": 0o700, "var/courier/tls.key": 0o600, "var/courier/tls.crt": 0o644,
        "var/roster": 0o2770, "var/roster/roster.db": 0o640,
        "var/journal": 0o2750, "var/journal/journal.db": 0o640,
    }  # fmt: skip
    assert {name: stat.S_IMODE((new.home / name).stat().st_mode) for name in expected} == expected


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_files_belong_to_whoever_owns_their_folder(
    old: Board, new: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a service the folders are systemd-tmpfiles', each of its daemon's user."""
    monkeypatch.setattr(private_files, "may_have_keys", {65533, 65532}.__contains__)
    file = _plain(old, capsys, tmp_path / "a.backup")
    owners = {"keys": (65533, 65533), "courier": (65532, 65532), "journal": (65533, 65531), "roster": (0, 65533)}
    for name, owner in owners.items():
        (new.paths.var / name).mkdir(parents=True, mode=0o700)
        os.chown(new.paths.var / name, *owner)
    assert new.run(capsys, "restore", str(file)).code == 0
    found = {path: path.stat() for name in owners for path in (new.paths.var / name).iterdir()}
    assert {path.name for path in found} >= {
        "identity.key",
        "lookup.key",
        "tls.key",
        "tls.crt",
        "journal.db",
        "roster.db",
    }
    for path, status in found.items():
        assert (status.st_uid, status.st_gid) == owners[path.parent.name], path


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_strangers_folder_gets_no_key(
    old: Board, new: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As where they lie in somebody's home who did not call sudo."""
    file = _plain(old, capsys, tmp_path / "a.backup")
    for name in ("", "keys"):
        (new.paths.var / name).mkdir(parents=True, mode=0o700)
        os.chown(new.paths.var / name, 65533, 65533)
    assert new.run(capsys, "restore", str(file)).code == 0
    paths = new.paths
    keys = [paths.keys / "identity.key", paths.keys / "lookup.key", paths.courier_keys, paths.courier_keys / "tls.key"]
    assert {path.stat().st_uid for path in keys} == {0}


def test_a_sealed_backup_needs_its_passphrase(
    old: Board, new: Board, tmp_path: Path, passphrase: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.backup"
    ran = old.run(capsys, "backup", str(file), "--passphrase-file", str(passphrase))
    assert ran.code == 0, ran.err
    assert "sealed with a passphrase" in ran.out
    assert not [word for word in (b"[site]", b"PRIVATE KEY", b"SQLite") if word in file.read_bytes()]
    wrong = _secret(tmp_path / "wrong", PASSPHRASE + "r\n")
    ran = new.run(capsys, "restore", str(file), "--passphrase-file", str(wrong))
    assert (ran.code, new.home.exists()) == (1, False)
    assert f"{file}: the passphrase does not open it" in ran.err
    assert new.run(capsys, "restore", str(file), "--passphrase-file", str(passphrase)).code == 0
    assert _state(new) == _state(old)


def test_the_passphrase_is_typed_twice_and_shown_nowhere(old: Board, tmp_path: Path) -> None:
    file = tmp_path / "a.backup"
    with OnTerminal(old, "backup", str(file)) as terminal:
        terminal.wait_for("passphrase for the backup: ")
        terminal.type(PASSPHRASE + "\n")
        terminal.wait_for("again: ")
        terminal.type(PASSPHRASE + "\n")
        ran = terminal.ended()
    assert ran.code == 0, ran.err
    assert PASSPHRASE not in terminal.seen + ran.out + ran.err
    with OnTerminal(old, "backup", "--show", str(file)) as terminal:
        terminal.wait_for("passphrase of the backup: ")
        terminal.type(PASSPHRASE + "\n")
        assert terminal.ended().out.startswith(f"{file}: simulated board demo-site")


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ((PASSPHRASE, PASSPHRASE + "r"), "the two passphrases differ"),
        (("too short",), "a passphrase of at least 12 characters"),
    ],
)
def test_a_passphrase_that_will_not_do_makes_nothing(
    old: Board, tmp_path: Path, typed: tuple[str, ...], told: str
) -> None:
    with OnTerminal(old, "backup", str(tmp_path / "a.backup")) as terminal:
        for question, word in zip(("passphrase for the backup: ", "again: "), typed, strict=False):
            terminal.wait_for(question)
            terminal.type(word + "\n")
        ran = terminal.ended()
    assert ran.code == 1
    assert told in ran.err
    assert not list(tmp_path.glob("*.backup*"))


def test_without_a_terminal_it_says_what_else_there_is(old: Board, tmp_path: Path) -> None:
    ran = old.process("backup", str(tmp_path / "a.backup"))
    assert ran.code == 1
    assert "the passphrase is asked for on the terminal, and there is none" in ran.err
    assert "--passphrase-file FILE (0600); or --plain" in ran.err


def test_show_says_whose_it_is_and_changes_nothing(
    old: Board, new: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _plain(old, capsys, tmp_path / "a.backup")
    ran = new.run(capsys, "--json", "backup", "--show", str(file))
    told = json.loads(ran.out)
    assert [member["name"] for member in told["members"]] == MEMBERS
    assert told["identity"] == load_controller_keys(old.paths).controller.hex()
    assert (told["role"], told["sealed"], told["simulated"]) == ("board", False, True)
    assert not new.home.exists()
    assert "NOT SEALED: whoever has this file has what is in it" in new.run(capsys, "backup", "--show", str(file)).out


def test_a_backup_is_never_written_over(old: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.backup"
    file.write_text("precious")
    ran = old.run(capsys, "backup", "--plain", str(file))
    assert (ran.code, file.read_text()) == (1, "precious")
    assert f"{file}: is there already and is never overwritten" in ran.err


def test_a_damaged_backup_changes_nothing(
    old: Board, new: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = _plain(old, capsys, tmp_path / "a.backup").read_bytes()
    bad = tmp_path / "bad.backup"
    for number, content in enumerate([
        whole[:-1], whole[: len(whole) // 2], whole[:100], b"", whole + b"\0", whole[:-2000] + b"x" + whole[-1999:],
        bytes(len(whole)),
    ]):  # fmt: skip
        bad.write_bytes(content)
        for verb in (["restore", str(bad)], ["backup", "--show", str(bad)]):
            ran = new.run(capsys, *verb)
            assert ran.code == 1, number
            assert ran.err.startswith(f"doorctl: error: {bad}: "), number
        assert _state(new) == {}, number


@pytest.mark.parametrize(
    "name", ["keys/token.key", "keys/other.key", "ledger.db", "controllers/00000000000000000000000000000000.toml"]
)
def test_a_file_that_no_board_has_is_refused(
    new: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Whoever forges a backup fits every digest to it; a place outside of a board's own there is not."""
    file = tmp_path / "forged.backup"
    file.write_bytes(archive_of({**KEYS, name: b"x"}))
    ran = new.run(capsys, "restore", str(file))
    assert ran.code == 1
    assert f"{name}: no file of a board's" in ran.err


def test_a_stick_that_fails_is_named(new: Board, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is mapped at this file's beginning: reading there is an error of the device."""
    ran = new.run(capsys, "restore", "/proc/self/mem")
    assert (ran.code, new.home.exists()) == (1, False)
    assert "/proc/self/mem: cannot be read: Input/output error" in ran.err


def test_half_a_board_is_refused(new: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "half.backup"
    file.write_bytes(archive_of({**KEYS, "etc/doorctl.toml": b""}))
    ran = new.run(capsys, "restore", str(file))
    assert ran.code == 1
    assert f"{file}: has no etc/monitor.toml" in ran.err


def test_a_board_is_no_monitor(old: Board, new: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = _plain(old, capsys, tmp_path / "a.backup")
    ran = new.run(capsys, "restore", "--monitor", str(file))
    assert (ran.code, new.home.exists()) == (1, False)
    assert f"{file}: of a board, not of a monitor" in ran.err


def test_what_is_there_is_put_aside_and_only_when_told(
    old: Board, made_board: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _plain(old, capsys, tmp_path / "a.backup")
    here = made_board.copied_to(tmp_path / "here")
    here.paths.config.write_text(here.paths.config.read_text() + "# edited here\n")
    before = _state(here)
    ran = here.run(capsys, "restore", str(file))
    assert (ran.code, _state(here)) == (1, before)
    assert f"there is something already: {here.paths.config}" in ran.err
    for number in (1, 2):
        ran = here.run(capsys, "restore", str(file), "--replace")
        assert ran.code == 0, ran.err
        assert f"named *.before-{number}" in ran.out
    found = _state(here)
    assert {name: content for name, content in found.items() if ".before-" not in name} == _state(old)
    assert {name.removesuffix(".before-1"): found[name] for name in found if name.endswith(".before-1")} == before


def test_a_running_doord_is_left_alone(old: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = _plain(old, capsys, tmp_path / "a.backup")
    holding = "import sys; from pathlib import Path; from doorctl.journal.journal import Journal\n"
    holding += "j = Journal.open(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read(); j.close()"
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(old.paths.journal)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as doord:
        assert doord.stdout is not None
        assert doord.stdin is not None
        assert doord.stdout.readline() == b"open\n"
        _plain(old, capsys, tmp_path / "b.backup")
        before = _state(old)
        ran = old.run(capsys, "restore", str(file), "--replace")
        assert (ran.code, _state(old)) == (1, before)
        assert "in use by another doord" in ran.err
        doord.stdin.close()
    assert old.run(capsys, "restore", str(file), "--replace").code == 0


KILL_EVERY_STEP = """
import sys
from pathlib import Path
from tests.cli.killed import KILLED, killed_at
from doorctl.cli.main import main
home, file, pristine = map(Path, sys.argv[1:])
import shutil
from tests.cli.test_backup import _state
from tests.cli.board import Board
here = Board(home=home)
arguments = ["--home", str(home), "restore", "--replace", str(file)]
assert killed_at(-1, arguments) == 0
old, new = _state(Board(home=pristine)), {n: c for n, c in _state(here).items() if ".before-" not in n}
assert old != new
step = 0
while True:
    step += 1
    shutil.rmtree(home); shutil.copytree(pristine, home)
    code = killed_at(step, arguments)
    left = {n: c for n, c in _state(here).items() if ".restor" not in n}
    asides = {n.removesuffix(".before-1"): c for n, c in left.items() if n.endswith(".before-1")}
    if code != KILLED:
        break
    whole = {n: c for n, c in left.items() if ".before-" not in n}
    assert whole in (old, new) or not here.paths.config.exists(), (step, "half a board could start")
    assert all(old[n] == c for n, c in asides.items()), (step, "something old was changed")
    again = killed_at(-1, arguments)
    assert again == 0, (step, again)
    found = _state(here)
    assert not [n for n in found if ".restor" in n], (step, found.keys())
    done = {n: c for n, c in found.items() if ".before-" not in n}
    assert done == new, (step, "not the same in the end")
    assert {n.removesuffix(".before-1"): c for n, c in found.items() if n.endswith(".before-1")} == old, step
    assert not [n for n in found if ".before-2" in n], step
assert code == 0 and step > 20, (code, step)
print(step)
"""


def test_killed_anywhere_nothing_is_half_done(
    old: Board, made_board: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """At each staged file and each rename: the old board is whole, or none starts; the next restore ends it."""
    file = _plain(old, capsys, tmp_path / "a.backup")
    pristine = made_board.copied_to(tmp_path / "pristine")
    shutil.copytree(pristine.home, tmp_path / "here")
    done = subprocess.run(
        [sys.executable, "-c", KILL_EVERY_STEP, str(tmp_path / "here"), str(file), str(pristine.home)],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_backup_that_was_killed_is_begun_again(
    old: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its half file has another name, and its copies are removed."""
    left, file = old.paths.var / ".backup-0123", tmp_path / "a.backup"
    left.mkdir(mode=0o700)
    _secret(left / "keys_identity.key", "secret")
    _secret(tmp_path / "a.backup.partial", "half")
    ran = old.run(capsys, "backup", "--plain", str(file))
    assert (ran.code, file.exists(), left.exists()) == (1, False, False)
    assert "a.backup.partial: left by a backup that was interrupted" in ran.err
    (tmp_path / "a.backup.partial").unlink()
    _plain(old, capsys, file)
    assert not list(old.paths.var.glob(".backup-*"))


def test_a_copy_that_is_being_made_is_left_alone(
    old: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of another backup, of a new identity, of a journal that is renewed."""
    with copies(old.paths.var) as folder:
        _secret(folder / "identity.key", "secret")
        _plain(old, capsys, tmp_path / "a.backup")
        assert (folder / "identity.key").read_text() == "secret"
    assert not folder.exists()


def test_what_is_no_folder_of_copies_stops_no_backup(
    old: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stray, link, elsewhere = old.paths.var / ".backup-x", old.paths.var / ".backup-y", tmp_path / "elsewhere"
    stray.write_text("stray")
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    link.symlink_to(elsewhere)
    _plain(old, capsys, tmp_path / "a.backup")
    assert stray.read_text() == "stray"
    assert (elsewhere / "precious").exists()


def test_another_wish_does_not_end_an_interrupted_restore(
    old: Board, new: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither is the old board taken for a new one, nor the other way round."""
    file = _plain(old, capsys, tmp_path / "a.backup")
    for begun, other in (((), ("--new-identity",)), (("--new-identity",), ())):
        board = Board(home=new.home.with_name(f"new{len(begun)}"))
        with monkeypatch.context() as patch:
            patch.setattr(placing, "_carry_out", _killed)
            assert board.run(capsys, "restore", str(file), *begun).code == 130
        before = _state(board)
        ran = board.run(capsys, "restore", "--replace", str(file), *other)
        assert (ran.code, _state(board)) == (1, before)
        assert f"an interrupted restore of this backup was begun {'with' if begun else 'without'} --new-iden" in ran.err
        ran = board.run(capsys, "restore", str(file), *begun)
        assert ran.code == 0, ran.err
        assert "an interrupted restore of this backup was ended" in ran.out
        same = load_controller_keys(board.paths).controller == load_controller_keys(old.paths).controller
        assert same == (not begun)


def _killed(_plan: object) -> None:
    raise KeyboardInterrupt


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """A disk that is full; Python has SIGXFSZ ignored, so that writing fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    ("size", "told"), [(36_000, "journal.db: cannot be copied"), (60_000, "a.backup: cannot be written")]
)
def test_a_full_disk_leaves_nothing_of_a_backup(
    old: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str], size: int, told: str
) -> None:
    before = _state(old)
    with no_file_larger_than(size):
        ran = old.run(capsys, "backup", "--plain", str(tmp_path / "a.backup"))
    assert ran.code == 1
    assert told in ran.err
    assert not list(tmp_path.glob("*.backup*"))
    assert not list(old.paths.var.glob(".backup-*"))
    assert _state(old) == before


def test_a_full_disk_leaves_nothing_of_a_restore(
    old: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, before = _plain(old, capsys, tmp_path / "a.backup"), _state(old)
    with no_file_larger_than(20_000):
        ran = old.run(capsys, "restore", "--replace", str(file))
    assert ran.code == 1
    assert "journal.db: cannot be written: File too large" in ran.err
    assert "hint: nothing was changed" in ran.err
    assert _state(old) == before


def test_what_no_backup_can_hold_is_refused_before_anything_is_written(
    old: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Better none than one that looks fine and cannot be restored."""
    monkeypatch.setattr(making, "LARGEST_MEMBER", 10_000)
    ran = old.run(capsys, "backup", "--plain", str(tmp_path / "a.backup"))
    assert (ran.code, list(tmp_path.glob("*.backup*"))) == (1, [])
    assert "journal.db: has " in ran.err
    assert "a backup holds files of at most 10,000" in ran.err
    assert "hint: copy it with its daemon stopped" in ran.err


def test_a_board_without_its_keys_says_what_to_do(
    old: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (old.paths.keys / "lookup.key").unlink()
    ran = old.run(capsys, "backup", "--plain", str(tmp_path / "a.backup"))
    assert ran.code == 1
    assert "lookup.key: is not there" in ran.err
    assert "are its keys systemd credentials? then --without-keys" in ran.err


def test_a_place_that_is_not_there_is_named(old: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran = old.run(capsys, "backup", "--plain", str(tmp_path / "nowhere" / "a.backup"))
    assert ran.code == 1
    assert "a.backup.partial: cannot be made: No such file or directory" in ran.err
    assert not list(old.paths.var.glob(".backup-*"))


def test_as_another_board_it_keeps_people_and_log(
    old: Board, new: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _plain(old, capsys, tmp_path / "a.backup")
    ran = new.run(capsys, "restore", "--new-identity", str(file))
    assert ran.code == 0, ran.err
    assert f"carry {new.paths.controller_public} to the monitor" in ran.out
    before, after = load_controller_keys(old.paths), load_controller_keys(new.paths)
    assert after.controller != before.controller
    assert (after.lookup, after.simulated) == (before.lookup, before.simulated)
    assert read_controller_file(new.paths.controller_public).controller == after.controller
    same = ("etc/doorctl.toml", "etc/monitor.toml", "var/roster/roster.db")
    assert [_state(new)[name] == _state(old)[name] for name in same] == [True] * len(same)
    with Journal.open(new.paths.journal) as journal:
        assert (journal.last_wall(), journal.last_epoch(), journal.sent_generation()) == (WallTime(7), None, 0)


def _with_readers(board: Board) -> ReaderKeyStore:
    store = ReaderKeyStore(board.paths.reader_keys, load_controller_keys(board.paths))
    for address in (1, 2):
        store.store(f"/dev/ttyAMA0 address {address}", ReaderKeys(current=bytes([address]) * 16))
    return store


def test_readers_keep_their_keys_on_new_hardware(
    old: Board, new: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _with_readers(old)
    file = _plain(old, capsys, tmp_path / "a.backup")
    ran = new.run(capsys, "restore", str(file))
    assert ran.code == 0, ran.err
    assert "doorctl reader install" not in ran.out
    assert _state(new) == _state(old)
    store = ReaderKeyStore(new.paths.reader_keys, load_controller_keys(new.paths))
    assert store.load("/dev/ttyAMA0 address 2") == ReaderKeys(current=bytes([2]) * 16)


def test_another_board_says_that_readers_are_installed_again(
    old: Board, new: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their keys are wrapped for the old one's number: files that nothing opens would only be in the way."""
    store = _with_readers(old)
    file = _plain(old, capsys, tmp_path / "a.backup")
    ran = new.run(capsys, "restore", "--new-identity", str(file))
    assert ran.code == 0, ran.err
    assert "2 OSDP readers have keys of the old board, which this one cannot use" in ran.out
    assert "doorctl reader install NAME" in ran.out
    assert not new.paths.reader_keys.exists()
    ran = old.run(capsys, "--json", "restore", "--replace", "--new-identity", str(file))
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["readers_to_install"] == 2
    assert sorted(path.name.partition(".key")[2] for path in old.paths.reader_keys.iterdir()) == [".before-1"] * 2
    assert store.load("/dev/ttyAMA0 address 1") == ReaderKeys()


def test_keys_can_stay_out(
    old: Board, made_board: Board, new: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _plain(old, capsys, tmp_path / "a.backup", "--without-keys")
    with tarfile.open(fileobj=io.BytesIO(file.read_bytes())) as tar:
        assert "keys/identity.key" not in tar.getnames()
        assert "keys/lookup.key" not in tar.getnames()
    ran = new.run(capsys, "restore", str(file))
    assert ran.code == 1
    assert "the backup has no keys, and here are none" in ran.err
    shutil.copytree(old.paths.keys, new.paths.keys)
    ran = new.run(capsys, "restore", str(file))
    assert ran.code == 0, ran.err
    assert _state(new) == _state(old)
    ran = new.run(capsys, "restore", str(file), "--replace", "--new-identity")
    assert "has no look-up key to go on with" in ran.err


def test_another_boards_keys_do_not_fit(
    old: Board, new: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _plain(old, capsys, tmp_path / "a.backup", "--without-keys")
    assert new.run(capsys, "restore", "--new-identity", str(_plain(old, capsys, tmp_path / "b.backup"))).code == 0
    ran = new.run(capsys, "restore", str(file), "--replace")
    assert ran.code == 1
    assert "the backup has no keys, and those here are another board's" in ran.err


def test_a_backup_of_nothing_says_so(new: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran = new.run(capsys, "backup", "--plain", str(tmp_path / "a.backup"))
    assert ran.code == 1
    assert "doorctl.toml" in ran.err
    assert not (tmp_path / "a.backup").exists()


def test_a_manifest_from_elsewhere_names_no_file_outside(
    new: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The name of monitor.toml is the manifest's to say; it stays a name."""
    import msgspec

    for name in ("../../passwd", "..", ".hidden", "doorctl.toml", "controller.toml", "monitord.toml", "a/b", ""):
        files = {"etc/doorctl.toml": b""}
        forged = msgspec.structs.replace(manifest_of(files), monitor_file=name)
        file = tmp_path / "forged.backup"
        file.write_bytes(archive_of(files, forged))
        ran = new.run(capsys, "restore", str(file))
        assert ran.code == 1
        assert f'monitor.file: "{name}"' in ran.err
