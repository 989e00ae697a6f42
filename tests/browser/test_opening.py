"""Both pages open in Chromium: they need nothing from outside, complain of nothing, and are live at once."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import ConsoleMessage, Page, Request, expect

from tests.browser.conftest import lack
from tests.browser.simulation import Simulation

pytestmark = pytest.mark.browser


def test_what_is_lacking_skips_for_a_person_and_fails_for_the_gate() -> None:
    with pytest.raises(pytest.skip.Exception, match="no Chromium here; `make browser` as root"):
        lack("no Chromium here", {})
    with pytest.raises(pytest.fail.Exception, match="no Chromium here, and CI=true"):
        lack("no Chromium here", {"CI": "true"})


@pytest.mark.parametrize("which", ["address", "console"])
def test_a_page_needs_nothing_from_outside(page: Page, sim: Simulation, which: str) -> None:
    address = getattr(sim, which)
    asked: list[str] = []
    said: list[str] = []

    def note(request: Request) -> None:
        asked.append(urlsplit(request.url).netloc)

    def hear(message: ConsoleMessage) -> None:
        said.append(message.text)

    page.on("request", note)
    page.on("console", hear)
    page.goto(address)
    expect(page.locator("body")).to_have_attribute("data-live", "live")
    assert set(asked) == {urlsplit(address).netloc}
    assert said == []
