"""The work of one tick: verify what came, commit it once, sign a receipt for every place.

Runs in ingest's one worker thread. Nothing here knows when an answer leaves; that is the tick's. A storage error goes
up and ends the process: no receipt is given, and the boards send again.
"""

from collections.abc import Callable, Sequence

from doorctl.core.types import WallTime
from doorctl.monitord.controllers import ControllersFolder
from doorctl.monitord.ingest.holes import Holes
from doorctl.monitord.ingest.verify import Refused, Want, receipt_for, verify
from doorctl.monitord.ledger import Disposition, LedgerWriter, Verified
from doorctl.seal.keys import IngestKeys
from doorctl.seal.opening import sign_receipt


class Desk:
    """Holds the ledger; used from one thread only."""

    def __init__(
        self,
        *,
        ledger: LedgerWriter,
        keys: IngestKeys,
        controllers: ControllersFolder,
        clock: Callable[[], WallTime],
        poke: Callable[[], None],
    ) -> None:
        self._ledger = ledger
        self._keys = keys
        self._controllers = controllers
        self._clock = clock
        self._poke = poke
        self._holes = Holes(ledger)

    def answer(self, requests: Sequence[Sequence[bytes]]) -> list[list[bytes]]:
        """For each request its receipts, place by place; everything in it is durable when this returns."""
        now = self._clock()
        trusted = self._controllers.trusted
        verdicts = [
            [verify(untrusted, now=now, record_keys=self._keys.record, controllers=trusted) for untrusted in records]
            for records in requests
        ]
        believed = [verdict for places in verdicts for verdict in places if isinstance(verdict, Verified)]
        wants: dict[int, Want | None] = {}
        if believed:
            dispositions = self._ledger.store(believed)
            # Poked before the receipts are signed: an alarm must not wait for them, and learns nothing from them.
            self._poke()
            wants = self._wants(believed, dispositions)
        return [[self._receipt(verdict, now, wants.get(id(verdict))) for verdict in places] for places in verdicts]

    def _wants(self, believed: Sequence[Verified], dispositions: Sequence[Disposition]) -> dict[int, Want | None]:
        """First all that came, so that a receipt of the same tick asks for none of it."""
        for record in believed:
            self._holes.stored(record)
        wants: dict[int, Want | None] = {}
        for record, disposition in zip(believed, dispositions, strict=True):
            if disposition is Disposition.SUPERVISED:
                wants[id(record)] = self._holes.wanted(record)
            elif not record.header.supervision:
                wants[id(record)] = self._holes.wanted_next(record)
        return wants

    def _receipt(self, verdict: Verified | Refused, now: WallTime, want: Want | None) -> bytes:
        receipt = receipt_for(verdict, key_id=self._keys.receipt_key_id, now=now, want=want)
        return sign_receipt(receipt, self._keys.receipt)
