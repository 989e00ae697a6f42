"""The inputs of a door, in the configuration's words: at rest, as they change, and what was seen of them in all.

For `check --live` and `wire-test`.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final

from doorctl.cli.wire_test_verdict import InputSeen, flickers
from doorctl.doord.assembly import DoorPins
from hal.errors import HalError, NotHeardYetError
from hal.events import InputChanged, InputEvent
from hal.ports import Contact

WORDS: Final = {"contact": ("closed", "open"), "rex": ("at rest", "pressed"), "tamper": ("at rest", "tampered with")}
"""Not active and active, as doorctl.toml's `active` has it."""
_REMEMBERED: Final = 256
"""Changes, for telling a flicker from a hand."""

Moved = Callable[[str, InputEvent], None]
"""Kind, and what was heard."""


class InputWatch:
    """One input, from its level at rest to what was seen of it; says nothing more of one that flickers."""

    def __init__(self, kind: str, port: Contact, where: str, moved: Moved) -> None:
        self.kind, self.flickers = kind, False
        self._port, self._where, self._moved = port, where, moved
        self._seen: set[bool] = set()
        self._changes: deque[int] = deque(maxlen=_REMEMBERED)

    def start(self) -> dict[str, Any]:
        """How it rests; from now on changes are heard."""
        told = at_rest(self.kind, self._port, self._where)
        if told["level"] is not None:
            self._seen.add(told["level"])
        self._port.start(self._heard)
        return told

    def seen(self) -> InputSeen:
        """Of all until now."""
        told = at_rest(self.kind, self._port, self._where)
        return InputSeen(
            kind=self.kind, words=WORDS[self.kind], seen=frozenset(self._seen), level=told["level"],
            flickers=self.flickers, failed=told["level"] is None and told["idle"] is False,
        )  # fmt: skip

    @property
    def moved(self) -> bool:
        """Both of its levels were seen."""
        return len(self._seen) > 1

    def _heard(self, event: InputEvent) -> None:
        if self.flickers:
            return
        self._changes.append(event.at)
        self.flickers = flickers(self._changes)
        if isinstance(event, InputChanged):
            self._seen.add(event.active)
        self._moved(self.kind, event)


def inputs(pins: DoorPins) -> Iterator[tuple[str, Contact, str]]:
    """Kind, port and where it is wired, of each input that the door has."""
    for kind in WORDS:
        port, source = getattr(pins, kind), getattr(pins.door, kind)
        if port is not None:
            where = source.pin if hasattr(source, "pin") else f"input {source.number} of reader {source.reader}"
            yield kind, port, where


def at_rest(kind: str, port: Contact, where: str) -> dict[str, Any]:
    """Level, what the configuration calls it, and whether that is how an untouched door should be."""
    try:
        active = port.active
    except NotHeardYetError:
        return {"input": kind, "wired": where, "level": None, "words": "not heard yet", "idle": None}
    except HalError as error:
        return {"input": kind, "wired": where, "level": None, "words": str(error), "idle": False}
    return {"input": kind, "wired": where, "level": active, "words": WORDS[kind][active], "idle": not active}


def hint(told: dict[str, Any]) -> str | None:
    """What to look at where an input is not idle with nobody at the door."""
    if told["idle"] is not False:
        return None
    if told["level"] is None:
        return "the reader that it is wired to: power and line"
    return (
        f"with the door closed and nobody at it the {told['input']} should be {WORDS[told['input']][0]}: likely a "
        "broken wire, or active in doorctl.toml is the other level"
    )
