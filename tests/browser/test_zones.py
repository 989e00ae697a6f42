"""One page, one clock, and which: a browser far from the site shows the site's time, and says whose it is."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from doorctl.monitord.alarms.zones import local
from tests.browser.simulation import Simulation

pytestmark = pytest.mark.browser


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Somebody nine hours east of the site, who writes their dates as at home."""
    made = browser.new_context(timezone_id="Asia/Tokyo", locale="en-GB", reduced_motion="reduce")
    yield made
    made.close()


def test_an_alarm_is_told_in_its_sites_time(page: Page, sim: Simulation) -> None:
    sim.enter("office", sim.ask("people")["people"][0]["duress_code"])
    page.goto(sim.console)
    expect(page.locator("body")).to_have_attribute("data-live", "live")
    time = page.locator('[data-alarm][data-kind="duress"] time').first
    moment = time.get_attribute("datetime")
    assert moment is not None
    expect(time).to_have_text(f"{moment[11:19]} UTC")
    page.locator('[data-alarm][data-kind="duress"] a').first.click()
    expect(page.locator(".timeline .here time")).to_have_text(f"{moment[11:19]} UTC")
    assert all(told.endswith(" UTC") for told in page.locator("time").all_inner_texts())
    expect(page.locator(".facts")).to_contain_text("Times are the site's")
    sizes = page.locator(".timeline time").evaluate_all("all => all.map((one) => getComputedStyle(one).fontSize)")
    assert len(set(sizes)) == 1, "a line of the timeline is larger than its neighbours"


def test_a_search_says_whose_days(page: Page, sim: Simulation) -> None:
    page.goto(sim.console)
    page.goto(f"{sim.console.partition('?')[0]}past")
    expect(page.locator("#day-zone")).to_have_text("UTC+9, as on this computer")
    expect(page.locator("#tz")).to_have_value("-540")


@pytest.mark.parametrize("zone", ["UTC", "Europe/Lisbon", "Asia/Kolkata", "America/St_Johns", "Middle/Nowhere"])
def test_the_script_and_the_server_tell_the_same(page: Page, sim: Simulation, zone: str) -> None:
    page.goto(sim.console)
    moment = "2001-07-09T22:45:06.000Z"
    told = page.evaluate(
        "([moment, zone]) => import('/clock.js').then(({ clockTime }) => clockTime(new Date(moment), zone))",
        [moment, zone],
    )
    assert told == local(moment, zone).removeprefix("0")


def test_what_is_of_no_site_is_told_in_the_readers_own_time(page: Page, sim: Simulation) -> None:
    page.goto(sim.console)
    told = page.evaluate("""() => {
      document.body.dataset.zone = "";
      return import("/clock.js").then(({ clockTime }) => clockTime(new Date("2001-07-09T22:45:06Z"), ""));
    }""")
    assert told == "10 Jul 2001, 07:45:06 UTC+9"


def test_the_simulators_page_has_one_clock(page: Page, sim: Simulation) -> None:
    sim.enter("office", sim.ask("people")["people"][0]["duress_code"])
    page.goto(sim.address)
    for title in ("#log-title", "#alarms-title"):
        expect(page.locator(title)).to_contain_text("in UTC time")
    told = page.evaluate("""() => import("./monitor.js").then(({ showZone, showMonitor }) => {
      const alarm = { id: 900, kind: "test", severity: "note", state: "new", event: "2001-07-09T22:45:06.000Z" };
      showZone("Europe/Lisbon");
      showMonitor({ answering: true, records: 0, controllers: [], alarms: [alarm] });
      const shown = ["[data-alarm='900'] time", "#alarms-title", "#mood-word", "#mood-more"];
      return shown.map((place) => document.querySelector(place).textContent);
    })""")
    assert told == ["23:45:06", "Alarms in Europe/Lisbon time", "Calm", "1 note to acknowledge"]
