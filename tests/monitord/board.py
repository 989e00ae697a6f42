"""A simulated board for the monitor's tests: it numbers, chains and (if asked) seals, and it lies when told to.

Everything it makes is a `Made`; a test decides what arrives, in which order and how often.
"""

import hashlib
import itertools
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from doorctl.core.types import SECOND, Monotonic, Outcome, Reason, WallTime
from doorctl.monitord.ledger import LedgerRecord, LedgerSupervision
from doorctl.seal.meaning import Meaning, TokenPlain
from doorctl.seal.public import MonitorPublic, controller_id
from doorctl.seal.roster_tree import roster_digest
from doorctl.seal.sealing import registration, row_tag, seal_record, seal_token
from doorctl.wire.detail import Action, Detail, EnrolledDetail, StartDetail, SupervisionDetail
from doorctl.wire.record import (
    NO_EPOCH,
    NO_HASH,
    SUPERVISION_BIT,
    Body,
    Epoch,
    Flag,
    Header,
    Kind,
    RecordHash,
    RowTag,
    Sequence,
    Token,
    record_hash,
)
from tests.seal.sample import PUBLIC, stretch

NOON: Final = WallTime(1_790_000_000 * SECOND)
NO_FLAGS: Final = Flag(0)
NEXT: Final = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One record or supervision as the board made it."""

    header: Header
    body: Body
    hash: RecordHash
    sealed: bytes

    @property
    def sequence(self) -> int:
        return self.header.sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the board's roster."""

    tag: RowTag
    token: Token
    plain: TokenPlain

    @property
    def entry(self) -> bytes:
        return registration(self.tag, self.token)


def new_row(person: str, meaning: Meaning = Meaning.NORMAL, *, monitor: MonitorPublic | None = None) -> Row:
    """A row of its own; its token is sealed to `monitor`, or else only looks like one."""
    number = next(NEXT)
    tag = row_tag(stretch(f"lookup {number}", 32))
    plain = TokenPlain(
        holder=stretch(person, 16), label=person, meaning=meaning, issued=date(2026, 1, 2), row_tag=tag
    )  # fmt: skip
    token = seal_token(plain.encode(), monitor) if monitor else Token(stretch(f"token {number}", 144))
    return Row(tag=tag, token=token, plain=plain)


@dataclass
class Board:
    """Time stands still but for one second a record; a test may move `now` itself."""

    name: str = "board"
    monitor: MonitorPublic | None = None
    """Seal to it (slow); else the hash is over the plain record."""
    simulated: bool = False
    now: int = NOON
    boot: bytes = b"first boot......"
    flags: Flag = NO_FLAGS
    epoch: Epoch = NO_EPOCH
    sequence: int = 0
    supervisions: int = 0
    previous: RecordHash = NO_HASH
    generation: int = 0
    rows: list[Row] = field(default_factory=list)
    digest: bytes | None = None
    """Set to lie about the roster."""
    made: dict[tuple[bytes, int], Made] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.identity = Ed25519PrivateKey.from_private_bytes(stretch(f"identity of {self.name}", 32))
        self.controller = controller_id(self.identity.public_key(), simulated=self.simulated)

    def copy(self) -> "Board":
        """Keys, journal and roster in a second place."""
        other = Board(name=self.name, monitor=self.monitor, simulated=self.simulated)
        other.__dict__.update(self.__dict__, rows=list(self.rows), made=dict(self.made))
        return other

    def start(self, *, knows_nothing: bool = False) -> Made:
        """A new epoch that follows from this one."""
        detail = StartDetail(
            previous_epoch=self.epoch, previous_head=Sequence(self.sequence), previous_hash=self.previous
        )
        if knows_nothing:
            detail = StartDetail(previous_epoch=NO_EPOCH, previous_head=Sequence(0), previous_hash=NO_HASH)
        self.epoch = Epoch(stretch(f"epoch {next(NEXT)}", 8))
        self.sequence, self.supervisions, self.previous = 0, 0, NO_HASH
        return self.record(Kind.START, detail)

    def enrol(self, *rows: Row, parts: int = 1) -> list[Made]:
        """One generation that adds rows."""
        self.rows += rows
        return self._announce(Action.ADD, [row.entry for row in rows], parts)

    def revoke(self, *rows: Row) -> list[Made]:
        """One generation that takes rows away."""
        self.rows = [row for row in self.rows if row not in rows]
        return self._announce(Action.REVOKE, [row.entry for row in rows], 1)

    def _announce(self, action: Action, entries: list[bytes], parts: int) -> list[Made]:
        self.generation += 1
        size = -(-len(entries) // parts) if entries else 0
        return [
            self.record(Kind.ENROLLED, EnrolledDetail(
                generation=self.generation, action=action, day=20_000, part=part + 1, parts=parts,
                entries=tuple(entries[part * size : (part + 1) * size]),
            ))
            for part in range(parts)
        ]  # fmt: skip

    def access(self, row: Row | None, reason: Reason = Reason.MATCHED, **changes: Any) -> Made:
        """A decision; `row` None: nothing matched."""
        if row is None:
            wrong = {"outcome": Outcome.DENIED, "reason": Reason.NO_MATCH, "door": "front", "reader": "front"}
            return self.record(Kind.ACCESS, None, **(wrong | changes))
        fields: dict[str, Any] = {
            "outcome": Outcome.GRANTED if reason is Reason.MATCHED else Outcome.DENIED,
            "reason": reason, "flags": self.flags | Flag.MATCHED, "token": row.token, "row_tag": row.tag,
            "door": "front", "reader": "front",
        }  # fmt: skip
        return self.record(Kind.ACCESS, None, **(fields | changes))

    def record(self, kind: Kind, detail: Detail | None, /, **changes: Any) -> Made:
        """The next record of the chain."""
        self.sequence += 1
        self.now += SECOND
        made = self._make(kind, detail, self.sequence, self.previous, changes)
        self.previous = made.hash
        self.made[made.header.epoch, made.sequence] = made
        return made

    def fork(self, made: Made, **changes: Any) -> Made:
        """Another record under the same numbers."""
        return self._finish(made.header, replace(made.body, monotonic=Monotonic(made.body.monotonic + 1), **changes))

    def supervise(
        self, *, oldest: Made | None = None, pending: int = 0, receipted: Made | None = None, **changes: Any
    ) -> Made:
        """Ten seconds later; `oldest` is the oldest record without a receipt."""
        self.supervisions += 1
        self.now += 10 * SECOND
        detail = SupervisionDetail(
            head=Sequence(self.sequence),
            oldest_epoch=oldest.header.epoch if oldest else NO_EPOCH,
            oldest_sequence=oldest.header.sequence if oldest else Sequence(0),
            receipted_epoch=receipted.header.epoch if receipted else NO_EPOCH,
            receipted_sequence=receipted.header.sequence if receipted else Sequence(0),
            receipted_hash=receipted.hash if receipted else NO_HASH,
        )
        changes = {"pending": pending} | changes
        return self._make(Kind.SUPERVISION, detail, SUPERVISION_BIT | self.supervisions, self.previous, changes)

    def _make(
        self, kind: Kind, detail: Detail | None, sequence: int, previous: RecordHash, changes: dict[str, Any]
    ) -> Made:
        digest = self.digest if self.digest is not None else roster_digest(row.entry for row in self.rows)
        body = Body(
            kind=kind, outcome=Outcome.NONE, reason=Reason.NONE, flags=self.flags, count=1, wall=WallTime(self.now),
            monotonic=Monotonic(self.now - NOON), boot_id=self.boot, door="", reader="",
            token=Token(stretch(f"filler {next(NEXT)}", 144)), row_tag=RowTag(bytes(16)),
            roster_generation=self.generation, roster_digest=digest, previous=previous, pending=0,
            detail=detail.encode() if detail else b"",
        )  # fmt: skip
        header = Header(
            key_id=(self.monitor or PUBLIC).record_key_id,
            controller=self.controller,
            epoch=self.epoch,
            sequence=Sequence(sequence),
        )
        return self._finish(header, replace(body, **changes))

    def _finish(self, header: Header, body: Body) -> Made:
        if self.monitor is None:
            hash_ = RecordHash(hashlib.sha256(header.encode() + body.encode()).digest())
            return Made(header=header, body=body, hash=hash_, sealed=b"")
        sealed = seal_record(header=header, body=body, identity=self.identity, monitor=self.monitor)
        return Made(header=header, body=body, hash=record_hash(sealed), sealed=sealed)


def as_ledger_record(made: Made, id_: int, received: int, *, fork: bool = False) -> LedgerRecord:
    """As ingest would have stored it."""
    return LedgerRecord(
        id=id_, header=made.header, body=made.body, hash=made.hash, received=WallTime(received), fork=fork
    )  # fmt: skip


def as_ledger_supervision(made: Made, arrival: int, received: int) -> LedgerSupervision:
    """As ingest would have stored it."""
    return LedgerSupervision(
        arrival=arrival, after_record=0, header=made.header, body=made.body, received=WallTime(received)
    )  # fmt: skip
