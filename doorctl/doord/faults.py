"""What is wrong now, by name: shown by status, logged at each change, recorded once when it begins and ends."""

import logging
from collections.abc import Callable
from typing import Final

from doorctl.wire.detail import FaultCode

_LOG: Final = logging.getLogger("doord")
_CODES: Final = {
    "reader": FaultCode.READER,
    "misuse": FaultCode.MISUSE,
    "strike": FaultCode.STRIKE,
    "lamp": FaultCode.STRIKE,
    "sounder": FaultCode.STRIKE,
    "roster": FaultCode.ROSTER,
    "thread": FaultCode.ROSTER,
    "journal": FaultCode.STORAGE,
    "clock": FaultCode.CLOCK,
    "courier": FaultCode.COURIER,
}
"""By a fault's first word. Storage and tamper are recorded where they are seen. A configuration that was refused is the
operator's business and nobody's at the monitor: the doors go on by the one before it.

A journal that was damaged is storage to the monitor, whose alarm is over with the next supervision that says the disk
takes records; status says it until doord is started again.
"""


class Faults:
    """Standing faults of this board."""

    def __init__(self, record: Callable[[FaultCode, str, str, bool], None]) -> None:
        """`record(code, name, text, began)` makes the record of a change."""
        self._record = record
        self._standing: dict[str, str] = {}

    def set(self, name: str, text: str | None) -> None:
        """Fault `name` is now as `text` says, or over where it is None; telling the same twice is nothing."""
        before = self._standing.get(name)
        if text == before:
            return
        if text is None:
            del self._standing[name]
            _LOG.warning("%s: well again", name)
        else:
            self._standing[name] = text
            _LOG.warning("%s: %s", name, text)
        code = _CODES.get(name.partition(" ")[0])
        if code is not None and (text is None or before is None):
            self._record(code, name, text or "", text is not None)

    def shown(self) -> list[str]:
        """As `doorctl status` prints them."""
        return [f"{name}: {text}" for name, text in sorted(self._standing.items())]
