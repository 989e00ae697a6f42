"""`wire-test` under a shell on a terminal, over lines that keep their last level: nothing there leaves a strike released."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import pytest

from tests.cli.board import TAKE_TERMINAL
from tests.doord.metal import PATIENCE_S, Metal

pytestmark = pytest.mark.system
LABEL = "pinctrl-bcm2711"
CTRL_Z, CTRL_BACKSLASH, CTRL_S, CTRL_Q = "\x1a", "\x1c", "\x13", "\x11"
STRIKE = 17


class Shell:
    """sh with job control; a context manager."""

    def __init__(self, metal: Metal) -> None:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-c", TAKE_TERMINAL, str(slave), "/bin/sh", "-i"], cwd=metal.folder / "cwd",
            env=metal.environment(PS1="$ ", ENV=""), stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True, pass_fds=(slave,),
        )  # fmt: skip
        os.close(slave)
        self.seen = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._master)  # a terminal that goes away ends what is left on it
        self._process.wait(PATIENCE_S)

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def wait_for(self, words: str) -> None:
        """Read until it shows the words; what was shown before is forgotten then."""
        deadline = time.monotonic() + PATIENCE_S
        while words not in self.seen:
            assert time.monotonic() < deadline, self.seen
            if select.select([self._master], [], [], 0.2)[0]:
                self.seen += os.read(self._master, 65536).decode()
        self.seen = self.seen.partition(words)[2]

    def signal_job(self, *numbers: signal.Signals) -> None:
        """To whoever has the terminal."""
        for number in numbers:
            os.killpg(os.tcgetpgrp(self._master), number)


@pytest.fixture
def metal(folder: Path) -> Metal:
    made = Metal(folder, {0: LABEL})
    made.enrolled(LABEL)
    return made


def until_last(metal: Metal, *levels: str) -> None:
    """The strike's line is at the last of them, having been at each."""
    deadline = time.monotonic() + PATIENCE_S
    while [level for level in metal.history(STRIKE) if level != "input"][: len(levels)] != list(levels):
        assert time.monotonic() < deadline, metal.history(STRIKE)
        time.sleep(0.01)


def release(shell: Shell, metal: Metal) -> None:
    """A person at the door says yes."""
    shell.wait_for("$ ")
    shell.type(f"{sys.executable} -m doorctl.cli.main --home {metal.home} wire-test front\n")
    shell.wait_for("[y/N] ")
    shell.type("y\n")
    until_last(metal, "0", "1")


def saw_it(shell: Shell) -> None:
    """It goes on as if nothing had been."""
    shell.wait_for("did the strike at front move? [y/N] ")
    shell.type("y\n")
    shell.wait_for("hold the card to the reader at front")


def test_a_pulse_ends_in_its_time_whatever_would_stop_the_process(metal: Metal) -> None:
    with Shell(metal) as shell:
        release(shell, metal)
        shell.type(CTRL_S)
        shell.signal_job(signal.SIGTTIN, signal.SIGTTOU)
        shell.type(CTRL_Z)
        until_last(metal, "0", "1", "0")  # and nobody has typed Ctrl-Q or fg
        shell.type(CTRL_Q)
        shell.wait_for("Stopped")
        shell.type("fg\n")
        shell.wait_for("strike at front: released and secured again")
        saw_it(shell)


def test_ctrl_backslash_secures_first_and_dumps_nothing(metal: Metal) -> None:
    with Shell(metal) as shell:
        release(shell, metal)
        shell.type(CTRL_BACKSLASH)
        until_last(metal, "0", "1", "0")
        shell.wait_for("$ ")
        shell.type('echo "ended $?"\n')
        shell.wait_for("ended 143")


def test_neither_doord_nor_its_helper_comes_between(metal: Metal) -> None:
    with Shell(metal) as shell:
        release(shell, metal)
        helper = metal.helper()
        assert (helper.returncode, helper.stderr.count("secured (")) == (0, 0)
        doord = subprocess.run(
            [sys.executable, "-m", "doorctl.doord", "--home", str(metal.home)], env=metal.environment(),
            cwd=metal.folder / "cwd", capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        assert doord.returncode == 1
        assert "in use by another doord or a wire-test" in doord.stderr
        saw_it(shell)
    levels = [level for level in metal.history(STRIKE) if level != "input"]
    assert levels[:3] == ["0", "1", "0"], "claimed once, released, secured"


def test_without_a_record_of_its_strikes_it_claims_none(metal: Metal) -> None:
    metal.paths.strikes.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "doorctl.cli.main", "--home", str(metal.home), "wire-test", "front", "--yes"],
        env=metal.environment(), cwd=metal.folder / "cwd", capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert (done.returncode, metal.history(STRIKE)) == (1, [])
    assert done.stderr == (
        f"doorctl: error: {metal.paths.strikes}: Is a directory, so nothing would secure a strike after a kill\n"
        "  hint: run it with sudo\n"
    )
