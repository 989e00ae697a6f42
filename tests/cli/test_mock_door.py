"""What of a strike's levels is told, and in which words."""

from typing import Any
from unittest.mock import Mock

import pytest

from doorctl.cli.mock_door import Answer, answer, keys_of
from doorctl.cli.mock_hands import seen
from doorctl.cli.mock_line import Drive
from doorctl.config.types import Door, Strike, StrikeKind
from doorctl.core.types import MS, SECOND, Duration

DONE = 100 * SECOND


def strike(kind: StrikeKind, *, active_high: bool = True) -> Strike:
    return Strike(pin="GPIO17", type=kind, active_high=active_high, release=Duration(5 * SECOND), relock_on_open=True)


SECURE, SAFE = strike(StrikeKind.FAIL_SECURE), strike(StrikeKind.FAIL_SAFE)


def change(level: int | None, after_ms: int, pin: str = "GPIO17") -> list[object]:
    return [1, pin, level, DONE + after_ms * SECOND // 1000]


@pytest.mark.parametrize(
    ("of", "level", "outputs", "words"),
    [
        (SECURE, 0, [], "the strike did not move"),
        (SECURE, 1, [], "the strike stayed released"),
        (SECURE, 0, [change(1, 270)], "strike released after 0.27 s"),
        (SECURE, 0, [change(1, 0)], "strike released after 0.00 s"),
        (SECURE, 0, [change(1, -40)], "strike released before that was done"),
        (SECURE, 1, [change(0, 100)], "strike secured after 0.10 s"),
        # the end of the last release, and then this one's answer
        (SECURE, 1, [change(0, 100), change(1, 120)], "strike released after 0.12 s"),
        (SECURE, 0, [change(1, 120), change(0, 500)], "strike released after 0.12 s"),
        (SECURE, 0, [change(1, 120, "GPIO18")], "the strike did not move"),
        (SAFE, 1, [change(0, 120)], "strike released after 0.12 s"),
        (SAFE, 1, [], "the strike did not move"),
        # doord ended, and the pin is nobody's: what has no power holds, or lets go
        (SECURE, 1, [change(None, 120)], "strike secured after 0.12 s"),
        (SAFE, 1, [change(None, 120)], "strike released after 0.12 s"),
        (strike(StrikeKind.FAIL_SECURE, active_high=False), 1, [change(0, 120)], "strike released after 0.12 s"),
    ],
)
def test_in_words(of: Strike, level: int, outputs: list[list[object]], words: str) -> None:
    assert str(answer(of, level=bool(level), outputs=outputs, done=DONE)) == words


def test_for_scripts() -> None:
    opened = answer(SECURE, level=False, outputs=[change(1, 270)], done=DONE)
    assert opened == Answer(before=False, released=True, after=270 * SECOND // 1000)
    assert opened.told() == {"moved": "released", "after_ms": 270, "released": True}
    fallen = answer(SECURE, level=True, outputs=[change(0, 100)], done=DONE)
    assert fallen.told() == {"moved": "secured", "after_ms": 100, "released": False}
    still = answer(SECURE, level=True, outputs=[], done=DONE)
    assert still.told() == {"moved": None, "after_ms": None, "released": True}


class StoppedShort(Drive):
    """A board beside which this program stands still for three seconds, each time before it asks what time it is."""

    def __init__(self) -> None:
        self._now = DONE

    def do(self, what: str, **more: Any) -> dict[str, Any]:
        if what == "state":
            self._now += 3 * SECOND
            return {"now": self._now, "newest": 0, "pins": {"GPIO17": {"level": 0}}}
        return {"outputs": [change(1, 3270)] if self._now >= DONE + 3270 * MS else []}


def test_a_release_while_this_program_stood_still_is_seen() -> None:
    door = Mock(spec=Door, strike=SECURE)
    found = seen(StoppedShort(), door, lambda _drive: DONE + 3 * SECOND, leaf=False)
    assert found == Answer(before=False, released=True, after=270 * SECOND // 1000)


def test_keys_may_be_typed_as_codes_are_shown() -> None:
    assert keys_of(" 482 078 15#\n") == "48207815#"
