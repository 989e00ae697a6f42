"""One reader in the eyes of its line: when its turn is, how long it is waited for, what was counted of it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from hal.events import MS, Monotonic
from hal.osdp.commands import Com
from hal.osdp.counters import Counters
from hal.osdp.happenings import Happening, Heard, KeyInstalled, Misuse, Misused, Offline, Online, Refused
from hal.osdp.session import Session

ANSWER_WITHIN: Final = 200 * MS
"""From the end of a request to the first byte of its answer; the standard's REPLY_DELAY."""
QUIET_ANSWER_WITHIN: Final = 25 * MS
"""The same for a reader that is quiet; typical readers answer within 3 ms."""
KNOWN_ANSWER_WITHIN: Final = 10 * MS
"""The same where the reader is known to be quicker than half of that."""
QUIET_AFTER: Final = 3
PATIENT_EVERY: Final = 30
"""Probes of a quiet reader, of which one may be answered as late as the standard lets it."""


@dataclass(slots=True, kw_only=True)
class Turn:
    """One reader in the line's eyes."""

    session: Session
    due: Monotonic
    heard: Monotonic
    """When it last answered rightly in an open session."""
    begun: Monotonic
    """When its session last began anew."""
    asked: Monotonic
    """When it last had the line."""
    used: Monotonic
    """When it last had a card, a key or an order."""
    counters: Counters
    slowest: int = 0
    """Its latest answer was whole so long after its request; 0: there was none."""
    waited: int = 0
    """From the answer in an open session before its latest one to that one: what this one tells may be so old."""
    left: bool = False
    """It has taken another speed than the line's."""
    tries: int = 0
    repeated: bool = False
    """Its latest answer was to a request that had been sent again: it may answer twice."""
    missed: int = 0
    """Times in a row that nothing came at all."""

    @property
    def quiet(self) -> bool:
        """Not answering: it gets little of the line."""
        return self.missed >= QUIET_AFTER

    @property
    def urgent(self) -> bool:
        """Has more to be asked than whether there is anything, or has said something that nobody understood."""
        return self.session.has_orders or (self.tries > 0 and self.missed == 0)

    @property
    def patience(self) -> int:
        """How long its answer is waited for; now and then also a slow reader that was never heard gets its time."""
        if not self.quiet or self.missed % PATIENT_EVERY == 0:
            return ANSWER_WITHIN
        return min(ANSWER_WITHIN, max(KNOWN_ANSWER_WITHIN, 2 * self.slowest) if self.slowest else QUIET_ANSWER_WITHIN)

    def note(self, happenings: Sequence[Happening], now: Monotonic, line_baud: int) -> None:
        """What was told of it, in its counters."""
        for happening in happenings:
            match happening:
                case Misused(how=how):
                    self.counters.misused += 1
                    self.counters.bad_macs += how is Misuse.BAD_MAC
                    self.counters.in_clear += how is Misuse.PLAINTEXT
                case Refused(code=code) if self.session.secure:
                    self.counters.nak(code)
                case Heard(what=Com(baud=baud)):
                    self.left = baud != line_baud
                case Online():
                    self.counters.online(now)
                case Offline() | Heard() | Refused() | KeyInstalled():
                    pass
                case _:
                    assert_never(happening)
