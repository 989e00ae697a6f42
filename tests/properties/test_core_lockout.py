"""Lock-outs against a plain model, across restarts, and within their bounds."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from doorctl.core.lockout import GuessingWindow, LockoutPolicy, Lockouts, card_key, reader_key
from doorctl.core.types import SECOND, Duration, Monotonic, ReaderName

READER = reader_key(ReaderName("front"))
KEYS = [READER, *(card_key(bytes([n])) for n in range(3))]
LIMIT = 3
POLICY = LockoutPolicy(tries=3, first=Duration(30 * SECOND), longest=Duration(600 * SECOND))
STEPS = st.sampled_from([0, 1, 10 * SECOND, 30 * SECOND - 1, 30 * SECOND, 60 * SECOND, 600 * SECOND])


class Model(RuleBasedStateMachine):
    """Keys fit the limit here, so that nothing gives way and the model may be exact."""

    @initialize()
    def begin(self) -> None:
        self.now = 10**12
        self.lockouts = Lockouts(POLICY, limit=LIMIT)
        self.wrongs = dict.fromkeys(KEYS, 0)
        self.until = dict.fromkeys(KEYS, 0)

    @rule(step=STEPS)
    def wait(self, step: int) -> None:
        self.now += step

    @rule(key=st.sampled_from(KEYS), times=st.integers(1, 3))
    def wrong(self, key: bytes, times: int) -> None:
        for known in KEYS:
            if known == key:
                for _ in range(times):
                    self.lockouts.wrong(known, Monotonic(self.now))
                    if self.now >= self.until[known]:
                        self.wrongs[known] += 1
                        over = self.wrongs[known] - POLICY.tries
                        if over >= 0:
                            self.until[known] = self.now + min(30 * 2**over, 600) * SECOND

    @rule(number=st.integers(0, len(KEYS) - 1))
    def right(self, number: int) -> None:
        key = KEYS[number]
        self.lockouts.right(key, Monotonic(self.now))
        if self.now >= self.until[key]:
            self.wrongs[key] = self.until[key] = 0

    @rule(clock=st.integers(0, 10**15), off=STEPS)
    def restart(self, clock: int, off: int) -> None:
        """The board is off for a while and wakes with another clock; time off shortens nothing."""
        stored = self.lockouts.counters(Monotonic(self.now))
        self.until = {key: clock + max(0, until - self.now) for key, until in self.until.items()}
        self.now = clock
        self.lockouts = Lockouts(POLICY, limit=LIMIT)
        self.lockouts.restore(stored, Monotonic(self.now))
        assert self.lockouts.counters(Monotonic(self.now)) == stored

    @invariant()
    def as_modelled(self) -> None:
        for key in KEYS:
            assert self.lockouts.locked_out(key, Monotonic(self.now)) is (self.now < self.until[key])
            counter = self.lockouts.counter(key, Monotonic(self.now))
            assert (counter.wrong, counter.remaining) == (self.wrongs[key], max(0, self.until[key] - self.now))


TestLockouts = Model.TestCase
TestLockouts.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


@given(st.integers(1, 5), st.lists(st.tuples(STEPS, st.integers(0, 8), st.booleans()), max_size=80))
def test_cards_are_bounded_and_readers_stay(limit: int, story: list[tuple[int, int, bool]]) -> None:
    lockouts, now = Lockouts(POLICY, limit=limit), 0
    lockouts.wrong(READER, Monotonic(now))
    for step, number, is_right in story:
        now += step
        key = card_key(bytes([number]))
        (lockouts.right if is_right else lockouts.wrong)(key, Monotonic(now))
        keys = [counter.key for counter in lockouts.counters(Monotonic(now))]
        assert keys[0] == READER
        assert len(set(keys)) == len(keys) <= limit + 1
        assert is_right or key in keys


@given(st.integers(1, 6), st.lists(STEPS, max_size=60))
def test_an_alarm_means_so_many_in_ten_minutes_and_never_two_for_the_same(threshold: int, steps: list[int]) -> None:
    window = GuessingWindow(threshold=threshold)
    now, times, last = 0, list[int](), -1
    for step in steps:
        now += step
        times.append(now)
        if window.wrong(Monotonic(now)):
            recent = times[-threshold:]
            assert len(recent) == threshold
            assert now - recent[0] < 600 * SECOND
            assert last < len(times) - threshold + (threshold + 1) // 2, "half of them are new since the last alarm"
            last = len(times) - 1
