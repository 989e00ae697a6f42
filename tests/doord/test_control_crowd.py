"""The control socket in a crowd: whoever comes, root and the daemon's own user get in."""

import asyncio
import json
import os
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from doorctl.doord import control
from doorctl.doord.control import MOST_CLIENTS, MOST_OF_OTHERS, Caller, Right
from tests.doord.test_control import Client, Door, client, serving
from tests.doord.virtual import VirtualLoop

NOBODY = Caller(uid=4_294_000, rights=frozenset())
OURSELVES = Caller(uid=os.geteuid(), rights=frozenset(Right))


def operator(number: int) -> Caller:
    return Caller(uid=4_294_001 + number, rights=frozenset({Right.READ}))


@pytest.fixture
def next_callers(monkeypatch: pytest.MonkeyPatch) -> "deque[Caller]":
    """Who connects next, in order; then the daemon's own user."""
    queue: deque[Caller] = deque()
    monkeypatch.setattr(control, "peer", lambda _: queue.popleft() if queue else OURSELVES)
    return queue


async def comes(path: Path, queue: "deque[Caller]", caller: Caller) -> Client:
    queue.append(caller)
    one = await client(path)
    await asyncio.sleep(0.01)
    return one


async def is_served(one: Client) -> bool:
    answer: Any = await one.ask(b'{"op":"echo"}')
    return bool(answer["ok"])


async def is_let_go(one: Client) -> bool:
    return await one.reader.read() == b""


def test_who_has_no_right_at_all_is_told_so_and_let_go(
    folder: Path, loop: VirtualLoop, next_callers: "deque[Caller]"
) -> None:
    async def story() -> None:
        door = Door()
        async with serving(folder, door) as (server, path):
            crowd = [await comes(path, next_callers, NOBODY) for _ in range(MOST_OF_OTHERS + 1)]
            begun = loop.now
            for one in crowd:
                told = await one.reader.read()
                assert json.loads(told) == {
                    "ok": False,
                    "error": "control: not allowed",
                    "hint": "members of groups doorctl-read, doorctl-operate, doorctl-enrol and root may",
                }
            assert loop.now == begun, "at once"
            assert server.refused == len(crowd)
            helpdesk = await comes(path, next_callers, operator(1))
            assert await is_served(helpdesk)
            assert len(door.asked) == 1
            for one in (*crowd, helpdesk):
                await one.hang_up()

    loop.run_until_complete(story())


def test_one_user_cannot_take_the_places_of_others(
    folder: Path, loop: VirtualLoop, next_callers: "deque[Caller]"
) -> None:
    async def story() -> None:
        async with serving(folder) as (server, path):
            crowd = [await comes(path, next_callers, operator(1)) for _ in range(MOST_CLIENTS)]
            late = await comes(path, next_callers, operator(1))
            assert await is_let_go(late)
            assert server.refused == 1
            other = await comes(path, next_callers, operator(2))
            assert await is_served(other)
            await crowd.pop().hang_up()
            again = await comes(path, next_callers, operator(1))
            assert await is_served(again)
            for one in (*crowd, late, other, again):
                await one.hang_up()

    loop.run_until_complete(story())


def test_all_others_together_leave_room_for_root_and_ourselves(
    folder: Path, loop: VirtualLoop, next_callers: "deque[Caller]", monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        async with serving(folder) as (server, path):
            crowd = [
                await comes(path, next_callers, operator(place // MOST_CLIENTS)) for place in range(MOST_OF_OTHERS)
            ]
            late = await comes(path, next_callers, operator(MOST_OF_OTHERS))
            assert await is_let_go(late)
            root = await comes(path, next_callers, Caller(uid=0, rights=frozenset(Right)))
            monkeypatch.setattr(os, "geteuid", lambda: 4_293_999)
            ourselves = await comes(path, next_callers, Caller(uid=4_293_999, rights=frozenset(Right)))
            assert await is_served(root)
            assert await is_served(ourselves)
            assert server.refused == 1
            for one in (*crowd, late, root, ourselves):
                await one.hang_up()
            new = await comes(path, next_callers, operator(1))
            assert await is_served(new)
            await new.hang_up()

    loop.run_until_complete(story())


def test_who_is_gone_before_being_known_disturbs_nobody(
    folder: Path, loop: VirtualLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_: object) -> Caller:
        raise OSError

    async def story() -> None:
        async with serving(folder) as (server, path):
            with monkeypatch.context() as patch:
                patch.setattr(control, "peer", gone)
                ghost = await client(path)
                assert await is_let_go(ghost)
            assert server.refused == 1
            person = await client(path)
            assert await is_served(person)
            await ghost.hang_up()
            await person.hang_up()

    loop.run_until_complete(story())
