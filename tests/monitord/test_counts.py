"""Alarms are counted, and notes apart from them: the same on the page, in its title, as JSON and at a terminal."""

import re
from pathlib import Path

import pytest

from doorctl.monitord.alarms.counts import Count
from tests.monitord.desk import BEARER, Desk, play
from tests.monitord.test_ack import run_at, served_play


@pytest.mark.parametrize(
    ("alarms", "notes", "told"),
    [
        (0, 0, "0 alarms"), (1, 0, "1 alarm"), (2, 1, "2 alarms, 1 note"), (0, 1, "1 note"), (0, 2, "2 notes"),
        (1234, 5678, "1,234 alarms, 5,678 notes"),
    ],
)  # fmt: skip
def test_a_count_in_words(alarms: int, notes: int, told: str) -> None:
    count = Count(alarms=alarms, notes=notes)
    assert (str(count), count.total) == (told, alarms + notes)


async def _shown(desk: Desk) -> dict[str, object]:
    page = (await desk.client.get("/", headers=desk.browser)).text
    listed = (await desk.client.get("/api/alarms", headers=BEARER)).json()
    headline = re.search(r'<h1 id="state"[^>]*>(.*?)</h1>', page)
    past = (await desk.client.get("/past", headers=desk.browser)).text
    title, counted = re.search("<title>(.*?)</title>", page), re.search('<p class="count">(.*?)</p>', past)
    assert headline
    assert title
    assert counted
    return {
        "title": title[1], "headline": re.sub("<[^>]*>", "", headline[1]), "past": counted[1],
        "json": (listed["open"], listed["notes"]), "open": re.findall('data-open="([0-9]+)"', page),
        "apart": page.partition('id="notes"')[2].count("data-alarm="), "cards": page.count("data-alarm="),
    }  # fmt: skip


def test_a_note_beside_two_alarms_is_told_apart_everywhere(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        for number in (1, 2):
            desk.raise_alarm(number)
        desk.raise_note(3)
        assert await _shown(desk) == {
            "title": "(2) ALARM – doorctl monitor", "headline": "2 alarms, 1 note to look at",
            "past": "2 alarms, 1 note", "json": (2, 1), "open": ["2"], "apart": 1, "cards": 3,
        }  # fmt: skip

    play(tmp_path, scenario)


def test_a_note_alone_is_no_alarm_and_can_be_acknowledged(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        desk.raise_note(1)
        assert await _shown(desk) == {
            "title": "doorctl monitor", "headline": "All quietQuiet when last heard",
            "past": "1 note", "json": (0, 1), "open": ["0"], "apart": 1, "cards": 1,
        }  # fmt: skip
        page = (await desk.client.get("/", headers=desk.browser)).text
        assert "1 note to look at" in page
        assert 'action="/alarms/1/ack"' in page
        for number in range(2, 53):
            desk.raise_note(number)
        assert "The gravest 50 of 52 are shown." in (await desk.client.get("/", headers=desk.browser)).text

    play(tmp_path, scenario)


def test_a_beat_counts_like_the_page(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        desk.raise_note(1)
        beat = await anext(desk.console.streams.page(1, lambda: True))
        assert '"open": 0, "notes": 1, "worst": ""' in beat

    play(tmp_path, scenario)


def test_a_terminal_counts_like_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def scenario(desk: Desk) -> None:
        desk.raise_note(4)
        assert await run_at(tmp_path, "alarms") == 0
        assert await run_at(tmp_path, "ack", "1", "2", "3") == 0
        assert await run_at(tmp_path, "alarms") == 0
        assert await run_at(tmp_path, "ack", "4") == 0
        assert await run_at(tmp_path, "alarms") == 0

    served_play(tmp_path, scenario)
    counts = [line for line in capsys.readouterr().out.splitlines() if line.endswith("to look at")]
    assert counts == ["3 alarms, 1 note to look at", "1 note to look at", "nothing to look at"]
