"""Faults planted in a board's files, on its disk and at its monitor's address: doctor names each, with a hint."""

import json
import os
import shutil
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from doorctl.cli.holder_enrol import Enrolment
from doorctl.cli.main import main
from doorctl.core.types import Card, GroupName, WallTime
from doorctl.doord import clock
from doorctl.journal import bounds
from doorctl.journal.journal import Journal
from doorctl.journal.rows import Entry, LogRow
from doorctl.paths import Paths
from doorctl.seal.keys import create_controller_keys, create_tls
from tests.cli.board import Board, as_nobody, make_monitor
from tests.cli.doctors import Findings, doctor, new, of
from tests.journal.making import epoch, sealed
from tests.small_disk import mounted

DAY = 24 * 3600 * 1_000_000_000
Plant = Callable[[Board], object]


class Case(NamedTuple):
    """A fault, and how doctor is to name it."""

    plant: Plant
    check: str
    verdict: str
    words: str
    hint: str


def edited(*changes: tuple[str, str]) -> Plant:
    """The configuration with other words in it."""

    def plant(board: Board) -> None:
        text = board.paths.config.read_text()
        for old, fresh in changes:
            assert old in text
            text = text.replace(old, fresh)
        board.paths.config.write_text(text)

    return plant


def key_gone(name: str) -> Plant:
    return lambda board: (board.paths.keys / name).unlink()


def enrolled(board: Board, *, card: int | None = 3456, groups: tuple[str, ...] = ("staff",)) -> None:
    enrolment = Enrolment.open(board.paths)
    try:
        known = None if card is None else enrolment.card(Card(length=26, raw=card))
        enrolment.add("Ana Lopez", groups=[GroupName(group) for group in groups], card=known, with_codes=False)
    finally:
        enrolment.close()


def short_codes(board: Board) -> None:
    """A roster of such: what the file says after init is not in force."""
    edited(("[hal]", "[codes]\nlength = 4\n[hal]"))(board)
    board.paths.roster.unlink()
    assert main(["--home", str(board.home), "init", "--mock"]) == 0
    enrolled(board)


def no_card_for_the_only_door(board: Board) -> None:
    enrolled(board, card=None)
    edited(('office = "always"', ""))(board)


def another_lookup_key(board: Board) -> None:
    enrolled(board)
    other = Paths.under(board.home / "other")
    create_controller_keys(other, simulated=True)
    shutil.copy(other.keys / "lookup.key", board.paths.keys / "lookup.key")


def another_identity(board: Board) -> None:
    other = Paths.under(board.home / "other")
    create_controller_keys(other, simulated=True)
    shutil.copy(other.keys / "identity.key", board.paths.keys / "identity.key")


def production_keys(board: Board) -> None:
    other = Paths.under(board.home / "other")
    create_controller_keys(other, simulated=False)
    shutil.copy(other.keys / "identity.key", board.paths.keys / "identity.key")


def another_pair(board: Board) -> None:
    create_tls(board.home / "new" / "tls.key", board.home / "new" / "tls.crt", name="another")
    for name in ("tls.key", "tls.crt"):
        shutil.copy(board.home / "new" / name, board.paths.courier_keys / name)


def no_zone(board: Board) -> None:
    path = board.paths.controller_public
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("timezone = ")))


def record_key_changed(board: Board) -> None:
    """As where somebody copied a part of another monitor's file."""
    text = board.paths.monitor_public.read_text()
    head, record, rest = text.partition('record = """\n')
    board.paths.monitor_public.write_text(head + record + ("B" if rest[0] == "A" else "A") + rest[1:])


def page_overwritten(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.seek(4096)
        stream.write(b"\xff" * 2048)


def roster_damaged(board: Board) -> None:
    enrolled(board)
    page_overwritten(board.paths.roster)


def waiting(board: Board, records: int, *, age: int = 0) -> None:
    """So many records without a receipt, as old as that."""
    board.paths.journal.parent.mkdir(parents=True, exist_ok=True)
    with Journal.open(board.paths.journal) as journal:
        row = LogRow(wall=WallTime(clock.wall() - age), event="access", door="front")
        journal.append([Entry(log=row, record=sealed(epoch(1), i)) for i in range(1, records + 1)])


def journal_damaged(board: Board) -> None:
    waiting(board, 20)
    page_overwritten(board.paths.journal)


def record_changed(board: Board) -> None:
    waiting(board, 20)
    content = bytearray(board.paths.journal.read_bytes())
    at = content.index(sealed(epoch(1), 7)[100:])
    content[at] ^= 1
    board.paths.journal.write_bytes(content)


def journal_moved_aside(board: Board) -> None:
    journal_damaged(board)
    Journal.open(board.paths.journal).close()


def clock_ahead_once(board: Board) -> None:
    waiting(board, 1, age=-DAY)


def clock_doubted(board: Board) -> None:
    waiting(board, 1)
    (board.paths.journal.parent / "time-unknown").touch()


def log_too_old(board: Board) -> None:
    waiting(board, 1, age=100 * DAY)


def killed(board: Board) -> None:
    """What kill -9 leaves: names of sockets that nobody listens at."""
    board.paths.run.mkdir(parents=True, exist_ok=True)
    for path in (board.paths.control_socket, board.paths.courier_socket):
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(path))


def address(text: str) -> Plant:
    """No fingerprint covers the addresses: they may be edited."""

    def plant(board: Board) -> None:
        path = board.paths.monitor_public
        path.write_text(path.read_text().replace('"127.0.0.1:9"', f'"{text}"'))

    return plant


CASES = {
    "configuration wrong": Case(
        edited(("egress ", "egres ")), "configuration", "wrong", 'unknown key "egres"', 'did you mean "egress"?'
    ),
    "group without a door": Case(
        edited(("[group.staff]", "[group.guests]\n[group.staff]")), "configuration", "warning",
        "group.guests: opens no door", "doorctl check",
    ),
    "key that others may read": Case(
        lambda board: (board.paths.keys / "identity.key").chmod(0o640), "keys", "wrong",
        "identity.key: expected mode 0600, found 0640", "chmod 0600",
    ),
    "folder of keys that others may enter": Case(
        lambda board: board.paths.keys.chmod(0o755), "keys", "wrong", "expected mode 0700, found 0755", "chmod 0700"
    ),
    "identity key missing": Case(
        key_gone("identity.key"), "keys", "wrong", "identity.key: there is no such key", "backup"
    ),
    "look-up key missing": Case(key_gone("lookup.key"), "keys", "wrong", "lookup.key: there is no such key", "backup"),
    "look-up key of another roster": Case(
        another_lookup_key, "look-up key", "wrong", "lookup.key finds none of 1 cards", "of one backup"
    ),
    "courier's key missing": Case(
        lambda board: (board.paths.courier_keys / "tls.key").unlink(), "courier's key", "wrong",
        "tls.key: there is no such file", "doorctl init",
    ),
    "courier's key that others may read": Case(
        lambda board: (board.paths.courier_keys / "tls.key").chmod(0o644), "courier's key", "wrong",
        "tls.key: expected mode 0600, found 0644", "chmod 0600",
    ),
    "courier's certificate of another pairing": Case(
        another_pair, "courier's key", "wrong", "not the certificate that controller.toml has", "right pair"
    ),
    "identity of another board": Case(
        another_identity, "courier's key", "wrong", "of another identity key", "doorctl monitor trust"
    ),
    "another name of the site since": Case(
        edited(('id = "demo-site"', 'id = "harbour-st"')), "site name", "warning",
        'controller.toml: site: expected "harbour-st" as in doorctl.toml, found "demo-site"',
        "where doorctl.toml is right: `doorctl init`, then `doorctl monitor trust controller.toml` at the monitor again",
    ),
    "another zone of the site since": Case(
        edited(('timezone = "UTC"', 'timezone = "Europe/Lisbon"')), "site name", "warning",
        'controller.toml: timezone: expected "Europe/Lisbon" as in doorctl.toml, found "UTC", which is what the monitor',
        "`doorctl init`",
    ),
    "no zone, as an earlier version wrote it": Case(
        no_zone, "site name", "warning",
        'controller.toml: timezone: expected "UTC" as in doorctl.toml, found none', "`doorctl init`",
    ),
    "monitor.toml missing": Case(
        lambda board: board.paths.monitor_public.unlink(), "pairing", "wrong", "monitor.toml", "from the monitor"
    ),
    "record key changed since": Case(
        record_key_changed, "pairing", "wrong", "fingerprint: expected", "copy the file again from the monitor"
    ),
    "mock hardware and production keys": Case(
        production_keys, "start", "wrong", 'hal.backend is "mock" and the keys of this board are real', "init --mock"
    ),
    "metal and simulated keys": Case(
        edited(('backend = "mock"', 'backend = "gpiozero"')), "start", "wrong",
        "the keys of this board are simulated and hal.backend is not mock", "doorctl init",
    ),
    "monitor's files on the board": Case(
        lambda board: make_monitor(board.paths.monitor_var, simulated=True), "start", "warning",
        "the monitor's keys are on this board, so the door can know", "another machine",
    ),
    "roster missing": Case(lambda board: board.paths.roster.unlink(), "roster", "wrong", "there is no roster", "init"),
    "roster damaged": Case(roster_damaged, "roster", "wrong", "the roster is damaged", "backup of the roster"),
    "codes too easily guessed": Case(
        short_codes, "guessing", "warning",
        "one try in 500 hits a live code", "longer codes",
    ),
    "group that is no longer in the configuration": Case(
        lambda board: enrolled(board, groups=("staff", "cleaners")), "people", "warning",
        "in a group that is not in the configuration: ana-lopez (cleaners)", "holder edit",
    ),
    "nobody's door": Case(
        lambda board: enrolled(board, groups=()), "people", "warning", "no door opens for ana-lopez", "--group"
    ),
    "no card at doors that ask for one": Case(
        no_card_for_the_only_door, "people", "warning",
        "have no card, and every door of theirs asks for one: ana-lopez", "holder card",
    ),
    "journal damaged": Case(journal_damaged, "journal", "wrong", "journal.db: damaged", "moved aside"),
    "record in the journal changed": Case(
        record_changed, "journal", "wrong", "a record is not what was written", "moved aside"
    ),
    "journal moved aside once": Case(
        journal_moved_aside, "journal", "warning", "journal.db.damaged-1: the journal was damaged once", "dmesg"
    ),
    "log kept for too long": Case(
        log_too_old, "journal", "warning", "the access log goes back further than its 90 days", "while it runs"
    ),
    "old records wait": Case(
        lambda board: waiting(board, 3, age=3 * DAY), "spool", "warning", "the oldest record has waited for 3 days",
        "courier",
    ),
    "clock before the log": Case(clock_ahead_once, "clock", "wrong", "before the last line of the log", "NTP"),
    "clock that was doubted": Case(clock_doubted, "clock", "wrong", "it did not trust the clock", "NTP"),
    "stale sockets": Case(killed, "sockets", "warning", "control.sock: left by a doord that was killed", "start doord"),
    "monitor's name unknown": Case(
        address("monitor.invalid:7443"), "way to monitor", "wrong", "the name does not resolve", "DNS"
    ),
    "monitor's name impossible": Case(
        address("a..b:7443"), "way to monitor", "wrong", "the name does not resolve", "DNS"
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def baseline(made_board: Board) -> Iterator[Findings]:
    """What doctor says of a board that is well and does not run."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryFile("w+") as out:
        patch.setattr("sys.stdout", out)
        main(["--home", str(made_board.home), "doctor", "--json"])
        out.seek(0)
        yield json.load(out)["findings"]


def test_a_board_that_is_well_and_does_not_run(baseline: Findings) -> None:
    assert list(of(baseline, "wrong")) == ["doord does not run", "127.0.0.1:9: connection refused"]
    assert of(baseline, "warning") == {}
    assert all(of(baseline, "wrong").values()), "and says what to do"


@pytest.mark.parametrize("fault", CASES)
def test_a_planted_fault_is_named(
    board: Board, capsys: pytest.CaptureFixture[str], baseline: Findings, fault: str
) -> None:
    case = CASES[fault]
    case.plant(board)
    capsys.readouterr()
    found = new(doctor(board, capsys), baseline)
    named = [(check, verdict) for check, verdict, words, hint in found if case.words in words and case.hint in hint]
    assert (case.check, case.verdict) in named, found
    assert all(hint for _, _, _, hint in found)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_keys_of_somebody_else(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    os.chown(board.paths.keys / "lookup.key", 65534, -1)
    (words,) = of(doctor(board, capsys), "wrong", "keys")
    assert "lookup.key: expected owner root, found nobody" in words


def test_a_spool_that_fills(board: Board, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "LIMIT", 10)
    waiting(board, 8)
    assert of(doctor(board, capsys), "wrong", "spool") == {}
    waiting(board, 9)
    (words,) = of(doctor(board, capsys), "wrong", "spool")
    assert words == "9 of 10 records wait for the monitor: soon the oldest give way"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "small", mib=80) as place:
        yield place


def test_a_disk_that_is_nearly_full(made_board: Board, small_disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    board = made_board.copied_to(small_disk / "board")
    waiting(board, 1)
    (words,) = of(doctor(board, capsys), "warning", "disk room")
    assert "MB free, and it may still grow by 469 MB" in words
    (small_disk / "ballast").write_bytes(bytes(40_000_000))
    (words,) = of(doctor(board, capsys), "wrong", "disk room")
    assert "the disk is nearly full" in words


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port whose first caller is served; the number of the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def one() -> None:
            connection, _ = listener.accept()
            with connection:
                serve(connection)

        thread = threading.Thread(target=one)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def test_a_port_that_speaks_something_else(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    with listening(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        address(f"127.0.0.1:{port}")(board)
        (words,) = of(doctor(board, capsys), "wrong", "way to monitor")
    assert words.startswith(f"127.0.0.1:{port}: no TLS 1.3: ")


@pytest.mark.parametrize("with_our_key", [True, False])
def test_another_certificate_at_the_monitors_address(
    board: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str], with_our_key: bool
) -> None:
    create_tls(tmp_path / "x.key", tmp_path / "x.crt", name="somebody")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "x.crt", tmp_path / "x.key")

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as line:
            assert line.recv(1) == b"", "doctor says nothing"

    if not with_our_key:
        (board.paths.courier_keys / "tls.key").unlink()
    with listening(serve) as port:
        address(f"127.0.0.1:{port}")(board)
        (words,) = of(doctor(board, capsys), "wrong", "way to monitor")
    assert words == f"127.0.0.1:{port}: shows another certificate than monitor.toml has"


def test_an_address_that_does_not_answer(
    board: Board, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*_: object, **__: object) -> socket.socket:
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", late)
    assert "127.0.0.1:9: no answer" in of(doctor(board, capsys), "wrong", "way to monitor")


def test_who_may_not_look_is_told_what_was_not_seen(made_board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="doorctl-"))
    try:
        folder.chmod(0o755)
        board = made_board.copied_to(folder / "board")
        waiting(board, 1)
        for closed in (board.paths.roster.parent, board.paths.journal.parent):
            closed.chmod(0o750)
        with as_nobody():
            found = doctor(board, capsys)
    finally:
        shutil.rmtree(folder)
    not_seen = {finding["check"] for finding in found if finding["verdict"] == "unseen"}
    assert not_seen >= {"keys", "courier's key", "start", "roster", "look-up key", "journal", "spool", "disk speed"}
    assert list(of(found, "wrong")) == ["doord does not run", "127.0.0.1:9: connection refused"]


def test_it_writes_nothing(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    enrolled(board)
    waiting(board, 3)

    def stamps() -> dict[Path, tuple[int, int]]:
        # SQLite makes -shm and an empty -wal beside a roster whoever reads it: schema.py says why
        paths = [path for path in board.home.rglob("*") if path.is_file() and path.suffix[-4:] not in ("-shm", "-wal")]
        return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in paths}

    before = stamps()
    doctor(board, capsys)
    assert stamps() == before


def test_it_says_no_secret(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    enrolled(board)
    key = (board.paths.keys / "lookup.key").read_text().splitlines()[1]
    told = str(doctor(board, capsys))
    assert (key in told, "3456" in told) == (False, False)


def test_a_machine_without_anything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--home", str(tmp_path), "doctor"]) == 1
    assert "nothing of doorctl is set up here\n  hint: `doorctl init` makes a board" in capsys.readouterr().err
