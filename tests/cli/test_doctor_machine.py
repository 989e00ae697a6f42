"""The machine's checks with numbers: disk, versions, units, pins; and how findings are worked through and shown."""

import os
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from doorctl.cli import doctor_machine
from doorctl.cli.doctor import lines, plain
from doorctl.cli.doctor_finding import Check, Examined, Finding, Unseen, Verdict, examine, ok, warning, wrong
from doorctl.cli.doctor_machine import disk_room, disk_speed, pins, units, versions
from doorctl.cli.doctor_subject import Board, Machine, is_loopback
from doorctl.core.types import WallTime
from doorctl.errors import DoorctlError, OperatorError
from doorctl.paths import Paths
from tests.cli.board import Board as MadeBoard

MB = 1_000_000


def verdicts(findings: Iterator[Finding]) -> list[tuple[str, str]]:
    return [(finding.verdict.name, finding.words) for finding in findings]


@pytest.mark.parametrize(
    ("free", "of_all", "verdict"),
    [
        (600, 30_000, "WRONG"),
        (901, 30_000, "OK"),
        (60, 100, "WRONG"),
        (65, 100, "WARNING"),
        (499, 1_000, "WARNING"),
        (500, 1_000, "OK"),
    ],
)
def test_room_on_the_disk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, of_all: int, verdict: str
) -> None:
    told = SimpleNamespace(f_bavail=free * 1000, f_blocks=of_all * 1000, f_frsize=1000, f_files=0, f_favail=0)
    monkeypatch.setattr(os, "statvfs", lambda _: told)
    assert [finding.verdict.name for finding in disk_room(tmp_path, may_grow=500 * MB)] == [verdict]


def test_a_disk_without_room_for_more_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = SimpleNamespace(f_bavail=9_000_000, f_blocks=10_000_000, f_frsize=1000, f_files=1000, f_favail=3)
    monkeypatch.setattr(os, "statvfs", lambda _: told)
    assert verdicts(disk_room(tmp_path, may_grow=0)) == [
        ("WRONG", f"{tmp_path}: the disk has room for 3 more files only"),
        ("OK", "9,000 MB free"),
    ]


class Slow:
    """A disk on which a write takes so long: fsync moves the clock, and nobody waits."""

    def __init__(self, *milliseconds: float) -> None:
        self._takes = list(milliseconds)
        self.now = 0.0

    def fsync(self, _: int) -> None:
        self.now += self._takes.pop(0) / 1000


@pytest.mark.parametrize(
    ("milliseconds", "verdict"),
    [
        ([1, 2, 3, 4, 5, 6, 7], "OK"),
        ([1, 2, 3, 60, 60, 60, 60], "WARNING"),
        ([1, 1, 1, 1, 1, 1, 200], "WARNING"),
        ([151, 1, 1, 151, 151, 1, 151], "WRONG"),
    ],
)
def test_a_slow_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, milliseconds: list[float], verdict: str) -> None:
    disk = Slow(*milliseconds)
    monkeypatch.setattr(os, "fsync", disk.fsync)
    (finding,) = disk_speed(tmp_path, now=lambda: disk.now)
    median, slowest = sorted(milliseconds)[3], max(milliseconds)
    assert (finding.verdict.name, finding.words) == (
        verdict,
        f"{tmp_path}: a write is on the disk after {median:.1f} ms, the slowest of 7 after {slowest:.1f} ms",
    )
    assert list(tmp_path.iterdir()) == [], "what was written has no name"


def test_a_file_system_without_nameless_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "O_TMPFILE", 0)
    with pytest.raises(Unseen, match="its file system knows no files without a name"):
        list(disk_speed(tmp_path))


def test_versions_that_are_well() -> None:
    (finding,) = versions(None)
    assert finding.verdict is Verdict.OK
    assert sqlite3.sqlite_version in finding.words


def test_versions_that_are_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"cryptography": "49.0.7", "h11": "0.16.0rc1", "msgspec": "0.9"}
    monkeypatch.setattr(doctor_machine, "version", lambda name: found.get(name, "99"))
    monkeypatch.setattr(
        doctor_machine, "requires",
        lambda _: ["cryptography>=50", "h11>=0.16", "msgspec>=0.19", "rich>=13; extra == 'sim'"],
    )  # fmt: skip
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.34.1")
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    assert [words for _, words in verdicts(versions(None))] == [
        f"Python {sys.version.split()[0]} is older than 3.11",
        "SQLite 3.34.1 is older than 3.37.0",
        "cryptography 49.0.7 is older than 50",
        "msgspec 0.9 is older than 0.19",
    ]


def test_a_library_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_machine, "requires", lambda _: ["no-such-library>=1.0"])
    assert verdicts(versions(None)) == [("WRONG", "no-such-library 0 (not installed) is older than 1.0")]


def systemctl(folder: Path, answers: dict[str, tuple[str, str, str]]) -> Machine:
    """A systemd whose units are as said."""
    script = folder / "systemctl"
    cases = "\n".join(
        f"  {unit}) printf 'LoadState={load}\\nUnitFileState={file}\\nActiveState={active}\\n' ;;"
        for unit, (load, file, active) in answers.items()
    )
    script.write_text(f'#!/bin/sh\n[ "$1 $2" = "show -p" ] || exit 9\ncase "$4" in\n{cases}\nesac\n')
    script.chmod(0o755)
    return Machine(systemd=folder, systemctl=(str(script),))


def test_units_that_are_missing_disabled_or_stopped(tmp_path: Path) -> None:
    machine = systemctl(
        tmp_path,
        {
            "well.service": ("loaded", "enabled", "active"),
            "gone.service": ("not-found", "", "inactive"),
            "off.service": ("loaded", "disabled", "active"),
            "dead.service": ("loaded", "enabled", "failed"),
        },
    )
    names = ("well.service", "gone.service", "off.service", "dead.service")
    assert verdicts(units(machine, names, service=True)) == [
        ("WRONG", "gone.service: the unit is not installed"),
        ("WRONG", "off.service: not enabled, so a power cut ends it"),
        ("WRONG", "dead.service: failed"),
    ]


@pytest.mark.parametrize(
    ("service", "machine", "words"),
    [
        (False, Machine(), "not installed as a service"),
        (True, Machine(systemd=Path("/nowhere")), "systemd does not run here"),
        (True, Machine(systemd=Path("/"), systemctl=("no-such-program",)), "systemd does not run here"),
        (True, Machine(systemd=Path("/"), systemctl=("/proc",)), "systemd does not run here"),
    ],
)
def test_where_there_are_no_units_to_look_at(service: bool, machine: Machine, words: str) -> None:
    with pytest.raises(Unseen, match=words):
        list(units(machine, ("doorctl.service",), service=service))


def metal(made: MadeBoard, home: Path, **machine: object) -> Board:
    """A board whose configuration names real pins."""
    board = made.copied_to(home)
    text = board.paths.config.read_text()
    board.paths.config.write_text(text.replace('backend = "mock"', 'backend = "gpiozero"'))
    return Board(board.paths, WallTime(0), Machine(**machine))  # type: ignore[arg-type]  # its own fields


def test_a_board_without_pins(made_board: MadeBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_machine, "find_spec", lambda _: None)
    assert verdicts(pins(metal(made_board, tmp_path / "board", devices=tmp_path))) == [
        ("WRONG", "the library lgpio is not installed"),
        ("WRONG", f"{tmp_path}/gpiochip*: there is none"),
    ]


def test_who_may_use_the_pins(made_board: MadeBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a service: the chip is its group's, and doord's user is in it, or has it from the unit."""
    chip = tmp_path / "gpiochip0"
    chip.touch()
    board = metal(made_board, tmp_path / "board", devices=tmp_path, user_id=lambda _: 990)
    board.service = True
    monkeypatch.setattr(doctor_machine, "find_spec", lambda _: object())
    monkeypatch.setattr(doctor_machine, "_groups", lambda _: [chip.stat().st_gid])
    chip.chmod(0o660)
    assert verdicts(pins(board)) == []
    chip.chmod(0o600)
    assert verdicts(pins(board)) == [("WRONG", f"{chip}: user doorctl may not use it (mode 0600)")]
    chip.chmod(0o660)
    monkeypatch.setattr(doctor_machine, "_groups", lambda _: [])
    assert verdicts(pins(board)) == [("WRONG", f"{chip}: user doorctl may not use it (mode 0660)")]
    nobody = metal(made_board, tmp_path / "other", devices=tmp_path, user_id=lambda _: None)
    nobody.service = True
    assert verdicts(pins(nobody)) == [("WRONG", "there is no user doorctl")]


def test_pins_on_a_laptop(made_board: MadeBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_machine, "find_spec", lambda _: object())
    (tmp_path / "gpiochip0").touch()
    board = metal(made_board, tmp_path / "board", devices=tmp_path)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert verdicts(pins(board)) == [("WRONG", f"{tmp_path}/gpiochip0: no right to use it")]


def test_mock_hardware_has_no_chip(made_board: MadeBoard) -> None:
    with pytest.raises(Unseen, match="mock hardware"):
        list(pins(Board(made_board.paths, WallTime(0), Machine())))


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104  an address to judge
        ("::", False),
        ("192.0.2.7", False),
        ("fe80::1%eth0", False),
        ("monitor.example.net", False),
    ],
)
def test_which_addresses_lead_only_here(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


# How a table is worked through


Look = Callable[[object], Iterator[Finding]]


def raising(error: Exception) -> Look:
    """A check that finds something, and then cannot go on."""

    def look(_: object) -> Iterator[Finding]:
        yield ok("so far")
        raise error

    return look


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def test_a_table_is_worked_through_whatever_happens() -> None:
    table: list[Check[object]] = [
        Check(name="a", looks_at="x", look=raising(OperatorError("a key: expected mode 0600", hint="chmod 600"))),
        Check(
            name="b",
            looks_at="x",
            look=raising(caused(OperatorError("a key: cannot be opened"), PermissionError(13, "no"))),
        ),
        Check(name="c", looks_at="x", look=raising(FileNotFoundError(2, "No such file or directory", "/x/y"))),
        Check(name="d", looks_at="x", look=raising(Unseen("needs a daemon", "start it"))),
        Check(name="e", looks_at="x", look=lambda _: (), fine="all is well"),
        Check(name="f", looks_at="x", look=lambda _: (wrong("a key: expected mode 0600", "again"), ok("so far"))),
    ]
    assert [
        (one.check, one.finding.verdict.name, one.finding.words, one.finding.hint) for one in examine(table, None)
    ] == [
        ("a", "OK", "so far", None),
        ("a", "WRONG", "a key: expected mode 0600", "chmod 600"),
        ("b", "OK", "so far", None),
        ("b", "UNSEEN", "a key: cannot be opened", "run it with sudo"),
        ("c", "OK", "so far", None),
        ("c", "WRONG", "/x/y: no such file or directory", "docs/operations.md, When something breaks"),
        ("d", "OK", "so far", None),
        ("d", "UNSEEN", "needs a daemon", "start it"),
        ("e", "OK", "all is well", None),
        ("f", "OK", "so far", None),
    ]


def test_a_mistake_of_ours_is_not_taken_for_a_finding() -> None:
    with pytest.raises(ZeroDivisionError):
        list(examine([Check(name="a", looks_at="x", look=raising(ZeroDivisionError()))], None))


def test_how_a_finding_is_shown() -> None:
    assert [
        line
        for finding in (
            ok("well"),
            warning("look", "at it"),
            wrong("broken", "mend it"),
            Finding(verdict=Verdict.UNSEEN, words="dark"),
        )
        for line in lines(Examined(check="disk room", looks_at="x", finding=finding))
    ] == [
        "ok       disk room       well",
        "warning  disk room       look",
        "                         hint: at it",
        "WRONG    disk room       broken",
        "                         hint: mend it",
        "not seen disk room       dark",
    ]
    assert plain("board", Examined(check="disk", looks_at="x", finding=wrong("broken", "mend it"))) == {
        "side": "board", "check": "disk", "looks_at": "x", "verdict": "wrong", "words": "broken", "hint": "mend it",
    }  # fmt: skip


def test_errors_without_a_hint_get_one() -> None:
    _, one = examine([Check(name="a", looks_at="x", look=raising(DoorctlError("broken")))], None)
    assert one.finding.hint == "docs/operations.md, When something breaks"


def test_service_paths_are_a_service() -> None:
    assert Board(Paths.service(), WallTime(0), Machine()).service is True
    assert stat.S_ISDIR(Machine().devices.stat().st_mode)
