"""What a controller did around an alarm: records before it and since, with the person where a row names one.

Reads the ledger on one connection for good, apart from the judge's. Beside the judge the only place that opens tokens,
and what it tells of them is the name: what a token means is told by alarms alone.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from doorctl.core.types import WallTime
from doorctl.monitord.alarms.opening import open_row
from doorctl.monitord.alarms.store import Alarm
from doorctl.monitord.database import open_for_reading, storage_errors
from doorctl.monitord.ledger import VERSION, LedgerRecord, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A record and whose row it used; empty where it names nobody."""

    record: LedgerRecord
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """Oldest first; the alarm's own record, where it has one, is the first of `since`."""

    before: list[Told]
    since: list[Told]
    more: bool
    """There are later ones than these."""


class History:
    """May be used from any thread; one question at a time."""

    def __init__(self, path: Path, token_keys: Sequence[X25519PrivateKey]) -> None:
        """Ingest has made the file."""
        self._path, self._token_keys = path, tuple(token_keys)
        self._engine = open_for_reading(path, VERSION)
        self._connection = self._engine.connect()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
        self._engine.dispose()

    def around(self, alarm: Alarm, *, before: int, since: int) -> Around:
        """At most so many on each side. An alarm without a record stands where the ledger was when it was received."""
        with self._asking() as snapshot:
            place = alarm.record if alarm.record is not None else _first_after(snapshot, alarm.received)
            earlier = snapshot.before(alarm.controller, place, before)
            later = snapshot.after(alarm.controller, place - 1, since + 1)
        return Around(
            before=[self._tell(record) for record in reversed(earlier)],
            since=[self._tell(record) for record in later[:since]],
            more=len(later) > since,
        )

    def last_record(self) -> int:
        """The number of the ledger's newest row; 0 where it has none."""
        with self._asking() as snapshot:
            return snapshot.last_id()

    def _tell(self, record: LedgerRecord) -> Told:
        row = open_row(record, self._token_keys)
        return Told(record=record, person=row.label if row else "")

    @contextmanager
    def _asking(self) -> Iterator[Snapshot]:
        with self._lock, storage_errors(self._path), self._connection.begin():
            yield Snapshot(self._connection)


def _first_after(snapshot: Snapshot, moment: WallTime) -> int:
    """The number of the first record that came after a moment, by halving: they are numbered as they come."""
    low, high = 1, snapshot.last_id() + 1
    while low < high:
        middle = (low + high) // 2
        came = snapshot.between(middle, middle)
        if came and came[0].received > moment:
            high = middle
        else:
            low = middle + 1
    return low
