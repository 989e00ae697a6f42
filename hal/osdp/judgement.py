"""What one frame was to one exchange, in a session's judgement."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from hal.osdp import commands
from hal.osdp.commands import CardData, Com, Keys, Levels, LocalStatus, Reply
from hal.osdp.frame import Frame
from hal.osdp.happenings import Happening, Heard, Misuse, Misused


class Verdict(Enum):
    """What a frame was to the exchange."""

    ANSWER = "answer"
    """The exchange is over."""
    BUSY = "busy"
    """The same request again, later."""
    AGAIN = "again"
    """The same request again, now: a true answer is repeated, and overrules what somebody said once."""
    NEXT_KEY = "next key"
    """A new session at once, with another key."""
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


_PARSERS: Final[dict[int, Callable[[bytes], CardData | Keys | LocalStatus | Levels | Com | None]]] = {
    Reply.RAW: commands.parse_card,
    Reply.KEYPAD: commands.parse_keys,
    Reply.LOCAL_STATUS: commands.parse_local_status,
    Reply.INPUT_STATUS: commands.parse_levels,
    Reply.COM: commands.parse_com,
}


def heard(frame: Frame) -> tuple[Happening, ...]:
    """What in an answer that is believed concerns the door: nothing in ACK, and in what only answers an order."""
    parse = _PARSERS.get(frame.code)
    if parse is None:
        return ()
    what = parse(frame.data)
    return (Misused(how=Misuse.MALFORMED),) if what is None else (Heard(what=what),)
