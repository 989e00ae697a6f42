"""The control socket: who may ask what, and that nothing said there disturbs anybody else."""

import asyncio
import grp
import json
import os
import pwd
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from doorctl.doord import control
from doorctl.doord.control import (
    IDLE_S,
    LARGEST_REQUEST,
    MOST_CLIENTS,
    Answer,
    Caller,
    ControlServer,
    Right,
    parse_request,
    rights_of,
)
from doorctl.errors import MalformedError, OperatorError, StorageError
from tests.doord.virtual import VirtualLoop

SOMEBODY = 4_294_000


class Door:
    """Operations that do nothing but remember."""

    def __init__(self) -> None:
        self.asked: list[tuple[Caller, Mapping[str, Any]]] = []

    async def echo(self, caller: Caller, request: Mapping[str, Any]) -> Answer:
        self.asked.append((caller, request))
        return {"heard": dict(request)}

    async def refuse(self, _: Caller, __: Mapping[str, Any]) -> Answer:
        raise OperatorError("front: lockdown is on", hint="end it")

    async def fail(self, _: Caller, __: Mapping[str, Any]) -> Answer:
        raise StorageError("the disk is full")

    async def wait(self, caller: Caller, _: Mapping[str, Any]) -> Answer:
        while not caller.gone():  # noqa: ASYNC110  nobody tells: it is asked, as next-card asks it
            await asyncio.sleep(0.1)
        return {}

    def server(self, path: Path) -> ControlServer:
        return ControlServer(
            path,
            {
                "echo": (Right.READ, self.echo),
                "open": (Right.OPERATE, self.echo),
                "refuse": (Right.READ, self.refuse),
                "fail": (Right.READ, self.fail),
                "wait": (Right.READ, self.wait),
            },
        )


@asynccontextmanager
async def serving(folder: Path, door: Door | None = None) -> AsyncIterator[tuple[ControlServer, Path]]:
    path = folder / "control.sock"
    server = (door or Door()).server(path)
    await server.start()
    try:
        yield server, path
    finally:
        await server.close()


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, line: bytes) -> Any:
        self.writer.write(line + b"\n")
        return json.loads(await self.reader.readline())

    async def hang_up(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()
        await asyncio.sleep(0.1)


async def client(path: Path) -> Client:
    return Client(*await asyncio.open_unix_connection(path))


def test_requests_are_answered_in_turn(folder: Path, loop: VirtualLoop) -> None:
    async def story() -> None:
        door = Door()
        async with serving(folder, door) as (server, path):
            person = await client(path)
            assert await person.ask(b'{"op":"echo","a":1}') == {"ok": True, "heard": {"a": 1}}
            assert await person.ask(b'{"op":"open"}') == {"ok": True, "heard": {}}
            assert [caller.uid for caller, _ in door.asked] == [os.geteuid()] * 2
            assert server.refused == 0
            await person.hang_up()

    loop.run_until_complete(story())


BAD = {
    b"": "control: not a line of JSON",
    b"{": "control: not a line of JSON",
    b"\xff\xfe": "control: not a line of JSON",
    b"[" * 2000: "control: not a line of JSON",
    b"1" * 4000: 'control: expected an object with "op"',
    b"9" * 4095: 'control: expected an object with "op"',
    b"[]": 'control: expected an object with "op"',
    b'{"op":1}': 'control: expected an object with "op"',
    b'{"OP":"echo"}': 'control: expected an object with "op"',
    b'{"op":"echo","a":[]}': "control: members must be flat",
    b'{"op":"echo","a":{}}': "control: members must be flat",
    b'{"op":"nothing"}': "control: unknown operation 'nothing'",
}


def test_what_is_no_request_is_answered_and_counted(folder: Path, loop: VirtualLoop) -> None:
    async def story() -> None:
        door = Door()
        async with serving(folder, door) as (server, path):
            person = await client(path)
            for line, error in BAD.items():
                answer = await person.ask(line)
                assert (answer["ok"], answer["error"]) in ((False, error), (False, "control: not a line of JSON"))
            assert server.refused == len(BAD)
            assert (await person.ask(b'{"op":"echo"}'))["ok"], "and the next request is served"
            assert len(door.asked) == 1
            await person.hang_up()

    loop.run_until_complete(story())


def test_what_an_operation_refuses_is_told_with_its_hint(folder: Path, loop: VirtualLoop) -> None:
    async def story() -> None:
        async with serving(folder) as (server, path):
            person = await client(path)
            assert await person.ask(b'{"op":"refuse"}') == {
                "ok": False,
                "error": "front: lockdown is on",
                "hint": "end it",
            }
            assert await person.ask(b'{"op":"fail"}') == {"ok": False, "error": "the disk is full", "hint": None}
            assert server.refused == 2
            await person.hang_up()

    loop.run_until_complete(story())


@pytest.mark.parametrize("flood", [b"x" * (LARGEST_REQUEST + 1), b"x" * (8 * LARGEST_REQUEST) + b"\n"])
def test_a_line_without_end_ends_the_connection(folder: Path, loop: VirtualLoop, flood: bytes) -> None:
    async def story() -> None:
        async with serving(folder) as (server, path):
            chatterer, person = await client(path), await client(path)
            chatterer.writer.write(flood)
            assert await chatterer.reader.read() == b""
            assert server.refused == 1
            assert (await person.ask(b'{"op":"echo"}'))["ok"]
            await chatterer.hang_up()
            await person.hang_up()

    loop.run_until_complete(story())


def test_a_silent_client_is_let_go(folder: Path, loop: VirtualLoop) -> None:
    async def story() -> None:
        async with serving(folder) as (_, path):
            person = await client(path)
            begun = loop.now
            assert await person.reader.read() == b""
            assert loop.now - begun == IDLE_S * 1_000_000_000
            await person.hang_up()

    loop.run_until_complete(story())


def test_there_is_room_for_so_many_and_for_others_after_them(folder: Path, loop: VirtualLoop) -> None:
    async def story() -> None:
        async with serving(folder) as (_, path):
            crowd = [await client(path) for _ in range(MOST_CLIENTS)]
            assert all([(await one.ask(b'{"op":"echo"}'))["ok"] for one in crowd])
            late = await client(path)
            assert await late.reader.read() == b""
            await late.hang_up()
            await crowd[0].hang_up()
            next_ = await client(path)
            assert (await next_.ask(b'{"op":"echo"}'))["ok"]
            for one in (*crowd[1:], next_):
                await one.hang_up()

    loop.run_until_complete(story())


def test_an_operation_can_see_that_its_caller_is_gone(folder: Path, loop: VirtualLoop) -> None:
    async def story() -> None:
        async with serving(folder) as (_, path):
            person = await client(path)
            person.writer.write(b'{"op":"wait"}\n')
            await asyncio.sleep(1)
            assert len(asyncio.all_tasks()) == 2
            await person.hang_up()
            await asyncio.sleep(1)
            assert len(asyncio.all_tasks()) == 1

    loop.run_until_complete(story())


def test_anybody_may_connect_and_the_file_goes_with_the_server(folder: Path, loop: VirtualLoop) -> None:
    async def story() -> None:
        async with serving(folder) as (server, path):
            assert path.stat().st_mode & 0o777 == 0o666
            await server.close()
            assert not path.exists()
        stale = socket.socket(socket.AF_UNIX)
        stale.bind(str(folder / "control.sock"))
        stale.close()
        async with serving(folder) as (_, path):
            person = await client(path)
            assert (await person.ask(b'{"op":"echo"}'))["ok"]
            await person.hang_up()

    loop.run_until_complete(story())


def test_who_lacks_the_right_is_told_which_group_has_it(
    folder: Path, loop: VirtualLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "peer", lambda _: Caller(uid=SOMEBODY, rights=frozenset({Right.READ})))

    async def story() -> None:
        door = Door()
        async with serving(folder, door) as (server, path):
            person = await client(path)
            assert (await person.ask(b'{"op":"echo"}'))["ok"]
            assert await person.ask(b'{"op":"open"}') == {
                "ok": False, "error": "open: not allowed", "hint": "members of group doorctl-operate and root may",
            }  # fmt: skip
            assert len(door.asked) == 1
            assert server.refused == 1
            await person.hang_up()

    loop.run_until_complete(story())


def test_root_and_the_daemons_own_user_may_everything() -> None:
    assert rights_of(0, 0) == frozenset(Right)
    assert rights_of(os.geteuid(), 0) == frozenset(Right)


@pytest.mark.parametrize(
    ("member_of", "rights"),
    [
        ([], frozenset()),
        (["doorctl-read"], {Right.READ}),
        (["doorctl-operate", "doorctl-enrol"], {Right.OPERATE, Right.ENROL}),
        (["wheel"], frozenset()),
    ],
)
def test_groups_grant_rights(monkeypatch: pytest.MonkeyPatch, member_of: list[str], rights: set[Right]) -> None:
    numbers = {"doorctl-read": 901, "doorctl-operate": 902, "doorctl-enrol": 903, "wheel": 10}
    monkeypatch.setattr(os, "geteuid", lambda: 1)
    monkeypatch.setattr(grp, "getgrnam", lambda name: SimpleNamespace(gr_gid=numbers[name]))
    monkeypatch.setattr(pwd, "getpwuid", lambda _: SimpleNamespace(pw_name="somebody"))
    monkeypatch.setattr(os, "getgrouplist", lambda _, gid: [gid, *(numbers[name] for name in member_of)])
    assert rights_of(SOMEBODY, 100) == rights


def test_a_user_nobody_knows_has_its_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container's uid: no passwd line, and the group of the socket's peer still counts."""

    def unknown(_: object) -> Any:
        raise KeyError

    monkeypatch.setattr(os, "geteuid", lambda: 1)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setattr(grp, "getgrnam", lambda name: SimpleNamespace(gr_gid={"doorctl-read": 901}[name]))
    assert rights_of(SOMEBODY, 901) == {Right.READ}
    assert rights_of(SOMEBODY, 902) == frozenset()


def test_a_request_is_taken_apart() -> None:
    assert parse_request(b'{"op":"unlock","door":"front","seconds":1.5}') == (
        "unlock",
        {"door": "front", "seconds": 1.5},
    )
    with pytest.raises(MalformedError):
        parse_request(b'"unlock"')
