"""What people ask of a running door: each act recorded with who asked, before it is carried out."""

import asyncio
import json
import os
from typing import Any

import pytest

from doorctl.config.digest import config_digest
from doorctl.core.types import MS, SECOND
from doorctl.doord.answer import COMMIT_ALLOWANCE
from doorctl.doord.control import Caller, Right
from doorctl.errors import MalformedError, OperatorError, StorageError
from doorctl.wire.detail import Act, OperatorDetail, TestDetail
from doorctl.wire.handoff import Type
from doorctl.wire.record import Kind
from tests.doord.conftest import Play
from tests.doord.house import ROOT, House
from tests.doord.site import LAMPS, RELEASED, STRIKES, a_card


def bodies(house: House, kind: Kind) -> list[Any]:
    return [body for body in (house.monitor.open(record)[1] for record in house.courier.records()) if body.kind is kind]


async def refused(house: House, operation: str, **request: Any) -> str:
    with pytest.raises((OperatorError, MalformedError)) as error:
        await house.ask(operation, **request)
    return str(error.value)


def test_unlock_releases_for_the_usual_time_after_its_record(play: Play) -> None:
    async def story(house: House) -> None:
        asked = house.now
        answer = await house.doord.operations.unlock(Caller(uid=1234, rights=frozenset(Right)), {"door": "front"})
        assert answer == {"door": "front", "seconds": 5.0}
        await house.wait(8)
        moves = [(level, at - asked) for _, level, at in house.outputs(STRIKES["front"]) if at >= asked]
        assert moves == [(True, COMMIT_ALLOWANCE), (False, COMMIT_ALLOWANCE + 5 * SECOND)]
        (body,) = bodies(house, Kind.OPERATOR)
        assert (body.door, OperatorDetail.parse(body.detail)) == ("front", OperatorDetail(act=Act.UNLOCK, uid=1234))
        row = next(row for row in house.log() if row.event == "operator")
        assert (row.door, row.detail) == ("front", "unlock front, by uid 1234")

    play(story)


def test_unlock_for_seconds_holds_and_locks_again(play: Play) -> None:
    async def story(house: House) -> None:
        assert await house.ask("unlock", door="side", seconds=20) == {"door": "side", "seconds": 20}
        await house.wait(10)
        assert (await house.status())["doors"][2]["state"] == "unlocked"
        assert await house.ask("unlock", door="side", seconds=15.5) == {"door": "side", "seconds": 15.5}
        await house.wait(15)
        assert house.released("side"), "the later order counts"
        await house.wait(1)
        assert not house.released("side")

    play(story)


def test_an_unlock_of_one_moment_does_not_end_a_held_one(play: Play) -> None:
    async def story(house: House) -> None:
        await house.ask("unlock", door="office", seconds=60)
        await house.ask("unlock", door="office")
        await house.wait(30)
        assert house.released("office")
        await house.wait(31)
        assert not house.released("office")

    play(story)


@pytest.mark.parametrize("seconds", [0, -1, 3601, True, "5", float("nan"), float("inf"), 10**400])
def test_seconds_that_make_no_sense_move_nothing(play: Play, seconds: Any) -> None:
    async def story(house: House) -> None:
        assert "expected seconds from 0 to 3600" in await refused(house, "unlock", door="front", seconds=seconds)
        await house.wait(1)
        assert house.releases("front") == []
        assert bodies(house, Kind.OPERATOR) == []

    play(story)


@pytest.mark.parametrize(
    ("operation", "request_", "words"),
    [
        ("unlock", {"door": "frnot"}, "there is no door 'frnot'"),
        ("unlock", {}, "there is no door None"),
        ("unlock", {"door": "front", "code": "1"}, "control: unknown member 'code'"),
        ("status", {"all": 1}, "control: unknown member 'all'"),
        ("lockdown", {}, "lockdown: expected on to be true or false"),
        ("lockdown", {"on": 1}, "lockdown: expected on to be true or false"),
        ("lockdown", {"on": True, "door": "front"}, "control: unknown member 'door'"),
        ("test-alarm", {"wait_s": 0}, "control: expected wait_s from 0 to 120"),
        ("test-alarm", {"wait_s": 121}, "control: expected wait_s from 0 to 120"),
        ("test-alarm", {"wait_s": True}, "control: expected wait_s from 0 to 120"),
        ("test-alarm", {"wait_s": float("nan")}, "control: expected wait_s from 0 to 120"),
        ("test-alarm", {"wait_s": "1"}, "control: expected wait_s from 0 to 120"),
        ("next-card", {"door": "cellar"}, "there is no reader at 'cellar'"),
        ("next-card", {"door": "front", "wait_s": -1}, "control: expected wait_s from 0 to 120"),
    ],
)
def test_what_cannot_be_asked_is_refused(play: Play, operation: str, request_: dict[str, Any], words: str) -> None:
    async def story(house: House) -> None:
        assert words in await refused(house, operation, **request_)
        assert bodies(house, Kind.OPERATOR) == []
        assert not house.doord.lockdown.is_set()

    play(story)


def test_lockdown_refuses_everybody_but_the_way_out_and_survives_a_restart(play: Play) -> None:
    async def story(house: House) -> None:
        ana = house.site.people["ana"]
        await house.ask("unlock", door="front", seconds=600)
        assert await house.ask("lockdown", on=True) == {"lockdown": True}
        assert not house.released("front"), "a held unlock ends"
        await house.enter("front", ana.card, ana.code)
        await house.wait(1)
        assert len(house.releases("front")) == 1
        assert "lockdown is on" in await refused(house, "unlock", door="front")
        await house.rex("front")
        assert house.released("front")
        await house.restart()
        await house.armed()
        assert (await house.status())["lockdown"]
        await house.enter("office", None, ana.code)
        await house.wait(1)
        assert house.releases("office") == []
        assert await house.ask("lockdown", on=False) == {"lockdown": False}
        await house.enter("office", None, ana.code)
        await house.wait(1)
        assert house.released("office")
        await house.restart()
        assert not (await house.status())["lockdown"]

    play(story)


def test_lockdown_is_carried_out_at_once_and_recorded(play: Play) -> None:
    async def story(house: House) -> None:
        await house.ask("unlock", door="front", seconds=600)
        asked = house.now
        await house.ask("lockdown", on=True)
        await house.ask("lockdown", on=True)
        await house.ask("lockdown", on=False)
        (secured,) = (at for _, level, at in house.outputs(STRIKES["front"]) if level is False and at >= asked)
        assert secured == asked, "a lockdown waits for no disk"
        acts = [OperatorDetail.parse(body.detail).act for body in bodies(house, Kind.OPERATOR)]
        assert acts == [Act.UNLOCK, Act.LOCKDOWN, Act.LOCKDOWN, Act.RESTORE]

    play(story)


def test_a_lockdown_that_comes_while_an_unlock_is_recorded_wins(play: Play) -> None:
    async def story(house: House) -> None:
        for request in ({"door": "front", "seconds": 60}, {"door": "front"}):
            unlock = asyncio.ensure_future(house.ask("unlock", **request))
            await house.wait(0.02)
            await house.ask("lockdown", on=True)
            with pytest.raises(OperatorError, match="lockdown is on"):
                await unlock
            await house.ask("lockdown", on=False)
        assert house.releases("front") == []

    play(story)


def test_a_lockdown_that_no_disk_takes_is_carried_out_and_said(play: Play) -> None:
    async def story(house: House) -> None:
        house.loop.threads["journal"].disk_takes_nothing = True
        mark = house.doord.lockdown._path
        mark.with_name("lockdown").mkdir()  # a folder in the mark's place cannot be opened for writing
        with pytest.raises(StorageError) as error:
            await house.ask("lockdown", on=True)
        assert error.value.hint == "the order is carried out, and a restart would forget it"
        assert {door["state"] for door in (await house.status())["doors"]} == {"locked down"}
        house.loop.threads["journal"].disk_takes_nothing = False
        mark.rmdir()
        await house.ask("lockdown", on=False)

    play(story)


def test_a_path_test_waits_for_its_receipt(play: Play) -> None:
    async def story(house: House) -> None:
        answer = await house.ask("test-alarm")
        (body,) = bodies(house, Kind.TEST)
        number = TestDetail.parse(body.detail).nonce.hex()[:8]
        assert (answer["number"], answer["receipted"]) == (number, True)
        assert 0 < answer["milliseconds"] <= 110, "a commit, and at most two of the monitor's ticks"
        assert house.log()[-1].detail == f"{number} by uid 0"
        house.courier.receipts = False
        begun = house.now
        assert not (await house.ask("test-alarm", wait_s=2))["receipted"]
        assert house.now - begun == 2 * SECOND
        assert house.doord.receipts._waiters == {}

    play(story)


def test_the_next_card_is_told_to_who_enrols_and_opens_nothing(play: Play) -> None:
    async def story(house: House) -> None:
        ana = house.site.people["ana"]
        waiting = asyncio.ensure_future(house.ask("next-card", door="side"))
        await house.wait(0.1)
        house.keys("side", ana.code)
        await house.wait(1)
        await house.enter("side", ana.card, None)
        assert await waiting == {"reader": "side", "length": 26, "raw": str(ana.card.raw)}
        await house.wait(1)
        assert house.releases("side") == []
        assert [row for row in house.log() if row.event == "access"] == []
        lamp = [(level, at) for _, level, at in house.outputs(LAMPS["side"])]
        assert lamp[-1][0] is False
        await house.enter("side", ana.card, None)
        await house.wait(1)
        assert house.releases("side") != []

    play(story)


def test_no_card_in_time_is_told(play: Play) -> None:
    async def story(house: House) -> None:
        begun = house.now
        assert await refused(house, "next-card", door="front", wait_s=3) == "front: no card was shown in time"
        assert house.now - begun == 3 * SECOND

    play(story)


def test_two_cannot_wait_at_one_reader(play: Play) -> None:
    async def story(house: House) -> None:
        first = asyncio.ensure_future(house.ask("next-card", door="front"))
        await house.wait(0.1)
        assert "somebody else waits for a card here" in await refused(house, "next-card", door="front")
        card = a_card(4242)
        house.card("front", card)
        assert (await first)["raw"] == str(card.raw)

    play(story)


def test_who_hung_up_waits_no_longer(play: Play) -> None:
    async def story(house: House) -> None:
        caller = Caller(uid=0, rights=ROOT.rights, gone=lambda: house.now > gone_at)
        gone_at = house.now + SECOND
        with pytest.raises(OperatorError, match="no card was shown in time"):
            await house.doord.operations.next_card(caller, {"door": "side", "wait_s": 60})
        assert house.now - gone_at <= 500 * MS
        ana = house.site.people["ana"]
        await house.enter("side", ana.card, None)
        await house.wait(1)
        assert house.releases("side") != [], "the reader reads for the door again"

    play(story)


def test_status_tells_everything_and_no_secret(play: Play) -> None:
    async def story(house: House) -> None:
        ana = house.site.people["ana"]
        house.courier.say(Type.BACKLOG_WANTED, (9).to_bytes(2, "big"))  # the START came before the courier
        await house.enter("front", ana.card, ana.code)
        await house.wait(0.5)
        house.leaf("front", open_=True)
        await house.wait(0.5)
        status = await house.status()
        assert json.loads(json.dumps(status)) == status
        front = status.pop("doors")[0]
        reader = front.pop("readers")[0]
        assert front == {
            "name": "front", "state": "open", "lock": "secured", "leaf": "open", "released": False, "light": "idle",
        }  # fmt: skip
        assert (reader["name"], reader["state"], reader["counters"]["cards"], reader["dropped"]) == (
            "front",
            "reading",
            1,
            0,
        )
        link = house.doord.link.counters
        assert link.not_handed > 0
        assert status == {
            "site": "harbour-st",
            "controller": house.site.keys.controller.hex(),
            "keys": f"keys in {house.site.keys.kept_in}",
            "configuration": config_digest(house.config),
            "configuration_since": house.doord.reload.since // SECOND,
            "configuration_refused": None,
            "monitor": house.doord.site.monitor.fingerprint,
            "simulated": True,
            "colocated": False,
            "lockdown": False,
            "time_trusted": True,
            "spool": {
                "pending": 0, "waiting_for_disk": 0, "oldest": None, "epoch": house.recorder.epoch.hex(),
                "head": house.recorder.sequence, "refused_by_monitor": {}, "forged_receipts": 0,
                "receipts_for_nothing": 0, "wishes_cut": 0, "gave_way": 0, "nowhere": 0,
            },
            "path": {
                "state": "connected", "courier_connections": 1, "courier_strangers": 0, "courier_malformed": 0,
                "courier_not_read": 0, "courier_not_handed": link.not_handed, "courier_receipts": link.receipts, "courier_flooded": 0,
                "courier_shut_out": 0,
            },
            "control": {"refused": 0},
            "roster": {"holders": 7, "generation": 8},
            "answer_ms": {"card": 115, "code": 175, "late": 0},
            "faults": [],
        }  # fmt: skip

    play(story)


def test_the_operations_are_served_on_the_socket(play: Play) -> None:
    async def story(house: House) -> None:
        reader, writer = await asyncio.open_unix_connection(house.paths.control_socket)
        writer.write(b'{"op":"unlock","door":"office"}\n')
        assert json.loads(await reader.readline()) == {"ok": True, "door": "office", "seconds": 2.0}
        assert house.released("office") is RELEASED["office"]
        writer.write(b'{"op":"status"}\n')
        assert json.loads(await reader.readline())["ok"]
        writer.write(b"nonsense\n")
        assert not json.loads(await reader.readline())["ok"]
        assert (await house.status())["control"] == {"refused": 1}
        assert house.log()[-1].detail == f"unlock office, by uid {os.geteuid()}"
        writer.close()
        await writer.wait_closed()
        await house.wait(0.1)

    play(story)
