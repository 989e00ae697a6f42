"""When a reader is believed at all: rules 7 and 8 of the decoder.

A reader begins disarmed and is armed by 1 s of idle-high lines. Noise and a line held low disarm it again,
noise for a time that doubles from 1 to 30 s. One instance a reader, so no reader's trouble is another's.
Nothing here knows bits or frames; memory is a handful of integers whatever arrives.
"""

from collections import deque
from typing import Final, Literal

from hal.events import MS, SECOND
from hal.wiegand.rhythm import FASTEST_INTERVAL

Line = Literal[0, 1]

IDLE_TO_ARM: Final = 1 * SECOND
LINE_LOW: Final = 5 * MS
"""Fifty times the longest legal pulse."""
LOOK_AGAIN: Final = 100 * MS
"""How often the levels of a line that is held low are read, to see it come back."""
BAD_FRAMES: Final = 5
BAD_FRAMES_WITHIN: Final = 2 * SECOND
BURST: Final = 32 * FASTEST_INTERVAL
"""How far a reader may run ahead of the fastest legal pace: covers a frame of 56 bits at 100 µs."""
FIRST_BACK_OFF: Final = 1 * SECOND
LONGEST_BACK_OFF: Final = 30 * SECOND
FORGIVEN_AFTER: Final = 60 * SECOND
"""Armed for that long without noise: the next back-off is the first again."""


class Arming:
    """One reader's standing: armed, or waiting for idle lines."""

    __slots__ = (
        "_back_off",
        "_bad_frames",
        "_fell",
        "_idle_since",
        "_low",
        "_not_before",
        "_pace",
        "_since",
        "armed",
        "look_at",
        "stuck",
    )

    def __init__(self, now: int) -> None:
        self.armed = False
        self.stuck = False
        """A line is held low."""
        self.look_at: int | None = now
        """When the lines' levels should be read next."""
        self._since = now
        """When it was last armed or disarmed."""
        self._idle_since = now
        self._not_before = now
        self._back_off = 0
        self._pace = now
        """Where the fastest legal reader would be, had it sent all these edges."""
        self._bad_frames: deque[int] = deque(maxlen=BAD_FRAMES)
        self._fell: list[int | None] = [None, None]
        """Last falling edge, or the first time the line was seen low; None once it was seen high again."""
        self._low = [False, False]
        """As last looked at; a low line is always looked at again."""

    @property
    def arms_at(self) -> int | None:
        """When idle lines will have armed the reader; None while a line is low, or once it is armed."""
        if self.armed or self.stuck or any(self._low):
            return None
        return max(self._not_before, self._idle_since + IDLE_TO_ARM)

    def arm(self, at: int) -> None:
        """The lines have been idle for long enough."""
        self.armed = True
        self._since = at
        self._bad_frames.clear()

    def disarm(self, at: int) -> None:
        """Wait for idle lines, without a penalty: a line was held low."""
        self.armed = False
        self._since = self._idle_since = self._not_before = at

    def back_off(self, at: int, last_edge: int) -> None:
        """Disarm for noise, for longer each time."""
        calm = at - self._since >= FORGIVEN_AFTER
        self._back_off = FIRST_BACK_OFF if calm else min(max(2 * self._back_off, FIRST_BACK_OFF), LONGEST_BACK_OFF)
        self.disarm(at)
        self._idle_since = last_edge
        self._not_before = at + self._back_off

    def edge(self, line: Line, at: int) -> bool:
        """Take note of every edge, armed or not. True: more than the fastest legal reader could send."""
        if at < self._idle_since:
            self._turn_back(at)
        self._fell[line] = self._idle_since = at
        self.look_at = at + LINE_LOW
        self._pace = (max(at, self._pace)) + FASTEST_INTERVAL
        return self._pace - at > BURST

    def edges_lost(self, at: int) -> None:
        """Edges there were, nobody knows when: the lines were not idle."""
        self._idle_since = at

    def bad_frame(self, at: int) -> bool:
        """A frame was refused. True: too many within the time that counts as noise."""
        self._bad_frames.append(at)
        return len(self._bad_frames) == BAD_FRAMES and at - self._bad_frames[0] <= BAD_FRAMES_WITHIN

    def level(self, line: Line, *, low: bool, at: int) -> bool:
        """What a line's level was at a time. True: the lines are held low from now on, and were not before."""
        if not low:
            self._seen_high(line, at)
            return False
        fell = self._fell[line]
        if fell is None or fell > at:
            fell = self._fell[line] = at
        self._low[line] = True
        if at - fell < LINE_LOW:
            self.look_at = fell + LINE_LOW
            return False
        self.look_at = at + LOOK_AGAIN
        began = not self.stuck
        self.stuck = True
        return began

    def looked(self, now: int) -> None:
        """The time to read the levels has come and gone; never ask twice for the same moment."""
        if self.look_at is not None and self.look_at <= now:
            self.look_at = now + LOOK_AGAIN if any(self._low) else None

    def _seen_high(self, line: Line, at: int) -> None:
        """Idle begins where a low line is seen high again; its last pulse alone already began it."""
        self._fell[line] = None
        if not self._low[line]:
            return
        self._low[line] = False
        self._idle_since = max(self._idle_since, at)
        self.stuck = self.stuck and any(self._low)

    def _turn_back(self, at: int) -> None:
        """A timestamp before the last one: keep no wait that only a wrong, future one asked for."""
        self._not_before = min(self._not_before, at + self._back_off)
        self._pace = at
