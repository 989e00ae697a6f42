"""An edge source that shows each edge to somebody else on its way to the decoder: how `doorctl wire-test` looks on.

Changes nothing, loses nothing, and reads nothing that its reader does not read.
"""

from collections.abc import Callable

from hal.events import Monotonic
from hal.wiegand.arming import Line
from hal.wiegand.source import Edge, EdgeSource


class TappedSource:
    """The EdgeSource port over another one."""

    def __init__(self, source: EdgeSource, seen: Callable[[list[Edge]], None]) -> None:
        self._source, self._seen = source, seen

    def start(self, wake: Callable[[], None]) -> None:
        """Listen."""
        self._source.start(wake)

    def pause(self) -> None:
        """Let go of the interrupts."""
        self._source.pause()

    def resume(self) -> None:
        """Listen again."""
        self._source.resume()

    def complete_until(self, now: Monotonic) -> Monotonic | None:
        """As the source below says."""
        return self._source.complete_until(now)

    def take(self, most: int) -> list[Edge]:
        """What the source has, shown first."""
        edges = self._source.take(most)
        if edges:
            self._seen(edges)
        return edges

    def lost(self) -> int:
        """How often edges were lost, ever."""
        return self._source.lost()

    def failures(self) -> int:
        """How often a callback raised, ever."""
        return self._source.failures()

    def high(self, line: Line) -> bool:
        """The line's level now; raises DeviceGoneError."""
        return self._source.high(line)

    def close(self) -> None:
        """Give the lines back; idempotent."""
        self._source.close()
