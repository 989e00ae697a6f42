"""What a visitor breaks: power and disk, and how leaf and cover stay things when the board is dead."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from doorctl.cli.sim_disk import Disk
from doorctl.cli.sim_network import Relay
from doorctl.cli.sim_site import SimError
from tests.cli.fake_site import Browser, FakeSite, until
from tests.cli.test_sim_page import play


def test_power_is_cut_and_given_back(tmp_path: Path) -> None:
    async def scenario(site: FakeSite, browser: Browser) -> None:
        async def power(*, cut: bool) -> int:
            return (await browser.post("power", {"cut": cut})).status_code

        assert await power(cut=False) == 200  # it has power
        assert await power(cut=True) == 200
        assert (site.rig.view.power, site.rig.view.doord) == ("off", "off")
        assert await power(cut=True) == 200
        killed = await browser.post("doord/kill", {})
        assert (killed.status_code, killed.json()["error"]) == (409, "the board has no power")
        assert await power(cut=False) == 200
        await until(lambda: (site.rig.view.power, site.rig.view.doord) == ("on", "running"))
        assert site.done == ["power off", "start"]

    play(tmp_path, scenario)


def test_a_board_that_does_not_start_is_without_power_and_says_why(tmp_path: Path) -> None:
    async def scenario(site: FakeSite, browser: Browser) -> None:
        site.start_says = "doord: no such luck\nand its last words"
        await browser.post("power", {"cut": True})
        await browser.post("power", {"cut": False})
        await until(lambda: (site.rig.view.power, site.rig.view.doord) == ("off", "doord: no such luck"))
        site.start_says = ""
        assert (await browser.post("power", {"cut": False})).status_code == 200
        await until(lambda: site.rig.view.power == "on")

    play(tmp_path, scenario)


def test_of_a_daemons_last_words_the_error_is_said(tmp_path: Path) -> None:
    async def scenario(site: FakeSite, browser: Browser) -> None:
        said = "waited 20 s for doord in vain\ndoord: INFO: starting\ndoord: error: journal.db: in use\n  hint: end it"
        site.start_says = said
        await browser.post("doord/kill", {})
        await until(lambda: site.rig.view.doord == "doord: error: journal.db: in use")

    play(tmp_path, scenario)


def test_nothing_else_is_done_to_a_board_that_is_starting(tmp_path: Path) -> None:
    async def scenario(_: FakeSite, browser: Browser) -> None:
        assert (await browser.post("doord/kill", {})).status_code == 200
        refused = await browser.post("power", {"cut": True})
        assert (refused.status_code, refused.json()["error"]) == (409, "doord is on its way back already")

    play(tmp_path, scenario)


def test_the_disk_is_stalled_and_writes_again(tmp_path: Path) -> None:
    async def scenario(site: FakeSite, browser: Browser) -> None:
        for stalled, disk in ((True, "stalled"), (False, "well")):
            assert (await browser.post("disk", {"stalled": stalled})).status_code == 200
            assert site.rig.view.disk == disk
            assert site.visits._broken == (("the disk was stalled",) if stalled else ())
        assert site.done == ["stall", "write"]

    play(tmp_path, scenario)


def test_leaf_and_cover_move_without_a_board_and_buttons_do_not(tmp_path: Path) -> None:
    async def scenario(site: FakeSite, browser: Browser) -> None:
        await browser.post("door/front/leaf", {"move": "close"})
        site.paths.mock_socket.unlink()
        locked = await browser.post("door/front/leaf", {"move": "open"})  # fail-secure
        assert (locked.status_code, locked.json()["while"]) == (409, "locked")
        assert (await browser.post("door/front/leaf", {"move": "force"})).status_code == 200
        assert (await browser.post("door/front/tamper", {"torn": True})).status_code == 200
        front = site.door.doors["front"]
        assert (front.open, front.tampered) == (True, True)
        assert site.door.active_inputs() >= {"GPIO27", "GPIO23"}
        gone = (await browser.post("door/front/rex", {})).json()
        assert (gone["error"], gone["while"]) == ("doord does not run", "gone")

    play(tmp_path, scenario)


def test_a_leaf_closes_by_itself_unless_it_is_held(tmp_path: Path) -> None:
    async def scenario(site: FakeSite, browser: Browser) -> None:
        def front_open() -> bool:
            return site.door.doors["front"].open

        await browser.post("door/front/leaf", {"move": "close"})
        assert (await browser.post("door/front/leaf", {"move": "hold"})).status_code == 409
        site.pins[0].strike.release()
        await until(lambda: site.door.doors["front"].released)
        await browser.post("door/front/leaf", {"move": "open"})
        assert front_open()
        await until(lambda: not front_open())
        await browser.post("door/front/leaf", {"move": "open"})
        await browser.post("door/front/leaf", {"move": "hold"})
        await asyncio.sleep(0.3)  # the closer's time, half as long again
        assert front_open()

    play(tmp_path, scenario)


def _writes(path: Path) -> bool:
    with closing(sqlite3.connect(path, timeout=0.01, isolation_level=None)) as connection:
        try:
            connection.execute("INSERT INTO log VALUES (1)")
        except sqlite3.OperationalError:
            return False
    return True


def test_a_stalled_disk_takes_nothing_and_a_mended_one_does(tmp_path: Path) -> None:
    journal = tmp_path / "journal.db"
    with closing(sqlite3.connect(journal)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE log (number INTEGER)")
        disk = Disk(journal)
        for _ in range(2):
            disk.stall()
        assert not _writes(journal)
        assert connection.execute("SELECT count(*) FROM log").fetchone() == (0,)  # who only reads is not held up
        for _ in range(2):
            disk.mend()
        assert _writes(journal)


def test_a_disk_without_a_journal_cannot_be_stalled(tmp_path: Path) -> None:
    with pytest.raises(SimError, match="there is no journal on it"):
        Disk(tmp_path / "journal.db").stall()
    assert list(tmp_path.iterdir()) == []


def test_the_relay_notes_size_way_and_time_of_what_it_passes() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes(len(await reader.readexactly(5)) * 2))
        await writer.drain()
        writer.close()

    async def scenario() -> list[tuple[str, int]]:
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        async with server:
            with Relay(server.sockets[0].getsockname()[1]) as relay:
                reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
                writer.write(b"12345")
                await reader.readexactly(10)
                writer.close()
                passed = relay.passed(0, 2**63)
                times = [piece.at for piece in passed]
                assert times == sorted(times)
                assert relay.passed(0, times[0] - 1) == []
                return [(piece.way, piece.size) for piece in passed]

    assert asyncio.run(scenario()) == [("up", 5), ("down", 10)]
