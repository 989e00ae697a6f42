import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from doorctl.courierd.__main__ import main
from doorctl.courierd.config import Address
from doorctl.paths import Paths
from doorctl.wire.handoff import PathState
from tests.courierd.lying_monitor import LyingMonitor, listening
from tests.courierd.process import ended, furnish, point, started
from tests.courierd.site import all_receipted, open_door, path_is

NOWHERE = Address(host="127.0.0.1", port=1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_carries_tells_systemd_and_stops_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    async def run() -> tuple[int, list[str]]:
        monitor = LyingMonitor(furnish(tmp_path, NOWHERE))
        async with open_door(Paths.under(tmp_path).run) as door, listening(monitor):
            point(tmp_path, monitor.address, monitor.certificates.monitor_der)
            process = await started(tmp_path)
            door.commit(1)
            await door.until(path_is(PathState.CONNECTED))
            await door.until(all_receipted)
            process.send_signal(number)
            status, lines = await ended(process)
            return status, [line.replace(str(monitor.address), "ADDRESS") for line in lines]

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd, pytest.MonkeyPatch.context() as patch:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(5)
        patch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        status, lines = asyncio.run(run())
        heard = [systemd.recv(1024).decode() for _ in range(4)]
    assert (status, lines) == (
        0,
        [
            "doorctl-courier: door connected",
            "doorctl-courier: monitor connected: ADDRESS",
            "doorctl-courier: stopped",
        ],
    )
    assert heard[0].startswith("READY=1\nSTATUS=monitor connecting, door absent")
    assert heard[2].startswith("STATUS=monitor connected, door connected")
    assert heard[3] == "STOPPING=1"


def test_what_only_people_can_mend_is_said_with_a_hint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = Paths.under(tmp_path).monitor_public
    assert main(["--home", str(tmp_path)]) == 1
    assert capsys.readouterr().err == (
        f"doorctl-courier: error: {path}: no such file\n  hint: this board is not paired with a monitor yet\n"
    )


@pytest.mark.parametrize("pace", ["9", "61", "x", "-30", "30.5"])
def test_a_pace_that_is_not_ours_is_refused(pace: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--supervision-s", pace])
    assert f'expected 10 to 60 seconds, got "{pace}"' in capsys.readouterr().err


def test_a_running_courier_has_loaded_nothing_it_must_not_reach() -> None:
    program = "import sys, doorctl.courierd.__main__; print(*sorted(sys.modules))"
    environment = {"PATH": os.environ["PATH"]}
    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, env=environment)
    loaded = set(shown.stdout.decode().split())
    ours = {name for name in loaded if name.split(".")[0] in ("doorctl", "hal")}
    assert ours == {
        "doorctl", "doorctl.core", "doorctl.core.types", "doorctl.errors", "doorctl.paths", "doorctl.sdnotify",
        "doorctl.courierd", "doorctl.courierd.__main__", "doorctl.courierd.alone", "doorctl.courierd.backlog",
        "doorctl.courierd.config", "doorctl.courierd.delivery", "doorctl.courierd.events", "doorctl.courierd.lines",
        "doorctl.courierd.runtime", "doorctl.courierd.schedule", "doorctl.courierd.tls", "doorctl.courierd.waiting",
        "doorctl.wire", "doorctl.wire.handoff", "doorctl.wire.http", "doorctl.wire.record", "doorctl.wire.sizes",
    }  # fmt: skip
    assert loaded.isdisjoint({"sqlite3", "cryptography", "gpiozero", "lgpio", "gpiod", "serial", "msgspec"})
