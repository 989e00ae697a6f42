"""The journal: access log and spool in one file, and the promise that what `append` returned from is on the disk.

Blocking; every method is called from one thread at a time (doord owns it). It has no clock and makes no record: doord
seals, this keeps. It never checkpoints by itself, and never writes twice what failed once:

A commit that fails may still have reached the disk. So after any failure the file is closed and opened again, all of
its WAL is written into the file and synced, and only then is it asked whether the transaction is there. If it is,
`append` returns as if nothing had been; if not, or if that cannot be made sure, it raises, and what the caller
appends again is recognised by epoch, sequence and hash should it be there after all.

At an error the door stays as it is; doord decides what it does without a disk.
"""

import os
import sqlite3
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Several
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self, TypeVar

from doorctl.core.types import Duration, WallTime
from doorctl.errors import InternalError, OperatorError
from doorctl.journal import bounds, spool
from doorctl.journal import entries as writing
from doorctl.journal.faults import FaultKind, JournalError, journal_error
from doorctl.journal.file import beside, fold, lock, settle
from doorctl.journal.recovery import open_or_recover
from doorctl.journal.rows import Entry, Head, LossReport, Plain, ReceiptKey, Recovered, SpoolStatus, Stored
from doorctl.wire.record import Epoch, Sequence

_T = TypeVar("_T")


class Journal:
    """Made by `open` or `standing`. After a failure the next call opens the file again, and recovers a damaged one."""

    def __init__(self, path: Path, *, limit: int) -> None:
        self._path = path
        self._limit = limit
        self._lock: int | None = None
        """None where the disk did not even let the lock be made."""
        self._closed = False
        self._connection: sqlite3.Connection | None = None
        self._suspect = True
        """Check all of the file when it is opened next."""
        self._settled = False
        """All that can be read is known to be on the disk, not only in the kernel's memory."""
        self._pending = 0
        self.recovered: Recovered | None = None
        """What the last recovery since `open` found; None where the file was sound."""

    @classmethod
    def open(cls, path: Path, *, limit: int = bounds.LIMIT) -> Self:
        """Creates, migrates, checks; a damaged file is moved aside (`recovered`). OperatorError: another doord."""
        journal = cls(path, limit=limit)
        try:
            journal._lock = lock(path)
            journal._read(lambda _: None)
        except BaseException:
            journal.close()
            raise
        return journal

    @classmethod
    def standing(cls, path: Path, *, limit: int = bounds.LIMIT) -> Self:
        """As `open`, but a disk that is full or fails is no reason not to begin: every call tries it again.

        OperatorError: another doord. StorageError that is no JournalError: the file is of a newer doorctl.
        """
        journal = cls(path, limit=limit)
        try:
            with suppress(JournalError):  # the door stays as it is: the first call that needs the disk says it again
                journal._lock = lock(path)
                journal._read(lambda _: None)
        except BaseException:
            journal.close()
            raise
        return journal

    def close(self) -> None:
        """Idempotent. What was appended is on the disk already."""
        self._disconnect()
        self._closed = True
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Writing

    def append(self, entries: Several[Entry]) -> None:
        """All of them or none, durable on return; JournalError where they are not known to be.

        InternalError where an epoch and sequence are taken by another record, or an entry's record is no record.
        """
        prepared = [writing.prepare(entry) for entry in entries]
        last_log = 0

        def work(connection: sqlite3.Connection) -> int:
            nonlocal last_log
            (last_log,) = connection.execute(writing.LAST_LOG).fetchone()
            return writing.write(connection, prepared, spool.last_wall(connection))

        try:
            growth = self._transact(work)
        except JournalError:
            if not self._is_safe(lambda connection: writing.landed(connection, prepared, last_log)):
                raise
        else:
            self._pending += growth

    def done(self, receipts: Several[ReceiptKey]) -> int:
        """Marks the named records receipted; returns how many waited. Another hash is not counted."""
        moved = self._transact(lambda connection: spool.receive(connection, receipts))
        self._pending -= moved
        return moved

    def prune(self, now: WallTime, *, keep_log: Duration | None = None) -> int:
        """Forgets a bounded step of what is past its time; call again, when idle, until it returns 0.

        `now` must be trusted: what was receipted 7 days before it goes, and so do lines of the access log that are
        older than `keep_log` (None: only their number is bounded). What waits for a receipt is never forgotten here.
        """
        return self._transact(lambda connection: bounds.prune(connection, now, self._limit, keep_log))

    def set_sent_generation(self, generation: int) -> None:
        """By itself; with a record use Entry.sent_generation."""
        self._transact(lambda connection: connection.execute(writing.SET_GENERATION, (generation,)))

    def save_lockouts(self, changes: Mapping[bytes, Plain]) -> None:
        """By themselves; with a decision use Entry.lockouts. None forgets a key."""
        plain = writing.plain_lockouts(changes)
        self._transact(lambda connection: writing.write_lockouts(connection, plain))

    # Reading

    def pending(self, limit: int, *, before: Stored | None = None) -> list[Stored]:
        """Records without a receipt, newest first; the next page is before the last of this one."""
        return self._read(lambda connection: spool.pending(connection, self._path, limit, before))

    def again(self, epoch: Epoch, first_sequence: Sequence, count: int) -> list[Stored]:
        """Receipted records first_sequence .. first_sequence + count - 1 that are still kept, oldest first."""
        return self._read(lambda connection: spool.again(connection, self._path, epoch, first_sequence, count))

    def status(self) -> SpoolStatus:
        """Where the spool stands; cheap whatever waits."""
        return self._read(lambda connection: spool.status(connection, self._pending))

    def last_epoch(self) -> Head | None:
        """(epoch, head sequence, head hash) of the last epoch, for the next START."""
        return self._read(spool.head)

    def last_wall(self) -> WallTime | None:
        """Wall time of the last journal row: a clock before it is not to be trusted."""
        return self._read(spool.last_wall)

    def sent_generation(self) -> int:
        """The last roster generation whose registrations are all in records."""
        return self._read(spool.sent_generation)

    def load_lockouts(self) -> dict[bytes, Plain]:
        """All lock-out counters, as they were passed."""
        return self._read(lambda connection: spool.lockouts(connection, self._path))

    def make_room(self, incoming: int = 1) -> LossReport | None:
        """What must give way before `incoming` more records; None while there is room.

        Deletes nothing: seal `report.detail` as a LOSS record, and append it with `Entry.loss = report`.
        """
        return self._read(
            lambda connection: bounds.room(connection, limit=self._limit, pending=self._pending, incoming=incoming)
        )

    # The file

    def wal_size(self) -> int:
        """Bytes that wait for a checkpoint."""
        try:
            return beside(self._path, "-wal").stat().st_size
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise journal_error(error, self._path) from error

    def checkpoint(self) -> bool:
        """Moves the WAL into the file: only when idle, for it may take long. False where a reader kept some back."""
        return self._read(settle)

    def fold(self) -> bool:
        """As `checkpoint`, waiting for no reader: for a door that is never idle."""
        return self._read(fold)

    def _live(self) -> sqlite3.Connection:
        if self._closed:
            raise InternalError(f"{self._path.name}: used after close")
        if self._lock is None:
            self._lock = self._lock_late()
        if self._connection is None:
            connection, recovered = open_or_recover(self._path, check=self._suspect)
            self._connection, self._suspect, self._settled = connection, False, False
            self.recovered = recovered or self.recovered
            self._pending = spool.count_pending(connection)
            with suppress(sqlite3.OperationalError):  # a full disk can still be read; `_settle` tries again
                self._settled = settle(connection)
        return self._connection

    def _lock_late(self) -> int:
        try:
            return lock(self._path)
        except OperatorError as error:
            # began while the disk failed, and was overtaken: not ours to write until the other one ends
            raise JournalError(str(error), kind=FaultKind.BUSY, hint=error.hint) from error

    def _settle(self, connection: sqlite3.Connection) -> None:
        # Without this an append could call durable what a failed fsync left in the kernel's memory only.
        if not self._settled:
            self._settled = settle(connection)
        if not self._settled:
            raise JournalError(f"{self._path.name}: busy: a reader keeps the file", kind=FaultKind.BUSY)

    def _transact(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        def whole(connection: sqlite3.Connection) -> _T:
            self._settle(connection)
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(connection)
            except BaseException:  # whatever it was, it is passed on: only no transaction may stay open
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
            return result

        return self._read(whole)

    def _read(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        try:
            return work(self._live())
        except sqlite3.Error as error:
            self._failed(journal_error(error, self._path), error)
        except JournalError as error:
            self._suspect = self._suspect or error.kind is FaultKind.DAMAGED
            self._disconnect()
            raise

    def _failed(self, failure: JournalError | InternalError, cause: sqlite3.Error) -> NoReturn:
        self._suspect = isinstance(failure, JournalError) and failure.kind is FaultKind.DAMAGED
        self._disconnect()
        raise failure from cause

    def _is_safe(self, landed: Callable[[sqlite3.Connection], bool]) -> bool:
        """After a failure: whether the transaction is there, in a file that was written anew and synced."""
        try:
            return self._read(landed) and self._settled
        except JournalError:
            return False

    def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):  # it failed before, and says so again
                self._connection.close()
            self._connection = None
