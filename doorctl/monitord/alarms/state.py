"""All that the judge remembers of one controller, small enough to be written with each batch of alarms.

Values only. A hundred thousand records are a handful of links; what was registered is kept apart, in registered.py.
"""

from typing import Final

import msgspec

MOST_EPOCHS: Final = 64
"""Starts of doord that are remembered one by one; older ones have long been judged."""
MOST_FORGOTTEN: Final = 4096


class Mark(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """When a record was made, by each of the board's clocks."""

    boot: bytes
    monotonic: int
    wall: int
    unsure: bool
    """The board did not trust its own wall clock."""


def is_after(this: Mark, that: Mark) -> bool | None:
    """Whether `this` was made later than `that`; None where no clock can tell."""
    if this.boot == that.boot:
        return this.monotonic > that.monotonic
    if this.unsure or that.unsure:
        return None
    return this.wall > that.wall


class Link(msgspec.Struct, kw_only=True, array_like=True):
    """Records first..last of an epoch without a hole, and what the neighbours on both sides must fit."""

    first: int
    last: int
    previous: bytes
    """What the first one says that the hash before it is."""
    hashes: list[bytes]
    """Of the last one; more than one after a fork."""


class EpochState(msgspec.Struct, kw_only=True):
    """One start of doord."""

    links: list[Link] = msgspec.field(default_factory=list)
    lost: list[tuple[int, int]] = msgspec.field(default_factory=list)
    """What a LOSS record says will never come."""
    predecessor: bytes | None = None
    """None until its START is here; zeros for a first start."""
    predecessor_head: int = 0
    predecessor_hash: bytes = b""
    start: Mark | None = None
    highest: Mark | None = None
    """Of the record with the highest sequence."""
    highest_sequence: int = 0
    generations: dict[int, tuple[int, int]] = msgspec.field(default_factory=dict)
    """Roster generation → lowest and highest place in the epoch where it was seen."""
    retired: bool = False
    """Supervision has come from a later start."""


class Condition(msgspec.Struct, kw_only=True, array_like=True):
    """The last news of something that can be on or off."""

    on: bool
    mark: Mark


class Held(msgspec.Struct, kw_only=True):
    """A finding that a record which is still on its way may explain."""

    entry: bytes
    """A registration entry; empty for a roster digest."""
    generation: int
    digest: bytes
    epoch: bytes
    sequence: int
    due: int
    """Wall time from which it is an alarm if nothing older is missing."""
    limit: int
    """Wall time from which it is an alarm whatever is missing."""
    event: int
    received: int
    record: int | None
    door: str
    reader: str
    person: str
    alarmed: bool = False


class ControllerState(msgspec.Struct, kw_only=True):
    """Everything about one controller."""

    epochs: dict[bytes, EpochState] = msgspec.field(default_factory=dict)
    forgotten: set[bytes] = msgspec.field(default_factory=set)
    """Starts beyond what is remembered: they count as whole and over."""
    live: bytes = b""
    """The epoch whose supervision comes."""
    live_mark: Mark | None = None
    """Its first supervision."""
    supervised: int = 0
    """Wall time of the last supervision, by the monitor's clock; 0 before the first."""
    paces: list[int] = msgspec.field(default_factory=list)
    """The last distances between supervisions."""
    conditions: dict[str, Condition] = msgspec.field(default_factory=dict)
    held: dict[bytes, Held] = msgspec.field(default_factory=dict)
    """By what they are about."""
    backlog: tuple[bytes, int, int] = (b"", 0, 0)
    """Oldest record without a receipt, and the fewest that waited since it is that."""
    standstills: int = 0
    """Supervisions in a row without fewer than ever before."""
    overtaken: int = 0
    """Supervisions since newer ones than the oldest have receipts."""
    holes: int = 0
    """Supervisions in a row below which something was missing."""
    announced: int = 0
    """Wall time of the last new part of an enrolment, by the monitor's clock."""
    generation: int = 0
    head: int = 0
    pending: int = 0
    simulated: bool = False


def judged_anew(state: ControllerState) -> ControllerState:
    """What stays known when the ledger is another one: what lasts and when it was last heard, no record of it."""
    return ControllerState(
        supervised=state.supervised, paces=state.paces, conditions=state.conditions, held=state.held,
        generation=state.generation, head=state.head, pending=state.pending, simulated=state.simulated,
    )  # fmt: skip


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(ControllerState)


def encode_state(state: ControllerState) -> bytes:
    """For alarms.db."""
    return _ENCODER.encode(state)


def decode_state(stored: bytes) -> ControllerState:
    """From alarms.db; msgspec.ValidationError where another version wrote it."""
    return _DECODER.decode(stored)
