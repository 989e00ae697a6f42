"""doorctl mock against a real doord: what hands do at its doors, and what is said of the strike afterwards."""

import json
import os
import re
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest

from doorctl.cli import mock_hands
from doorctl.cli.holder_enrol import Enrolment
from doorctl.cli.mock_line import BoardGoneError, Drive
from doorctl.core.types import Card, GroupName
from doorctl.errors import PeerError
from doorctl.seal.meaning import Meaning
from hal.wiegand.cards import FORMATS
from tests.cli.board import PATIENCE_S, Board, OnTerminal, as_nobody, wait_until
from tests.cli.test_daemon import CONTACTS, Running

pytestmark = pytest.mark.system
CARD = "H10301:12:3456"
OTHER_CARD = "H10301:12:3457"
LEAVES = dict(zip(("front", "office", "vault"), CONTACTS, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A doord that runs, and the codes of somebody who may open all of its doors."""

    running: Running
    code: str
    duress_code: str

    @property
    def board(self) -> Board:
        return self.running.board


@pytest.fixture(scope="module")
def whole(made_board: Board) -> Iterator[Site]:
    """The demo's doors, but for REX: the office has none, and the vault's is at its reader.

    A strike is released for a minute, so that it is still when a busy machine comes to look at it.
    """
    folder = Path(tempfile.mkdtemp(prefix="doorctl-"))
    folder.chmod(0o755)
    board = made_board.copied_to(folder / "board")
    text = board.paths.config.read_text().replace('rex     = "GPIO25"\n', "")
    vault = '[door.vault]\nrex = { input = 1, active = "high" }\n'
    assert text.count("release_s = 5 ") == len(LEAVES)
    text = text.replace("release_s = 5 ", "release_s = 60 ")
    board.paths.config.write_text(text.replace("[door.vault]\n", vault))
    code, duress_code = enrolled(board)
    doord = Running(board)
    try:
        doord.start()
        yield Site(running=doord, code=code, duress_code=duress_code)
    finally:
        ended = doord.stop()
        shutil.rmtree(folder)
    assert ended == 0


def enrolled(board: Board) -> tuple[str, str]:
    length, raw = FORMATS["H10301"].encode({"facility": 12, "card": 3456})
    enrolment = Enrolment.open(board.paths)
    try:
        card = enrolment.card(Card(length=length, raw=raw))
        ana = enrolment.add("Ana Lopez", groups=[GroupName("staff")], card=card)
    finally:
        enrolment.close()
    codes = {code.meaning: code.code for code in ana.codes}
    return codes[Meaning.NORMAL], codes[Meaning.DURESS]


@pytest.fixture
def site(whole: Site) -> Site:
    """Every door closed and secured."""
    for door in LEAVES:
        if state(whole, door) != "secured":
            go_through(whole, door)
    return whole


def go_through(site: Site, door: str) -> None:
    """Open and close: an opened leaf lets its strike fall."""
    site.running.hands.do("input", pin=LEAVES[door], level=True)
    wait_until(lambda: state(site, door) == "open", "the opening")
    site.running.hands.do("input", pin=LEAVES[door], level=False)
    wait_until(lambda: state(site, door) == "secured", "the closing")


def state(site: Site, door: str) -> str:
    return next(str(one["state"]) for one in site.running.status()["doors"] if one["name"] == door)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where something moves, it is looked at until it does: a busy machine may need more than a person waits."""
    monkeypatch.setattr(mock_hands, "ANSWER_WITHIN_S", PATIENCE_S)


def typing(monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    """On standard input, which is no terminal."""
    monkeypatch.setattr("sys.stdin", StringIO(keys))


def timeless(told: str) -> str:
    return re.sub(r"\d+\.\d\d s", "N s", told)


# A door that does something


@pytest.mark.usefixtures("patient")
def test_a_card_and_a_code_open(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    typing(monkeypatch, f"{site.code}\n")
    ran = site.board.run(capsys, "mock", "card", "front", CARD, "--keys")
    assert (ran.code, timeless(ran.out), ran.err) == (0, "front: strike released after N s\n", "")
    assert state(site, "front") == "released"


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("reader", ["front", "office", "vault"])
def test_the_other_code_is_told_in_the_same_words(
    site: Site, reader: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also at a door with a code alone, and at one whose reader is on a line."""
    arguments = ["mock", "keys", reader] if reader == "office" else ["mock", "card", reader, CARD, "--keys"]
    told = []
    for code in (site.code, site.duress_code):
        typing(monkeypatch, f"{code[:3]} {code[3:]}\n")
        told.append(site.board.run(capsys, *arguments))
        go_through(site, reader)
    assert [(one.code, timeless(one.out), one.err) for one in told] == [
        (0, f"{reader}: strike released after N s\n", "")
    ] * 2


def test_keys_are_asked_for_and_not_shown(site: Site) -> None:
    with OnTerminal(site.board, "mock", "keys", "office") as command:
        command.wait_for("keys at office (not shown): ")
        command.type(f"{site.code}\n")
        ran = command.ended()
    assert (ran.code, timeless(ran.out), ran.err) == (0, "office: strike released after N s\n", "")
    assert site.code not in command.seen


@pytest.mark.parametrize("door", ["front", "vault"])
def test_the_button_inside(
    site: Site, door: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a pin, and at a reader's terminals."""
    with monkeypatch.context() as patient:
        patient.setattr(mock_hands, "ANSWER_WITHIN_S", PATIENCE_S)
        ran = site.board.run(capsys, "mock", "rex", door)
    assert (ran.code, timeless(ran.out), ran.err) == (0, f"{door}: strike released after N s\n", "")
    again = site.board.run(capsys, "mock", "rex", door)
    assert again == (0, f"{door}: the strike stayed released\n", "")


def test_through_the_door_and_closed_behind(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patient:
        patient.setattr(mock_hands, "ANSWER_WITHIN_S", PATIENCE_S)
        begun = time.monotonic()
        released = json.loads(site.board.run(capsys, "--json", "mock", "rex", "front").out)
        took_ms = (time.monotonic() - begun) * 1000
        opened = site.board.run(capsys, "mock", "contact", "front", "open")
    assert released == {"door": "front", "moved": "released", "after_ms": released["after_ms"], "released": True}
    assert 0 <= released["after_ms"] < took_ms
    assert timeless(opened.out) == "front: the leaf is open; strike secured after N s\n"
    assert state(site, "front") == "open"
    closed = site.board.run(capsys, "mock", "contact", "front", "closed", "--json")
    assert json.loads(closed.out) == {"door": "front", "moved": None, "after_ms": None, "released": False}
    wait_until(lambda: state(site, "front") == "secured", "the closing")


# A door that does nothing


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing will move, it is not looked at for two seconds; an answer takes 0.2 s here."""
    monkeypatch.setattr(mock_hands, "ANSWER_WITHIN_S", 0.6)


@pytest.mark.usefixtures("quick")
def test_a_card_where_a_code_belongs_to_it(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    for card in (CARD, OTHER_CARD):
        assert site.board.run(capsys, "mock", "card", "front", card) == (
            0, "front: the strike did not move\n",
            "  hint: at front a code belongs to the card: with --keys it is asked for, and typed after the card\n",
        )  # fmt: skip


@pytest.mark.usefixtures("quick")
def test_keys_that_are_no_code(site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    typing(monkeypatch, "0000#")
    assert site.board.run(capsys, "mock", "keys", "office") == (0, "office: the strike did not move\n", "")
    typing(monkeypatch, "1")
    ran = site.board.run(capsys, "mock", "keys", "office")
    hint = "an entry ends with #, or after 8 digits, which is how long codes are here"
    assert ran == (0, "office: the strike did not move\n", f"  hint: {hint}\n")
    typing(monkeypatch, "*")  # so that the next one does not begin with it
    assert site.board.run(capsys, "mock", "keys", "office").code == 0


# What cannot be


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("card frnt " + CARD, ('there is no reader "frnt"', 'did you mean "front"? readers: front, office, vault')),
        ("keys cellar", ('there is no reader "cellar"', "readers: front, office, vault")),
        (
            "keys office 48207815",
            (
                "keys are no argument: other users of this machine see those, and the shell remembers them",
                "`doorctl mock keys office` asks for them",
            ),
        ),
        ("rex frnt", ('there is no door "frnt"', 'did you mean "front"? doors: front, office, vault')),
        ("rex office", ("office: has no rex", "`doorctl config explain door.*.rex` says how doorctl.toml wires one")),
        ("card office " + CARD, ("office: reads no cards", "`doorctl mock keys office` types a code")),
        ("card front 3456", ("the card: expected FORMAT and its fields, as H10301:12:3456, or raw:BITS:NUMBER", None)),
        ("card front H10301:12", ("the card: expected H10301:FACILITY:CARD", None)),
    ],
)
def test_what_is_not_there(
    site: Site, arguments: str, told: tuple[str, str | None], capsys: pytest.CaptureFixture[str]
) -> None:
    before = moved_so_far(site)
    error, hint = told
    wanted = f"doorctl: error: {error}\n" + (f"  hint: {hint}\n" if hint else "")
    assert site.board.run(capsys, "mock", *arguments.split()) == (1, "", wanted)
    assert moved_so_far(site) == before


@pytest.mark.parametrize(
    "arguments",
    [
        "482078", "keys 482078", "keys 482078 front", "keys front --json 482078", "keys front --keys 482078", "rex 482078",
        f"card front {CARD} --keys 482078", f"card front {CARD} --keys=482078", "card 482078 " + CARD,
        "contact front 482078", "contact 482078 open",
    ],
)  # fmt: skip
def test_a_code_on_the_line_is_never_repeated(site: Site, arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    ran = site.board.process("mock", *arguments.split())
    assert ran.code != 0
    assert "error:" in ran.err
    assert "482078" not in ran.out + ran.err


def moved_so_far(site: Site) -> list[list[object]]:
    """Every move of a strike."""
    outputs = site.running.hands.do("history", since=0)["outputs"]
    return [output for output in outputs if output[1] in ("GPIO17", "GPIO18", "GPIO19")]


@pytest.mark.parametrize("keys", ["", "12a4", "4" * 65, "４８２"])
def test_keys_that_no_keypad_has_are_refused_and_not_repeated(
    site: Site, keys: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    typing(monkeypatch, f"{keys}\n")
    assert site.board.run(capsys, "mock", "keys", "office") == (
        1, "", "doorctl: error: expected 1 to 64 keys, each a digit, * or #\n  hint: nothing was pressed\n",
    )  # fmt: skip


def test_a_reader_that_is_not_ready(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mock_hands, "READY_WITHIN_S", 0.0)
    hands = site.running.hands
    hands.do("fault", fault="stuck-low", pin="GPIO4")
    wait_until(lambda: reader_state(site, "front") != "reading", "the fault")
    ran = site.board.run(capsys, "mock", "card", "front", CARD)
    hands.do("fault", fault="clear", pin="GPIO4")
    wait_until(lambda: reader_state(site, "front") == "reading", "the end of it")
    error = "front: not ready for cards and keys: line low"
    assert ran == (1, "", f"doorctl: error: {error}\n  hint: `doorctl reader show front` says more\n")


def reader_state(site: Site, name: str) -> str:
    doors = site.running.status()["doors"]
    return next(str(one["state"]) for door in doors for one in door["readers"] if one["name"] == name)


def test_a_configuration_that_doord_does_not_run_with(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    was = site.board.paths.config.read_text()
    again = "  hint: doorctl.toml has changed since doord started: start it again\n"
    try:
        site.board.paths.config.write_text(was.replace('"GPIO17"', '"GPIO13"'))
        ran = site.board.run(capsys, "mock", "rex", "front")
        assert ran == (1, "", f"doorctl: error: doord drives no strike at GPIO13\n{again}")
    finally:
        site.board.paths.config.write_text(was)


def test_of_another_user(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    path = site.board.paths.mock_socket
    with as_nobody():
        ran = site.board.run(capsys, "mock", "rex", "front")
    hint = "only the user that runs doord moves its made-up wires"
    assert ran == (1, "", f"doorctl: error: {path}: no right to connect\n  hint: {hint}\n")


# Without a doord


def test_a_board_of_metal(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    text = board.paths.config.read_text()
    board.paths.config.write_text(text.replace('backend = "mock"', 'backend = "gpiozero"'))
    ran = board.run(capsys, "mock", "rex", "front")
    assert (ran.code, ran.out) == (1, "")
    error, hint = ran.err.splitlines()
    assert error.endswith('doorctl.toml: hal.backend is "gpiozero": a board of metal has no made-up wires')
    assert "`doorctl sim --config FILE` plays its doors" in hint


@pytest.mark.parametrize("arguments", ["card front " + CARD, "keys office", "rex front", "contact front open"])
def test_nobody_runs(
    board: Board, arguments: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mock_hands, "READY_WITHIN_S", 0.0)
    ran = board.run(capsys, "mock", *arguments.split())
    assert (ran.code, ran.out) == (1, "")
    error, hint = ran.err.splitlines()
    assert error.endswith(".sock: doord is not running here")
    assert "python -m doorctl.doord, with the same --home" in hint


@pytest.mark.usefixtures("quick")
def test_a_doord_that_was_started_a_moment_ago_is_waited_for(
    board: Board, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mock_hands, "_TELL_AFTER_S", 0.0)
    monkeypatch.setattr(mock_hands, "READY_WITHIN_S", PATIENCE_S)
    running = Running(board)  # begins, and listens later
    try:
        ran = board.run(capsys, "mock", "card", "front", CARD)
    finally:
        assert running.stop() == 0
    assert (ran.code, ran.out) == (0, "front: the strike did not move\n")
    assert ran.err.splitlines()[0] == f"waiting up to {PATIENCE_S:g} s for the reader front …"


def test_one_of_several_readers(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    text = board.paths.config.read_text()
    side = 'wiegand = ["GPIO20", "GPIO21"]\nformat = "H10301"\nmode = "card"\n'
    text = text.replace("[door.front.reader]", f"[door.front.readers.out]\n{side}[door.front.readers.in]")
    board.paths.config.write_text(text)
    ran = board.run(capsys, "mock", "card", "front", CARD)
    assert ran.err == "doorctl: error: front: has several readers\n  hint: one of front/out, front/in\n"
    ran = board.run(capsys, "mock", "keys", "front/out")
    assert ran.err == (
        "doorctl: error: front/out: has no keypad\n  hint: `doorctl mock card front/out NUMBER` shows a card\n"
    )


@pytest.mark.parametrize(("answer", "error"), [(b"", BoardGoneError), (b'{"ok":false,"error":"no"}\n', PeerError)])
def test_a_board_that_ends_or_refuses(tmp_path: Path, answer: bytes, error: type[Exception]) -> None:
    path = Path(os.path.relpath(tmp_path / "mock.sock"))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        server = threading.Thread(target=serve, name="board")
        server.start()
        with Drive(path) as drive, pytest.raises(error):
            drive.do("state")
        server.join()


def test_help_says_where_it_is_for(capsys: pytest.CaptureFixture[str], board: Board) -> None:
    with pytest.raises(SystemExit) as ended:
        board.run(capsys, "mock", "--help")
    assert ended.value.code == 0
    assert 'with [hal] backend = "mock"' in " ".join(capsys.readouterr().out.split())
