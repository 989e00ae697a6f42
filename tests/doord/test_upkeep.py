"""What happens once a second and now and then, off every card's way."""

import os
import socket
from pathlib import Path

import pytest

from doorctl.core.types import SECOND
from doorctl.doord.upkeep import PATH_GRACE, PRUNE_EVERY, QUIET, STUCK, WAL_WORTH
from doorctl.journal import bounds
from doorctl.wire.detail import FaultCode, FaultDetail
from doorctl.wire.handoff import PathState, Type
from doorctl.wire.record import Kind
from tests.doord.conftest import Play
from tests.doord.house import House
from tests.doord.site import config


async def records(house: House, many: int) -> None:
    for _ in range(many):
        await house.ask("test-alarm", wait_s=0.01)


def test_the_write_ahead_log_is_folded_only_when_it_is_quiet(play: Play) -> None:
    async def story(house: House) -> None:
        await records(house, 60)
        size = house.doord.journal.wal_size
        assert size() > WAL_WORTH
        await house.wait(QUIET / SECOND - 0.1)
        assert size() > WAL_WORTH, "somebody may come again"
        await house.wait(3)
        assert size() == 0
        await records(house, 2)
        await house.wait(5)
        assert size() > 0, "a little is not worth a write"

    play(story, courier=False)


def test_what_was_receipted_long_ago_is_forgotten_while_the_time_is_known(play: Play) -> None:
    async def story(house: House) -> None:
        await house.wait(1)
        house.courier.say(Type.BACKLOG_WANTED, (64).to_bytes(2, "big"))
        await house.wait(1)
        journal, epoch = house.doord.journal, house.recorder.epoch
        kept = len(journal.again(epoch, 1, 100))  # type: ignore[arg-type]  # a Sequence is an int
        assert kept == house.recorder.sequence == 9
        house.loop.set_wall(house.loop.wall + 8 * 24 * 3600 * SECOND)
        await house.ask("test-alarm", wait_s=1)  # its receipt confirms the clock
        await house.wait(PRUNE_EVERY / SECOND + 5)
        left = len(journal.again(epoch, 1, 100))  # type: ignore[arg-type]  # a Sequence is an int
        assert left <= 1, "the newest is never forgotten"

    play(story)


def test_a_clock_that_is_not_trusted_forgets_nothing(play: Play) -> None:
    async def story(house: House) -> None:
        await house.wait(1)
        house.loop.set_wall(house.loop.wall + 8 * 24 * 3600 * SECOND)
        house.courier.monitor_offset = -8 * 24 * 3600 * SECOND
        await house.ask("test-alarm", wait_s=1)
        assert not house.doord.clock.trusted
        kept = len(house.doord.journal.again(house.recorder.epoch, 1, 100))  # type: ignore[arg-type]  # a Sequence is an int
        await house.wait(PRUNE_EVERY / SECOND + 5)
        assert len(house.doord.journal.again(house.recorder.epoch, 1, 100)) >= kept  # type: ignore[arg-type]  # as above

    play(story)


@pytest.mark.parametrize("state", [PathState.UNREACHABLE, PathState.WRONG_CERTIFICATE, PathState.REFUSED])
def test_a_path_that_is_gone_for_a_minute_is_a_fault(play: Play, state: PathState) -> None:
    async def story(house: House) -> None:
        house.courier.say(Type.PATH, bytes([state.value]))
        await house.wait(PATH_GRACE / SECOND - 1)
        assert (await house.status())["faults"] == []
        await house.wait(3)
        words = state.name.lower().replace("_", " ")
        assert (await house.status())["faults"] == [f"courier: no way to the monitor ({words})"]
        assert (await house.status())["path"]["state"] == words
        house.courier.say(Type.PATH, bytes([PathState.CONNECTED.value]))
        await house.wait(2)
        assert (await house.status())["faults"] == []
        told = [house.monitor.open(record)[1] for record in house.courier.records()]
        assert [FaultDetail.parse(body.detail) for body in told if body.kind is Kind.FAULT] == [
            FaultDetail(code=FaultCode.COURIER, began=True),
            FaultDetail(code=FaultCode.COURIER, began=False),
        ]

    play(story)


def test_a_courier_that_never_came_is_a_fault(play: Play) -> None:
    async def story(house: House) -> None:
        assert (await house.status())["path"]["state"] == "no courier"
        await house.wait(PATH_GRACE / SECOND + 2)
        assert (await house.status())["faults"] == ["courier: no way to the monitor (unreachable)"]

    play(story, courier=False)


@pytest.fixture
def systemd(folder: Path, monkeypatch: pytest.MonkeyPatch) -> socket.socket:
    """What NOTIFY_SOCKET leads to."""
    ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    ear.bind(str(folder / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", str(folder / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "10000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    return ear


def heard(ear: socket.socket) -> list[str]:
    words = []
    while True:
        try:
            words.append(ear.recv(4096).decode())
        except BlockingIOError:
            return words


def test_systemd_hears_ready_the_watchdog_and_the_end(systemd: socket.socket, play: Play) -> None:
    async def story(house: House) -> None:
        assert heard(systemd)[0] == "READY=1"
        await house.wait(5)
        assert heard(systemd) == ["WATCHDOG=1"] * 5

    play(story)
    assert heard(systemd)[-1] == "STOPPING=1"
    systemd.close()


@pytest.mark.parametrize("thread", ["journal_thread", "_rows", "_stretch"])
def test_a_thread_that_is_stuck_keeps_the_watchdog_silent(systemd: socket.socket, play: Play, thread: str) -> None:
    async def story(house: House) -> None:
        stuck = getattr(house.doord if thread == "journal_thread" else house.doord.roster, thread)
        begun, works = house.now, stuck.busy_for
        stuck.busy_for = lambda now: now - begun
        await house.wait(STUCK / SECOND - 1)
        assert "WATCHDOG=1" in heard(systemd)
        await house.wait(2)
        heard(systemd)
        await house.wait(5)
        assert heard(systemd) == []
        stuck.busy_for = works
        await house.wait(2)
        assert "WATCHDOG=1" in heard(systemd)

    play(story)
    systemd.close()


def test_no_watchdog_where_none_is_asked_for(
    systemd: socket.socket, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WATCHDOG_USEC")

    async def story(house: House) -> None:
        await house.wait(5)
        assert heard(systemd) == ["READY=1"]

    play(story)
    systemd.close()


def test_a_disk_that_fails_while_it_is_tidied_changes_nothing(play: Play) -> None:
    async def story(house: House) -> None:
        await records(house, 60)
        house.loop.threads["journal"].disk_takes_nothing = True
        await house.wait(6)
        house.loop.threads["journal"].disk_takes_nothing = False
        await house.wait(4)
        assert house.doord.journal.wal_size() == 0
        ana = house.site.people["ana"]
        await house.enter("office", None, ana.code)
        await house.wait(0.5)
        assert house.released("office")

    play(story, courier=False)


def test_a_damaged_journal_is_told_to_the_monitor_and_stays_in_status(play: Play) -> None:
    async def story(house: House) -> None:
        await house.wait(1)
        await house.stop()
        damage(house.paths.journal)
        await house.start()
        await house.courier.connect(house.paths.courier_socket)
        await house.armed()
        said = "journal: was damaged and moved to journal.db.damaged-1; a new one was begun"
        assert (await house.status())["faults"] == [said]
        await house.wait(60)
        house.courier.say(Type.BACKLOG_WANTED, (64).to_bytes(2, "big"))
        await house.wait(1)
        told = [house.monitor.open(record)[1] for record in house.courier.records()]
        faults = {FaultDetail.parse(body.detail) for body in told if body.kind is Kind.FAULT}
        assert faults == {FaultDetail(code=FaultCode.STORAGE, began=True)}, "once, and never as over"
        assert [row.detail for row in house.log() if row.event == "fault"] == [said.removeprefix("journal: ")]
        await house.restart()
        await house.wait(2)
        assert (await house.status())["faults"] == []

    play(story)


def damage(journal: Path) -> None:
    with journal.open("r+b") as stream:
        stream.write(b"x" * 100)


KEEP_A_WEEK = "\n[log]\nkeep_days = 7\n"


def test_lines_of_the_log_go_when_their_days_are_over_and_records_that_wait_stay(play: Play) -> None:
    async def story(house: House) -> None:
        house.courier.receipts = False
        await records(house, 600)
        waiting, written = house.recorder.pending, len(house.log())
        assert waiting > 600
        await pass_days(house, 6)
        await house.wait(PRUNE_EVERY / SECOND + 5)
        assert len(house.log()) == written + 1
        await pass_days(house, 2)
        await house.wait(PRUNE_EVERY / SECOND + 5)
        assert [row.event for row in house.log()] == ["path test"] * 2, "in two steps, but those of the last two days"
        assert house.recorder.pending == waiting

    play(story, config=config(site=KEEP_A_WEEK))


async def pass_days(house: House, days: int) -> None:
    """And a receipt confirms that they did; older records still wait for theirs."""
    house.loop.set_wall(house.loop.wall + days * 24 * 3600 * SECOND)
    house.courier.receipts = True
    await house.ask("test-alarm", wait_s=1)
    house.courier.receipts = False


@pytest.mark.parametrize("confirmed_before", [False, True])
def test_a_clock_that_ran_ahead_deletes_nothing(play: Play, confirmed_before: bool) -> None:
    """It is trusted, for nothing contradicts it; only a receipt could say that so much time has passed."""

    async def story(house: House) -> None:
        house.courier.receipts = confirmed_before
        await records(house, 5)
        await house.wait(1)
        house.courier.receipts = False
        kept = house.log()
        house.loop.set_wall(house.loop.wall + 365 * 24 * 3600 * SECOND)
        if not confirmed_before:
            await house.restart()
        await records(house, 1)
        await house.wait(PRUNE_EVERY / SECOND + 5)
        assert house.doord.clock.trusted
        assert house.log()[: len(kept)] == kept

    play(story, config=config(site=KEEP_A_WEEK))


def test_the_number_of_lines_is_bounded_whatever_the_clock(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "LOG_ROWS", 3)

    async def story(house: House) -> None:
        await records(house, 9)
        await house.wait(PRUNE_EVERY / SECOND + 5)
        assert len(house.log()) == 3

    play(story, courier=False, config=config(site=KEEP_A_WEEK))


def test_a_clock_that_is_not_trusted_prunes_no_line(play: Play) -> None:
    async def story(house: House) -> None:
        await records(house, 5)
        house.loop.set_wall(house.loop.wall + 8 * 24 * 3600 * SECOND)
        house.courier.monitor_offset = -8 * 24 * 3600 * SECOND
        await house.ask("test-alarm", wait_s=1)
        assert not house.doord.clock.trusted
        kept = len(house.log())
        await house.wait(PRUNE_EVERY / SECOND + 5)
        assert len(house.log()) >= kept

    play(story, config=config(site=KEEP_A_WEEK))
