"""Starting and ending the simulation when a daemon will not: nothing stays, and what was wrong is said."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from doorctl.cli import sim_page
from doorctl.cli.sim_site import Daemon, SimError, SimSite, wait_for
from doorctl.paths import Paths

_STUBBORN = """\
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(60)
"""


class HalfSite:
    """A site whose doord never listens to SIGTERM, and whose start ends as a test says."""

    def __init__(self, folder: Path, ending: Callable[[], Any]) -> None:
        self._ending = ending
        paths = Paths.under(folder)
        self.monitor, self.doord, self.courier = (
            Daemon(name, ["stubborn"], paths, folder / name) for name in ("monitord", "doord", "courierd")
        )
        self.steps: list[str] = []

    def make(self) -> None:
        self.steps.append("make")

    def call_held_open_after(self, seconds: int) -> None:
        self.steps.append(f"held open after {seconds} s")

    def enrol(self, label: str, _: int) -> None:
        self.steps.append(label)

    def start_monitor(self) -> None:
        self.steps.append("monitord")

    def start_doord(self) -> None:
        self.doord.start()
        wait_for("its handlers", lambda: "ready" in self.doord.output(), self.doord)
        self._ending()


@pytest.fixture(autouse=True)
def _stubborn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stubborn.py").write_text(_STUBBORN, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(sim_page, "_END_WITHIN_S", 0.2)


def serve(site: HalfSite) -> int:
    before = [signal.getsignal(number) for number in sim_page.ENDING]
    try:
        return sim_page.serve(cast("SimSite", site), 0)
    finally:
        for number, handler in zip(sim_page.ENDING, before, strict=True):
            signal.signal(number, handler)
        site.doord.stop()


def test_a_start_that_fails_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        raise SimError("waited for the readers in vain")

    site = HalfSite(tmp_path, fail)
    with pytest.raises(SimError, match="waited for the readers in vain"):
        serve(site)
    assert site.steps == ["make", "held open after 15 s", "Ana Lopez", "Ben Okafor", "monitord"]
    assert not site.doord.alive()


@pytest.mark.parametrize("number", sim_page.ENDING)
def test_a_signal_in_a_start_that_hangs_ends_it_with_0(
    tmp_path: Path, number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    def hang() -> None:
        os.kill(os.getpid(), number)
        wait_for("what never comes", threading.Event().is_set, site.doord)

    site = HalfSite(tmp_path, hang)
    assert serve(site) == 0
    assert not site.doord.alive()
    assert "courierd" not in capsys.readouterr().out  # what was not begun was not begun any more
