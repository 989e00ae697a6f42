"""What the CP tells of its readers: frozen values, one class a happening.

Only `Heard` and its payloads came from a reader that had proved its key (or from one that is allowed to be plain);
`Misuse` is what an attacker, a stranger or a broken reader did, and changed nothing.
"""

from dataclasses import dataclass, field
from enum import Enum

from hal.osdp.commands import Capability, CardData, Com, Identity, Keys, Levels, LocalStatus


class Misuse(Enum):
    """What a line said that a reader of ours would not."""

    BAD_MAC = "bad MAC"
    PLAINTEXT = "plaintext in a secure session"
    WRONG_KEY = "the reader does not know its key"
    DOWNGRADE = "the reader asks for the default key or for no key"
    FORGED_PROOF = "the reader's last proof is forged"
    UNASKED = "somebody spoke who was not asked"
    MALFORMED = "an answer that makes no sense"
    STRANGER = "another reader answers at this address"


class Gone(Enum):
    """Why a reader is offline."""

    SILENT = "silent"
    REFUSED = "refused to be secured"
    CLOSED = "the line is closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Online:
    """The reader answers and, unless it is a plain one, has proved its key."""

    secure: bool
    identity: Identity
    capabilities: tuple[Capability, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offline:
    """Told once, until Online comes again."""

    why: Gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a reader had to say."""

    what: CardData | Keys | LocalStatus | Levels | Com


@dataclass(frozen=True, slots=True, kw_only=True)
class Misused:
    """Once a frame."""

    how: Misuse


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyInstalled:
    """The reader has taken this key: keep it before anything else, or the reader is lost."""

    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The reader did not carry out an order."""

    command: int
    code: int
    """Of the NAK."""


Happening = Online | Offline | Heard | Misused | KeyInstalled | Refused
