"""Faults planted in readers' keys and on their lines: doctor names each, with a hint; who is well is left alone."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from doorctl.cli.doctor_finding import Finding
from doorctl.cli.doctor_osdp import OSDP, lines
from doorctl.cli.doctor_subject import Board as Subject
from doorctl.cli.doctor_subject import Machine
from doorctl.core.types import WallTime
from doorctl.paths import Paths
from doorctl.seal.keys import create_controller_keys, load_controller_keys
from doorctl.seal.reader_keys import ReaderKeys, ReaderKeyStore, file_name, new_key
from tests.cli.board import Board, as_nobody
from tests.cli.doctors import doctor, new, of
from tests.cli.test_control import STATUS, serving
from tests.doord.house import short_folder

PLACE: Final = "/dev/ttyAMA0 address 1"
FILE: Final = file_name(PLACE)
CHECKS: Final = {check.name for check in OSDP}


@pytest.fixture
def metal(board: Board) -> Board:
    """A board of real keys whose reader at the vault has its key."""
    other = Paths.under(board.home / "other")
    create_controller_keys(other, simulated=False)
    for name in ("identity.key", "lookup.key"):
        shutil.copy(other.keys / name, board.paths.keys / name)
    written(board, 'backend = "mock"', 'backend = "gpiozero"')
    stored(board, ReaderKeys(current=new_key()))
    return board


def written(board: Board, old: str, fresh: str) -> None:
    text = board.paths.config.read_text()
    assert old in text
    board.paths.config.write_text(text.replace(old, fresh))


def stored(board: Board, keys: ReaderKeys, place: str = PLACE) -> None:
    ReaderKeyStore(board.paths.reader_keys, load_controller_keys(board.paths)).store(place, keys)


def vault_key(board: Board) -> Path:
    return board.paths.reader_keys / FILE


def no_folder(board: Board) -> None:
    shutil.rmtree(board.paths.reader_keys)


def of_another_board(board: Board) -> None:
    other = Paths.under(board.home / "third")
    create_controller_keys(other, simulated=False)
    vault_key(board).unlink()
    ReaderKeyStore(board.paths.reader_keys, load_controller_keys(other)).store(PLACE, ReaderKeys(current=new_key()))


def cut_off(board: Board) -> None:
    vault_key(board).write_bytes(vault_key(board).read_bytes()[:40])


class Case(NamedTuple):
    """A fault, and how doctor is to name it."""

    plant: Callable[[Board], object]
    check: str
    verdict: str
    words: str
    hint: str


CASES: Final = {
    "no folder": Case(
        no_folder, "reader keys", "wrong", "reader vault: has no key, so it is offline", "doorctl reader install vault"
    ),
    "no key": Case(
        lambda board: vault_key(board).unlink(), "reader keys", "wrong", "reader vault: has no key, so it is offline",
        "install it with `doorctl reader install vault`",
    ),
    "folder that others may enter": Case(
        lambda board: board.paths.reader_keys.chmod(0o755), "reader keys", "wrong",
        "osdp: expected mode 0700, found 0755", "chmod 0700",
    ),
    "key that others may read": Case(
        lambda board: vault_key(board).chmod(0o644), "reader keys", "wrong", ".key: expected mode 0600, found 0644",
        "chmod 0600",
    ),
    "key of another board": Case(
        of_another_board, "reader keys", "wrong", "expected a reader's key that this board has wrapped",
        "restore it from a backup of this board",
    ),
    "key cut off": Case(
        cut_off, "reader keys", "wrong", "expected a reader's key that this board has wrapped", "install the reader"
    ),
    "key that has not worked": Case(
        lambda board: stored(board, ReaderKeys(pending=new_key())), "reader keys", "warning",
        "reader vault: its key has not worked yet", "doorctl reader install vault",
    ),
    "reader at another address now": Case(
        lambda board: written(board, "address = 1", "address = 2"), "reader keys", "warning",
        f"{FILE}: of a reader that the configuration no longer has", "write the old one again",
    ),
    "reader that is gone": Case(
        lambda board: stored(board, ReaderKeys(current=new_key()), "/dev/ttyUSB0 address 7"), "reader keys", "warning",
        "of a reader that the configuration no longer has", "rm ",
    ),
    "may read in clear": Case(
        lambda board: written(board, "address = 1", "address = 1\nallow_plain = true"), "configuration", "warning",
        "reader vault MAY READ IN CLEAR (allow_plain)", "doorctl.toml",
    ),
    "may read in clear and need not": Case(
        lambda board: written(board, "address = 1", "address = 1\nallow_plain = true"), "reader keys", "warning",
        "reader vault: has a key, and allow_plain = true besides", "leave allow_plain out",
    ),
    "device that is not there": Case(
        lambda board: written(board, "/dev/ttyAMA0", "/dev/serial/by-id/none"), "reader lines", "wrong",
        "/dev/serial/by-id/none: there is no such device", "is the adapter plugged in?",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", CASES)
def test_a_planted_fault_is_named(metal: Board, capsys: pytest.CaptureFixture[str], fault: str) -> None:
    case, before = CASES[fault], doctor(metal, capsys)
    assert list(of(before, "ok", "reader keys")) == ["each opens with this board's"]
    case.plant(metal)
    found = new(doctor(metal, capsys), before)
    named = [(check, verdict) for check, verdict, words, hint in found if case.words in words and case.hint in hint]
    assert named == [(case.check, case.verdict)], found


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_key_of_somebody_else(metal: Board, capsys: pytest.CaptureFixture[str]) -> None:
    os.chown(vault_key(metal), 65534, -1)
    (words,) = of(doctor(metal, capsys), "wrong", "reader keys")
    assert words == f"{vault_key(metal)}: expected owner root, found nobody"


def test_who_may_not_look_is_told_so(metal: Board, capsys: pytest.CaptureFixture[str]) -> None:
    with short_folder() as folder:
        folder.chmod(0o755)
        board = metal.copied_to(folder / "board")
        with as_nobody():
            found = doctor(board, capsys)
    assert of(found, "unseen", "reader keys") != {}
    assert of(found, "wrong", "reader keys") == {}


def test_a_board_without_readers_on_lines_has_nothing_to_look_at(
    board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    text = board.paths.config.read_text().partition("[door.vault]")[0]
    board.paths.config.write_text(f'{text}\n[group.staff]\nfront = "always"\noffice = "always"\n')
    found = doctor(board, capsys)
    told = {finding["check"]: finding["words"] for finding in found if finding["check"] in CHECKS}
    assert told == dict.fromkeys(CHECKS, "no reader is on a line")


READER: Final = {
    "name": "vault", "state": "reading", "dropped": 0, "counters": {}, "kind": "osdp", "device": "/dev/ttyAMA0",
    "address": 1, "baud": 38_400, "configured_baud": 38_400, "online": True, "secure": True, "key": "installed",
    "allow_plain": False, "tampered": False, "identity": None,
}  # fmt: skip
OFFLINE: Final = READER | {"state": "offline", "online": False, "secure": False}


def said(board: Board, capsys: pytest.CaptureFixture[str], reader: dict[str, Any], *faults: str) -> dict[str, str]:
    """What doctor says while doord says this of the reader: words and hints of what is wrong or worth a look."""
    doors = [STATUS["doors"][0] | {"readers": [reader]}]
    with serving(board.paths, STATUS | {"doors": doors, "faults": list(faults)}):
        found = doctor(board, capsys)
    told: dict[str, str] = {}
    for verdict in ("wrong", "warning"):
        for check in ("reader lines", "hardware"):
            told |= of(found, verdict, check)
    return told


def test_a_reader_that_is_well(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(board, capsys, READER) == {}


@pytest.mark.parametrize(
    ("changed", "words", "hint"),
    [
        (OFFLINE, "reader vault: offline", "`doorctl reader scan /dev/ttyAMA0` finds it while doord is stopped"),
        (OFFLINE | {"key": "none"}, "reader vault: offline", "install it with `doorctl reader install vault`"),
        (READER | {"secure": False}, "reader vault: reads IN CLEAR", "`doorctl reader install vault`"),
        (
            READER | {"baud": 115_200}, "reader vault: answers at 115200 baud, and doorctl.toml says 38400",
            "write baud = 115200 at every reader of /dev/ttyAMA0",
        ),
    ],
)  # fmt: skip
def test_what_doord_hears_of_a_line_is_named_once(
    board: Board, capsys: pytest.CaptureFixture[str], changed: dict[str, Any], words: str, hint: str
) -> None:
    faults = ["reader vault: offline"] if changed["state"] == "offline" else []
    ((told, do),) = said(board, capsys, changed, *faults).items()
    assert told.startswith(words)
    assert hint in do


@pytest.mark.parametrize(
    ("fault", "hint"),
    [
        ("key vault: /x.key: expected a reader's key", "restore its file from a backup of this board"),
        ("misuse vault: bad MAC", "the line's cable from end to end"),
    ],
)
def test_a_fault_of_a_line_has_its_own_hint(
    board: Board, capsys: pytest.CaptureFixture[str], fault: str, hint: str
) -> None:
    assert hint in said(board, capsys, READER, fault)[fault]


def test_a_device_that_is_there_is_not_missed(metal: Board, tmp_path: Path) -> None:
    def found() -> list[Finding]:
        with serving(metal.paths, STATUS):
            return list(lines(Subject(metal.paths, WallTime(0), Machine(devices=tmp_path / "dev"))))

    assert [finding.verdict.name for finding in found()] == ["WRONG"]
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "ttyAMA0").touch()
    assert found() == []
