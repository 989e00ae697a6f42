"""doorctl backup and restore of a monitor; a lost monitor made anew from its token key's copy."""

import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from doorctl.backup.subject import SEEN_FOR
from doorctl.cli.monitor_copy import note_copies, noted_copies, token_fingerprints
from doorctl.core.types import WallTime
from doorctl.journal.journal import Journal
from doorctl.journal.rows import Entry, LogRow
from doorctl.monitord.alarms.store import AlarmStore
from doorctl.monitord.ledger import LedgerWriter
from doorctl.paths import Paths
from doorctl.seal import private_files
from doorctl.seal.keys import (
    create_monitor_keys,
    load_monitor_keys,
    load_record_and_receipt_keys,
    load_token_keys,
    read_monitor_file,
)
from tests.cli.board import Board, Ran
from tests.cli.test_backup import _state

ADDRESS = ("--address", "monitor.example.net:7443")


class Monitor(Board):
    """A folder with everything of one monitor."""

    @property
    def token(self) -> Path:
        return self.paths.monitor_keys / "token.key"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    (tmp_path / "safe").mkdir()
    return tmp_path / "safe" / "token.key"


@pytest.fixture
def old(tmp_path: Path, copy: Path, made_board: Board, capsys: pytest.CaptureFixture[str]) -> Monitor:
    """A real monitor that has run and trusts two boards."""
    monitor = Monitor(home=tmp_path / "old")
    assert monitor.run(capsys, "monitor", "init", *ADDRESS, "--token-key-copy", str(copy)).code == 0
    LedgerWriter(monitor.paths.ledger).close()
    AlarmStore(monitor.paths.alarms, lambda: None).close()
    for name in ("00" * 16, "front"):
        shutil.copy(made_board.paths.controller_public, monitor.paths.controllers / f"{name}.toml")
    return monitor


@pytest.fixture
def new(tmp_path: Path) -> Monitor:
    return Monitor(home=tmp_path / "new")


def backed_up(monitor: Monitor, file: Path, copy: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    ran = monitor.run(capsys, "backup", "--monitor", "--plain", "--token-key-copy", str(copy), str(file))
    assert ran.code == 0, ran.err
    return file


def restored(monitor: Monitor, file: Path, capsys: pytest.CaptureFixture[str], *options: str) -> Ran:
    return monitor.run(capsys, "restore", "--monitor", *options, str(file))


def test_a_backup_is_the_whole_monitor_but_for_the_token_key(
    old: Monitor, new: Monitor, copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = backed_up(old, tmp_path / "m.backup", copy, capsys)
    key = copy.read_bytes().splitlines()[2]
    assert len(key) > 40
    assert key not in file.read_bytes()
    ran = restored(new, file, capsys, "--token-key-copy", str(copy))
    assert ran.code == 0, ran.err
    assert _state(new) == _state(old)
    assert noted_copies(new.paths).keys() == noted_copies(old.paths).keys() != set()
    assert new.token.stat().st_mode & 0o777 == 0o600
    assert load_monitor_keys(new.paths.monitor_keys).public == load_monitor_keys(old.paths.monitor_keys).public


def test_a_copy_that_was_seen_lately_need_not_be_shown_again(
    old: Monitor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """For a backup every night; restoring needs it whatever was seen when."""
    today = datetime.now(tz=UTC).date()
    note_copies(old.paths, token_fingerprints(old.paths.monitor_keys), today - SEEN_FOR + timedelta(days=1))
    before = noted_copies(old.paths)
    assert old.run(capsys, "backup", "--monitor", "--plain", str(tmp_path / "m.backup")).code == 0
    assert noted_copies(old.paths) == before, "nothing was seen today"
    shown = json.loads(old.run(capsys, "--json", "backup", "--show", str(tmp_path / "m.backup")).out)
    assert shown["token_keys"] == token_fingerprints(old.paths.monitor_keys)
    assert "keys/token.key" not in [member["name"] for member in shown["members"]]


def test_without_the_copy_there_is_no_backup(old: Monitor, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    today = datetime.now(tz=UTC).date()
    note_copies(old.paths, token_fingerprints(old.paths.monitor_keys), today - SEEN_FOR)
    ran = old.run(capsys, "backup", "--monitor", "--plain", str(tmp_path / "m.backup"))
    assert (ran.code, (tmp_path / "m.backup").exists()) == (1, False)
    assert "the token key is in no backup, and its offline copy was not shown" in ran.err


def test_a_copy_beside_the_key_is_no_copy(old: Monitor, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran = old.run(capsys, "backup", "--monitor", "--plain", "--token-key-copy", str(old.token), str(tmp_path / "m"))
    assert (ran.code, (tmp_path / "m").exists()) == (1, False)
    assert "a copy beside the key is no copy" in ran.err


def test_another_monitors_copy_is_refused_on_both_ways(
    old: Monitor, new: Monitor, copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    create_monitor_keys(tmp_path / "stranger")
    other = tmp_path / "stranger" / "token.key"
    ran = old.run(capsys, "backup", "--monitor", "--plain", "--token-key-copy", str(other), str(tmp_path / "m"))
    assert (ran.code, (tmp_path / "m").exists()) == (1, False)
    assert f"{other}: a token key, but not this monitor's" in ran.err
    file = backed_up(old, tmp_path / "m.backup", copy, capsys)
    assert (
        f"{other}: a token key, but not this monitor's"
        in restored(new, file, capsys, "--token-key-copy", str(other)).err
    )
    assert "its offline copy was not shown" in restored(new, file, capsys).err
    wrong = tmp_path / "stranger" / "receipt.key"
    assert "expected a file that begins with" in restored(new, file, capsys, "--token-key-copy", str(wrong)).err
    assert _state(new) == {}


def test_every_old_token_key_must_be_shown(
    old: Monitor, new: Monitor, copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows sealed to it are still in use somewhere."""
    create_monitor_keys(tmp_path / "earlier")
    earlier = tmp_path / "earlier" / "token.key"
    shutil.copy(earlier, old.paths.monitor_keys / "token-2025.key")
    shutil.copy(tmp_path / "earlier" / "record.key", old.paths.monitor_keys / "record-2025.key")
    file = tmp_path / "m.backup"
    ran = old.run(capsys, "backup", "--monitor", "--plain", "--token-key-copy", str(copy), str(file))
    assert ran.code == 1
    assert "the old token key " in ran.err
    copies = ("--token-key-copy", str(copy), "--token-key-copy", str(earlier))
    ran = old.run(capsys, "backup", "--monitor", "--plain", *copies, str(file))
    assert ran.code == 0, ran.err
    assert "token" not in [
        member["name"] for member in json.loads(old.run(capsys, "--json", "backup", "--show", str(file)).out)["members"]
    ]
    assert restored(new, file, capsys, *copies).code == 0
    before, after = (load_token_keys(m.paths.monitor_keys) for m in (old, new))
    assert [key.private_bytes_raw() for key in after] == [key.private_bytes_raw() for key in before]
    assert set(load_record_and_receipt_keys(new.paths.monitor_keys).record) == set(
        load_record_and_receipt_keys(old.paths.monitor_keys).record
    )


def test_a_board_that_is_trusted_no_more_is_put_aside_with_the_rest(
    old: Monitor, copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the restored monitor did not trust, it does not trust: a file without a place in the backup goes too."""
    file = backed_up(old, tmp_path / "m.backup", copy, capsys)
    shutil.copy(old.paths.controllers / "front.toml", old.paths.controllers / "later.toml")
    ran = restored(old, file, capsys, "--token-key-copy", str(copy), "--replace")
    assert ran.code == 0, ran.err
    assert sorted(path.name for path in old.paths.controllers.glob("*.toml")) == [f"{'00' * 16}.toml", "front.toml"]
    assert (old.paths.controllers / "later.toml.before-1").exists()
    assert (old.token.with_name("token.key.before-1")).read_bytes() == copy.read_bytes()


def test_a_running_monitor_is_left_alone(
    old: Monitor, copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import subprocess
    import sys

    file = backed_up(old, tmp_path / "m.backup", copy, capsys)
    holding = "import sys; from pathlib import Path; from doorctl.monitord.ledger import LedgerReader\n"
    holding += "r = LedgerReader(Path(sys.argv[1]))\nwith r.snapshot() as s: s.last_id(); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(old.paths.ledger)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as monitor:
        assert monitor.stdout is not None
        assert monitor.stdin is not None
        assert monitor.stdout.readline() == b"open\n"
        backed_up(old, tmp_path / "b.backup", copy, capsys)
        ran = restored(old, file, capsys, "--token-key-copy", str(copy), "--replace")
        assert ran.code == 1
        assert f"{old.paths.ledger}: in use" in ran.err
        assert "systemctl stop doorctl-monitor" in ran.err
        monitor.stdin.close()
    assert restored(old, file, capsys, "--token-key-copy", str(copy), "--replace").code == 0


def test_a_monitor_is_no_board(
    old: Monitor, new: Monitor, copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = backed_up(old, tmp_path / "m.backup", copy, capsys)
    ran = new.run(capsys, "restore", str(file))
    assert (ran.code, new.home.exists()) == (1, False)
    assert f"{file}: of a monitor, not of a board" in ran.err
    assert "give --monitor, on the monitor's own machine" in ran.err
    ran = restored(new, file, capsys, "--new-identity")
    assert "--new-identity: for boards" in ran.err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_everything_belongs_to_the_monitors_user(
    old: Monitor,
    new: Monitor,
    copy: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """systemd gave it the folder once, and does not look into one that is the user's already."""
    monkeypatch.setattr(private_files, "may_have_keys", {65533}.__contains__)
    file = backed_up(old, tmp_path / "m.backup", copy, capsys)
    new.paths.monitor_var.mkdir(parents=True)
    os.chown(new.paths.monitor_var, 65533, 65532)
    assert restored(new, file, capsys, "--token-key-copy", str(copy)).code == 0
    owners = {(path.stat().st_uid, path.stat().st_gid) for path in _of_daemon(new.paths)}
    assert owners == {(65533, 65532)}


def _of_daemon(paths: Paths) -> list[Path]:
    return [path for path in paths.monitor_var.rglob("*") if path.name != "token-key-copies.json"]


@pytest.mark.parametrize("name", ["keys/tls.crt", "keys/record.key", "alarms.db", "controllers/front.toml"])
def test_no_link_leads_a_backup_elsewhere(
    old: Monitor, copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """The folder is the monitor's own user's, and root reads there."""
    place, elsewhere = old.paths.monitor_var / name, tmp_path / "elsewhere"
    place.rename(elsewhere)
    place.symlink_to(elsewhere)
    ran = old.run(capsys, "backup", "--monitor", "--plain", "--token-key-copy", str(copy), str(tmp_path / "m.backup"))
    assert (ran.code, (tmp_path / "m.backup").exists()) == (1, False)
    assert str(place) in ran.err


def test_a_pipe_keeps_no_backup_waiting(
    old: Monitor, copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = old.paths.controllers / "front.toml"
    place.unlink()
    os.mkfifo(place)
    ran = old.run(capsys, "backup", "--monitor", "--plain", "--token-key-copy", str(copy), str(tmp_path / "m"))
    assert (ran.code, (tmp_path / "m").exists()) == (1, False)
    assert f"{place}: not a plain file" in ran.err


def test_a_simulated_monitors_key_comes_along(tmp_path: Path, new: Monitor, capsys: pytest.CaptureFixture[str]) -> None:
    """It is worth nothing, and init asks for no copy."""
    old = Monitor(home=tmp_path / "old")
    assert old.run(capsys, "monitor", "init", "--simulated", *ADDRESS).code == 0
    assert old.run(capsys, "backup", "--monitor", "--plain", str(tmp_path / "m")).code == 0
    assert restored(new, tmp_path / "m", capsys).code == 0
    assert _state(new) == _state(old)


def test_a_lost_monitor_is_made_anew_with_the_copy(
    old: Monitor, new: Monitor, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = new.run(capsys, "monitor", "init", *ADDRESS, "--token-key", str(copy))
    assert ran.code == 0, ran.err
    before, after = read_monitor_file(old.paths.monitor_export).keys, read_monitor_file(new.paths.monitor_export).keys
    assert after.token_fingerprint == before.token_fingerprint
    assert after.record_fingerprint != before.record_fingerprint
    assert after.receipt_fingerprint != before.receipt_fingerprint
    assert (load_monitor_keys(new.paths.monitor_keys).public) == after
    both = ("--token-key", str(copy), "--token-key-copy", str(copy.with_name("second.key")))
    ran = Monitor(home=new.home.with_name("third")).run(capsys, "monitor", "init", *ADDRESS, *both)
    assert "with --token-key there is a copy already" in ran.err


def test_an_init_with_the_copy_goes_on_with_the_same_monitor_only(
    old: Monitor, copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old.paths.monitor_export.unlink()
    create_monitor_keys(tmp_path / "stranger")
    stranger = tmp_path / "stranger" / "token.key"
    assert (
        "another token key than this monitor's"
        in old.run(capsys, "monitor", "init", *ADDRESS, "--token-key", str(stranger)).err
    )
    assert old.run(capsys, "monitor", "init", *ADDRESS, "--token-key", str(copy)).code == 0


def test_a_board_that_changes_monitors_keeps_its_log_and_begins_anew(
    board: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Journal.open(board.paths.journal) as journal:
        journal.append([Entry(log=LogRow(wall=WallTime(7), event="start"))])
        journal.set_sent_generation(3)
    other = Monitor(home=tmp_path / "other")
    assert other.run(capsys, "monitor", "init", "--simulated", *ADDRESS).code == 0
    public = str(other.paths.monitor_export)
    ran = board.run(capsys, "init", "--yes", "--monitor", public)
    assert ran.code == 0, ran.err
    assert "records for the old monitor were put aside: journal.db.before-1" in ran.err
    with Journal.open(board.paths.journal) as journal:
        assert (journal.last_wall(), journal.sent_generation()) == (WallTime(7), 0)
    with Journal.open(board.paths.journal.with_name("journal.db.before-1")) as journal:
        assert (journal.last_wall(), journal.sent_generation()) == (WallTime(7), 3)
    assert board.run(capsys, "init", "--yes", "--monitor", public).code == 0
    assert not board.paths.journal.with_name("journal.db.before-2").exists()
    assert Paths.under(board.home).roster.exists()
