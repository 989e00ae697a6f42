"""Every moment that a page shows carries its zone, and an alarm's is its site's."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from doorctl.core.types import WallTime
from doorctl.monitord.alarms.effects import Raise
from doorctl.monitord.alarms.kinds import AlarmKind
from doorctl.monitord.alarms.zones import local, only_zone
from doorctl.monitord.controllers import ControllersFolder, controller_path
from doorctl.seal.keys import read_controller_file, write_controller_file
from tests.monitord.board import NOON, Board
from tests.monitord.desk import BOARD, Desk, play
from tests.monitord.line import controller_file, new_identity

NIGHT = "2026-11-23T23:30:00.123Z"
FAR = Board(name="mill-lane")
TIME = re.compile(r'<time class="clock" datetime="[^"]*" data-zone="([^"]*)">([^<]*)</time>')


@pytest.mark.parametrize(
    ("moment", "zone", "told"),
    [
        (NIGHT, "Europe/Lisbon", "23 Nov 2026, 23:30:00 UTC"),
        ("2026-07-01T12:00:00.000Z", "Europe/Lisbon", "01 Jul 2026, 13:00:00 UTC+1"),
        (NIGHT, "Asia/Kolkata", "24 Nov 2026, 05:00:00 UTC+5:30"),
        (NIGHT, "America/St_Johns", "23 Nov 2026, 20:00:00 UTC-3:30"),
        (NIGHT, "", "23 Nov 2026, 23:30:00 UTC"),
        (NIGHT, "Middle/Nowhere", "23 Nov 2026, 23:30:00 UTC"),
        (NIGHT, "../../etc/passwd", "23 Nov 2026, 23:30:00 UTC"),
        ("9999-12-31T23:59:59.000Z", "Asia/Tokyo", "31 Dec 9999, 23:59:59 UTC"),
    ],
)
def test_a_moment_is_told_with_its_zone(moment: str, zone: str, told: str) -> None:
    assert local(moment, zone) == told


@pytest.mark.parametrize(
    ("zones", "only"), [([], ""), (["UTC", "UTC"], "UTC"), (["UTC", ""], ""), (["UTC", "Asia/Tokyo"], "")]
)
def test_a_page_has_a_zone_where_all_sites_have_one(zones: list[str], only: str) -> None:
    assert only_zone(zones) == only


def _trust_one_far_away(desk: Desk, folder: Path) -> None:
    path = controller_path(folder / "controllers", FAR.controller)
    write_controller_file(path, replace(controller_file(FAR, new_identity(folder, "far")), timezone="Asia/Tokyo"))
    assert isinstance(desk.sources.controllers, ControllersFolder)
    desk.sources.controllers.refresh()
    alarm = Raise(
        kind=AlarmKind.DURESS, subject="far", controller=FAR.controller, event=NOON, received=NOON, text="far away"
    )
    desk.store.commit([alarm], now=WallTime(NOON))


@pytest.mark.parametrize("path", ["/", "/past"])
def test_each_alarm_is_told_in_its_sites_time(tmp_path: Path, path: str) -> None:
    async def scenario(desk: Desk) -> None:
        desk.raise_alarm()
        _trust_one_far_away(desk, tmp_path)
        page = (await desk.client.get(path, headers=desk.browser)).text
        assert TIME.findall(page) == [
            ("Asia/Tokyo", "21 Sep 2026, 23:13:20 UTC+9"), ("Europe/Lisbon", "21 Sep 2026, 15:13:20 UTC+1"),
        ]  # fmt: skip
        assert page.count("<time") == 2
        assert 'data-change="2" data-zone=""' in page

    play(tmp_path, scenario)


def test_one_alarms_page_names_its_zone_and_no_moment_lacks_it(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        desk.raise_alarm()
        desk.store.acknowledge(1, who="Kim", now=NOON)
        page = (await desk.client.get("/alarms/1", headers=desk.browser)).text
        times = TIME.findall(page)
        assert len(times) == page.count("<time")
        assert {(zone, told.rpartition(" ")[2]) for zone, told in times} == {("Europe/Lisbon", "UTC+1")}
        assert "<dt>Times are the site's</dt><dd>Europe/Lisbon</dd>" in page

    play(tmp_path, scenario)


def test_quiet_and_supervision_are_told_in_the_only_sites_time(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        desk.raise_alarm()
        desk.store.acknowledge(1, who="Kim", now=NOON)
        page = (await desk.client.get("/", headers=desk.browser)).text
        assert TIME.findall(page) == [("Europe/Lisbon", "21 Sep 2026, 15:13:20 UTC+1")]
        heard = re.search(r'data-ago="[^"]*">(\d[^<]*)<', page)
        assert heard
        assert heard[1] == "21 Sep 2026, 15:13:20 UTC+1"

    play(tmp_path, scenario)


def test_a_search_says_where_its_days_begin(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        page = (await desk.client.get("/past", headers=desk.browser)).text
        assert 'Days begin at midnight, <span id="day-zone">UTC</span>' in page

    play(tmp_path, scenario)


def test_a_file_that_says_no_zone_is_trusted_and_told_in_utc(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        path = controller_path(tmp_path / "controllers", BOARD.controller)
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join(line for line in lines if not line.startswith("timezone")), encoding="utf-8")
        assert read_controller_file(path).timezone == ""
        assert isinstance(desk.sources.controllers, ControllersFolder)
        desk.sources.controllers.refresh()
        desk.raise_alarm()
        page = (await desk.client.get("/", headers=desk.browser)).text
        assert TIME.findall(page) == [("", "21 Sep 2026, 14:13:20 UTC")]

    play(tmp_path, scenario)
