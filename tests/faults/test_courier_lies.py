"""A monitor that lies, stalls, refuses or is somebody else: nothing is lost, nothing wrong is sent, the path is told."""

import asyncio
import contextlib
import ssl
from pathlib import Path

import pytest

from doorctl.core.types import MS, Duration
from doorctl.courierd import backlog, delivery
from doorctl.courierd.config import Address, Monitor
from doorctl.courierd.events import Line
from doorctl.wire.handoff import PathState
from tests.courierd.lying_monitor import Act, Certificates, LyingMonitor, listening, record
from tests.courierd.site import Door, all_receipted, carrying, open_door, path_is
from tests.courierd.wiretap import tapping


@pytest.fixture(name="certificates", scope="module")
def fixture_certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.create(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same rules, with time-outs that a test can wait for."""
    monkeypatch.setitem(delivery.ANSWER_PATIENCE, Line.FRESH, Duration(300 * MS))
    monkeypatch.setitem(delivery.ANSWER_PATIENCE, Line.BACKLOG, Duration(300 * MS))
    monkeypatch.setattr(delivery, "DIAL_PATIENCE", Duration(300 * MS))
    monkeypatch.setattr(backlog, "REST", Duration(100 * MS))
    monkeypatch.setattr(backlog, "SOON", Duration(50 * MS))


def carry_through(
    acts: list[Act], batch_acts: list[Act], place: Path, certificates: Certificates, *, journaled: int = 0
) -> tuple[Door, LyingMonitor]:
    """Twelve records, some journaled before, the others fresh; a monitor that does this, and is honest after."""

    async def run() -> tuple[Door, LyingMonitor]:
        async with open_door(place) as door, listening(LyingMonitor(certificates)) as monitor:
            monitor.acts.extend([Act.ANSWER, *acts])
            monitor.batch_acts.extend(batch_acts)
            door.journal(*range(journaled))
            async with carrying(place, certificates, monitor.known()):
                await door.until(path_is(PathState.CONNECTED))
                for number in range(journaled, 12):
                    door.commit(number)
                await door.until(all_receipted)
                monitor.release.set()
        return door, monitor

    return asyncio.run(run())


@pytest.mark.parametrize("act", list(Act))
def test_nothing_is_lost_whatever_happens_to_a_fresh_record(
    act: Act, tmp_path: Path, certificates: Certificates
) -> None:
    door, monitor = carry_through([act], [], tmp_path, certificates)
    assert sorted(door.receipted) == [record(number) for number in range(12)]
    assert len(monitor.acts) == 0


@pytest.mark.parametrize("act", list(Act))
def test_nothing_is_lost_whatever_happens_to_a_batch(act: Act, tmp_path: Path, certificates: Certificates) -> None:
    door, monitor = carry_through([], [act], tmp_path, certificates, journaled=12)
    assert sorted(door.receipted) == [record(number) for number in range(12)]
    assert len(monitor.batch_acts) == 0


def test_a_record_that_is_sent_again_is_the_same_bytes(tmp_path: Path, certificates: Certificates) -> None:
    _, monitor = carry_through([Act.DROP, Act.CUT], [Act.DROP], tmp_path, certificates, journaled=6)
    known = {record(number) for number in range(12)}
    sent = [one for one in monitor.seen if one in known]
    assert len(sent) > len(known)
    assert set(sent) == known


def test_nothing_is_sent_to_another_certificate(tmp_path: Path, certificates: Certificates) -> None:
    """Also not to one of the same name and key usage, made a moment later."""

    async def run() -> None:
        impostor = LyingMonitor(Certificates.create(tmp_path / "impostor"), asks_certificate=False)
        async with open_door(tmp_path) as door, listening(impostor):
            pinned = Monitor(addresses=(impostor.address,), certificate_der=certificates.monitor_der)
            async with carrying(tmp_path, certificates, pinned):
                door.commit(1)
                await door.until(path_is(PathState.WRONG_CERTIFICATE))
                while impostor.connections < 3:
                    await asyncio.wait_for(impostor.ended.get(), 10)
        assert (impostor.seen, impostor.bytes_read, door.receipted) == ([], 0, [])

    asyncio.run(run())


def test_a_monitor_that_does_not_know_our_certificate_is_told_as_refused(
    tmp_path: Path, certificates: Certificates
) -> None:
    async def run() -> None:
        monitor = LyingMonitor(certificates, trusts_courier=False)
        async with (
            open_door(tmp_path) as door,
            listening(monitor),
            carrying(tmp_path, certificates, monitor.known()),
        ):
            door.commit(1)
            await door.until(path_is(PathState.REFUSED))
        assert monitor.seen == []

    asyncio.run(run())


@pytest.mark.parametrize("greeting", [b"220 mail.example ESMTP\r\n", b"\x15\x03\x03\x00\x02\x02\x28"])
def test_something_that_is_not_tls_is_refused(greeting: bytes, tmp_path: Path, certificates: Certificates) -> None:
    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            writer.write(greeting)
            await writer.drain()
            writer.close()
            await writer.wait_closed()

    async def run() -> None:
        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        async with server, open_door(tmp_path) as door:
            address = Address(host="127.0.0.1", port=server.sockets[0].getsockname()[1])
            known = Monitor(addresses=(address,), certificate_der=certificates.monitor_der)
            async with carrying(tmp_path, certificates, known):
                await door.until(path_is(PathState.REFUSED))

    asyncio.run(run())


def test_tls_1_2_is_never_spoken(tmp_path: Path, certificates: Certificates) -> None:
    async def run() -> None:
        monitor = LyingMonitor(certificates, newest=ssl.TLSVersion.TLSv1_2)
        async with (
            open_door(tmp_path) as door,
            listening(monitor),
            carrying(tmp_path, certificates, monitor.known()),
        ):
            await door.until(path_is(PathState.UNREACHABLE))
        assert (monitor.connections, monitor.bytes_read) == (0, 0)

    asyncio.run(run())


def test_a_listener_that_never_shakes_hands_is_given_up(tmp_path: Path, certificates: Certificates) -> None:
    async def run() -> None:
        silent: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
        server = await asyncio.start_server(lambda _reader, writer: silent.put_nowait(writer), "127.0.0.1", 0)
        async with server, open_door(tmp_path) as door:
            address = Address(host="127.0.0.1", port=server.sockets[0].getsockname()[1])
            known = Monitor(addresses=(address,), certificate_der=certificates.monitor_der)
            async with carrying(tmp_path, certificates, known):
                await door.until(path_is(PathState.UNREACHABLE))
                for _ in range(2):
                    writer = await asyncio.wait_for(silent.get(), 10)
                    writer.transport.abort()

    asyncio.run(run())


def test_a_slow_reader_costs_a_batch_its_connection_and_no_fresh_record_its_time(
    tmp_path: Path, certificates: Certificates
) -> None:
    async def run() -> None:
        monitor = LyingMonitor(certificates)
        async with (
            open_door(tmp_path) as door,
            listening(monitor),
            tapping(monitor.address) as tap,
            carrying(tmp_path, certificates, monitor.known(tap.address)),
        ):
            await door.until(path_is(PathState.CONNECTED))
            tap.stalls_after_first = True
            door.journal(*range(70))
            await asyncio.wait_for(tap.stalling.wait(), 10)
            door.commit(100)
            await door.until(lambda door: record(100) in door.receipted)
            assert len(door.pending) == 70
            tap.flow.set()
            await door.until(all_receipted)

    asyncio.run(run())


def test_a_half_closed_connection_is_dialled_again(tmp_path: Path, certificates: Certificates) -> None:
    async def run() -> None:
        monitor = LyingMonitor(certificates)
        async with (
            open_door(tmp_path) as door,
            listening(monitor),
            tapping(monitor.address) as tap,
            carrying(tmp_path, certificates, monitor.known(tap.address)),
        ):
            await door.until(path_is(PathState.CONNECTED))
            tap.half_close()
            door.commit(1)
            await door.until(all_receipted)
            await door.until(path_is(PathState.CONNECTED))
        assert record(1) in monitor.seen
        assert len(tap.connections) >= 2

    asyncio.run(run())
