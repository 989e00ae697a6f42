"""A tab that slept catches up without a hole and without a repeat, on both pages, and never claims to be live when not.

Three sleeps: the browser froze the tab, the network was gone, and the worst one, a line that is open and silent.
"""

import os
import re
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from doorctl.cli.monitor_alarms import Client
from doorctl.cli.sim_network import Relay
from tests.browser.conftest import launch
from tests.browser.simulation import Simulation, wait_for

pytestmark = pytest.mark.browser

UNTRUE_MS = 45_000
"""For how long a silent line may pass for a live one at most; both pages are told something more often."""
AWAKE_MS = 15_000
"""The pages try again after longer and longer pauses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bed:
    """What there is to put to sleep."""

    browser: Browser
    page: Page
    line: Relay
    """Between the browser and who serves the page."""
    server: int
    """Process id of who serves the page."""


Sleep = Callable[[Bed], AbstractContextManager[None]]


@contextmanager
def stopped(pids: Iterable[int]) -> Iterator[None]:
    """Alive, and doing nothing at all."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def frozen(bed: Bed) -> Iterator[None]:
    """The tab stands still, as in a laptop that was shut. It wakes up with everything as it was, and claims nothing
    that it does not hold: the browser's own freezing leaves tabs that are driven alone, so its processes are stopped.
    """
    processes = bed.browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    with stopped([one["id"] for one in processes if one["type"] == "renderer"]):
        yield


@contextmanager
def cut(bed: Bed) -> Iterator[None]:
    """The connection is gone and no other can be had; the page must say so."""
    bed.line.cut()
    is_not_live(bed.page)
    yield
    bed.line.mend()


@contextmanager
def silent(bed: Bed) -> Iterator[None]:
    """Whoever serves the page stands still: the line is open and says nothing; the page must say so."""
    with stopped([bed.server]):
        is_not_live(bed.page)
        yield


def is_live(page: Page) -> None:
    expect(page.locator("body")).to_have_attribute("data-live", "live", timeout=AWAKE_MS)


def is_not_live(page: Page) -> None:
    expect(page.locator("body")).to_have_attribute("data-live", re.compile("late|lost"), timeout=UNTRUE_MS)


def console_pid(sim: Simulation) -> int:
    """Of the part of the monitor that serves its console."""
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = place.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if "doorctl.monitord.alarms" in words and str(sim.paths.var.parent) in words:
            return int(place.parent.name)
    raise AssertionError("the console does not run")


def shown(page: Page, attribute: str) -> list[str]:
    """Every element's value of it, in the order of the page."""
    found: list[str] = page.locator(f"[{attribute}]").evaluate_all(
        "(nodes, name) => nodes.map(node => node.getAttribute(name))", attribute
    )
    return found


def trouble(sim: Simulation, code: str) -> None:
    """Two alarms, and lines in the log."""
    sim.force("office")
    sim.enter("office", code)


Raised = dict[str, bool]
"""Alarm → whether somebody has to look at it, or it lasts: what the alarms page shows first."""


def alarms(sim: Simulation, at_least: int) -> Raised:
    """What the monitor has raised, once it is so many."""
    console = Client(sim.paths)

    def raised() -> Raised | None:
        found = console.get("/api/alarms")["alarms"]
        shown = {str(alarm["id"]): alarm["state"] == "new" or alarm["standing"] for alarm in found}
        return shown if len(shown) >= at_least else None

    return wait_for(raised)


def complete(page: Page, attribute: str, expected: set[str]) -> None:
    """Until the page shows them all; then each is there once."""
    wait_for(lambda: set(shown(page, attribute)) == expected, AWAKE_MS / 1000)
    assert sorted(shown(page, attribute)) == sorted(expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Both pages' servers behind lines that can be cut, and a browser that takes those lines."""

    browser: Browser
    sim: Relay
    console: Relay


@pytest.fixture(scope="module")
def lines(playwright: Playwright, sim: Simulation) -> Iterator[Lines]:
    """The addresses stay what they are: the browser's own resolver is told the detour."""
    ports = [urlsplit(address).port or 0 for address in (sim.address, sim.console)]
    with Relay(ports[0]) as one, Relay(ports[1]) as other:
        rules = ", ".join(
            f"MAP 127.0.0.1:{port} 127.0.0.1:{relay.port}" for port, relay in zip(ports, (one, other), strict=True)
        )
        browser = launch(playwright, f"--host-resolver-rules={rules}")
        yield Lines(browser=browser, sim=one, console=other)
        browser.close()


@pytest.fixture
def tab(lines: Lines) -> Iterator[Page]:
    context = lines.browser.new_context()
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("sleep", [frozen, cut, silent])
def test_the_simulators_page(lines: Lines, tab: Page, sim: Simulation, sleep: Sleep) -> None:
    code = sim.ask("people")["people"][0]["duress_code"]
    tab.goto(sim.address)
    is_live(tab)
    before = len(alarms(sim, 0))
    with sleep(Bed(browser=lines.browser, page=tab, line=lines.sim, server=sim.pid)):
        trouble(sim, code)
    raised = alarms(sim, before + 2)
    is_live(tab)
    complete(tab, "data-alarm", set(raised))
    complete(tab, "data-log-row", {str(line["id"]) for line in sim.ask("door")["log"]})


@pytest.mark.parametrize("sleep", [frozen, cut, silent])
def test_the_alarms_page(lines: Lines, tab: Page, sim: Simulation, sleep: Sleep) -> None:
    code = sim.ask("people")["people"][0]["duress_code"]
    tab.goto(sim.console)
    is_live(tab)
    before = len(alarms(sim, 0))
    with sleep(Bed(browser=lines.browser, page=tab, line=lines.console, server=console_pid(sim))):
        trouble(sim, code)
    raised = alarms(sim, before + 2)
    is_live(tab)
    complete(tab, "data-alarm", {alarm for alarm, shown in raised.items() if shown})
