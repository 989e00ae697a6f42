"""The ledger: every record the monitor has ever given a receipt for, in the order it came. Ingest writes, alarms reads.

One row a record; the same (controller, epoch, sequence) with another hash is a fork, kept beside the first and marked.
Supervision is kept only as the last of each epoch. Nothing is ever deleted here, and no token is opened.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    UniqueConstraint,
    and_,
    bindparam,
    func,
    insert,
    select,
    update,
)

from doorctl.core.types import WallTime
from doorctl.monitord.database import open_for_reading, open_for_writing, storage_errors
from doorctl.wire.record import (
    SUPERVISION_BIT,
    Body,
    ControllerId,
    Epoch,
    Header,
    KeyId,
    Kind,
    RecordHash,
    Sequence,
    parse_body,
)

VERSION: Final = 1
_SCHEMA: Final = MetaData()

RECORDS: Final = Table(
    "records",
    _SCHEMA,
    Column("id", Integer, primary_key=True),
    Column("controller", LargeBinary(16), nullable=False),
    Column("epoch", LargeBinary(8), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("kind", Integer, nullable=False),
    Column("key_id", LargeBinary(8), nullable=False),
    Column("body", LargeBinary(800), nullable=False),
    Column("signature", LargeBinary(64), nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("fork", Boolean, nullable=False),
    UniqueConstraint("controller", "epoch", "sequence", "hash"),
    sqlite_autoincrement=True,
)
_LOSSES: Final = Index("losses", RECORDS.c.controller, sqlite_where=RECORDS.c.kind == Kind.LOSS)
"""`id` is the order of arrival. The header is key id, controller, epoch and sequence: nothing of it is lost."""

SUPERVISION: Final = Table(
    "supervision",
    _SCHEMA,
    Column("controller", LargeBinary(16), primary_key=True),
    Column("epoch", LargeBinary(8), primary_key=True),
    Column("counter", BigInteger, nullable=False),
    Column("key_id", LargeBinary(8), nullable=False),
    Column("body", LargeBinary(800), nullable=False),
    Column("signature", LargeBinary(64), nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("arrival", BigInteger, nullable=False, unique=True),
    Column("after_record", BigInteger, nullable=False),
)
"""`arrival` counts supervision of all controllers; `after_record` is the last record that was here before it."""


class Disposition(Enum):
    """What became of a verified record; all of them are answered STORED."""

    STORED = "stored"
    REPEATED = "repeated"
    FORKED = "forked"
    SUPERVISED = "supervised"
    SUPERVISED_BEFORE = "supervised before"
    """A supervision record whose counter is not above the last: a repeat, not a sign of life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A record that ingest has opened and whose signature holds."""

    header: Header
    body: Body
    signature: bytes
    hash: RecordHash
    received: WallTime


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRecord:
    """One row, as the alarms part reads it."""

    id: int
    header: Header
    body: Body
    hash: RecordHash
    received: WallTime
    fork: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSupervision:
    """The last supervision of an epoch."""

    arrival: int
    after_record: int
    header: Header
    body: Body
    received: WallTime

    @property
    def counter(self) -> int:
        """Supervision's own sequence, without its mark."""
        return self.header.sequence & ~SUPERVISION_BIT


class LedgerWriter:
    """Ingest's side: one transaction a tick."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine = open_for_writing(path, _SCHEMA, VERSION)

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def store(self, records: Iterable[Verified]) -> list[Disposition]:
        """All of them in one commit, which is on the disk when this returns."""
        with storage_errors(self._path), self._engine.begin() as connection:
            return [
                _supervise(connection, record) if record.header.supervision else _store(connection, record)
                for record in records
            ]

    def sequences(self, controller: ControllerId, epoch: Epoch) -> list[tuple[int, int]]:
        """Which sequences of an epoch are here, as intervals."""
        with storage_errors(self._path), self._engine.connect() as connection:
            return _intervals(connection, controller, epoch)

    def record_at(self, controller: ControllerId, epoch: Epoch, sequence: Sequence) -> Body | None:
        """The first record that came under these numbers."""
        numbers = {"controller": controller, "epoch": epoch, "sequence": sequence}
        with storage_errors(self._path), self._engine.connect() as connection:
            body = connection.execute(_FIRST, numbers).scalar_one_or_none()
        return None if body is None else parse_body(body)

    def losses(self, controller: ControllerId) -> list[Body]:
        """A controller's LOSS records: what they name will never come."""
        query = select(RECORDS.c.body).where(RECORDS.c.controller == controller, RECORDS.c.kind == Kind.LOSS)
        with storage_errors(self._path), self._engine.connect() as connection:
            return [parse_body(row.body) for row in connection.execute(query)]


class LedgerReader:
    """The alarms part's side; SQLite refuses it every write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine: Engine = open_for_reading(path, VERSION)

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    @contextmanager
    def snapshot(self) -> Iterator["Snapshot"]:
        """Several questions about one moment."""
        with storage_errors(self._path), self._engine.connect() as connection:
            yield Snapshot(connection)


class Snapshot:
    """What the ledger has at one moment."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def last_id(self) -> int:
        """Of the newest record; 0 where there is none."""
        return int(self._connection.execute(select(func.coalesce(func.max(RECORDS.c.id), 0))).scalar_one())

    def hash_of(self, id_: int) -> RecordHash | None:
        """Of one record; None where there is none of this id."""
        found = self._connection.execute(select(RECORDS.c.hash).where(RECORDS.c.id == id_)).scalar_one_or_none()
        return None if found is None else RecordHash(found)

    def last_arrival(self) -> int:
        """Of the newest supervision; 0 where there is none."""
        newest = select(func.coalesce(func.max(SUPERVISION.c.arrival), 0))
        return int(self._connection.execute(newest).scalar_one())

    def between(self, first: int, last: int) -> list[LedgerRecord]:
        """Records with ids first..last in order of arrival."""
        query = _READ.where(RECORDS.c.id.between(first, last)).order_by(RECORDS.c.id)
        return [_record(row) for row in self._connection.execute(query)]

    def before(self, controller: ControllerId, id_: int, limit: int) -> list[LedgerRecord]:
        """A controller's records that came before one, newest first."""
        ids = _IDS.where(RECORDS.c.controller == controller, RECORDS.c.id < id_)
        query = _READ.where(RECORDS.c.id.in_(ids.order_by(RECORDS.c.id.desc()).limit(limit)))
        return [_record(row) for row in self._connection.execute(query.order_by(RECORDS.c.id.desc()))]

    def after(self, controller: ControllerId, id_: int, limit: int) -> list[LedgerRecord]:
        """A controller's records that came after one, oldest first."""
        ids = _IDS.where(RECORDS.c.controller == controller, RECORDS.c.id > id_)
        query = _READ.where(RECORDS.c.id.in_(ids.order_by(RECORDS.c.id).limit(limit)))
        return [_record(row) for row in self._connection.execute(query.order_by(RECORDS.c.id))]

    def supervision_after(self, arrival: int) -> list[LedgerSupervision]:
        """The last supervision of each epoch that had any since `arrival`, in order of arrival."""
        query = select(SUPERVISION).where(SUPERVISION.c.arrival > arrival).order_by(SUPERVISION.c.arrival)
        return [_supervision(row) for row in self._connection.execute(query)]


_READ: Final = select(
    RECORDS.c.id, RECORDS.c.controller, RECORDS.c.epoch, RECORDS.c.sequence, RECORDS.c.hash, RECORDS.c.key_id,
    RECORDS.c.body, RECORDS.c.received, RECORDS.c.fork,
)  # fmt: skip
_IDS: Final = select(RECORDS.c.id)
"""Which rows, found in an index alone: sorting a controller's whole rows takes five times as long."""


# Statements are built once: SQLAlchemy needs longer to build one than SQLite to run it.
_NUMBERED: Final = select(RECORDS.c.hash, RECORDS.c.body).where(
    RECORDS.c.controller == bindparam("controller"),
    RECORDS.c.epoch == bindparam("epoch"),
    RECORDS.c.sequence == bindparam("sequence"),
)
_HASHES: Final = _NUMBERED.with_only_columns(RECORDS.c.hash)
_FIRST: Final = _NUMBERED.with_only_columns(RECORDS.c.body).order_by(RECORDS.c.id).limit(1)
_INSERT: Final = insert(RECORDS)


def _store(connection: Connection, record: Verified) -> Disposition:
    header = record.header
    numbers = {"controller": header.controller, "epoch": header.epoch, "sequence": header.sequence}
    here = set(connection.execute(_HASHES, numbers).scalars())
    if record.hash in here:
        return Disposition.REPEATED
    values = {
        "hash": record.hash,
        "kind": record.body.kind,
        "key_id": header.key_id,
        "body": record.body.encode(),
        "signature": record.signature,
        "received": record.received,
        "fork": bool(here),
    }
    connection.execute(_INSERT, numbers | values)
    return Disposition.FORKED if here else Disposition.STORED


def _supervise(connection: Connection, record: Verified) -> Disposition:
    header = record.header
    place = and_(SUPERVISION.c.controller == header.controller, SUPERVISION.c.epoch == header.epoch)
    counter = header.sequence & ~SUPERVISION_BIT
    last = connection.execute(select(SUPERVISION.c.counter).where(place)).scalar_one_or_none()
    if last is not None and counter <= last:
        return Disposition.SUPERVISED_BEFORE
    arrivals = select(func.coalesce(func.max(SUPERVISION.c.arrival), 0) + 1)
    values = {
        "counter": counter,
        "key_id": header.key_id,
        "body": record.body.encode(),
        "signature": record.signature,
        "received": record.received,
        "arrival": connection.execute(arrivals).scalar_one(),
        "after_record": connection.execute(select(func.coalesce(func.max(RECORDS.c.id), 0))).scalar_one(),
    }
    if last is None:
        connection.execute(insert(SUPERVISION), values | {"controller": header.controller, "epoch": header.epoch})
    else:
        connection.execute(update(SUPERVISION).where(place), values)
    return Disposition.SUPERVISED


def _intervals(connection: Connection, controller: ControllerId, epoch: Epoch) -> list[tuple[int, int]]:
    """Numbers minus their rank are equal within a run: the classic way to find runs in one pass over an index."""
    numbers = (
        select(RECORDS.c.sequence)
        .where(RECORDS.c.controller == controller, RECORDS.c.epoch == epoch)
        .distinct()
        .subquery()
    )
    run = (numbers.c.sequence - func.row_number().over(order_by=numbers.c.sequence)).label("run")
    runs = select(numbers.c.sequence, run).subquery()
    query = (
        select(func.min(runs.c.sequence), func.max(runs.c.sequence))
        .group_by(runs.c.run)
        .order_by(func.min(runs.c.sequence))
    )
    return [(row[0], row[1]) for row in connection.execute(query)]


def _record(row: Any) -> LedgerRecord:
    id_, controller, epoch, sequence, hash_, key_id, body, received, fork = row
    return LedgerRecord(
        id=id_, header=_header(key_id, controller, epoch, sequence), body=parse_body(body), hash=RecordHash(hash_),
        received=WallTime(received), fork=fork,
    )  # fmt: skip


def _supervision(row: Any) -> LedgerSupervision:
    return LedgerSupervision(
        arrival=row.arrival, after_record=row.after_record, body=parse_body(row.body),
        header=_header(row.key_id, row.controller, row.epoch, row.counter | SUPERVISION_BIT),
        received=WallTime(row.received),
    )  # fmt: skip


def _header(key_id: bytes, controller: bytes, epoch: bytes, sequence: int) -> Header:
    return Header(
        key_id=KeyId(key_id),
        controller=ControllerId(controller),
        epoch=Epoch(epoch),
        sequence=Sequence(sequence),
    )
