"""When the door answers. The same for every outcome, because nothing here is told one.

    last key ──── work ────► slot: decide, seal, journal ──── COMMIT_ALLOWANCE ────► answer
The look-up is given `work`, a calibrated worst case; what takes longer moves the whole entry to a later slot on a
grid, so that caches, row places and Argon2id show nothing finer than the grid. The record is committed between slot
and answer. A disk that has not answered COMMIT_BOUND after the slot is not waited for: the record goes into the
courier's memory and the door answers, at the latest ANSWER_BOUND after the slot.
"""

from dataclasses import dataclass
from typing import Final

from doorctl.core.types import MS, Duration, Monotonic

CARD_WORK: Final = Duration(35 * MS)
"""25 ms of silence, after which the decoder knows of every frame whether it is a card, a key or nothing (rhythm.py,
SILENCE); then one indexed look-up and one HMAC: under 1 ms measured, and room for a slow card's first read."""
CODE_MARGIN: Final = 1.5
"""Over the slowest Argon2id run at start: what a warm board with a busy core was seen to add."""
GRID: Final = Duration(50 * MS)
COMMIT_ALLOWANCE: Final = Duration(80 * MS)
"""From the slot to the answer: what an SD card needs for a durable commit, nearly always."""
COMMIT_BOUND: Final = Duration(150 * MS)
"""design.md, A card's way through the house."""
ANSWER_BOUND: Final = Duration(190 * MS)
"""After the slot the door answers, whatever disk and courier say; under 200 ms with what a pin write takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerTimes:
    """How much time the look-up is given."""

    card_work: Duration
    code_work: Duration

    def slot(self, at: Monotonic, *, with_code: bool, now: Monotonic) -> Monotonic:
        """The entry's slot: the first one of its grid that is not over, counted from the last key or edge."""
        slot = at + (self.code_work if with_code else self.card_work)
        late = max(0, now - slot)
        return Monotonic(slot + -(-late // GRID) * GRID)


def calibrated(slowest_stretch: Duration) -> AnswerTimes:
    """The times of this board, from the slowest of some Argon2id runs."""
    code_work = round(slowest_stretch * CODE_MARGIN) + CARD_WORK
    return AnswerTimes(card_work=CARD_WORK, code_work=Duration(code_work))
