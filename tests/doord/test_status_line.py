"""The line of `systemctl status`: what it says, and that it is short."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorctl.core.door import DoorStatus
from doorctl.core.door_tables import LIGHT, Hold, Leaf, Lock
from doorctl.core.types import DoorName
from doorctl.doord.status_line import LONGEST, door_words, status_line


def door(lock: Lock = Lock.SECURED, leaf: Leaf = Leaf.CLOSED, hold: Hold | None = None) -> DoorStatus:
    return DoorStatus(lock=lock, leaf=leaf, hold=hold, scheduled=False, shunted=False, light=LIGHT[lock])


def line(*faults: str, **doors: DoorStatus) -> str:
    return status_line([(DoorName(name), status) for name, status in doors.items()], faults)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (door(), "secured"),
        (door(Lock.RELEASED), "released"),
        (door(Lock.RELEASED, Leaf.OPEN), "open, released"),
        (door(Lock.SECURED, Leaf.FORCED_OPEN), "forced open, secured"),
        (door(Lock.UNLOCKED), "unlocked by schedule"),
        (door(Lock.UNLOCKED, hold=Hold.UNLOCKED), "unlocked by an operator"),
        (door(Lock.UNLOCKED_EXITING), "unlocked by schedule"),
        (door(Lock.LOCKED_DOWN, hold=Hold.LOCKED_DOWN), "locked down"),
    ],
)
def test_a_door(status: DoorStatus, words: str) -> None:
    assert door_words(status) == words


def test_a_line() -> None:
    doors = {"front": door(), "vault": door(Lock.UNLOCKED)}
    assert line(**doors) == "front: secured · vault: unlocked by schedule"
    assert line("reader front: stuck low", **doors).endswith(" · 1 fault: reader front: stuck low")
    assert line("a: b", "c: d", **doors).endswith("schedule · 2 faults: a: b")
    assert line("x" * 300, **doors).endswith("x" * 99 + "…")


def test_many_doors_are_counted_and_what_is_not_secured_is_named() -> None:
    many = {f"door-{number:03}": door() for number in range(100)}
    assert line(**many) == "100 secured"
    assert line(**many | {"door-050": door(Lock.UNLOCKED)}) == "door-050: unlocked by schedule · 99 secured"
    crowd = line(**many | {f"door-{number:03}": door(Lock.LOCKED_DOWN) for number in range(60)})
    assert crowd.startswith("door-000: locked down · door-001: locked down · ")
    assert crowd.endswith(" · 40 secured · 52 more are not")


NAMES = st.text("abcdefghij-", min_size=1, max_size=40)
STATES = st.builds(door, st.sampled_from(Lock), st.sampled_from(Leaf), st.sampled_from([None, *Hold]))


@given(st.dictionaries(NAMES, STATES, min_size=1, max_size=40), st.lists(st.text(max_size=300), max_size=4))
def test_it_is_short(doors: dict[str, DoorStatus], faults: list[str]) -> None:
    assert len(line(*faults, **doors)) <= LONGEST
