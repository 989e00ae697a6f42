"""Visits that are played whole, and the visitor's own people: enrolled, shown once, removed."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from doorctl.cli.sim_page_people import MOST_OWN
from hal.events import CardBits, KeyPressed
from tests.cli.fake_site import BEN, CARD, CODE, DURESS_CODE, Browser, FakeSite, until
from tests.cli.test_sim_page import play


@pytest.mark.parametrize(("kind", "code"), [("normal", CODE), ("duress", DURESS_CODE)])
def test_a_visit_is_card_and_code_and_through(tmp_path: Path, kind: str, code: str) -> None:
    async def scenario(site: FakeSite, browser: Browser) -> None:
        reader = site.pins[0].readers[0][1]
        await until(lambda: reader.counters()["armed"])
        assert (await browser.post("door/front/leaf", {"move": "close"})).status_code == 200
        site.pins[0].strike.release()
        await until(lambda: site.door.doors["front"].released)
        asked = {"person": "ana-lopez", "code": kind}
        assert (await browser.post("door/front/visit", asked)).status_code == 200
        await until(lambda: sum(isinstance(event, KeyPressed) for event in site.events) == len(code))
        cards = [event.raw for event in site.events if isinstance(event, CardBits)]
        keys = [event.key.value for event in site.events if isinstance(event, KeyPressed)]
        assert (cards, "".join(keys)) == ([CARD.raw], code)
        await until(lambda: site.inputs[-2:] == [("front contact", True), ("front contact", False)])

    play(tmp_path, scenario)


def test_nobody_walks_through_a_door_that_stays_secured(tmp_path: Path) -> None:
    async def scenario(site: FakeSite, browser: Browser) -> None:
        await browser.post("door/office/leaf", {"move": "close"})
        await browser.post("door/office/visit", {"person": "ana-lopez", "code": "normal"})
        await asyncio.wait_for(site.hands._moving["office"], 5)
        assert site.door.doors["office"].open is False

    play(tmp_path, scenario)


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"person": "ben-okafor", "code": "normal"}, 409, "Ben Okafor has no card"),
        ({"person": "nobody", "code": "normal"}, 404, "no such person"),
        ({"person": "ana-lopez", "code": "decoy"}, 400, "Invalid enum value 'decoy' - at `$.code`"),
    ],
)
def test_a_visit_that_cannot_be_is_refused_with_its_reason(
    tmp_path: Path, body: dict[str, str], status: int, error: str
) -> None:
    async def scenario(site: FakeSite, browser: Browser) -> None:
        answer = await browser.post("door/front/visit", body)
        assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert site.events == []

    play(tmp_path, scenario)


def test_a_visitor_enrols_themselves_and_sees_the_codes_once(tmp_path: Path) -> None:
    async def scenario(site: FakeSite, browser: Browser) -> None:
        shown = (await browser.post("people", {"label": "Eva Sand"})).json()
        eva = {"holder": "eva-sand", "label": "Eva Sand", "card": True, "own": True}
        assert shown == eva | {"code": "11112222", "duress_code": "33334444"}
        listed = (await browser.get("api/people")).json()["people"]
        assert listed[2:] == [eva | {"code": None, "duress_code": None}]
        assert [person["code"] for person in listed[:2]] == [CODE, BEN.code]
        assert (await browser.post("door/office/visit", {"person": "eva-sand", "code": "normal"})).status_code == 200
        assert (await browser.post("door/front/card", {"card": "eva-sand"})).status_code == 200
        assert (await browser.post("people/eva-sand/remove", {})).status_code == 200
        assert len((await browser.get("api/people")).json()["people"]) == 2
        assert (await browser.post("door/front/card", {"card": "eva-sand"})).status_code == 404
        assert site.done == ["enrol Eva Sand 4001", "remove eva-sand"]

    play(tmp_path, scenario)


def test_people_who_cannot_be_added_or_removed_are_said_with_a_hint(tmp_path: Path) -> None:
    async def scenario(site: FakeSite, browser: Browser) -> None:
        async def refused(path: str, body: dict[str, Any]) -> tuple[int, str, bool]:
            answer = await browser.post(path, body)
            return answer.status_code, answer.json()["error"], bool(answer.json()["hint"])

        assert await refused("people", {"label": "\u200b"}) == (409, "a name has letters that can be read", True)
        assert await refused("people/ana-lopez/remove", {}) == (409, "the demo's own people stay", True)
        assert await refused("people/nobody/remove", {}) == (409, "that person is not enrolled", True)
        for number in range(MOST_OWN):
            assert (await browser.post("people", {"label": f"Guest {number}"})).status_code == 200
        too_many = f"{MOST_OWN} people of your own are here already"
        assert await refused("people", {"label": "One More"}) == (409, too_many, True)
        assert len(site.done) == MOST_OWN

    play(tmp_path, scenario)


def test_the_stream_begins_with_everything_and_tells_each_press(tmp_path: Path) -> None:
    async def scenario(site: FakeSite, browser: Browser) -> None:
        stream = site.feed.listen(site.sides.everything)
        first = await anext(stream)
        assert first.startswith("retry: 500\n\nevent: everything\ndata: {")
        everything = dict(site.sides.everything())
        assert list(everything) == [
            "people",
            "site",
            "zone",
            "about",
            "board",
            "doors",
            "log",
            "rig",
            "monitor",
            "compare",
        ]
        await browser.post("door/office/keys", {"keys": "4#"})
        presses = [text async for text in _until_silent(stream) if text.startswith("event: press")]
        assert presses == [f'event: press\ndata: {{"door": "office", "key": "{key}"}}\n\n' for key in "4#"]
        site.feed.close()
        assert [text async for text in stream] == []

    play(tmp_path, scenario)


async def _until_silent(stream: Any) -> Any:
    async for text in stream:
        if text.startswith("event: beat"):
            return
        yield text
