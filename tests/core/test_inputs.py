import pytest

from doorctl.core.inputs import CONTACT_THRESHOLD, HONOURED, REX_THRESHOLD, Debounce, Settled
from doorctl.core.types import MS, Duration, Monotonic

THRESHOLD = Duration(50 * MS)


def ms(milliseconds: int) -> Monotonic:
    return Monotonic(milliseconds * MS)


def debounce(*, active: bool = False) -> Debounce:
    return Debounce(threshold=THRESHOLD, active=active, now=ms(0))


def fed(machine: Debounce, *changes: tuple[int, bool], until: int) -> list[Settled]:
    settled = [machine.receive(active=active, at=ms(at)) for at, active in changes]
    return [change for change in [*settled, machine.on_deadline(ms(until))] if change is not None]


def on(at: int) -> Settled:
    return Settled(active=True, at=ms(at))


def off(at: int) -> Settled:
    return Settled(active=False, at=ms(at))


@pytest.mark.parametrize(
    ("changes", "settled"),
    [
        ([(10, True)], [on(60)]),
        ([(10, True), (59, False)], []),
        ([(10, True), (60, False)], [on(60), off(110)]),
        ([(10, True), (500, False)], [on(60), off(550)]),
        ([(10, True), (20, False), (30, True), (40, False)], []),
        # a worn button: 10 ms of drop-out every 40 ms only delays
        ([(0, True), (40, False), (50, True), (90, False)], [on(70), off(140)]),
        # repeats of a level say nothing new
        ([(10, True), (20, True), (30, True)], [on(60)]),
        ([(10, False)], []),
    ],
)
def test_what_lasts_is_meant(changes: list[tuple[int, bool]], settled: list[Settled]) -> None:
    assert fed(debounce(), *changes, until=1000) == settled


def test_for_how_long_it_may_have_been_so_counts() -> None:
    """Of an input that is only asked about now and then; no more than all of it, and in both directions."""
    machine = debounce()
    assert machine.receive(active=True, at=ms(400), lasted=20 * MS) is None
    assert machine.next_deadline() == ms(430)
    assert machine.receive(active=True, at=ms(410), lasted=400 * MS) is None, "a repeat says nothing new"
    assert machine.receive(active=False, at=ms(429)) is None
    assert machine.receive(active=True, at=ms(429), lasted=400 * MS) is None
    assert machine.next_deadline() == ms(429)
    assert machine.receive(active=False, at=ms(430), lasted=400 * MS) == on(429)
    assert machine.on_deadline(ms(430)) == off(430)


def test_a_short_release_of_a_held_input_is_a_bounce() -> None:
    assert fed(debounce(active=True), (100, False), (149, True), until=1000) == []
    assert fed(debounce(active=True), (100, False), until=1000) == [off(150)]


@pytest.mark.parametrize("threshold", [REX_THRESHOLD, CONTACT_THRESHOLD, Duration(HONOURED - 1)])
def test_every_input_longer_than_400_ms_is_honoured(threshold: Duration) -> None:
    machine = Debounce(threshold=threshold, active=False, now=ms(0))
    assert machine.receive(active=True, at=ms(0)) is None
    assert machine.receive(active=False, at=ms(400)) == Settled(active=True, at=Monotonic(threshold))


def test_rex_is_quicker_than_the_contact() -> None:
    assert REX_THRESHOLD < CONTACT_THRESHOLD < HONOURED


def test_the_deadline_is_when_the_level_settles() -> None:
    machine = debounce()
    assert machine.next_deadline() is None
    machine.receive(active=True, at=ms(10))
    assert machine.next_deadline() == ms(60)
    assert machine.on_deadline(Monotonic(ms(60) - 1)) is None
    assert machine.on_deadline(ms(60)) == on(60)
    assert (machine.active, machine.next_deadline()) == (True, None)


def test_a_drop_out_moves_the_deadline_by_twice_its_length() -> None:
    machine = debounce()
    fed(machine, (0, True), (20, False), (25, True), until=25)
    assert machine.next_deadline() == ms(60)


def test_a_late_change_is_told_with_the_time_at_which_it_settled() -> None:
    machine = debounce()
    machine.receive(active=True, at=ms(0))
    assert machine.receive(active=False, at=ms(900)) == on(50)


def test_time_that_runs_backwards_is_harmless() -> None:
    machine = debounce()
    machine.receive(active=True, at=ms(100))
    assert machine.receive(active=False, at=ms(20)) is None
    assert machine.receive(active=True, at=ms(30)) is None
    assert machine.next_deadline() == ms(150)


@pytest.mark.parametrize("threshold", [0, -1, HONOURED])
def test_a_threshold_that_could_miss_an_input_is_refused(threshold: int) -> None:
    with pytest.raises(ValueError, match="threshold"):
        Debounce(threshold=Duration(threshold), active=False, now=ms(0))
