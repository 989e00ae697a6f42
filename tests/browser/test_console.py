"""The alarms page of `doorctl monitor run` at its printed address: who, where, when, before and since, and acknowledged.

With the keyboard alone: an operator's mouse is the first thing that is not there.
"""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import keyboard
from tests.browser.simulation import Simulation

pytestmark = pytest.mark.browser


def test_an_alarm_comes_is_looked_into_and_acknowledged(page: Page, sim: Simulation) -> None:
    ana = sim.ask("people")["people"][0]
    page.goto(sim.console)
    expect(page.locator("body")).to_have_attribute("data-live", "live")
    assert "token" not in page.url, "the key stays in the address bar, and in the history"
    expect(page.locator("[data-controller]")).to_have_attribute("data-health", re.compile("ok|heard|well|online"))

    sim.enter("office", ana["code"])
    sim.enter("office", ana["duress_code"])
    alarm = page.locator('[data-alarm][data-kind="duress"]')
    expect(alarm).to_have_attribute("data-state", "new")
    for words in (ana["label"], "office", "demo-site"):
        expect(alarm).to_contain_text(words)
    expect(alarm.locator(".clock").first).to_be_visible()

    keyboard.press(page, alarm.get_by_role("link").first)
    for heading, words in (("before", "granted"), ("since", "")):
        part = page.get_by_role("region", name=re.compile(heading, re.IGNORECASE))
        expect(part).to_contain_text(words)
    page.go_back()

    keyboard.press(page, page.locator('[data-alarm][data-kind="duress"] [data-act="ack"]'))
    expect(page.locator('[data-alarm][data-kind="duress"]')).to_have_attribute("data-state", "acknowledged")


def test_a_stranger_sees_nothing(page: Page, sim: Simulation) -> None:
    answer = page.goto(sim.console.partition("?")[0])
    assert answer is not None
    assert answer.status == 401
    assert page.locator("[data-alarm]").count() == 0
