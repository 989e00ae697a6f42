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


def test_what_every_simulation_is_waits_for_nobody(page: Page, sim: Simulation) -> None:
    """The monitor beside its door: told on both pages, as expected, and seen to already."""
    page.goto(sim.address)
    beside = page.locator('[data-alarm][data-kind="colocated"]')
    expect(beside).to_have_attribute("data-state", "acknowledged")
    for words in ("expected of a simulation", "by the simulator"):
        expect(beside).to_contain_text(words)
    expect(beside.get_by_role("button")).to_have_count(0)

    sim.acknowledge_all()
    expect(page.locator("#mood")).to_have_attribute("data-mood", "calm")
    page.goto(sim.console)
    expect(page.get_by_role("heading", level=1)).to_contain_text("All quiet")
    lasting = page.locator('#lasting [data-kind="colocated"]')
    expect(lasting).to_contain_text("expected of a simulation")
    expect(lasting).to_contain_text("acknowledged by the simulator")
