"""The monitor's ingest under load: real records over real mutual TLS, one a request and in batches."""

import asyncio
import os
import time
from collections.abc import Iterator

from doorctl.cli.sim_site import SimSite
from doorctl.core.types import Monotonic, Outcome, Reason, WallTime
from doorctl.courierd.tls import client_context
from doorctl.seal.keys import load_controller_keys, read_monitor_file
from doorctl.seal.receipts import verify_receipt
from doorctl.seal.sealing import filler_token, seal_record
from doorctl.wire.detail import StartDetail
from doorctl.wire.http import Client, Route, batch_body
from doorctl.wire.receipt import Status
from doorctl.wire.record import (
    NO_EPOCH,
    NO_HASH,
    Body,
    Epoch,
    Flag,
    Header,
    Kind,
    RecordHash,
    RowTag,
    Sequence,
    record_hash,
)  # fmt: skip
from doorctl.wire.sizes import BATCH_RECORDS

SINGLES = 40
LINES = 4
"""As many as ingest allows one certificate."""
BATCHES = 30


def lines(site: SimSite) -> Iterator[str]:
    """Records a second, as the courier would see them."""
    one = asyncio.run(_singles(site, 1))
    many = asyncio.run(_singles(site, LINES))
    batched = asyncio.run(_batches(site))
    yield f"{'ingest, one by one, one line':36}{one:10.0f} records/s   (receipts leave on the 50 ms tick)"
    yield f"{f'ingest, one by one, {LINES} lines':36}{many:10.0f} records/s   {many / one:6.1f} × one line"
    yield f"{f'ingest, batches of {BATCH_RECORDS}, one line':36}{batched:10.0f} records/s   {batched / one:6.1f} × one by one"


def made(site: SimSite, count: int) -> list[bytes]:
    """A new epoch's first records, as this board's doord would seal them."""
    keys, monitor = load_controller_keys(site.paths), read_monitor_file(site.paths.monitor_public).keys
    epoch, previous, records = Epoch(os.urandom(8)), NO_HASH, []
    start = StartDetail(previous_epoch=NO_EPOCH, previous_head=Sequence(0), previous_hash=NO_HASH).encode()
    for number in range(1, count + 1):
        kind = Kind.START if number == 1 else Kind.ACCESS
        header = Header(
            key_id=monitor.record_key_id, controller=keys.controller, epoch=epoch, sequence=Sequence(number)
        )
        body = _body(kind, start if number == 1 else b"", previous)
        records.append(seal_record(header=header, body=body, identity=keys.identity, monitor=monitor))
        previous = record_hash(records[-1])
    return records


def _body(kind: Kind, detail: bytes, previous: RecordHash) -> Body:
    denied = kind is Kind.ACCESS
    return Body(
        kind=kind, outcome=Outcome.DENIED if denied else Outcome.NONE,
        reason=Reason.NO_MATCH if denied else Reason.NONE, flags=Flag.SIMULATED, count=1,
        wall=WallTime(time.time_ns()), monotonic=Monotonic(time.monotonic_ns()), boot_id=bytes(16),
        door="office", reader="office", token=filler_token(), row_tag=RowTag(os.urandom(16)), roster_generation=0,
        roster_digest=bytes(32), previous=previous, pending=0, detail=detail,
    )  # fmt: skip


async def _singles(site: SimSite, connections: int) -> float:
    records = made(site, SINGLES * connections)
    begun = time.perf_counter()
    await asyncio.gather(
        *(_send(site, Route.RECORD, [[record] for record in records[i::connections]]) for i in range(connections))
    )
    return len(records) / (time.perf_counter() - begun)


async def _batches(site: SimSite) -> float:
    records = made(site, BATCHES * BATCH_RECORDS)
    groups = [records[i : i + BATCH_RECORDS] for i in range(0, len(records), BATCH_RECORDS)]
    begun = time.perf_counter()
    await _send(site, Route.RECORDS, groups)
    return len(records) / (time.perf_counter() - begun)


async def _send(site: SimSite, route: Route, requests: list[list[bytes]]) -> None:
    monitor = read_monitor_file(site.paths.monitor_export)
    host, _, port = monitor.addresses[0].rpartition(":")
    context = client_context(site.paths.courier_keys / "tls.crt", site.paths.courier_keys / "tls.key")
    reader, writer = await asyncio.open_connection(host, int(port), ssl=context, server_hostname="")
    client = Client()
    for records in requests:
        body = records[0] if route is Route.RECORD else batch_body(records, os.urandom)
        writer.write(client.request(route, body))
        answers = None
        while answers is None:
            answers = client.receive(await reader.read(65536))
        for record, answer in zip(records, answers, strict=False):
            receipt = verify_receipt(answer, monitor.keys)
            if receipt.status is not Status.STORED or receipt.record != record_hash(record):
                raise RuntimeError("ingest did not store a record")
    writer.close()
    await writer.wait_closed()
