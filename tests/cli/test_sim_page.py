"""The simulator's page by its API: who comes in, what is refused, what hands do at the mock board's wires."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from doorctl.cli.sim_page_app import FILES, STATIC, UNKNOWN_CARD
from doorctl.core.types import HolderId, Outcome, Reason, WallTime
from doorctl.journal.rows import Entry, LogRow
from hal.events import CardBits, KeyPressed, ReaderArmed, ReaderEvent
from hal.ports import Light
from tests.cli.fake_site import ANA, CARD, CODE, DURESS_CODE, TOKEN, Browser, FakeSite, status, until

Scenario = Callable[[FakeSite, Browser], Awaitable[None]]
ALARM = {"id": 1, "kind": "duress", "state": "new", "title": "Duress code", "severity": "critical"}


def play(home: Path, scenario: Scenario) -> None:
    async def run() -> None:
        site = FakeSite(home)
        async with site.running() as browser:
            await scenario(site, browser)

    asyncio.run(run())


# Who comes in


def test_only_the_token_of_the_address_opens_the_page(tmp_path: Path) -> None:
    async def scenario(_: FakeSite, browser: Browser) -> None:
        answers = [await browser.get("", token=token) for token in (TOKEN, TOKEN[:-1], f"{TOKEN}x", "", "é")]
        assert [answer.status_code for answer in answers] == [200, 403, 403, 403, 403]
        assert "At the door" in answers[0].text
        assert (await browser.client.get("/")).status_code == 403

    play(tmp_path, scenario)


def test_the_token_without_its_slash_leads_to_the_page(tmp_path: Path) -> None:
    async def scenario(_: FakeSite, browser: Browser) -> None:
        answer = await browser.client.get(f"/{TOKEN}")
        assert (answer.status_code, answer.headers["location"]) == (307, f"/{TOKEN}/")

    play(tmp_path, scenario)


@pytest.mark.parametrize(
    "path", ["api", "api/", "api/nothing", "api/door/", "api/people/", "page.py", "api/alarms/x/ack"]
)
def test_what_is_not_there_is_404(tmp_path: Path, path: str) -> None:
    async def scenario(_: FakeSite, browser: Browser) -> None:
        assert (await browser.get(path)).status_code == 404

    play(tmp_path, scenario)


def test_another_host_or_origin_is_refused(tmp_path: Path) -> None:
    async def scenario(_: FakeSite, browser: Browser) -> None:
        assert (await browser.get("api/door", host="evil.example")).status_code == 403
        assert (await browser.get("api/door", host="127.0.0.1:1")).status_code == 403
        assert (await browser.get("api/door", host="localhost:8765")).status_code == 200
        assert (await browser.post("line", {"cut": True}, origin="https://evil.example")).status_code == 403
        assert (await browser.post("line", {"cut": True}, origin="http://127.0.0.1:8765")).status_code == 200

    play(tmp_path, scenario)


def test_every_answer_has_the_strict_headers(tmp_path: Path) -> None:
    async def scenario(_: FakeSite, browser: Browser) -> None:
        for answer in (await browser.get(""), await browser.get("nothing"), await browser.get("", token="wrong")):
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["cache-control"] == "no-store"

    play(tmp_path, scenario)


def test_methods_that_are_not_meant_are_405(tmp_path: Path) -> None:
    async def scenario(site: FakeSite, browser: Browser) -> None:
        assert (await browser.get("api/line")).status_code == 405
        assert (await browser.post("door", {})).status_code == 405
        assert site.done == []

    play(tmp_path, scenario)


def test_page_asks_nobody_else_and_has_nothing_inline(tmp_path: Path) -> None:
    html = (STATIC / "page.html").read_text(encoding="utf-8")
    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:|https?://", html) == []
    assert re.findall(r"<script[^>]*>([^<]*)</script>", html) == [""]
    assets = re.findall(r'(?:src|href)="([^"#]+)"', html)
    assert set(assets) < set(FILES.values())
    modules = {path.name for path in STATIC.glob("*.js")}
    imported = {name for path in STATIC.glob("*.js") for name in re.findall(r'from "\./([^"]+)"', path.read_text())}
    assert modules == imported | {"page.js"}
    assert sorted(FILES.values()) == sorted(path.name for path in STATIC.iterdir())

    async def scenario(_: FakeSite, browser: Browser) -> None:
        kinds = {
            name: (await browser.get(name)).headers["content-type"].partition(";")[0]
            for name in FILES.values()
            if name != "page.html"
        }
        suffixes = {"svg": "image/svg+xml", "css": "text/css", "js": "text/javascript"}
        assert kinds == {name: suffixes[name.rpartition(".")[2]] for name in kinds}

    play(tmp_path, scenario)


# What is refused


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("door/front/card", {}),
        ("door/front/card", {"card": ""}),
        ("door/front/card", {"card": 3456}),
        ("door/front/card", {"card": "ana-lopez", "more": 1}),
        ("door/front/keys", {"keys": ""}),
        ("door/front/keys", {"keys": "12345678901234567"}),
        ("door/front/keys", {"keys": "12a4"}),
        ("door/front/keys", {"keys": "12\n"}),
        ("door/front/leaf", {"move": "ajar"}),
        ("door/front/tamper", {"torn": "yes"}),
        ("door/front/rex", {"pressed": True}),
        ("line", {"cut": 1}),
        ("line", b""),
        ("line", b"[" * 900),
        ("line", b'{"cut": true} {"cut": false}'),
        ("line", b"\xff\xfe"),
        ("doord/kill", []),
        ("alarms/1/ack", {"who": ""}),
        ("alarms/1/ack", {"who": "x" * 61}),
    ],
)
def test_a_body_of_another_form_is_400_and_nothing_is_done(tmp_path: Path, path: str, body: object) -> None:
    async def scenario(site: FakeSite, browser: Browser) -> None:
        site.console.alarms.append(ALARM)
        answer = await browser.post(path, body)
        assert answer.status_code == 400
        assert list(answer.json()) == ["error", "hint"]
        assert CODE not in answer.text
        assert (site.done, site.inputs, site.console.posted) == ([], [], [])

    play(tmp_path, scenario)


def test_a_form_or_a_large_body_is_refused(tmp_path: Path) -> None:
    async def scenario(site: FakeSite, browser: Browser) -> None:
        assert (await browser.post("line", {"cut": True}, content_type="text/plain")).status_code == 415
        assert (await browser.post("line", b'{"cut": true' + b" " * 1024 + b"}")).status_code == 413
        assert site.done == []

    play(tmp_path, scenario)


def test_unknown_doors_cards_and_alarms_are_said(tmp_path: Path) -> None:
    async def scenario(_: FakeSite, browser: Browser) -> None:
        assert (await browser.post("door/cellar/rex", {})).status_code == 404
        assert (await browser.post("door/front/card", {"card": "nobody"})).status_code == 404
        assert (await browser.post("door/front/card", {"card": "ben-okafor"})).status_code == 404  # he has none
        assert (await browser.post("alarms/9/ack", {"who": "me"})).json() == {"error": "no such alarm", "hint": None}
        assert (await browser.post("door/office/tamper", {"torn": True})).json() == {
            "error": "office has no tamper switch",
            "hint": "doorctl.toml says what is wired at a door",
        }

    play(tmp_path, scenario)


# What hands do


def test_card_and_keys_arrive_at_the_reader_in_order(tmp_path: Path) -> None:
    async def scenario(site: FakeSite, browser: Browser) -> None:
        reader = site.pins[0].readers[0][1]
        await until(lambda: reader.counters()["armed"])
        requests: list[tuple[str, dict[str, Any]]] = [("card", {"card": "ana-lopez"}), ("keys", {"keys": "4"})]
        requests += [("keys", {"keys": "82"}), ("keys", {"keys": "#"}), ("card", {"card": UNKNOWN_CARD})]
        answers = [await browser.post(f"door/front/{what}", body) for what, body in requests]
        assert [answer.status_code for answer in answers] == [200] * 5

        def read() -> list[ReaderEvent]:
            return [event for event in site.events if not isinstance(event, ReaderArmed)]

        await until(lambda: len(read()) == 6)
        cards = [event.raw for event in read() if isinstance(event, CardBits)]
        keys = [event.key.value for event in read() if isinstance(event, KeyPressed)]
        assert [type(event) for event in read()] == [CardBits, *[KeyPressed] * 4, CardBits]
        assert (cards[0], keys) == (CARD.raw, ["4", "8", "2", "ENTER"])
        assert cards[1] != CARD.raw

    play(tmp_path, scenario)


def test_somebody_who_types_without_end_is_told_so(tmp_path: Path) -> None:
    async def scenario(_: FakeSite, browser: Browser) -> None:
        answers = [await browser.post("door/office/keys", {"keys": "1" * 16}) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 409, 409]

    play(tmp_path, scenario)


def test_a_leaf_opens_only_when_it_can_or_by_force(tmp_path: Path) -> None:
    async def scenario(site: FakeSite, browser: Browser) -> None:
        async def move(what: str) -> int:
            return (await browser.post("door/front/leaf", {"move": what})).status_code

        def shut() -> bool:
            return not site.door.doors["front"].open

        assert await move("close") == 200  # a made-up contact's wire floats high, which is open
        assert (await move("open"), shut()) == (409, True)
        site.pins[0].strike.release()
        await until(lambda: site.door.doors["front"].released)
        assert (await move("open"), shut()) == (200, False)
        site.pins[0].strike.secure()
        await until(lambda: not site.door.doors["front"].released)
        assert (await move("open"), shut()) == (200, False)  # it stands open already
        assert (await move("close"), shut()) == (200, True)
        assert (await move("force"), shut()) == (200, False)
        await until(
            lambda: site.inputs == [("front contact", False), *[("front contact", o) for o in (True, False, True)]]
        )

    play(tmp_path, scenario)


def test_rex_is_pressed_and_let_go(tmp_path: Path) -> None:
    async def scenario(site: FakeSite, browser: Browser) -> None:
        assert (await browser.post("door/office/rex", {})).status_code == 200
        await until(lambda: site.inputs == [("office rex", True), ("office rex", False)])

    play(tmp_path, scenario)


def test_a_reader_is_torn_off_and_put_back(tmp_path: Path) -> None:
    async def scenario(site: FakeSite, browser: Browser) -> None:
        seen = []
        for torn in (False, True, False):
            assert (await browser.post("door/front/tamper", {"torn": torn})).status_code == 200
            seen.append(site.door.doors["front"].tampered)
        assert seen == [False, True, False]
        await until(lambda: site.inputs[-2:] == [("front tamper", True), ("front tamper", False)])

    play(tmp_path, scenario)


def test_without_a_board_hands_are_told_so(tmp_path: Path) -> None:
    async def scenario(site: FakeSite, browser: Browser) -> None:
        site.paths.mock_socket.unlink()
        answer = await browser.post("door/front/keys", {"keys": "1"})
        assert (answer.status_code, answer.json()["error"]) == (409, "doord does not run")

    play(tmp_path, scenario)


# What eyes see


def test_the_door_side_shows_wires_status_and_log(tmp_path: Path) -> None:
    async def scenario(site: FakeSite, browser: Browser) -> None:
        row = LogRow(
            wall=WallTime(1_750_000_000_000_000_000), event="access", door="front", reader="front",
            holder=HolderId("ana-lopez"), outcome=Outcome.DENIED, reason=Reason.OUTSIDE_SCHEDULE, count=2,
        )  # fmt: skip
        site.journal.append(
            [Entry(log=row), Entry(log=LogRow(wall=row.wall, event="door", door="office", detail="closed"))]
        )
        site.status = status(pending=3, state="released")
        site.pins[1].strike.release()
        indicator = site.pins[1].readers[0][2]
        assert indicator is not None
        indicator.light(Light.GRANTED)
        indicator.beep((10_000,))
        await until(lambda: site.door.board.pending == 3 and site.door.doors["office"].beep and len(site.door.log) == 2)
        seen = (await browser.get("api/door")).json()
        assert seen["board"] == {"running": True, "path": "connected", "pending": 3, "faults": []}
        office = {"name": "office", "released": True, "lamp": True, "beep": True, "open": True, "tampered": False}
        assert seen["doors"][1] == office | {"state": "released", "reader": "reading"}
        common = {"time": "15:06:40"}
        assert seen["log"] == [
            common | {"id": 1, "door": "front", "what": "denied", "who": "ana-lopez", "more": "outside schedule × 2"},
            common | {"id": 2, "door": "office", "what": "door", "who": "", "more": "closed"},
        ]
        indicator.close()

    play(tmp_path, scenario)


def test_when_doord_ends_its_wires_fall_back_and_it_says_so(tmp_path: Path) -> None:
    async def scenario(site: FakeSite, browser: Browser) -> None:
        site.pins[0].strike.release()
        await until(lambda: site.door.doors["front"].released)
        site.status = None
        site.pins[0].strike.close()  # what the kernel does for a killed process
        await until(lambda: not site.door.doors["front"].released and not site.door.board.running)
        assert (await browser.get("api/door")).json()["doors"][0]["state"] == ""

    play(tmp_path, scenario)


def test_only_the_people_list_knows_codes(tmp_path: Path) -> None:
    async def scenario(_: FakeSite, browser: Browser) -> None:
        people = (await browser.get("api/people")).json()["people"]
        assert people[0] == {
            "holder": "ana-lopez", "label": ANA.label, "card": True, "code": CODE, "duress_code": DURESS_CODE, "own": False,
        }  # fmt: skip
        assert [person["card"] for person in people] == [True, False]
        door = (await browser.get("api/door")).text
        assert not any(word in door for word in ("duress", CODE, DURESS_CODE, str(CARD.raw)))

    play(tmp_path, scenario)


# The monitor, and what can be broken


def test_alarms_come_and_are_acknowledged_at_the_monitor(tmp_path: Path) -> None:
    async def scenario(site: FakeSite, browser: Browser) -> None:
        site.console.alarms.append(ALARM)
        site.console.changed.set()
        await until(lambda: site.monitor.view.alarms == (ALARM,))
        answer = await browser.post("alarms/1/ack", {"who": "Ana at the desk"})
        assert (answer.status_code, answer.json()) == (200, ALARM | {"state": "acknowledged"})
        assert site.console.posted == [("/api/alarms/1/ack", {"who": "Ana at the desk"})]
        await until(lambda: site.monitor.view.alarms == (ALARM | {"state": "acknowledged"},))
        seen = (await browser.get("api/monitor")).json()
        assert seen["answering"] is True
        assert (seen["records"], seen["controllers"]) == (7, [{"health": "heard", "pending": 0}])

    play(tmp_path, scenario)


def test_alarms_are_asked_for_only_when_there_is_news(tmp_path: Path) -> None:
    async def scenario(site: FakeSite, _: Browser) -> None:
        assert site.console.looks == 1
        site.records += 1
        await until(lambda: site.monitor.view.records == site.records)
        assert site.console.looks == 1
        site.console.changed.set()
        await until(lambda: site.console.looks == 2)

    play(tmp_path, scenario)


def test_a_monitor_that_is_gone_keeps_its_last_alarms_on_show(tmp_path: Path) -> None:
    async def scenario(site: FakeSite, _: Browser) -> None:
        site.console.alarms.append(ALARM)
        site.console.changed.set()
        await until(lambda: site.monitor.view.alarms == (ALARM,))
        site.console.gone = True
        site.console.changed.set()
        await until(lambda: not site.monitor.view.answering)
        assert (site.monitor.view.alarms, site.monitor.view.records) == ((ALARM,), 7)

    play(tmp_path, scenario)


def test_line_and_doord_are_broken_and_mended(tmp_path: Path) -> None:
    async def scenario(site: FakeSite, browser: Browser) -> None:
        for cut, line in ((True, "cut"), (False, "whole")):
            assert (await browser.post("line", {"cut": cut})).status_code == 200
            assert (await browser.get("api/door")).json()["rig"]["line"] == line
        assert (await browser.post("doord/kill", {})).status_code == 200
        assert (await browser.post("doord/kill", {})).status_code == 409
        await until(lambda: site.rig.view.doord == "running")
        assert site.done == ["cut", "mend", "kill", "start"]

    play(tmp_path, scenario)


def test_a_doord_that_does_not_come_back_is_said_and_can_be_tried_again(tmp_path: Path) -> None:
    async def scenario(site: FakeSite, browser: Browser) -> None:
        site.start_says = "doord: no such luck\nand its last words"
        await browser.post("doord/kill", {})
        await until(lambda: site.rig.view.doord == "doord: no such luck")
        site.start_says = ""
        assert (await browser.post("doord/kill", {})).status_code == 200
        await until(lambda: site.rig.view.doord == "running")

    play(tmp_path, scenario)


def test_a_page_that_ends_starts_no_doord(tmp_path: Path) -> None:
    async def scenario(site: FakeSite, browser: Browser) -> None:
        site.rig.close()
        await browser.post("doord/kill", {})
        assert site.rig.rising is not None
        await site.rig.rising
        assert site.done == ["kill"]

    play(tmp_path, scenario)
