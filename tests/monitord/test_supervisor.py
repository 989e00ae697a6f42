"""The two processes as an operator meets them: started, killed, stopped, misconfigured."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from doorctl.errors import OperatorError
from doorctl.monitord.settings import read_settings
from doorctl.monitord.supervisor import Supervisor, ports_path
from doorctl.paths import Paths
from tests.monitord.site import hasten, make_monitor, running
from tests.monitord.waiting import until

pytestmark = pytest.mark.system


def test_a_killed_child_comes_back_on_the_same_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hasten(monkeypatch)

    async def scenario() -> None:
        async with asyncio.timeout(60), running(tmp_path) as site:
            before = site.ports()
            for child in (site.supervisor.ingest, site.supervisor.alarms):
                site.kill(child)
            await until(lambda: site.ports()["ingest_pid"] != before["ingest_pid"])
            await until(lambda: site.ports()["alarms_pid"] != before["alarms_pid"])
            assert await site.alarms() == []
            after = site.ports()
            assert (after["ingest"], after["console"]) == (before["ingest"], before["console"])

    asyncio.run(scenario())


def test_what_cannot_start_is_said_at_once(tmp_path: Path) -> None:
    paths = make_monitor(tmp_path)
    (paths.monitor_keys / "receipt.key").unlink()

    async def scenario() -> None:
        supervisor = Supervisor(paths, str(tmp_path), read_settings(paths.monitor_config))
        with pytest.RaisesGroup(pytest.RaisesExc(OperatorError, match=r"doorctl\.monitord\.ingest did not start")):
            await supervisor.run(lambda: None)

    asyncio.run(scenario())
    assert not ports_path(paths).exists()


def test_an_address_in_use_is_said_at_once(tmp_path: Path) -> None:
    paths = make_monitor(tmp_path)
    settings = read_settings(paths.monitor_config)

    async def scenario() -> None:
        first = Supervisor(paths, str(tmp_path), settings)
        port = first.ingest.listener.getsockname()[1]
        text = paths.monitor_config.read_text(encoding="utf-8").replace('"127.0.0.1:0"', f'"127.0.0.1:{port}"', 1)
        paths.monitor_config.write_text(text, encoding="utf-8")
        with pytest.raises(OperatorError, match=r"monitord\.toml: ingest\.listen: cannot listen on"):
            Supervisor(paths, str(tmp_path), read_settings(paths.monitor_config))
        first.stop()
        await first.run(lambda: None)

    asyncio.run(scenario())


@contextmanager
def _command(home: Path) -> Iterator[subprocess.Popen[str]]:
    """`doorctl monitor run`, up and ready."""
    make_monitor(home)
    command = [sys.executable, "-m", "doorctl.cli.main", "--home", str(home), "monitor", "run"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _line(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline()


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    return status.rpartition(")")[2].split()[0] == "Z"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_stops_cleanly_and_shows_no_key(tmp_path: Path, number: signal.Signals) -> None:
    with _command(tmp_path) as process:
        told = _line(process.stdout)
        assert told.startswith("alarms: http://127.0.0.1:")
        key = (tmp_path / "monitor/var/keys/console.token").read_text(encoding="ascii").strip()
        assert key not in told
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out, err) == (0, "", "")


def test_children_do_not_outlive_a_killed_supervisor(tmp_path: Path) -> None:
    with _command(tmp_path) as process:
        _line(process.stdout)
        running_now = ports_path(Paths.under(tmp_path))
        pids = [pid for name, pid in _read(running_now).items() if name.endswith("_pid")]
        process.kill()
        deadline = time.monotonic() + 10
        while not all(_gone(pid) for pid in pids) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert [_gone(pid) for pid in pids] == [True, True]


def _read(path: Path) -> dict[str, int]:
    found: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize(
    ("module", "never"),
    [
        (
            "doorctl.monitord.ingest.__main__",
            ("doorctl.seal.meaning", "doorctl.monitord.alarms", "starlette", "jinja2"),
        ),
        ("doorctl.monitord.alarms.__main__", ("doorctl.monitord.ingest",)),
    ],
)
def test_a_process_loads_only_what_it_may(module: str, never: tuple[str, ...]) -> None:
    everywhere = ("hal", "gpiozero", "serial", "doorctl.roster", "doorctl.journal", "doorctl.doord", "doorctl.courierd",
                  "doorctl.cli")  # fmt: skip
    script = f"import sys, {module}; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    loaded = done.stdout.split()
    assert module in loaded
    wrong = [name for name in loaded if _is_of(name, (*everywhere, *never))]
    assert wrong == []


def _is_of(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)
