"""What happens to the courier, and what it does: the words between delivery (decides) and the runtime (carries out).

Lines are dialled in numbered attempts; what is said of an attempt that is no longer the line's last is not heard.
"""

from dataclasses import dataclass
from enum import Enum

from doorctl.courierd.config import Address
from doorctl.wire.handoff import Message, PathState


class Line(Enum):
    """The courier's three connections."""

    DOOR = "door"
    """To doord's socket."""
    FRESH = "fresh"
    """To the monitor: one record a request, fresh ones before supervision."""
    BACKLOG = "backlog"
    """To the monitor: batches of older records, never in the way of fresh ones."""


# Events


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """The line is up; to the monitor: TLS is up and its certificate is the pinned one."""

    line: Line
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The line did not come up or is gone."""

    line: Line
    attempt: int
    why: PathState
    """UNREACHABLE, WRONG_CERTIFICATE or REFUSED."""
    detail: str
    malformed: bool = False
    """It ended because the peer sent what is not the protocol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorSaid:
    """A message of doord's."""

    attempt: int
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The monitor's answer to the request in flight: a receipt for each of its places, unverified."""

    line: Line
    attempt: int
    receipts: tuple[bytes, ...]


Event = Connected | Lost | DoorSaid | Answered


# Effects


@dataclass(frozen=True, slots=True, kw_only=True)
class DialDoor:
    """Begin to connect to doord's socket."""

    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """Begin to connect a line to the monitor."""

    line: Line
    attempt: int
    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUp:
    """End the line's attempt or connection at once; nothing more of it is to be heard."""

    line: Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """One request on a line to the monitor: one record on FRESH, 1 to 64 on BACKLOG."""

    line: Line
    records: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """One message to doord."""

    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One line for the log: a state that changed, never what a record holds."""

    text: str


Effect = DialDoor | Dial | HangUp | Send | Tell | Report
