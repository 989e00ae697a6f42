"""The decision is total and its order is the table's, over every combination hypothesis thinks of."""

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from doorctl.core.decision import Denied, Granted, Rules, Situation, decide
from doorctl.core.schedule import DAY_S, HOLIDAY, STRICTNESS, Calendar, Window, is_open, mode_in_force
from doorctl.core.types import DoorName, GroupName, HolderId, LocalTime, Match, Mode, Reason, ScheduleName

DOOR = DoorName("front")
NAMES = [ScheduleName(name) for name in ("office", "night", "never", "unwritten")]
GROUPS = [GroupName(name) for name in ("staff", "guards", "cleaners", "unwritten")]
START = date(2026, 3, 2)
DAYS = st.integers(0, 9).map(lambda days: START + timedelta(days=days))
LOCALS = st.builds(LocalTime, day=DAYS, second_of_day=st.integers(0, DAY_S - 1))


@st.composite
def windows(draw: st.DrawFn) -> Window:
    begin = draw(st.integers(0, DAY_S - 1))
    return Window(weekday=draw(st.integers(0, HOLIDAY)), begin=begin, end=draw(st.integers(begin + 1, DAY_S)))


CALENDARS = st.builds(
    Calendar,
    schedules=st.dictionaries(st.sampled_from(NAMES[:3]), st.lists(windows(), max_size=6).map(tuple), max_size=3),
    holidays=st.frozensets(DAYS, max_size=3),
)
RULES = st.builds(
    Rules,
    groups=st.dictionaries(
        st.sampled_from(GROUPS[:3]),
        st.dictionaries(
            st.sampled_from([DOOR, DoorName("back")]), st.one_of(st.none(), st.sampled_from(NAMES)), max_size=2
        ),
        max_size=3,
    ),
    calendar=CALENDARS,
)
SITUATIONS = st.builds(
    Situation,
    door=st.just(DOOR),
    local=st.one_of(st.none(), LOCALS),
    allow_unknown_time=st.booleans(),
    locked_out=st.sampled_from([False, False, False, True]),
    lockdown=st.sampled_from([False, False, False, True]),
    interlock=st.booleans(),
)
MATCHES = st.builds(
    Match,
    holder=st.just(HolderId("ana-lopez")),
    groups=st.lists(st.sampled_from(GROUPS), unique=True, max_size=4).map(tuple),
    valid_from=st.one_of(st.none(), DAYS),
    valid_until=st.one_of(st.none(), DAYS),
    suspended=st.sampled_from([False, False, False, True]),
)


def reasons_that_hold(match: Match | None, situation: Situation, rules: Rules) -> list[Reason]:
    """Every line of the table by itself, in any order, written without the code's short cuts."""
    holding = []
    if situation.lockdown:
        holding.append(Reason.LOCKDOWN)
    if situation.locked_out:
        holding.append(Reason.LOCKED_OUT)
    if situation.interlock:
        holding.append(Reason.INTERLOCK)
    if match is None:
        return [*holding, Reason.NO_MATCH]
    if match.suspended:
        holding.append(Reason.SUSPENDED)
    lines = [rules.groups[group] for group in match.groups if group in rules.groups]
    opened = [line[DOOR] for line in lines if DOOR in line]
    if not opened:
        holding.append(Reason.NO_ACCESS)
    return holding + reasons_of_time(match, opened, situation, rules)


def reasons_of_time(
    match: Match, opened: list[ScheduleName | None], situation: Situation, rules: Rules
) -> list[Reason]:
    local = situation.local
    if local is None:
        asked = match.valid_from is not None or match.valid_until is not None or None not in opened
        return [Reason.TIME_UNKNOWN] if asked and not situation.allow_unknown_time else []
    holds = {
        Reason.NOT_YET_VALID: match.valid_from is not None and local.day < match.valid_from,
        Reason.EXPIRED: match.valid_until is not None and match.valid_until < local.day,
        Reason.OUTSIDE_SCHEDULE: not any(name is None or rules.calendar.is_open(name, local) for name in opened),
    }
    return [reason for reason, it_does in holds.items() if it_does]


ORDER = [
    Reason.LOCKDOWN, Reason.LOCKED_OUT, Reason.NO_MATCH, Reason.SUSPENDED, Reason.NO_ACCESS, Reason.TIME_UNKNOWN,
    Reason.NOT_YET_VALID, Reason.EXPIRED, Reason.OUTSIDE_SCHEDULE, Reason.INTERLOCK,
]  # fmt: skip
NAMELESS = {Reason.LOCKDOWN, Reason.LOCKED_OUT, Reason.NO_MATCH}


@given(st.one_of(st.none(), MATCHES), SITUATIONS, RULES)
@settings(max_examples=400, deadline=None)
def test_the_answer_is_the_first_line_that_holds(match: Match | None, situation: Situation, rules: Rules) -> None:
    decision = decide(match=match, situation=situation, rules=rules)
    holding = reasons_that_hold(match, situation, rules)
    if match is not None and not holding:
        assert decision == Granted(holder=match.holder)
        return
    reason = min(holding, key=ORDER.index)
    named = None if match is None or reason in NAMELESS else match.holder
    assert decision == Denied(reason=reason, holder=named)


@given(MATCHES, SITUATIONS, RULES)
@settings(max_examples=200, deadline=None)
def test_locked_out_or_down_no_match_is_worth_anything(match: Match, situation: Situation, rules: Rules) -> None:
    if situation.locked_out or situation.lockdown:
        assert decide(match=match, situation=situation, rules=rules) == decide(
            match=None, situation=situation, rules=rules
        )


@given(st.lists(windows(), max_size=5), LOCALS, st.frozensets(DAYS, max_size=3))
def test_a_schedule_is_the_union_of_its_windows(
    several: list[Window], local: LocalTime, holidays: frozenset[date]
) -> None:
    assert is_open(several, holidays, local) is any(is_open((one,), holidays, local) for one in several)


@given(windows(), DAYS)
def test_a_window_is_open_for_exactly_its_length_on_its_day(window: Window, day: date) -> None:
    edges = {window.begin - 1: False, window.begin: True, window.end - 1: True, window.end: False}
    holidays = frozenset({day} if window.weekday == HOLIDAY else ())
    its_day = window.weekday in (HOLIDAY, day.weekday())
    for second, open_ in edges.items():
        if 0 <= second < DAY_S:
            assert is_open((window,), holidays, LocalTime(day=day, second_of_day=second)) is (open_ and its_day)


@given(
    st.sampled_from(Mode),
    st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(Mode)), max_size=3),
    CALENDARS,
    LOCALS,
)
def test_a_stopped_clock_never_asks_for_less(
    mode: Mode, modes: list[tuple[ScheduleName, Mode]], calendar: Calendar, local: LocalTime
) -> None:
    known, unknown = (mode_in_force(mode, modes, calendar, moment) for moment in (local, None))
    assert STRICTNESS[unknown] >= STRICTNESS[known]
