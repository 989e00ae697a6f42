import asyncio
import json
from pathlib import Path

import pytest

from doorctl.monitord.alarms.access import create_token, load_token
from doorctl.monitord.alarms.kinds import CATALOGUE, AlarmKind
from doorctl.monitord.alarms.screens import PAGES
from doorctl.monitord.alarms.store import Alarm
from tests.monitord.board import NOON
from tests.monitord.desk import BEARER, BOARD, TOKEN, Desk, play

ALARM = {
    "id": 1, "kind": "duress", "severity": "critical", "title": "Duress code",
    "means": CATALOGUE[AlarmKind.DURESS].means,
    "text": "Ana gave a duress code at front; the door released", "controller": BOARD.controller.hex(),
    "site": "harbour-st", "timezone": "Europe/Lisbon", "door": "front", "reader": "front", "person": "Ana", "event": "2026-09-21T14:13:20.000Z",
    "received": "2026-09-21T14:13:20.005Z", "raised": "2026-09-21T14:13:20.009Z", "standing": False, "ended": None,
    "state": "new", "acknowledged": None, "acknowledged_by": None,
}  # fmt: skip
ACKNOWLEDGED = ALARM | {"state": "acknowledged", "acknowledged": "2026-09-21T14:13:21.000Z", "acknowledged_by": "Cleo"}


LOOKS = (
    "/", "/now", "/past", "/past/part", "/alarms/1", "/alarms/1/part", "/api/alarms", "/api/alarms/1", "/api/past",
    "/api/controllers", "/api/events", "/events",
)  # fmt: skip


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}, {"cookie": f"doorctl-monitor={TOKEN}"}])
def test_nobody_looks_without_the_token(tmp_path: Path, headers: dict[str, str]) -> None:
    async def scenario(desk: Desk) -> None:
        desk.raise_alarm()
        answers = [await desk.client.get(target, headers=headers) for target in LOOKS]
        assert [answer.status_code for answer in answers] == [401] * len(LOOKS)
        assert not any("Ana" in answer.text for answer in answers)

    play(tmp_path, scenario)


def test_the_printed_address_becomes_a_cookie(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        assert (await desk.client.get("/?token=wrong")).status_code == 401
        answer = await desk.client.get(f"/?token={TOKEN}")
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"]
        assert TOKEN not in cookie
        assert {"HttpOnly", "SameSite=strict"} <= {part.strip() for part in cookie.split(";")}
        assert (await desk.client.get("/", headers=desk.browser)).status_code == 200

    play(tmp_path, scenario)


def test_the_page_is_calm_until_it_must_not_be(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        calm = (await desk.client.get("/", headers=desk.browser)).text
        assert "All quiet" in calm
        desk.raise_alarm(text="Ana <script>alert(1)</script>")
        page = (await desk.client.get("/", headers=desk.browser)).text
        assert "1 alarm to look at" in page
        assert 'class="alarm critical"' in page
        assert "Ana &lt;script&gt;" in page
        for word in ("harbour-st", "front", "2026-09-21T14:13:20.000Z"):
            assert word in page

    play(tmp_path, scenario)


def test_every_answer_keeps_strangers_out_of_the_page(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        for target in ("/", "/page.css", "/page.js", "/calm.svg", "/api/alarms", "/nowhere"):
            headers = (await desk.client.get(target, headers=desk.browser)).headers
            assert headers["content-security-policy"].startswith(
                "default-src 'none'; style-src 'self'; script-src 'self'"
            )
            assert headers["cache-control"] == "no-store"
            assert headers["referrer-policy"] == "no-referrer"

    play(tmp_path, scenario)


def test_pages_name_nothing_outside(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        desk.raise_alarm()
        for target in (
            "/",
            "/alarms/1",
            "/past",
            *(f"/{file.name}" for file in PAGES.iterdir() if file.suffix != ".html"),
        ):
            answer = await desk.client.get(target, headers=desk.browser)
            assert answer.status_code == 200
            text = answer.text.replace('xmlns="http://www.w3.org/2000/svg"', "")
            assert "://" not in text
            assert "style=" not in text
            assert "onclick" not in text

    play(tmp_path, scenario)


@pytest.mark.parametrize("body", ["[" * 4000, "&".join(f"a{n}=1" for n in range(20)), "no json"])
def test_a_stranger_s_body_is_not_even_read(tmp_path: Path, body: str) -> None:
    async def scenario(desk: Desk) -> None:
        desk.raise_alarm()
        for target in ("/alarms/1/ack", "/api/alarms/1/ack"):
            assert (await desk.client.post(target, content=body)).status_code == 401
        assert (await desk.client.post("/api/alarms/1/ack", content=body, headers=BEARER)).status_code == 400
        assert (await desk.client.post("/alarms/1/ack", content=body, headers=desk.browser)).status_code == 401

    play(tmp_path, scenario)


def test_a_number_that_no_alarm_can_have(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        number = "9" * 20
        assert (await desk.client.get(f"/api/alarms/{number}", headers=BEARER)).status_code == 404
        answer = await desk.client.post(f"/api/alarms/{number}/ack", json={"who": "Cleo"}, headers=BEARER)
        assert answer.status_code == 404

    play(tmp_path, scenario)


def test_a_browser_acknowledges_only_with_a_proof_from_our_page(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        desk.raise_alarm()
        target = "/alarms/1/ack"
        for form in ({}, {"proof": "wrong", "who": "Cleo"}):
            assert (await desk.client.post(target, data=form, headers=desk.browser)).status_code == 401
        page = (await desk.client.get("/", headers=desk.browser)).text
        proof = page.split('name="proof" value="')[1].split('"')[0]
        answer = await desk.client.post(target, data={"proof": proof, "who": "Cleo"}, headers=desk.browser)
        assert answer.status_code == 303
        assert (await desk.client.post(target, data={"proof": proof})).status_code == 401
        (alarm,) = (await desk.client.get("/api/alarms", headers=BEARER)).json()["alarms"]
        assert alarm == ACKNOWLEDGED
        assert "All quiet" in (await desk.client.get("/now", headers=desk.browser)).text

    play(tmp_path, scenario)


def test_an_alarm_raised_while_the_list_is_read_is_told_as_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever follows from the list's number must find there what the list does not have."""

    async def scenario(desk: Desk) -> None:
        desk.raise_alarm(1)
        read = desk.store.alarms

        def alarms(limit: int) -> list[Alarm]:
            found = read(limit)
            desk.raise_alarm(2)
            return found

        monkeypatch.setattr(desk.store, "alarms", alarms)
        listed = (await desk.client.get("/api/alarms", headers=BEARER)).json()
        assert [alarm["id"] for alarm in listed["alarms"]] == [1]
        assert [alarm.id for _, alarm in desk.store.changes_after(listed["change"], 10)] == [2]

    play(tmp_path, scenario)


def test_scripts_read_and_acknowledge(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        desk.raise_alarm()
        assert (await desk.client.get("/api/alarms", headers=BEARER)).json() == {
            "alarms": [ALARM], "change": 1, "open": 1, "notes": 0,
        }  # fmt: skip
        detail = (await desk.client.get("/api/alarms/1", headers=BEARER)).json()
        lines = [(line["side"], line["record"], line["person"], line["text"]) for line in detail.pop("timeline")]
        assert lines == [
            ("before", 1, "", "the controller started for the first time"),
            ("here", None, "", ALARM["text"]),
            ("since", 2, "Ana", "let in"),
        ]
        (before,), (since,) = detail.pop("before"), detail.pop("since")
        assert since == {
            "event": "2026-09-21T14:13:22.000Z", "received": "2026-09-21T14:13:22.000Z", "record": 2, "kind": "access",
            "door": "front", "reader": "front", "outcome": "granted", "reason": "matched", "count": 1, "person": "Ana",
            "text": "let in", "tone": "granted", "alarms": [],
        }  # fmt: skip
        assert (before["kind"], before["record"]) == ("start", 1)
        assert detail == ALARM | {"earlier": False, "later": False}
        answer = await desk.client.post("/api/alarms/1/ack", json={"who": "Cleo"}, headers=BEARER)
        assert answer.json() == ACKNOWLEDGED
        again = await desk.client.post("/api/alarms/1/ack", json={"who": "Dora"}, headers=BEARER)
        assert again.json() == ACKNOWLEDGED

    play(tmp_path, scenario)


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"[]", 400), (b'{"who": 3}', 400), (b'{"who": "' + b"x" * 9000 + b'"}', 400), (b'{"who": "a"}', 404)],
)
def test_odd_acknowledgements_are_refused(tmp_path: Path, body: bytes, status: int) -> None:
    async def scenario(desk: Desk) -> None:
        assert (await desk.client.post("/api/alarms/7/ack", content=body, headers=BEARER)).status_code == status

    play(tmp_path, scenario)


@pytest.mark.parametrize("limit", ["0", "1001", "x", "-1"])
def test_odd_limits_are_refused(tmp_path: Path, limit: str) -> None:
    async def scenario(desk: Desk) -> None:
        assert (await desk.client.get(f"/api/alarms?limit={limit}", headers=BEARER)).status_code == 400

    play(tmp_path, scenario)


def test_controllers_and_their_health(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        assert (await desk.client.get("/api/controllers", headers=BEARER)).json() == {
            "controllers": [
                {
                    "controller": BOARD.controller.hex(), "site": "harbour-st",
                    "timezone": "Europe/Lisbon", "simulated": False, "health": "heard",
                    "last_supervision": "2026-09-21T14:13:20.000Z", "pending": 3, "roster_generation": 2, "path": "up",
                    "clock": "right", "storage": "well", "backlog": "flows", "records": "whole", "colocated": False,
                    "lasting": 0, "troubles": [],
                }
            ]
        }  # fmt: skip

    play(tmp_path, scenario)


def test_looking_is_logged(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        desk.raise_alarm()
        await desk.client.get("/", headers=desk.browser)
        await desk.client.get("/api/alarms", headers=BEARER)
        await desk.client.get("/alarms/1", headers=desk.browser)
        with desk.store._engine.begin() as connection:
            looks = connection.exec_driver_sql("SELECT who, what FROM looks ORDER BY id").all()
        assert [tuple(look) for look in looks] == [("browser", "page"), ("bearer", "alarms"), ("browser", "alarm 1")]

    play(tmp_path, scenario)


async def _events(desk: Desk, last: int, count: int) -> list[tuple[int, int, str]]:
    """(number, alarm, state) of the next changes after one."""
    found: list[tuple[int, int, str]] = []
    async for text in desk.console.streams.changes(last, lambda: True):
        fields = dict(line.split(": ", 1) for line in text.strip().splitlines() if not line.startswith(":"))
        if "data" in fields:
            alarm = json.loads(fields["data"])
            found.append((int(fields["id"]), alarm["id"], alarm["state"]))
        if len(found) >= count:
            break
    return found


def test_events_come_as_they_happen_and_resume_where_they_stopped(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        waiting = asyncio.ensure_future(_events(desk, 0, 1))
        await asyncio.sleep(0)
        desk.raise_alarm(1)
        assert await waiting == [(1, 1, "new")]
        desk.raise_alarm(2)
        desk.store.acknowledge(1, who="Cleo", now=NOON)
        assert await _events(desk, 1, 2) == [(2, 2, "new"), (3, 1, "acknowledged")]

    play(tmp_path, scenario)


def test_whoever_is_ahead_of_a_restored_monitor_starts_anew(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        desk.raise_alarm(1)
        stop = asyncio.get_running_loop().call_later(0.3, desk.bell.stop)
        answer = await desk.client.get("/api/events", headers=BEARER | {"last-event-id": "99"})
        stop.cancel()
        assert answer.text == "retry: 1000\nid: 1\nevent: reload\ndata: {}\n\n"

    play(tmp_path, scenario)


def test_events_over_http_resume_by_header(tmp_path: Path) -> None:
    async def scenario(desk: Desk) -> None:
        desk.raise_alarm(1)
        desk.raise_alarm(2)
        stop = asyncio.get_running_loop().call_later(0.3, desk.bell.stop)
        answer = await desk.client.get("/api/events", headers=BEARER | {"last-event-id": "1"})
        stop.cancel()
        assert answer.headers["content-type"].startswith("text/event-stream")
        ids = [line.removeprefix("id: ") for line in answer.text.splitlines() if line.startswith("id: ")]
        assert ids == ["1", "2"]

    play(tmp_path, scenario)


def test_a_token_file_is_made_once_and_read_strictly(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    create_token(keys, TOKEN)
    assert load_token(keys) == TOKEN
    assert (keys / "console.token").stat().st_mode & 0o777 == 0o600
    (keys / "console.token").write_text("short", encoding="ascii")
    with pytest.raises(Exception, match="expected at least 32 characters"):
        load_token(keys)
