"""Controllers on the page: heard, silent, never heard; and the alarm about one that was trusted and never came."""

from typing import Any

import pytest

from doorctl.core.types import SECOND, WallTime
from doorctl.monitord.alarms.boards import controller_views, is_calm, worst_first
from doorctl.monitord.alarms.effects import End, Raise
from doorctl.monitord.alarms.kinds import AlarmKind
from doorctl.monitord.alarms.state import Condition, ControllerState, Mark
from doorctl.monitord.alarms.unheard import CONDITION, GRACE, Unheard
from doorctl.seal.keys import ControllerFile
from tests.monitord.board import NOON, Board

MARK = Mark(boot=b"boot", monotonic=1, wall=NOON, unsure=False)
HERE, THERE = Board(name="harbour-st"), Board(name="mill-lane")


def _file(board: Board) -> ControllerFile:
    return ControllerFile(
        controller=board.controller, identity=board.identity.public_key(), certificate_der=b"", site=board.name,
        timezone="Europe/Lisbon", simulated=False,
    )  # fmt: skip


def _state(*on: AlarmKind, supervised: int = NOON) -> ControllerState:
    conditions = {kind.value: Condition(on=True, mark=MARK) for kind in on}
    return ControllerState(supervised=supervised, pending=4, generation=2, conditions=conditions)


def _view(state: ControllerState | None, *, trusted: bool = True, lasting: int = 0) -> dict[str, Any]:
    controller = HERE.controller
    (view,) = controller_views(
        {controller: _file(HERE)} if trusted else {}, {controller: state} if state else {}, {controller: lasting}
    )  # fmt: skip
    return view


WELL = {
    "controller": HERE.controller.hex(), "site": "harbour-st", "timezone": "Europe/Lisbon", "simulated": False,
    "health": "heard", "last_supervision": "2026-09-21T14:13:20.000Z", "pending": 4, "roster_generation": 2, "path": "up",
    "clock": "right", "storage": "well", "backlog": "flows", "records": "whole", "colocated": False, "lasting": 0,
    "troubles": [],
}  # fmt: skip
UNKNOWN = dict.fromkeys(("path", "clock", "storage", "backlog", "records"), "unknown")


def test_a_controller_that_is_well() -> None:
    assert _view(_state()) == WELL
    assert is_calm([_view(_state())])


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (AlarmKind.SILENT, {"health": "silent", "path": "down", "troubles": ["path"]}),
        (AlarmKind.CLOCK, {"clock": "wrong", "troubles": ["clock"]}),
        (AlarmKind.STORAGE, {"storage": "fault", "troubles": ["storage"]}),
        (AlarmKind.STALLED, {"backlog": "stands still", "troubles": ["backlog"]}),
        (AlarmKind.GAP, {"records": "missing", "troubles": ["records"]}),
    ],
)
def test_what_is_wrong_with_one(kind: AlarmKind, changes: dict[str, Any]) -> None:
    assert _view(_state(kind), lasting=1) == WELL | changes | {"lasting": 1}
    assert not is_calm([_view(_state(kind))])


def test_a_board_that_can_know_says_so_and_is_well() -> None:
    assert _view(_state(AlarmKind.COLOCATED)) == WELL | {"colocated": True}


def test_nothing_is_known_of_one_that_was_never_heard() -> None:
    never = {"health": "never heard", "last_supervision": None} | UNKNOWN
    assert _view(None) == WELL | never | {"pending": None, "roster_generation": None}
    assert _view(_state(supervised=0)) == WELL | never
    assert not is_calm([_view(None)])


def test_one_that_is_not_trusted_has_no_site() -> None:
    assert _view(_state(), trusted=False) == WELL | {
        "health": "not trusted", "site": "", "timezone": "", "path": "unknown",
    }  # fmt: skip


def test_those_that_need_a_look_come_first() -> None:
    views = [
        {"controller": name, "health": health, "troubles": troubles}
        for name, health, troubles in (
            ("a", "heard", []), ("b", "never heard", []), ("c", "heard", ["clock"]), ("d", "silent", ["path"]),
        )
    ]  # fmt: skip
    assert [view["controller"] for view in worst_first(views)] == ["d", "b", "c", "a"]


def _unheard(at: int) -> Raise:
    return Raise(
        kind=AlarmKind.SILENT, subject=f"silent:{HERE.controller.hex()}:unheard", condition=CONDITION,
        controller=HERE.controller, event=WallTime(at), received=WallTime(at),
        text="trusted, but nothing was ever heard of it",
    )  # fmt: skip


def test_one_that_never_comes_is_told_once_and_over_when_it_comes() -> None:
    unheard = Unheard([])
    trusted = [HERE.controller, THERE.controller]
    states = {THERE.controller: _state()}
    assert unheard.look(trusted, states, NOON) == []
    assert unheard.look(trusted, states, WallTime(NOON + GRACE - 1)) == []
    assert unheard.look(trusted, states, WallTime(NOON + GRACE)) == [_unheard(NOON + GRACE)]
    assert unheard.look(trusted, states, WallTime(NOON + 2 * GRACE)) == []
    states[HERE.controller] = _state(supervised=0)
    assert unheard.look(trusted, states, WallTime(NOON + 2 * GRACE)) == []
    states[HERE.controller] = _state()
    later = WallTime(NOON + 3 * GRACE)
    over = [End(controller=HERE.controller, condition=CONDITION, at=later)]
    assert unheard.look(trusted, states, later) == over
    assert unheard.look(trusted, states, later) == []


def test_a_trust_that_is_taken_back_ends_it_also_after_a_restart() -> None:
    unheard = Unheard([HERE.controller])
    assert unheard.look([HERE.controller], {}, NOON) == []
    assert unheard.look([HERE.controller], {}, WallTime(NOON + GRACE)) == []
    later = WallTime(NOON + GRACE + SECOND)
    assert unheard.look([], {}, later) == [End(controller=HERE.controller, condition=CONDITION, at=later)]
