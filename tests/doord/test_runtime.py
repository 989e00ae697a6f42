"""Start and end of the whole: in what order, and what is left behind."""

import asyncio
import logging
import pwd
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from doorctl.core.types import SECOND
from doorctl.doord import runtime
from doorctl.doord.runtime import COURIER_USER, courier_uids
from doorctl.errors import DoorctlError, OperatorError
from doorctl.paths import Paths
from doorctl.wire.record import Flag, Kind
from tests.doord.conftest import Play
from tests.doord.house import House, running
from tests.doord.site import MadeSite
from tests.doord.site import config as doors
from tests.doord.virtual import VirtualLoop


def test_everything_is_there_when_it_is_ready_and_gone_when_it_is_closed(
    site: MadeSite, paths: Paths, loop: VirtualLoop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def story() -> list[str]:
        async with running(site, paths, loop) as house:
            names = sorted(path.name for path in paths.run.iterdir())
            assert house.log()[0].event == "start"
        return names

    assert loop.run_until_complete(story()) == ["control.sock", "courier.sock", "mock.sock"]
    assert list(paths.run.iterdir()) == []
    assert not paths.journal.with_name("journal.db-wal").exists()
    messages = [record.getMessage() for record in caplog.records if record.name == "doord"]
    assert messages[0] == "ready: 4 doors, mock chip"


@pytest.mark.parametrize("missing", ["roster", "run"])
def test_a_start_that_fails_lets_go_of_what_it_had(
    site: MadeSite, paths: Paths, loop: VirtualLoop, missing: str
) -> None:
    if missing == "roster":
        shutil.rmtree(paths.roster.parent)
    else:
        paths.run.write_text("a file where a folder belongs")

    async def story() -> None:
        house = House(site, paths, doors(), loop)
        with pytest.raises((DoorctlError, OSError)):
            await house.start()
        if missing == "run":  # the files were open: whoever started it closes it, as __main__ does
            await house.doord.close()

    loop.run_until_complete(story())


def test_a_board_without_a_disk_starts_and_says_so(site: MadeSite, paths: Paths, loop: VirtualLoop) -> None:
    paths.journal.parent.write_text("a file where a folder belongs")

    async def story() -> None:
        async with running(site, paths, loop) as house:
            ana = site.people["ana"]
            await house.enter("front", ana.card, ana.code)
            await house.wait(0.5)
            assert house.released("front")
            assert "storage: the disk does not answer" in (await house.status())["faults"]
            paths.journal.parent.unlink()
            await house.wait(5)
            assert (await house.status())["faults"] == []
            assert {"start", "access"} <= {row.event for row in house.log()}

    loop.run_until_complete(story())


def test_another_doord_on_the_sockets_stops_the_start_and_not_the_first(
    site: MadeSite, paths: Paths, folder: Path, loop: VirtualLoop
) -> None:
    other = site.copy(folder / "o")

    async def story() -> None:
        async with running(site, paths, loop) as first:
            second = House(site, Paths(
                etc=other.etc, var=other.var, run=paths.run, monitor_etc=other.monitor_etc,
                monitor_var=other.monitor_var, monitor_run=other.monitor_run,
            ), doors(), loop)  # fmt: skip
            with pytest.raises(OperatorError, match="another doord listens here"):
                await second.start()
            await second.doord.close()
            await first.ask("unlock", door="front")
            assert first.released("front")
            reader, writer = await asyncio.open_unix_connection(paths.control_socket)
            writer.write(b'{"op":"status"}\n')
            assert b'"ok": true' in await reader.readline()
            writer.close()
            await writer.wait_closed()
            await first.wait(0.1)

    loop.run_until_complete(story())


def test_a_client_that_still_waits_does_not_keep_it_from_ending(play: Play) -> None:
    async def story(house: House) -> None:
        reader, writer = await asyncio.open_unix_connection(house.paths.control_socket)
        writer.write(b'{"op":"next-card","door":"front","wait_s":60}\n')
        await house.wait(0.5)
        begun = house.now
        await house.stop()
        assert house.now - begun < 2 * SECOND
        writer.close()
        await house.wait(1)
        assert await reader.read() == b""
        await house.start()

    play(story)


def test_records_say_what_the_board_is(play: Play) -> None:
    async def story(house: House) -> None:
        starts = [house.monitor.open(one.record)[1] for one in house.doord.journal.pending(100)]
        (start,) = (body for body in starts if body.kind is Kind.START)
        assert start.flags == Flag.SIMULATED
        house.loop.set_wall(house.loop.wall - 3600 * SECOND)
        await house.restart()
        newest = house.monitor.open(house.doord.journal.pending(1)[0].record)[1]
        assert newest.flags == Flag.SIMULATED | Flag.TIME_UNKNOWN

    play(story, courier=False)


def test_a_board_with_the_monitors_keys_says_so_in_every_record(play: Play) -> None:
    async def story(house: House) -> None:
        await house.stop()
        read = house.site.read

        def colocated(*arguments: Any) -> Any:
            made = read(*arguments)
            return SimpleNamespace(
                paths=made.paths, config=made.config, keys=made.keys, monitor=made.monitor, colocated=True
            )

        object.__setattr__(house, "site", SimpleNamespace(read=colocated, people=house.site.people))
        await house.start()
        newest = house.monitor.open(house.doord.journal.pending(1)[0].record)[1]
        assert Flag.COLOCATED in newest.flags
        assert (await house.status())["colocated"]

    play(story, courier=False)


def test_a_damaged_journal_is_moved_aside_and_the_door_goes_on(play: Play) -> None:
    async def story(house: House) -> None:
        await house.stop()
        with house.paths.journal.open("r+b") as stream:
            stream.write(b"x" * 200)
        await house.start()
        await house.armed()
        (fault,) = (await house.status())["faults"]
        assert fault.startswith("journal: was damaged and moved to journal.db.damaged-")
        ana = house.site.people["ana"]
        await house.enter("front", ana.card, ana.code)
        await house.wait(0.5)
        assert house.released("front")
        assert house.log()[-1].event == "access"

    play(story)


def test_the_interlock_counts_what_the_other_doors_do(play: Play) -> None:
    async def story(house: House) -> None:
        ana = house.site.people["ana"]
        house.leaf("front", open_=True)
        await house.wait(0.5)
        await house.enter("office", None, ana.code)
        await house.wait(0.5)
        assert house.releases("office") == []
        house.leaf("front", open_=False)
        await house.wait(0.5)
        await house.enter("office", None, ana.code)
        await house.wait(0.5)
        assert len(house.releases("office")) == 1
        assert house.releases("front") == []

    play(story, config=doors(office='interlock = ["front"]\n'))


def test_the_courier_may_be_its_own_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime.os, "geteuid", lambda: 700)  # type: ignore[attr-defined]  # the module it imported
    asked: list[str] = []

    def known(name: str) -> Any:
        asked.append(name)
        return SimpleNamespace(pw_uid=900)

    def unknown(_: str) -> Any:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwnam", known)
    assert courier_uids() == {700, 900}
    assert asked == [COURIER_USER]
    monkeypatch.setattr(pwd, "getpwnam", unknown)
    assert courier_uids() == {700}
