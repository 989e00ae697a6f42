"""The page as a browser meets it: signing in and out, searching, and a stream that says when it is alive."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from doorctl.monitord.alarms import stream
from doorctl.monitord.alarms.stream import resume_from
from doorctl.seal.meaning import Meaning
from tests.monitord.board import new_row
from tests.monitord.desk import BEARER, BOARD, TOKEN, Desk, play, received, receiving
from tests.monitord.waiting import until
from tests.seal.sample import PUBLIC


def _always() -> bool:
    return True


async def _told(
    desk: Desk, after: int, count: int, may_look: Callable[[], bool] = _always
) -> list[tuple[str, str, Any]]:
    """(id, event, data) of what the page is told next."""
    found = []
    async for text in desk.console.streams.page(after, may_look):
        found.append(_event(text))
        if len(found) == count:
            break
    return found


def _event(text: str) -> tuple[str, str, Any]:
    fields = dict(line.split(": ", 1) for line in text.strip().splitlines())
    return fields.get("id", ""), fields["event"], json.loads(fields["data"])


def _beat(change: int, waiting: int, record: int = 2, notes: int = 0) -> tuple[str, str, Any]:
    worst = "critical" if waiting else ""
    return (
        str(change),
        "beat",
        {"now": "2026-09-21T14:13:21.000Z", "record": record, "open": waiting, "notes": notes, "worst": worst},
    )


def test_a_beat_comes_at_once_and_again_though_nothing_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(desk: Desk) -> None:
        assert await _told(desk, 0, 3) == [_beat(0, 0)] * 3

    monkeypatch.setattr(stream, "_LOOK_S", 0.01)
    monkeypatch.setattr(stream, "BEAT_S", 0.01)
    play(tmp_path, scenario)


def test_after_a_change_a_beat_tells_how_things_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(desk: Desk) -> None:
        listening = asyncio.ensure_future(_told(desk, 0, 3))
        await asyncio.sleep(0)
        desk.raise_alarm(1)
        told = await listening
        assert [(number, event) for number, event, _ in told if event == "alarm"] == [("1", "alarm")]
        assert _beat(1, 1) in told

    monkeypatch.setattr(stream, "_LOOK_S", 0.01)
    monkeypatch.setattr(stream, "BEAT_S", 0.05)
    play(tmp_path, scenario)


def test_a_new_record_is_told_so_that_a_timeline_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(desk: Desk) -> None:
        told = desk.console.streams.page(0, _always)
        assert _event(await anext(told)) == _beat(0, 0)
        with receiving(tmp_path) as ledger:
            ledger.store([received(BOARD.access(new_row("Ben", Meaning.NORMAL, monitor=PUBLIC)))])
        assert _event(await anext(told)) == _beat(0, 0, record=3)
        await told.aclose()  # type: ignore[attr-defined]  # it is a generator

    monkeypatch.setattr(stream, "_LOOK_S", 0.01)
    play(tmp_path, scenario)


@pytest.mark.parametrize("after", [0, 99])
def test_a_gap_too_wide_is_a_reload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Also where the number is of a monitor that was restored since."""

    async def scenario(desk: Desk) -> None:
        for number in range(3):
            desk.raise_alarm(number)
        told = await _told(desk, after, 2)
        assert told == [("3", "reload", {}), _beat(3, 3)]
        assert [event for _, event, _ in await _told(desk, 1, 3)] == ["alarm", "alarm", "beat"]

    monkeypatch.setattr(stream, "FAR", 2)
    play(tmp_path, scenario)


def test_who_is_signed_out_hears_that_and_nothing_more(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        assert await _told(desk, 0, 2, lambda: False) == [("", "out", {})]

    play(tmp_path, scenario)


@pytest.mark.parametrize(("path", "farewells"), [("/events", 1), ("/api/events", 0)])
def test_a_stream_ends_with_its_session_before_the_next_change(tmp_path: Path, path: str, farewells: int) -> None:
    async def scenario(desk: Desk) -> None:
        listening = asyncio.ensure_future(desk.client.get(path, headers=desk.browser))
        await until(lambda: desk.console.streams.listeners == 1)
        await _sign_out(desk)
        desk.raise_alarm(1)
        told = (await asyncio.wait_for(listening, 5)).text
        assert (told.count("event: alarm"), told.count("event: out")) == (0, farewells)
        assert desk.console.streams.listeners == 0

    play(tmp_path, scenario)


async def _sign_out(desk: Desk) -> None:
    page = (await desk.client.get("/", headers=desk.browser)).text
    proof = page.split('name="proof" value="')[1].split('"')[0]
    assert (await desk.client.post("/out", data={"proof": proof}, headers=desk.browser)).status_code == 200


@pytest.mark.parametrize(
    ("untrusted", "number"),
    [("7", 7), ("0", 0), ("", None), ("-1", None), ("x", None), ("9" * 30, None), ("٣", None)],
)
def test_a_number_to_resume_from(untrusted: str, number: int | None) -> None:
    assert resume_from(untrusted) == number


def test_signing_out_ends_this_session_alone(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        other = (await desk.client.get(f"/?token={TOKEN}")).headers["set-cookie"].partition(";")[0]
        desk.client.cookies.clear()
        assert other != desk.cookie
        page = (await desk.client.get("/", headers=desk.browser)).text
        proof = page.split('name="proof" value="')[1].split('"')[0]
        for headers, given in ((desk.browser, "wrong"), ({"cookie": other}, proof)):
            assert (await desk.client.post("/out", data={"proof": given}, headers=headers)).status_code == 401
        answer = await desk.client.post("/out", data={"proof": proof}, headers=desk.browser)
        assert answer.status_code == 200
        assert "Max-Age=0" in answer.headers["set-cookie"]
        assert (await desk.client.get("/", headers=desk.browser)).status_code == 401
        assert (await desk.client.get("/", headers={"cookie": other})).status_code == 200

    play(tmp_path, scenario)


def test_a_session_is_no_bearer_and_no_token(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        session = desk.cookie.partition("=")[2]
        assert (await desk.client.get("/api/alarms", headers={"authorization": f"Bearer {session}"})).status_code == 401
        assert (await desk.client.get(f"/?token={session}")).status_code == 401

    play(tmp_path, scenario)


def test_odd_proofs_are_refused_not_stumbled_over(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        desk.raise_alarm()
        body = b'{"who": "\\ud800Cleo\\u0000", "proof": "\\ud800"}'
        answer = await desk.client.post("/api/alarms/1/ack", content=body, headers=desk.browser)
        assert answer.status_code == 401
        answer = await desk.client.post("/api/alarms/1/ack", content=body, headers=BEARER)
        assert answer.json()["acknowledged_by"] == "Cleo"

    play(tmp_path, scenario)


def test_all_alarms_are_searched_and_paged(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        for number in range(101):
            desk.raise_alarm(number)
        page = (await desk.client.get("/past", params={"q": "ana", "state": "new"}, headers=desk.browser)).text
        assert "101 alarms found" in page
        assert page.count("data-alarm=") == 100
        older = page.split('id="older" href="')[1].split('"')[0].replace("&amp;", "&")
        assert older == "/past?q=ana&state=new&before=2"
        part = (await desk.client.get(older.replace("/past", "/past/part"), headers=desk.browser)).text
        assert (part.count("data-alarm="), "older" in part) == (1, False)
        found = (await desk.client.get("/api/past", headers=BEARER)).json()
        assert ([alarm["id"] for alarm in found["alarms"]], found["older"]) == (list(range(101, 1, -1)), 2)
        found = (await desk.client.get("/api/past?before=2", headers=BEARER)).json()
        assert ([alarm["id"] for alarm in found["alarms"]], found["older"]) == ([1], None)

    play(tmp_path, scenario)


def test_a_search_that_cannot_be_meant_says_what_and_shows_all(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        desk.raise_alarm()
        answer = await desk.client.get("/past?from=monday", headers=desk.browser)
        assert answer.status_code == 400
        assert "from: expected a day such as 2026-11-23" in answer.text
        assert 'data-alarm="1"' in answer.text
        for query in ("from=2300-01-01", "to=2262-04-11", "from=1677-01-01"):
            for path, headers in (("/past", desk.browser), ("/api/past", BEARER)):
                answer = await desk.client.get(f"{path}?{query}", headers=headers)
                assert answer.status_code == 400
                assert f"{query[: query.index('=')]}: expected a day from 1678 to 2262-04-10" in answer.text
        answer = await desk.client.get("/past?from=1678-01-01&to=2262-04-10", headers=desk.browser)
        assert (answer.status_code, answer.text.count("data-alarm=")) == (200, 1)
        answer = await desk.client.get("/api/past?kind=x", headers=BEARER)
        assert answer.status_code == 400
        assert answer.json()["error"].startswith("kind: expected one of ")

    play(tmp_path, scenario)


def test_one_alarm_with_before_and_since(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        desk.raise_alarm()
        for target in ("/alarms/1", "/alarms/1/part?before=3&since=x", f"/alarms/1?since={'9' * 40}"):
            page = (await desk.client.get(target, headers=desk.browser)).text
            assert 'data-alarm="1" data-kind="duress" data-state="new"' in page
            assert [page.count(side) for side in ('class="before', 'class="here', 'class="since')] == [1, 1, 1]
        for target in ("/alarms/7", f"/alarms/{'9' * 20}", f"/alarms/{'9' * 5000}", "/alarms/x", "/alarms/7/part"):
            assert (await desk.client.get(target, headers=desk.browser)).status_code == 404

    play(tmp_path, scenario)
