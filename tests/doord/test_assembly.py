"""What a start refuses, before any pin is touched, and what it makes of the installer's file."""

import errno
import os
import shutil
from datetime import date
from pathlib import Path
from typing import cast

import pytest

from doorctl.cli.init_template import write_template
from doorctl.core.decision import Rules
from doorctl.core.schedule import Calendar, Window
from doorctl.core.types import DoorName, GroupName, ScheduleName
from doorctl.doord import assembly
from doorctl.doord.assembly import claim_pins, colocated_monitor, read_site, rules
from doorctl.doord.key_ring import KeyRing
from doorctl.errors import OperatorError
from doorctl.paths import Paths
from doorctl.seal.keys import MonitorFile, create_controller_keys, create_monitor_keys, create_tls, write_monitor_file
from hal.board import Board, open_board
from hal.errors import ConfigurationError
from hal.ports import StrikeType
from tests.doord.site import config

NO_RING = cast("KeyRing", None)
"""For a configuration without lines."""


@pytest.fixture
def board(folder: Path) -> Paths:
    """The files of a mock board."""
    return make_board(folder / "home", simulated=True)


def make_board(home: Path, *, simulated: bool, monitor_simulated: bool | None = None) -> Paths:
    paths = Paths.under(home)
    write_template(paths.config, mock=True)
    create_controller_keys(paths, simulated=simulated)
    keys = create_monitor_keys(home.with_name("elsewhere"))
    certificate = create_tls(home.with_name("tls.key"), home.with_name("tls.crt"), name="monitor")
    write_monitor_file(
        paths.monitor_public,
        MonitorFile(
            addresses=("192.0.2.1:8443",),
            certificate_der=certificate,
            keys=keys.public,
            simulated=simulated if monitor_simulated is None else monitor_simulated,
        ),
    )
    return paths


def metal(paths: Paths) -> None:
    paths.config.write_text(paths.config.read_text().replace('backend = "mock"', 'backend = "gpiozero"'))


def test_all_files_of_a_mock_board(board: Paths) -> None:
    site = read_site(board)
    assert (site.config.site.id, site.keys.simulated, site.colocated) == ("demo-site", True, False)
    assert site.monitor.addresses == ("192.0.2.1:8443",)


def test_the_mock_refuses_production_keys(folder: Path) -> None:
    paths = make_board(folder / "home", simulated=False)
    with pytest.raises(OperatorError, match=r'hal\.backend is "mock" and the keys of this board are real') as error:
        read_site(paths)
    assert error.value.hint is not None
    assert "doorctl init --mock" in error.value.hint


def test_metal_refuses_simulated_keys(board: Paths) -> None:
    metal(board)
    with pytest.raises(OperatorError, match="the keys of this board are simulated") as error:
        read_site(board)
    assert error.value.hint == (
        'on a laptop write backend = "mock" under [hal]; for metal make real keys: `doorctl init` in a new folder'
    )


@pytest.mark.parametrize("simulated", [True, False])
def test_board_and_monitor_are_both_simulated_or_both_not(folder: Path, simulated: bool) -> None:
    paths = make_board(folder / "home", simulated=simulated, monitor_simulated=not simulated)
    if not simulated:
        metal(paths)
    with pytest.raises(OperatorError, match="one of board and monitor is simulated and the other is not"):
        read_site(paths)


@pytest.mark.parametrize("missing", ["config", "monitor_public", "keys"])
def test_a_missing_file_is_named(board: Paths, missing: str) -> None:
    place: Path = getattr(board, missing)
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink()
    with pytest.raises(OperatorError) as error:
        read_site(board)
    assert str(place) in str(error.value)


def test_a_monitor_on_the_doors_own_board_is_refused_unless_accepted(folder: Path) -> None:
    paths = make_board(folder / "home", simulated=False)
    metal(paths)
    assert not read_site(paths).colocated
    paths.monitor_keys.mkdir(parents=True)
    (paths.monitor_keys / "token.key").touch()
    with pytest.raises(OperatorError, match="so the door can know"):
        read_site(paths)
    paths.config.write_text(
        paths.config.read_text().replace('file = "monitor.toml"', 'file = "monitor.toml"\naccept_colocated = true')
    )
    assert read_site(paths).colocated


def test_a_simulated_board_may_have_its_monitor_beside_it_and_says_so(board: Paths) -> None:
    board.monitor_keys.mkdir(parents=True)
    (board.monitor_keys / "token.key").touch()
    assert read_site(board).colocated


def test_a_folder_that_may_not_be_looked_into_counts_as_the_worse(
    board: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path, **__: object) -> os.stat_result:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)
    assert colocated_monitor(board)


def test_groups_and_calendar_are_handed_to_the_core() -> None:
    made = rules(config(site="holidays = [2027-12-25]\n"))
    hours = tuple(Window(weekday=day, begin=7 * 3600, end=19 * 3600) for day in range(5))
    assert made.groups == {
        GroupName("staff"): {DoorName(door): None for door in ("front", "office", "side", "back")},
        GroupName("clerks"): {DoorName(door): ScheduleName("hours") for door in ("front", "office", "side", "back")},
    }
    assert made.calendar.holidays == frozenset({date(2027, 12, 25)})
    assert made.calendar.schedules[ScheduleName("hours")] == hours
    assert made == Rules(
        groups=made.groups, calendar=Calendar(schedules=made.calendar.schedules, holidays=made.calendar.holidays)
    )


def test_every_strike_is_claimed_and_secured_before_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    claimed: list[str] = []

    class Watching(Board):
        def strike(self, *, pin: str, strike_type: StrikeType, active_high: bool = True):  # type: ignore[no-untyped-def]  # noqa: ANN202  the port's own class
            claimed.append("strike")
            return super().strike(pin=pin, strike_type=strike_type, active_high=active_high)

        def contact(self, **wiring: object):  # type: ignore[no-untyped-def]  # noqa: ANN202  the port's own class
            claimed.append("other")
            return super().contact(**wiring)  # type: ignore[arg-type]  # passed on

    def opened(*_: object) -> Board:
        real = open_board("mock")
        return Watching(real.chip, mock=real.mock)

    monkeypatch.setattr(assembly, "open_board", opened)
    board, pins = claim_pins(config(), NO_RING)
    try:
        assert claimed[:4] == ["strike"] * 4
        assert "strike" not in claimed[4:]
        assert [one.door.name for one in pins] == ["front", "office", "side", "back"]
        assert [one.rex is not None for one in pins] == [True, True, False, False]
        assert [one.tamper is not None for one in pins] == [True, False, False, False]
        assert [[indicator is not None for _, _, indicator in one.readers] for one in pins] == [
            [True],
            [True],
            [True],
            [False],
        ]
        assert board.mock is not None
        wires = {name: line.wire for name, line in board.mock.lines().items()}
        assert {pin: wires[pin] for pin in ("GPIO17", "GPIO18", "GPIO19", "GPIO16")} == dict.fromkeys(
            ("GPIO17", "GPIO18", "GPIO19", "GPIO16"), False
        )
    finally:
        board.close()


def test_a_pin_that_cannot_be_had_gives_all_others_back(monkeypatch: pytest.MonkeyPatch) -> None:
    real = open_board("mock")
    assert real.mock is not None
    real.mock.hold_by_another("GPIO25", held=True)
    monkeypatch.setattr(assembly, "open_board", lambda *_: real)
    with pytest.raises(OperatorError, match="hal: input office rex: GPIO25"):
        claim_pins(config(), NO_RING)
    assert real.users == {}


def test_a_board_that_does_not_open_is_said_and_never_another(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def gone(backend: str, chip: str | None) -> Board:
        asked.append(backend)
        raise ConfigurationError("no gpiochip here")

    monkeypatch.setattr(assembly, "open_board", gone)
    with pytest.raises(OperatorError, match="hal: no gpiochip here"):
        claim_pins(config(), NO_RING)
    assert asked == ["mock"]
