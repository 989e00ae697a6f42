"""The alarms page of `doorctl monitor run` at its printed address: who, where, when, before and since, and acknowledged.

With the keyboard alone: an operator's mouse is the first thing that is not there.
"""

import pytest
from playwright.sync_api import Page, expect

from doorctl.cli.monitor_alarms import Client
from tests.browser import keyboard
from tests.browser.simulation import Simulation

pytestmark = pytest.mark.browser


def test_an_alarm_comes_and_is_looked_into(page: Page, sim: Simulation) -> None:
    ana = sim.ask("people")["people"][0]
    page.goto(sim.console)
    expect(page.locator("body")).to_have_attribute("data-live", "live")
    assert "token" not in page.url, "the key stays in the address bar, and in the history"
    expect(page.locator("[data-controller]")).to_have_attribute("data-health", "heard")

    sim.acknowledge_all()
    alarm = page.locator('[data-alarm][data-kind="duress"]')
    expect(alarm).to_have_count(0)
    sim.enter("office", ana["code"])
    sim.enter("office", ana["duress_code"])
    expect(alarm).to_have_attribute("data-state", "new")
    for words in (ana["label"], "office", "demo-site"):
        expect(alarm).to_contain_text(words)
    expect(alarm.locator(".clock").first).to_be_visible()

    keyboard.press(page, alarm.get_by_role("link").first)
    lines = page.get_by_role("region", name="Before and since")
    here, before, since = (lines.locator(place) for place in ("li.here", "li:has(~ li.here)", "li.here ~ li"))
    expect(here).to_contain_text(f"{ana['label']} gave a duress code at office")
    expect(before.last).to_contain_text(f"{ana['label']} let in")
    forced = since.filter(has_text="forced")
    expect(forced).to_have_count(0)
    sim.force("office")
    expect(forced.first).to_contain_text("office")


def test_an_alarm_is_acknowledged_by_name(page: Page, sim: Simulation) -> None:
    sim.enter("office", sim.ask("people")["people"][0]["duress_code"])
    page.goto(sim.console)
    waiting = page.locator('[data-alarm][data-kind="duress"][data-state="new"]')
    expect(waiting.first).to_be_visible()
    number = waiting.first.get_attribute("data-alarm")
    acknowledge = page.locator(f'[data-alarm="{number}"] [data-act="ack"]')

    keyboard.press(page, acknowledge)  # nobody's: it asks who
    expect(page.locator("#who")).to_be_focused()
    page.keyboard.type("Kim at the desk")
    keyboard.press(page, acknowledge, "Space")
    expect(page.locator(f'[data-alarm="{number}"][data-state="new"]')).to_have_count(0)
    acknowledged = next(one for one in Client(sim.paths).get("/api/alarms")["alarms"] if str(one["id"]) == number)
    assert (acknowledged["state"], acknowledged["acknowledged_by"]) == ("acknowledged", "Kim at the desk")


def test_a_stranger_sees_nothing(page: Page, sim: Simulation) -> None:
    answer = page.goto(sim.console.partition("?")[0])
    assert answer is not None
    assert answer.status == 401
    assert page.locator("[data-alarm]").count() == 0
