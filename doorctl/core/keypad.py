"""Keys become a code: it ends at the site's length or with ENTER, ESC clears, a gap gives up.

Never shows a digit: `__repr__` says only whether a code was begun. Whoever owns a Keypad asks for its
deadline; the Keypad reads no clock. Digits after a finished code begin the next one, and an ENTER with
nothing before it is nothing, so the habit of pressing ENTER after the last digit is harmless.
"""

from typing import Final

from doorctl.core.effects import Code
from doorctl.core.events import Key
from doorctl.core.types import SECOND, Duration, Monotonic

KEY_GAP: Final = Duration(5 * SECOND)
"""Keypads in the field give up an entry after about 5 s (facts/wiegand.md, Keypads)."""


class Keypad:
    """One keypad's digits since the last finished or given-up code."""

    __slots__ = ("_digits", "_gap", "_last", "_length")

    def __init__(self, *, length: int, gap: Duration = KEY_GAP) -> None:
        if length < 1 or gap <= 0:
            raise ValueError(f"keypad: length {length} and gap {gap} ns must be positive")
        self._length = length
        self._gap = gap
        self._digits = ""
        self._last = Monotonic(0)

    def __repr__(self) -> str:
        return f"<Keypad begun={self.begun}>"

    @property
    def begun(self) -> bool:
        """Whether there are digits of an unfinished code."""
        return bool(self._digits)

    def press(self, key: Key, now: Monotonic) -> Code | None:
        """The finished code, or None; a key after the gap begins a new code."""
        self.on_deadline(now)
        match key:
            case Key.ESC:
                self.clear()
                return None
            case Key.ENTER:
                return self._finish() if self._digits else None
            case _:
                self._digits += key.value
                self._last = now
                return self._finish() if len(self._digits) == self._length else None

    def clear(self) -> None:
        """Forget what was typed."""
        self._digits = ""

    def next_deadline(self) -> Monotonic | None:
        """When an unfinished code is given up."""
        return Monotonic(self._last + self._gap) if self._digits else None

    def on_deadline(self, now: Monotonic) -> bool:
        """Whether a begun code was given up at this moment."""
        due = self.next_deadline()
        if due is None or now < due:
            return False
        self.clear()
        return True

    def _finish(self) -> Code:
        code = Code(self._digits)
        self.clear()
        return code
