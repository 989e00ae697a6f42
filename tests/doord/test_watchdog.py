"""What hangs in a real doord, what systemd hears of it, and what the doors do; the test does what systemd would."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from doorctl.cli.ask import ask
from doorctl.core.types import SECOND
from doorctl.doord.pulse import STILL
from doorctl.doord.secure import HOLD_S
from doorctl.doord.upkeep import TICK_S
from tests.doord.metal import PATIENCE_S, ROOT, Metal, heard_until

pytestmark = pytest.mark.system
LABEL = "pinctrl-bcm2711"
WATCHED = {"WATCHDOG_USEC": "6000000"}


@pytest.fixture
def metal(folder: Path) -> Metal:
    metal = Metal(folder, {0: LABEL})
    metal.enrolled(LABEL)
    return metal


def killed_by_systemd(metal: Metal, doord: "subprocess.Popen[str]") -> None:
    """SIGABRT, as for a watchdog; then the helper; then both strikes are secured."""
    doord.send_signal(signal.SIGABRT)
    assert doord.wait(PATIENCE_S) == -signal.SIGABRT
    assert metal.helper("watchdog").returncode == 0
    assert (metal.history(17)[-1], metal.history(18)[-1]) == ("0", "0")


def test_by_the_units_times_a_new_one_starts_within_ten_seconds() -> None:
    lines = (ROOT / "systemd" / "doorctl.service").read_text().splitlines()
    unit = {key: int(value) for key, _, value in (line.partition("=") for line in lines) if value.isdecimal()}
    end = unit["TimeoutAbortSec"] + HOLD_S + unit["RestartSec"]
    assert unit["WatchdogSec"] + end < 10, "a loop that hangs"
    assert STILL / SECOND + 2 * TICK_S + end < 10, "a thread that hangs just after a look"
    assert unit["WatchdogSec"] > 3 * TICK_S, "and one that is only late is left alone"


@pytest.mark.parametrize(
    ("what", "said"),
    [("journal", "thread journal: stuck"), ("edges", "the thread of the gpio edges: stuck")],
)
def test_a_thread_that_hangs_is_told_to_systemd_at_once(metal: Metal, what: str, said: str) -> None:
    with metal.doord("-m", "tests.doord.stuck_process", what, **WATCHED) as (doord, ear):
        assert ask(metal.paths, "unlock", door="front", seconds=3600)["ok"]
        heard_until(ear, "WATCHDOG=1", doord)
        doord.send_signal(signal.SIGUSR1)
        heard_until(ear, "WATCHDOG=trigger", doord)
        killed_by_systemd(metal, doord)
        assert doord.stderr is not None
        assert f"doord: CRITICAL: {said}; doord is started again\n" in doord.stderr.read()


def test_a_loop_that_hangs_says_nothing_any_more(metal: Metal) -> None:
    with metal.doord("-m", "tests.doord.stuck_process", "loop", **WATCHED) as (doord, ear):
        assert ask(metal.paths, "unlock", door="front", seconds=3600)["ok"]
        heard_until(ear, "WATCHDOG=1", doord)
        doord.send_signal(signal.SIGUSR1)
        heard_until(ear, "STUCK=1", doord)
        time.sleep(0.3)  # three of its ticks would have come
        killed_by_systemd(metal, doord)
        ear.setblocking(False)
        with pytest.raises(BlockingIOError):
            ear.recv(1000)


def test_a_dead_reader_thread_ends_doord_in_order(metal: Metal) -> None:
    with metal.doord("-m", "tests.doord.stuck_process", "pipe", **WATCHED) as (doord, ear):
        assert ask(metal.paths, "unlock", door="front", seconds=3600)["ok"]
        heard_until(ear, "WATCHDOG=1", doord)
        doord.send_signal(signal.SIGUSR1)
        assert doord.wait(PATIENCE_S) == 1
        assert "WATCHDOG=trigger" not in heard_until(ear, "STOPPING=1", doord)
        assert doord.stderr is not None
        assert "doord: error: the gpio notification pipe ended\n" in doord.stderr.read()
    driven = [[said for said in metal.history(line) if said != "input"][-1] for line in (17, 18)]
    assert (driven, metal.history(17)[-1], metal.history(18)[-1]) == (["0", "0"], "input", "input")
    assert (metal.helper("exit-code").stderr, metal.history(17)[-1]) == ("", "input")


def test_a_disk_that_hangs_does_not_end_doord(metal: Metal) -> None:
    disk = metal.folder / "disk"
    os.mkfifo(disk)
    with metal.doord("-m", "tests.doord.stuck_process", "disk", **WATCHED, THE_DISK=str(disk)) as (doord, ear):
        doord.send_signal(signal.SIGUSR1)
        deadline = time.monotonic() + PATIENCE_S
        while "storage: the disk does not answer" not in ask(metal.paths, "status")["faults"]:
            assert time.monotonic() < deadline
            heard_until(ear, "WATCHDOG=1", doord)
        assert ask(metal.paths, "unlock", door="front")["ok"], "from memory"
        assert metal.history(17)[-1] == "1"
        assert "WATCHDOG=trigger" not in heard_until(ear, "WATCHDOG=1", doord)
        os.close(os.open(disk, os.O_WRONLY))
        while ask(metal.paths, "status")["faults"]:
            assert time.monotonic() < deadline
            heard_until(ear, "WATCHDOG=1", doord)
        doord.terminate()
        assert doord.wait(PATIENCE_S) == 0
