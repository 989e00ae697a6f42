"""`doorctl monitor ack` against the real console: what the page's button does, from a terminal."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from doorctl.cli.main import main
from doorctl.cli.monitor_alarms import person
from doorctl.monitord.alarms.access import create_token
from doorctl.monitord.alarms.views import alarm_view
from doorctl.monitord.supervisor import ports_path
from doorctl.paths import Paths
from tests.monitord.desk import TOKEN, Desk, running
from tests.monitord.waiting import until

Scenario = Callable[[Desk], Coroutine[Any, Any, None]]


@asynccontextmanager
async def _served(desk: Desk, home: Path) -> AsyncIterator[None]:
    """The console on a port of its own, and a home that knows it."""
    paths = Paths.under(home)
    paths.monitor_keys.mkdir(parents=True, mode=0o700)
    create_token(paths.monitor_keys, TOKEN)
    server = uvicorn.Server(uvicorn.Config(desk.console.app(), port=0, log_level="error", lifespan="off"))
    serving = asyncio.ensure_future(server.serve())
    await until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    ports_path(paths).parent.mkdir(parents=True, exist_ok=True)
    ports_path(paths).write_text(json.dumps({"console": f"127.0.0.1:{port}"}), encoding="utf-8")
    try:
        yield
    finally:
        desk.bell.stop()
        server.should_exit = True
        await serving


def served_play(folder: Path, scenario: Scenario) -> None:
    async def whole() -> None:
        async with asyncio.timeout(20), running(folder) as desk, _served(desk, folder / "home"):
            for number in (1, 2, 3):
                desk.raise_alarm(number)
            await scenario(desk)

    asyncio.run(whole())


async def run_at(folder: Path, *words: str) -> int:
    return await asyncio.to_thread(main, ["--home", str(folder / "home"), "monitor", *words])


def _names(desk: Desk) -> dict[int, str | None]:
    return {alarm.id: alarm.acknowledged_by for alarm in desk.store.alarms(10)}


def test_several_are_acknowledged_and_the_live_page_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def scenario(desk: Desk) -> None:
        told = desk.console.streams.page(3, lambda: True)
        assert "event: beat" in await anext(told)
        assert await run_at(tmp_path, "ack", "3", "#1", "3", "--as", "Kim") == 0
        assert _names(desk) == {1: "Kim", 2: None, 3: "Kim"}
        changes = [await anext(told) for _ in range(2)]
        assert [json.loads(text.split("data: ")[1])["id"] for text in changes if "event: alarm" in text] == [3, 1]
        await told.aclose()  # type: ignore[attr-defined]  # it is a generator

    served_play(tmp_path, scenario)
    assert [line.partition(" ")[0] for line in capsys.readouterr().out.splitlines()] == ["#3", "#1"]


def test_the_first_name_stays_and_the_command_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def scenario(desk: Desk) -> None:
        assert await run_at(tmp_path, "ack", "1", "--as", "Kim") == 0
        capsys.readouterr()
        assert await run_at(tmp_path, "ack", "1", "2", "--as", "Lee") == 0
        assert _names(desk) == {1: "Kim", 2: "Lee", 3: None}

    served_play(tmp_path, scenario)
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("[acknowledged by Kim] (it was before, and the first name stays)")
    assert second.endswith("[acknowledged by Lee]")


def test_a_number_that_is_none_acknowledges_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def scenario(desk: Desk) -> None:
        assert await run_at(tmp_path, "ack", "1", "7") == 1
        assert _names(desk) == {1: None, 2: None, 3: None}

    served_play(tmp_path, scenario)
    problem, hint = capsys.readouterr().err.splitlines()
    assert problem.startswith("doorctl: error: alarm 7: 127.0.0.1:")
    assert problem.endswith(": no such alarm")
    assert hint == "  hint: `doorctl monitor alarms` shows the numbers"


def test_who_looks_is_told_how_to_acknowledge_while_something_waits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def scenario(desk: Desk) -> None:
        assert await run_at(tmp_path, "alarms") == 0
        *told, hint = capsys.readouterr().out.splitlines()
        assert hint == f"  hint: `doorctl monitor ack {told[0][1]}` says that somebody has seen it and acts"
        assert await run_at(tmp_path, "alarms", "--json") == 0
        assert "hint" not in capsys.readouterr().out
        assert await run_at(tmp_path, "ack", "1", "2", "3", "--as", "Kim") == 0
        assert await run_at(tmp_path, "alarms") == 0
        assert "hint" not in capsys.readouterr().out

    served_play(tmp_path, scenario)


def test_a_script_gets_what_the_console_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "kim")

    async def scenario(desk: Desk) -> None:
        assert await run_at(tmp_path, "ack", "2", "--json") == 0
        alarm = desk.store.alarm(2)
        assert alarm is not None
        assert json.loads(capsys.readouterr().out) == [alarm_view(alarm, desk.sources.controllers.trusted)]
        assert (alarm.acknowledged_by, alarm.acknowledged) == ("kim", desk.sources.clock())

    served_play(tmp_path, scenario)


@pytest.mark.parametrize("word", ["one", "-1", "٣", ""])
def test_what_is_no_number_is_wrong_usage(tmp_path: Path, word: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--home", str(tmp_path), "monitor", "ack", word])


def test_who_asks_sudo_is_still_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "root")
    assert person({"SUDO_USER": "kim"}) == "kim"
    assert person({}) == "root"
