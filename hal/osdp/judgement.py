"""What one frame was to one exchange, in a session's judgement."""

from dataclasses import dataclass
from enum import Enum

from hal.osdp.happenings import Happening


class Verdict(Enum):
    """What a frame was to the exchange."""

    ANSWER = "answer"
    """The exchange is over."""
    BUSY = "busy"
    """The same request again, later."""
    RESTART = "restart"
    """The reader has lost the session; the line says when a new one may begin."""
    HOPELESS = "hopeless"
    """The handshake failed; not to be tried again at once."""
    NOT_IT = "not it"
    """Goes on waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A verdict and what it tells."""

    verdict: Verdict
    happenings: tuple[Happening, ...] = ()
