"""The courier at work between a real door socket and a real TLS monitor, both honest."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from doorctl.core.types import SECOND, Monotonic
from doorctl.courierd.config import Address
from doorctl.courierd.delivery import Delivery
from doorctl.courierd.events import Connected, Effect, Event, Line, Lost
from doorctl.courierd.lines import MOST_UNREAD, DoorLine
from doorctl.errors import InternalError
from doorctl.wire.handoff import Message, PathState, Type
from doorctl.wire.http import Route
from doorctl.wire.record import record_hash
from doorctl.wire.sizes import RECEIPT_SIZE
from tests.courierd.lying_monitor import Act, Certificates, LyingMonitor, listening, receipt_for, record
from tests.courierd.site import SUPERVISION_NUMBER, Door, all_receipted, carrying, open_door, path_is, receipted

Story = Callable[[Door, LyingMonitor], Coroutine[Any, Any, None]]


def play(story: Story, place: Path, certificates: Certificates) -> None:
    async def run() -> None:
        async with (
            open_door(place) as door,
            listening(LyingMonitor(certificates)) as monitor,
            carrying(place, certificates, monitor.known()),
        ):
            await story(door, monitor)

    asyncio.run(run())


def test_a_fresh_record_is_receipted_and_supervision_came_first(tmp_path: Path, certificates: Certificates) -> None:
    async def story(door: Door, monitor: LyingMonitor) -> None:
        await door.until(path_is(PathState.CONNECTED))
        door.commit(1)
        await door.until(all_receipted)
        assert monitor.seen == [record(SUPERVISION_NUMBER + 1), record(1)]
        assert door.paths == [PathState.CONNECTING, PathState.CONNECTED]

    play(story, tmp_path, certificates)


def test_a_backlog_never_delays_a_fresh_record(tmp_path: Path, certificates: Certificates) -> None:
    async def story(door: Door, monitor: LyingMonitor) -> None:
        monitor.batch_acts.append(Act.WITHHOLD)
        door.journal(*range(200))
        batch = await monitor.request(Route.RECORDS)
        assert batch.untrusted_records == tuple(record(number) for number in range(199, 135, -1))
        for number in (1001, 1002, 1003):
            door.commit(number)
        await door.until(receipted(3))
        assert door.receipted == [record(number) for number in (1001, 1003, 1002)]
        monitor.release.set()
        await door.until(all_receipted)

    play(story, tmp_path, certificates)


def test_backlog_is_asked_for_only_when_the_fresh_line_works(tmp_path: Path, certificates: Certificates) -> None:
    async def story(door: Door, monitor: LyingMonitor) -> None:
        door.journal(*range(130))
        monitor.acts.append(Act.WITHHOLD)
        first = await monitor.request()
        assert (first.route, monitor.connections) == (Route.RECORD, 1)
        monitor.release.set()
        await door.until(all_receipted)
        routes = [monitor.requests.get_nowait().route for _ in range(monitor.requests.qsize())]
        assert routes == [Route.RECORDS] * 3
        assert monitor.connections == 2

    play(story, tmp_path, certificates)


def test_hold_is_kept_in_memory_without_a_monitor_and_sent_when_there_is_one(
    tmp_path: Path, certificates: Certificates
) -> None:
    async def run() -> None:
        async with open_door(tmp_path) as door, listening(LyingMonitor(certificates)) as monitor:
            known = monitor.known()
            await monitor.stop()
            async with carrying(tmp_path, certificates, known):
                await door.until(path_is(PathState.UNREACHABLE))
                assert door.link.connected
                deadline = Monotonic(int(asyncio.get_running_loop().time() + 10) * SECOND)
                assert await door.link.hold(record(1), record_hash(record(1)), deadline)
                await door.link.close()
                await monitor.start()
                while (await monitor.request()).untrusted_records != (record(1),):
                    pass

    asyncio.run(run())


def test_the_monitor_goes_away_and_comes_back(tmp_path: Path, certificates: Certificates) -> None:
    async def story(door: Door, monitor: LyingMonitor) -> None:
        await door.until(path_is(PathState.CONNECTED))
        await monitor.stop()
        await door.until(path_is(PathState.UNREACHABLE))
        door.journal(1, 2, 3)
        door.commit(4)
        await monitor.start()
        await door.until(all_receipted)
        assert door.receipted[0] == record(4)
        assert door.paths == [
            PathState.CONNECTING, PathState.CONNECTED, PathState.CONNECTING, PathState.UNREACHABLE, PathState.CONNECTED,
        ]  # fmt: skip

    play(story, tmp_path, certificates)


def test_the_second_address_takes_over(tmp_path: Path, certificates: Certificates) -> None:
    async def run() -> None:
        first, second = LyingMonitor(certificates), LyingMonitor(certificates)
        async with open_door(tmp_path) as door, listening(first), listening(second):
            known = first.known(first.address, second.address)
            async with carrying(tmp_path, certificates, known):
                await door.until(path_is(PathState.CONNECTED))
                door.commit(1)
                await door.until(all_receipted)
                await first.stop()
                door.commit(2)
                await door.until(all_receipted)
        assert (record(1) in first.seen, record(1) in second.seen, record(2) in second.seen) == (True, False, True)

    asyncio.run(run())


def test_doord_restarts_and_is_found_again(tmp_path: Path, certificates: Certificates) -> None:
    async def run() -> None:
        async with (
            listening(LyingMonitor(certificates)) as monitor,
            carrying(tmp_path, certificates, monitor.known()),
        ):
            for number in range(3):
                async with open_door(tmp_path) as door:
                    door.journal(number)
                    await door.until(path_is(PathState.CONNECTED))
                    await door.until(all_receipted)
        assert {record(0), record(1), record(2)} <= set(monitor.seen)

    asyncio.run(run())


def test_a_full_memory_loses_nothing(tmp_path: Path, certificates: Certificates) -> None:
    async def story(door: Door, monitor: LyingMonitor) -> None:
        await door.until(path_is(PathState.CONNECTED))
        monitor.acts.append(Act.WITHHOLD)
        for number in range(400):
            door.commit(number)
        await monitor.request()
        monitor.release.set()
        await door.until(all_receipted)
        assert {record(number) for number in range(400)} <= set(monitor.seen)

    play(story, tmp_path, certificates)


@pytest.mark.parametrize("step", ["start", "receive", "on_deadline"])
def test_a_broken_rule_of_ours_ends_the_courier(
    step: str, tmp_path: Path, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> list[Effect]:
        raise InternalError("a rule")

    async def run() -> None:
        async with carrying(
            tmp_path, certificates, LyingMonitor(certificates).known(Address(host="127.0.0.1", port=1))
        ):
            await asyncio.wait_for(asyncio.Event().wait(), 10)

    monkeypatch.setattr(Delivery, step, broken)
    with pytest.raises(InternalError, match="a rule"):
        asyncio.run(run())


def test_a_door_that_does_not_read_is_hung_up_on(tmp_path: Path) -> None:
    async def run() -> list[Event]:
        heard: asyncio.Queue[Event] = asyncio.Queue()
        path = tmp_path / "courier.sock"
        failures: list[BaseException] = []
        # nobody accepts: the kernel takes what its buffers hold, and no more
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        listener.listen()
        line = DoorLine(path, heard.put_nowait, failures.append)
        line.dial(1)
        events = [await asyncio.wait_for(heard.get(), 10)]
        told = 0
        while heard.empty():
            line.tell(Message(type=Type.RECEIPT, payload=bytes(RECEIPT_SIZE)))
            told += 1
            assert told * RECEIPT_SIZE < MOST_UNREAD + 8 * 1024 * 1024
            await asyncio.sleep(0)
        events.append(heard.get_nowait())
        await line.close()
        listener.close()
        assert failures == []
        return events

    assert asyncio.run(run()) == [
        Connected(line=Line.DOOR, attempt=1),
        Lost(line=Line.DOOR, attempt=1, why=PathState.UNREACHABLE, detail="closed"),
    ]


def test_a_receipt_is_passed_on_as_it_came(tmp_path: Path, certificates: Certificates) -> None:
    async def story(door: Door, _monitor: LyingMonitor) -> None:
        await door.until(path_is(PathState.CONNECTED))
        door.commit(7)
        await door.until(receipted(1))
        assert (door.pending, door.false_receipts) == ({}, 1)  # the one false is supervision's, which no journal has
        assert receipt_for(door.receipted[0]) == receipt_for(record(7))

    play(story, tmp_path, certificates)
