from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from doorctl.core.decision import Decision, Denied, Granted, Rules, Situation, decide
from doorctl.core.schedule import Calendar, Window
from doorctl.core.types import DoorName, GroupName, HolderId, LocalTime, Match, Outcome, Reason, ScheduleName

FRONT = DoorName("front")
ANA = HolderId("ana-lopez")
OFFICE = ScheduleName("office")
NEVER = ScheduleName("never")
STAFF = GroupName("staff")
GUARDS = GroupName("guards")
CLEANERS = GroupName("cleaners")
NOBODYS = GroupName("nobody wrote this")
MONDAY = date(2026, 3, 2)
NOON = LocalTime(day=MONDAY, second_of_day=12 * 3600)
MIDNIGHT = LocalTime(day=MONDAY, second_of_day=0)

RULES = Rules(
    groups={
        STAFF: {FRONT: OFFICE},
        GUARDS: {FRONT: None},
        CLEANERS: {DoorName("back"): None, FRONT: NEVER},
        GroupName("visitors"): {DoorName("back"): None},
    },
    calendar=Calendar(
        schedules={OFFICE: (Window(weekday=0, begin=7 * 3600, end=19 * 3600),), NEVER: ()}, holidays=frozenset()
    ),
)
QUIET = Situation(door=FRONT, local=NOON, allow_unknown_time=False, locked_out=False, lockdown=False, interlock=False)
ANA_ROW = Match(holder=ANA, groups=(STAFF,), valid_from=None, valid_until=None, suspended=False)


def answer(match: Match | None, situation: Situation) -> Decision:
    return decide(match=match, situation=situation, rules=RULES)


def denied(reason: Reason, holder: HolderId | None = ANA) -> Denied:
    return Denied(reason=reason, holder=holder)


def test_a_match_with_nothing_against_it_is_granted() -> None:
    decision = answer(ANA_ROW, QUIET)
    assert decision == Granted(holder=ANA)
    assert (decision.outcome, decision.reason) == (Outcome.GRANTED, Reason.MATCHED)


def test_a_denial_says_so() -> None:
    decision = answer(None, QUIET)
    assert decision == denied(Reason.NO_MATCH, None)
    assert (decision.outcome, decision.reason) == (Outcome.DENIED, Reason.NO_MATCH)


ORDER: list[tuple[Reason, dict[str, Any], dict[str, Any]]] = [
    (Reason.LOCKDOWN, {}, {"lockdown": True}),
    (Reason.LOCKED_OUT, {}, {"locked_out": True}),
    (Reason.SUSPENDED, {"suspended": True}, {}),
    (Reason.NO_ACCESS, {"groups": ()}, {}),
    (Reason.TIME_UNKNOWN, {}, {"local": None}),
    (Reason.NOT_YET_VALID, {"valid_from": date(2026, 3, 3)}, {}),
    (Reason.EXPIRED, {"valid_until": date(2026, 3, 1)}, {}),
    (Reason.OUTSIDE_SCHEDULE, {"groups": (CLEANERS,)}, {}),
    (Reason.INTERLOCK, {}, {"interlock": True}),
]
"""The decision's own table: what makes each line hold by itself."""


@pytest.mark.parametrize("line", range(len(ORDER)), ids=[reason.name for reason, _, _ in ORDER])
def test_each_line_of_the_table_holds_by_itself(line: int) -> None:
    reason, row, situation = ORDER[line]
    named = None if reason in (Reason.LOCKDOWN, Reason.LOCKED_OUT) else ANA
    assert answer(replace(ANA_ROW, **row), replace(QUIET, **situation)) == denied(reason, named)


@pytest.mark.parametrize("first", range(len(ORDER)), ids=[reason.name for reason, _, _ in ORDER])
@pytest.mark.parametrize("second", range(len(ORDER)), ids=[reason.name for reason, _, _ in ORDER])
def test_of_two_lines_the_earlier_is_the_answer(first: int, second: int) -> None:
    earlier, later = ORDER[min(first, second)], ORDER[max(first, second)]
    if "groups" in earlier[1] and "groups" in later[1]:
        later = (later[0], {}, later[2])
    row = later[1] | earlier[1]
    decision = answer(replace(ANA_ROW, **row), replace(QUIET, **(later[2] | earlier[2])))
    assert decision.reason is earlier[0]


@pytest.mark.parametrize("flag", [{"lockdown": True}, {"locked_out": True}])
def test_a_right_code_is_refused_exactly_like_a_wrong_one(flag: dict[str, Any]) -> None:
    situation = replace(QUIET, **flag)
    assert answer(ANA_ROW, situation) == answer(None, situation)


@pytest.mark.parametrize(
    ("groups", "local", "decision"),
    [
        ((STAFF,), MIDNIGHT, denied(Reason.OUTSIDE_SCHEDULE)),
        ((GUARDS,), MIDNIGHT, Granted(holder=ANA)),
        ((CLEANERS,), NOON, denied(Reason.OUTSIDE_SCHEDULE)),
        ((CLEANERS, STAFF), NOON, Granted(holder=ANA)),
        ((CLEANERS, STAFF, GUARDS), MIDNIGHT, Granted(holder=ANA)),
        ((NOBODYS,), NOON, denied(Reason.NO_ACCESS)),
        ((NOBODYS, GUARDS), NOON, Granted(holder=ANA)),
        ((GroupName("visitors"),), NOON, denied(Reason.NO_ACCESS)),
    ],
)
def test_any_one_group_is_enough(groups: tuple[GroupName, ...], local: LocalTime, decision: Decision) -> None:
    assert answer(replace(ANA_ROW, groups=groups), replace(QUIET, local=local)) == decision


@pytest.mark.parametrize(
    ("valid_from", "valid_until", "reason"),
    [
        (MONDAY, None, Reason.MATCHED),
        (date(2026, 3, 3), None, Reason.NOT_YET_VALID),
        (None, MONDAY, Reason.MATCHED),
        (None, date(2026, 3, 1), Reason.EXPIRED),
        (MONDAY, MONDAY, Reason.MATCHED),
        (date(2026, 3, 3), date(2026, 3, 1), Reason.NOT_YET_VALID),
    ],
)
def test_valid_until_is_the_last_good_day(valid_from: date | None, valid_until: date | None, reason: Reason) -> None:
    row = replace(ANA_ROW, valid_from=valid_from, valid_until=valid_until)
    assert answer(row, QUIET).reason is reason


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        ({"groups": (GUARDS,)}, False),
        ({"groups": (STAFF, GUARDS)}, False),
        ({"groups": (STAFF,)}, True),
        ({"groups": (GUARDS,), "valid_from": MONDAY}, True),
        ({"groups": (GUARDS,), "valid_until": MONDAY}, True),
    ],
)
@pytest.mark.parametrize("allowed", [False, True])
def test_an_unknown_time_matters_only_where_time_is_asked_for(
    change: dict[str, Any], asked: bool, allowed: bool
) -> None:
    row = replace(ANA_ROW, **change)
    decision = answer(row, replace(QUIET, local=None, allow_unknown_time=allowed))
    assert decision == (denied(Reason.TIME_UNKNOWN) if asked and not allowed else Granted(holder=ANA))


def test_an_allowed_unknown_time_lifts_nothing_else() -> None:
    unknown = replace(QUIET, local=None, allow_unknown_time=True)
    assert answer(replace(ANA_ROW, suspended=True), unknown) == denied(Reason.SUSPENDED)
    assert answer(replace(ANA_ROW, groups=()), unknown) == denied(Reason.NO_ACCESS)
    assert answer(ANA_ROW, replace(unknown, interlock=True)) == denied(Reason.INTERLOCK)
