"""The short form of `make fuzz`."""

from tests.fuzz.osdp import TARGETS, run


def test_what_a_hostile_line_says_moves_nothing() -> None:
    assert len(list(run(10_000, seed=4))) == len(TARGETS)
