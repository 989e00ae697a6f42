"""What happens once a second and now and then, off every card's way."""

import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from doorctl.core.types import SECOND, Duration
from doorctl.doord import worker
from doorctl.doord.pulse import STILL
from doorctl.doord.upkeep import PATH_GRACE, PRUNE_EVERY, QUIET, WAL_WORTH
from doorctl.doord.worker import WorkerThread
from doorctl.errors import InternalError
from doorctl.journal import bounds
from doorctl.wire.detail import FaultCode, FaultDetail
from doorctl.wire.handoff import PathState, Type
from doorctl.wire.record import Kind
from hal.errors import DeviceGoneError
from tests.doord.conftest import Play
from tests.doord.house import House
from tests.doord.site import config

STRANGER = -1
"""The number of no thread."""


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
def systemd(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """What NOTIFY_SOCKET leads to."""
    ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    ear.bind(str(folder / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", str(folder / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "10000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    yield ear
    ear.close()


def heard(ear: socket.socket) -> list[str]:
    """But for the line of `systemctl status`."""
    return [word for word in all_heard(ear) if not word.startswith("STATUS=")]


def all_heard(ear: socket.socket) -> list[str]:
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


@pytest.mark.parametrize("which", [0, 1])
def test_systemctl_status_shows_the_doors_whatever_a_code_means(systemd: socket.socket, play: Play, which: int) -> None:
    def told() -> list[str]:
        return [word.removeprefix("STATUS=") for word in all_heard(systemd) if word.startswith("STATUS=")]

    async def story(house: House) -> None:
        rest = " · side: secured · back: secured"
        assert told()[-1] == "front: secured · office: secured" + rest
        await house.enter("office", None, house.site.people["ana"].codes[which])
        await house.wait(1.2)
        assert told() == ["front: secured · office: released" + rest]
        await house.wait(5)
        assert told() == ["front: secured · office: secured" + rest]
        await house.ask("lockdown", on=True)
        await house.wait(5)
        assert told() == ["front: locked down · office: locked down · side: locked down · back: locked down"]

    play(story)


def call_that(thread: WorkerThread, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    """From now on this thread has a call in hand, and the kernel says the same of it at every look."""
    thread._open.add(object())
    thread._number = STRANGER
    real = worker.thread_state
    monkeypatch.setattr(
        worker, "thread_state", lambda number: (state, 1, Duration(0)) if number == STRANGER else real(number)
    )


@pytest.mark.parametrize("name", ["journal", "roster", "stretch"])
@pytest.mark.parametrize("state", ["S", ""])
def test_a_thread_that_will_not_come_back_ends_doord_and_systemd_is_told_why(
    systemd: socket.socket, play: Play, monkeypatch: pytest.MonkeyPatch, name: str, state: str
) -> None:
    async def story(house: House) -> None:
        await house.wait(3)
        await house.enter("office", None, house.site.people["ana"].code)
        await house.wait(0.5)
        assert house.released("office")
        (thread,) = [one for one in (house.doord.journal_thread, *house.doord.roster.threads) if one.name == name]
        house.loop.stall(name, 60 * SECOND)
        call_that(thread, monkeypatch, state)
        heard(systemd)
        await house.wait(STILL / SECOND + 1.1 if state else 1.1)
        *fed, last = heard(systemd)
        assert (set(fed), last) == ({"WATCHDOG=1"} if state else set(), "WATCHDOG=trigger")
        assert not house.released("office"), "secured at once, whatever the end takes"
        await house.wait(30)
        assert heard(systemd) == []
        thread._open.clear()  # the end in order, which systemd would not wait for

    with pytest.raises(InternalError, match=f"^thread {name}: stuck$"):
        play(story)


def test_a_disk_that_answers_nothing_for_long_keeps_the_doors_working(
    systemd: socket.socket, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ending doord would end no wait for a disk, and begin a start that waits for it with all doors closed."""

    async def story(house: House) -> None:
        await house.wait(3)
        house.loop.stall("journal", 600 * SECOND)
        call_that(house.doord.journal_thread, monkeypatch, "D")
        heard(systemd)
        await house.wait(STILL / SECOND + 2)
        assert (await house.status())["faults"] == ["storage: the disk does not answer"]
        await house.wait(500)
        assert len(heard(systemd)) > 0
        await house.enter("office", None, house.site.people["ana"].code)
        await house.wait(1)
        assert house.released("office")
        assert heard(systemd)[-1] == "WATCHDOG=1"
        house.doord.journal_thread._open.clear()
        await house.wait(200)
        assert (await house.status())["faults"] == []

    play(story)


@pytest.mark.parametrize(("state", "said"), [("S", "is stuck"), ("", "ended"), ("D", "the disk does not answer")])
def test_a_digest_that_does_not_come_back_is_a_fault_and_ends_nothing(
    systemd: socket.socket, play: Play, monkeypatch: pytest.MonkeyPatch, state: str, said: str
) -> None:
    """It is on no card's way, and a restart would only begin it again, with all doors secured meanwhile."""

    async def story(house: House) -> None:
        await house.wait(3)
        house.loop.stall("digest", 60 * SECOND)
        call_that(house.doord.roster.digest_thread, monkeypatch, state)
        all_heard(systemd)
        await house.wait(STILL / SECOND + 2)
        assert (await house.status())["faults"] == [f"thread digest: {said}"]
        await house.enter("office", None, house.site.people["ana"].code)
        await house.wait(0.5)
        assert house.released("office")
        await house.wait(2)
        told = all_heard(systemd)
        shown = [word for word in told if word.startswith("STATUS=")]
        assert shown[-1].endswith(f" · 1 fault: thread digest: {said}")
        assert {word for word in told if word not in shown} == {"WATCHDOG=1"}
        house.doord.roster.digest_thread._open.clear()
        await house.wait(60)
        assert (await house.status())["faults"] == []

    play(story)


def test_edges_that_nobody_takes_end_doord(systemd: socket.socket, play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(house: House) -> None:
        await house.wait(2)
        heard(systemd)
        chip = house.doord.board.chip
        monkeypatch.setattr(house.doord.board, "chip", replace(chip, unheard_for=lambda now: STILL))
        await house.wait(1.1)
        assert heard(systemd) == ["WATCHDOG=trigger"]

    with pytest.raises(InternalError, match="the thread of the gpio edges: stuck"):
        play(story)


def test_deaf_inputs_end_doord_in_order_also_where_there_is_no_watchdog(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(_: object) -> int:
        raise DeviceGoneError("the gpio notification pipe ended")

    async def story(house: House) -> None:
        await house.wait(2)
        monkeypatch.setattr(house.doord.board, "chip", replace(house.doord.board.chip, unheard_for=ended))
        await house.wait(1.1)
        with pytest.raises(InternalError):
            await house.doord.run_until_stopped()

    with pytest.raises(InternalError, match="the gpio notification pipe ended"):
        play(story)


def test_no_watchdog_where_none_is_asked_for(
    systemd: socket.socket, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WATCHDOG_USEC")

    async def story(house: House) -> None:
        await house.wait(5)
        assert heard(systemd) == ["READY=1"]

    play(story)


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
