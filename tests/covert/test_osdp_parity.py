"""The promise at readers on an RS-485 line: the same orders to lamp and sounder at the same times, whichever code it was.

Two of the site's doors get OSDP readers on one line, paced to its speed; all else is as in test_parity.py.
"""

from dataclasses import fields
from functools import cache
from typing import Final

import pytest
from hypothesis import example, given, settings

from doorctl.config.reading import parse_config
from doorctl.config.types import Config
from tests.covert.onlooker import Seen, Stage, assert_alike
from tests.covert.scenes import WORKING_HOURS, Happens, Order, Pause, Reader, Scene, Typed, Wrong, scenes
from tests.covert.test_parity import PARITY
from tests.doord.site import DOORS

WIRES: Final = {
    'wiegand = ["GPIO4", "GPIO5"], format = "H10301", keypad = "8-bit", mode = "card+code", '
    'led = "GPIO6", buzzer = "GPIO7"': 'osdp = "/dev/ttyAMA0", address = 1, mode = "card+code"',
    'wiegand = ["GPIO12", "GPIO13"], format = "H10301", keypad = "4-bit", mode = "card or code", '
    'led = "GPIO14", buzzer = "GPIO15"': 'osdp = "/dev/ttyAMA0", address = 2, mode = "card or code"',
}
"""At the front and at the side, and what takes their place."""


class OnALine(Scene):
    """A scene at the same site with other readers."""

    def doors(self) -> Config:
        return _doors(self.config)


@cache
def _doors(lines: tuple[tuple[str, str], ...]) -> Config:
    text = DOORS.format(**{"site": "", "front": "", "office": "", "side": "", **dict(lines)})
    for wires, line in WIRES.items():
        assert text.count(wires) == 1
        text = text.replace(wires, line)
    return parse_config(text, file="doorctl.toml")


def on_a_line(scene: Scene) -> OnALine:
    return OnALine(**{field.name: getattr(scene, field.name) for field in fields(Scene)})


def both(stage: Stage, scene: OnALine) -> tuple[Seen, Seen]:
    return stage.perform(scene, 0), stage.perform(scene, 1)


LOCKED_OUT: Final = OnALine(moment=WORKING_HOURS, steps=(Wrong("side", 3, "12345670"), Typed("side"), Typed("front")))
LOCKED_DOWN: Final = OnALine(moment=WORKING_HOURS, steps=(Order("lockdown"), Typed("front"), Typed("side")))
STALLED: Final = OnALine(
    moment=WORKING_HOURS, steps=(Happens("disk stalls"), Typed("front"), Pause(2.0), Typed("front"))
)


def test_two_codes_of_a_holder_are_one_on_the_line(stages: dict[int, Stage]) -> None:
    @settings(PARITY, max_examples=60)
    @given(scene=scenes.map(on_a_line))
    @example(scene=LOCKED_OUT)
    @example(scene=LOCKED_DOWN)
    @example(scene=STALLED)
    def alike(scene: OnALine) -> None:
        assert_alike(*both(stages[2], scene))

    alike()


@pytest.mark.parametrize("reader", ["front", "side"])
def test_what_is_shown_is_seen(stages: dict[int, Stage], reader: Reader) -> None:
    """Else the comparison would be of nothing: lamp and sounder are there, with their times, and the strike moves."""
    everyday, other = both(stages[2], OnALine(moment=WORKING_HOURS, steps=(Typed(reader), Pause(1.0))))
    assert_alike(everyday, other)
    shown = {(pin, level) for pin, level, _ in other.outputs}
    assert {(f"{reader} led", True), (f"{reader} buzzer", True), (f"{reader} buzzer", False)} <= shown
    granted = [body for body in other.bodies if body.door == reader and body.outcome.name == "GRANTED"]
    assert len(granted) == 1


def test_another_beep_on_the_line_would_be_seen(stages: dict[int, Stage], monkeypatch: pytest.MonkeyPatch) -> None:
    scene = OnALine(moment=WORKING_HOURS, steps=(Typed("front"), Pause(1.0)))
    everyday = stages[2].perform(scene, 0)
    monkeypatch.setattr("hal.osdp.reader._DECISECOND_MS", 50)
    with pytest.raises(AssertionError, match="outputs"):
        assert_alike(everyday, stages[2].perform(scene, 1))
