"""Chromium for the tests of this folder, and the site it looks at: one real `doorctl sim`, which is a few seconds' start.

Where the browser or axe-core cannot be had the tests skip and name what to install; with CI=true that is a failure.
Both end with this folder: Playwright keeps an event loop in the thread, which no other test must meet.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NoReturn

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.browser.simulation import Simulation, simulation

AXE = Path(__file__).parents[2] / ".venv/axe/node_modules/axe-core/axe.min.js"
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_HOW = "`make browser` as root on Debian installs it"
_WITHIN_MS = 10_000
expect.set_options(timeout=_WITHIN_MS)  # what is looked for is waited for like what is pressed


def lack(what: str, environ: Mapping[str, str] = os.environ) -> NoReturn:
    """Without it a test proves nothing: a skip for a person, a failure for the gate."""
    if environ.get("CI") == "true":
        pytest.fail(f"{what}, and CI=true; {_HOW}", pytrace=False)
    pytest.skip(f"{what}; {_HOW}")


def launch(playwright: Playwright, *arguments: str) -> Browser:
    """Debian's Chromium, headless; Playwright's own is never downloaded."""
    program = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if program is None:
        lack("no Chromium here")
    # root has no namespaces of its own to give to Chromium's sandbox; it sees nothing but our own pages
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=program, args=[*sandbox, *arguments])


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    started = launch(playwright)
    yield started
    started.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core's source."""
    if not AXE.exists():
        lack("no axe-core here")
    return AXE.read_text(encoding="utf-8")


@pytest.fixture(scope="package")
def sim() -> Iterator[Simulation]:
    """One site for all: each test leaves its doors closed and whole, and counts from what it finds."""
    # a short path: a socket's has 107 bytes at most
    with tempfile.TemporaryDirectory(prefix="dc-") as folder, simulation(Path(folder)) as started:
        yield started


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A laptop's window of somebody who wants no animations."""
    made = browser.new_context(viewport={"width": 1366, "height": 768}, reduced_motion="reduce")
    made.set_default_timeout(_WITHIN_MS)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """One tab, which must have nothing to complain of when the test is over."""
    made = context.new_page()
    troubles: list[str] = []
    made.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    yield made
    assert troubles == []
