"""What a listener on the network can count: every request and every answer has one size, whatever it says."""

import asyncio
import os
from pathlib import Path

from doorctl.wire.http import Route
from doorctl.wire.sizes import RECORD_SIZE
from tests.courierd.lying_monitor import Act, Certificates, LyingMonitor, listening, receipt_for
from tests.courierd.site import Condition, all_receipted, carrying, open_door, receipted
from tests.courierd.wiretap import tapping

TLS_OVERHEAD = 17
"""Content type and AEAD tag: RFC 8446, 5.2."""
REQUEST = 2153 + TLS_OVERHEAD
ANSWER = 272 + TLS_OVERHEAD
LARGEST_TLS_RECORD = 16384 + TLS_OVERHEAD
BATCH_REQUEST = [LARGEST_TLS_RECORD] * 8 + [131180 - 8 * 16384 + TLS_OVERHEAD]


def heard(receipts: int) -> Condition:
    return lambda door: len(door.receipted) + door.false_receipts >= receipts


def test_every_request_and_every_answer_is_one_tls_record_of_one_length(
    tmp_path: Path, certificates: Certificates
) -> None:
    async def run() -> None:
        async with (
            open_door(tmp_path) as door,
            listening(LyingMonitor(certificates)) as monitor,
            tapping(monitor.address) as tap,
            carrying(tmp_path, certificates, monitor.known(tap.address)),
        ):
            await door.until(lambda door: door.asked == 1)  # and will not ask again in this test
            monitor.acts.extend([Act.ANSWER, Act.CORRUPT, Act.ANSWER])
            records = [bytes(RECORD_SIZE), b"\xff" * RECORD_SIZE, *(os.urandom(RECORD_SIZE) for _ in range(10))]
            for count, record in enumerate(records):
                door.pending[receipt_for(record)] = record
                door.link.fresh(record)
                while (await monitor.request(Route.RECORD)).untrusted_records != (record,):
                    pass
                await door.until(heard(count + 2))  # and supervision's
            fresh = tap.connections[0]
            up, down = fresh.up.lengths, fresh.down.lengths
            # before the first request and answer there is the encrypted part of the handshake
            assert up[up.index(REQUEST) :] == [REQUEST] * (len(records) + 1)
            assert down[down.index(ANSWER) :] == [ANSWER] * (len(records) + 1)

    asyncio.run(run())


def test_a_batch_of_one_and_a_batch_of_64_look_alike(tmp_path: Path, certificates: Certificates) -> None:
    async def run() -> None:
        async with (
            open_door(tmp_path) as door,
            listening(LyingMonitor(certificates)) as monitor,
            tapping(monitor.address) as tap,
        ):
            door.journal(*range(65))
            async with carrying(tmp_path, certificates, monitor.known(tap.address)):
                await door.until(receipted(64))
                await door.until(all_receipted)
            backlog = tap.connections[1]
            up, down = backlog.up.lengths, backlog.down.lengths
            assert up[up.index(LARGEST_TLS_RECORD) :] == BATCH_REQUEST * 2
            assert down[-2:] == [12370 + TLS_OVERHEAD] * 2

    asyncio.run(run())
