import pytest

from doorctl.core.effects import GuessingAlarm
from doorctl.core.lockout import (
    GUESSING_WINDOW,
    Counter,
    GuessingWindow,
    LockoutKey,
    LockoutPolicy,
    Lockouts,
    card_key,
    reader_key,
)
from doorctl.core.types import SECOND, Duration, Monotonic, ReaderName

POLICY = LockoutPolicy(tries=5, first=Duration(30 * SECOND), longest=Duration(600 * SECOND))
CARD = card_key(b"a card")
READER = reader_key(ReaderName("front"))


def at(second: float) -> Monotonic:
    return Monotonic(int(second * SECOND))


def lockouts(limit: int = 100) -> Lockouts:
    return Lockouts(POLICY, limit=limit)


def wrong(machine: Lockouts, times: int, second: float, key: LockoutKey = CARD) -> None:
    for _ in range(times):
        machine.wrong(key, at(second))


def counter(key: LockoutKey, count: int, remaining_s: int) -> Counter:
    return Counter(key=key, wrong=count, remaining=Duration(remaining_s * SECOND))


@pytest.mark.parametrize(
    ("count", "seconds"),
    [(0, 0), (1, 0), (4, 0), (5, 30), (6, 60), (7, 120), (8, 240), (9, 480), (10, 600), (11, 600), (10**9, 600)],
)
def test_lock_outs_double_up_to_the_longest(count: int, seconds: int) -> None:
    assert POLICY.duration(count) == seconds * SECOND


def test_a_single_try_locks_out_at_once_and_for_as_long_as_the_longest() -> None:
    strict = LockoutPolicy(tries=1, first=Duration(SECOND), longest=Duration(SECOND))
    assert [strict.duration(wrong) for wrong in range(4)] == [0, SECOND, SECOND, SECOND]


@pytest.mark.parametrize(("tries", "first", "longest"), [(0, 1, 1), (1, 0, 1), (1, 2, 1)])
def test_a_senseless_policy_is_refused(tries: int, first: int, longest: int) -> None:
    with pytest.raises(ValueError, match="make no sense"):
        LockoutPolicy(tries=tries, first=Duration(first), longest=Duration(longest))


def test_a_limit_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="limit"):
        lockouts(0)


@pytest.mark.parametrize("key", [CARD, READER])
def test_five_wrong_codes_lock_out_for_30_seconds(key: LockoutKey) -> None:
    machine = lockouts()
    wrong(machine, 4, 0, key)
    assert not machine.locked_out(key, at(0))
    wrong(machine, 1, 0, key)
    assert machine.locked_out(key, Monotonic(at(30) - 1))
    assert not machine.locked_out(key, at(30))


def test_then_one_try_each() -> None:
    machine = lockouts()
    wrong(machine, 5, 0)
    wrong(machine, 1, 30)
    assert machine.counter(CARD, at(30)) == counter(CARD, 6, 60)
    wrong(machine, 1, 90)
    assert machine.counter(CARD, at(90)) == counter(CARD, 7, 120)


def test_what_is_given_while_locked_out_is_not_counted() -> None:
    machine = lockouts()
    wrong(machine, 50, 0)
    assert machine.counter(CARD, at(0)) == counter(CARD, 5, 30)


def test_a_right_code_resets() -> None:
    machine = lockouts()
    wrong(machine, 4, 0)
    machine.right(CARD, at(1))
    assert machine.counter(CARD, at(1)) == counter(CARD, 0, 0)
    wrong(machine, 4, 2)
    assert not machine.locked_out(CARD, at(2))


def test_a_right_code_resets_nothing_while_locked_out() -> None:
    machine = lockouts()
    wrong(machine, 5, 0)
    machine.right(CARD, at(10))
    assert machine.counter(CARD, at(10)) == counter(CARD, 5, 20)


def test_a_right_code_of_somebody_unknown_is_harmless() -> None:
    machine = lockouts()
    machine.right(CARD, at(0))
    assert machine.counters(at(0)) == ()


def test_counters_do_not_touch_each_other() -> None:
    machine = lockouts()
    wrong(machine, 5, 0, CARD)
    wrong(machine, 1, 0, READER)
    assert machine.counters(at(10)) == (counter(CARD, 5, 20), counter(READER, 1, 0))
    assert not machine.locked_out(card_key(b"front"), at(0))


def test_a_restart_keeps_the_remaining_time() -> None:
    machine = lockouts()
    wrong(machine, 6, 0, READER)
    wrong(machine, 5, 0, CARD)
    stored = machine.counters(at(10))
    after = lockouts()
    after.restore(stored, at(1_000_000))
    assert after.counters(at(1_000_000)) == stored
    assert after.locked_out(CARD, Monotonic(at(1_000_020) - 1))
    wrong(after, 1, 1_000_020, CARD)
    assert after.counter(CARD, at(1_000_020)) == counter(CARD, 6, 60)


def test_restoring_replaces_and_zero_forgets() -> None:
    machine = lockouts()
    wrong(machine, 3, 0)
    machine.restore([counter(CARD, 0, 0), counter(READER, 2, -5)], at(1))
    assert machine.counters(at(1)) == (counter(READER, 2, 0),)


def test_at_the_limit_the_oldest_quiet_card_gives_way() -> None:
    machine = lockouts(limit=3)
    first, second, third, fourth, fifth = (card_key(bytes([n])) for n in range(5))
    wrong(machine, 5, 0, first)
    wrong(machine, 1, 1, second)
    wrong(machine, 1, 2, third)
    wrong(machine, 1, 3, second)
    wrong(machine, 1, 4, fourth)
    assert [c.key for c in machine.counters(at(4))] == [first, second, fourth]
    wrong(machine, 1, 31, fifth)
    assert [c.key for c in machine.counters(at(31))] == [second, fourth, fifth]


def test_where_all_are_locked_out_the_oldest_gives_way() -> None:
    machine = lockouts(limit=2)
    keys = [card_key(bytes([n])) for n in range(3)]
    for second, key in enumerate(keys):
        wrong(machine, 5, second, key)
    assert [c.key for c in machine.counters(at(3))] == keys[1:]


def test_readers_never_give_way() -> None:
    machine = lockouts(limit=2)
    wrong(machine, 1, 0, READER)
    for n in range(10):
        wrong(machine, 1, n, card_key(bytes([n])))
    assert machine.counters(at(10)) == (counter(READER, 1, 0), *(counter(card_key(bytes([n])), 1, 0) for n in (8, 9)))


def test_a_card_that_is_counted_again_takes_no_second_place() -> None:
    machine = lockouts(limit=2)
    other = card_key(b"other")
    wrong(machine, 1, 0, other)
    wrong(machine, 4, 1, CARD)
    machine.right(CARD, at(2))
    wrong(machine, 1, 3, CARD)
    assert machine.counters(at(3)) == (counter(other, 1, 0), counter(CARD, 1, 0))


def alarms(window: GuessingWindow, *seconds: float) -> list[float]:
    return [second for second in seconds if window.wrong(at(second))]


def test_the_guessing_alarm_says_how_many_in_how_long() -> None:
    window = GuessingWindow(threshold=2)
    assert window.wrong(at(0)) == []
    assert window.wrong(at(1)) == [GuessingAlarm(wrong_codes=2, window=GUESSING_WINDOW)]


def test_one_alarm_however_long_it_goes_on() -> None:
    assert alarms(GuessingWindow(threshold=3), *range(2000)) == [2]


def test_slow_wrong_codes_are_people() -> None:
    assert alarms(GuessingWindow(threshold=3), *range(0, 100_000, 300)) == []


def test_it_is_armed_again_when_the_rate_fell_to_half() -> None:
    quiet = 600.0
    assert alarms(GuessingWindow(threshold=4), 0, 1, 2, 3, 4, 4 + quiet, 5 + quiet, 6 + quiet, 7 + quiet) == [3, 607]


def test_a_threshold_of_one_is_every_wrong_code_after_quiet() -> None:
    assert alarms(GuessingWindow(threshold=1), 0, 1, 601) == [0, 601]


@pytest.mark.parametrize(("threshold", "window"), [(0, 1), (1, 0)])
def test_a_senseless_window_is_refused(threshold: int, window: int) -> None:
    with pytest.raises(ValueError, match="makes no sense"):
        GuessingWindow(threshold=threshold, window=Duration(window))
