"""The judge is judged: whatever could tell two visits apart, an attribute, a word, a moment or one pixel, it names."""

from dataclasses import replace
from typing import Final

import pytest
from playwright.sync_api import Page

from tests.browser.comparison import Change, Visit, differences
from tests.browser.door_view import RECORDER

pytestmark = pytest.mark.browser

LIT = Change(where="[data-door=front] [data-strike] [data-lamp]", what="@data-lamp", value="lit", since_ms=300.0)
DARK = replace(LIT, value="dark", since_ms=700.0)
LAMP = f"{LIT.where} @data-lamp"
VISIT = Visit(changes=(LIT, DARK), pictures={"released": b"pixels"})


def test_what_is_within_the_bound_is_the_same() -> None:
    assert differences(VISIT, replace(VISIT, changes=(replace(LIT, since_ms=399.0), DARK))) == []


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ((replace(LIT, since_ms=401.0), DARK), [f"time: {LAMP}='lit' at 300 ms in one, and at 401 ms in the other"]),
        ((replace(LIT, value="dim"), DARK), [f"only in one: {LAMP}='lit'", f"only in the other: {LAMP}='dim'"]),
        ((DARK, LIT), [f"order: {LAMP}='lit' at 300 ms in one where {LAMP}='dark' at 700 ms is in the other"]),
        ((LIT,), [f"only in one: {LAMP}='dark'"]),
        ((LIT, DARK, DARK), [f"only in the other: {LAMP}='dark'"]),
    ],
)
def test_another_change_is_named(other: tuple[Change, ...], said: list[str]) -> None:
    assert differences(VISIT, replace(VISIT, changes=other)) == said


def test_a_word_that_did_not_last_is_no_difference_and_a_state_is() -> None:
    words = [replace(LIT, where="[data-door=front] p:2", what="text", value=value) for value in ("released", "open")]
    assert differences(replace(VISIT, changes=words), replace(VISIT, changes=words[1:])) == []
    states = [replace(word, what="@data-state") for word in words]
    assert len(differences(replace(VISIT, changes=states), replace(VISIT, changes=states[1:]))) == 1


def test_a_polled_reader_has_an_order_of_its_own() -> None:
    """Lamp against strike is the line's turn; lamp against itself, and the strike on its wire, are not."""
    strike = replace(LIT, where="[data-door=front] [data-strike]", what="@data-strike", value="released")
    polled = replace(VISIT, changes=(LIT, strike, DARK), polled=True)
    assert differences(polled, replace(polled, changes=(strike, LIT, DARK))) == []
    assert len(differences(polled, replace(polled, changes=(strike, DARK, LIT)))) == 1
    assert len(differences(polled, replace(polled, changes=(strike, LIT, DARK), polled=False))) == 1


@pytest.mark.parametrize("pictures", [{"released": b"pixelz"}, {}, {"released": b"pixels", "secured": b""}])
def test_other_pixels_are_named(pictures: dict[str, bytes]) -> None:
    (found,) = differences(VISIT, replace(VISIT, pictures=pictures))
    assert found.startswith("picture ")


# And with its eyes: the recorder and the camera over a door of three elements.

DOOR: Final = """
<style>#lamp { width: 40px; height: 40px; background: #222 } #lamp[data-lamp=lit] { background: #2c2 }</style>
<div data-view="door"><section data-door="front">
<button data-key="1">1</button><div id="lamp" data-lamp="dark"></div><p>secured</p>
<p class="clock">NUMBER</p><ol></ol></section></div>
"""
GRANT: Final = """
document.querySelector("[data-key]").click();
document.querySelector("[data-lamp]").dataset.lamp = "lit";
document.querySelector("p").firstChild.data = "released";
document.querySelector(".clock").textContent = "NUMBER2";
document.querySelector("ol").innerHTML = `<li data-log-row="NUMBER">granted <i class="clock">NUMBER</i></li>`;
"""


def granted(page: Page, number: str, more: str = "") -> Visit:
    """A visit whose clocks and numbers are other ones each time."""
    page.set_content(DOOR.replace("NUMBER", number))
    page.evaluate(RECORDER)
    page.evaluate("startRecorder('[data-view]')")
    page.evaluate(f"() => {{{GRANT.replace('NUMBER', number)}{more}}}")
    picture = page.locator("[data-view]").screenshot()
    return Visit(changes=tuple(map(Change.of, page.evaluate("recorder.stop()"))), pictures={"released": picture})


def test_clocks_and_numbers_alone_do_not_differ(page: Page) -> None:
    one = granted(page, "1111")
    assert differences(one, granted(page, "7777")) == []
    assert [(change.where, change.what, change.value) for change in one.changes] == [
        ("[data-door=front] [data-lamp]", "@data-lamp", "lit"),
        ("[data-door=front] p:1", "text", "released"),
        ("[data-door=front] ol:1", "added",
         '<li data-log-row="(number)">granted <i class="clock">(clock)</i></li>'),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('document.querySelector("section").dataset.extra = "1";', ["only in the other"]),
        ('document.querySelector("[data-key]").className = "";', []),  # a finger's own mark on its key
        ('document.querySelector("p").firstChild.data = "open";', ["only in one", "only in the other", "picture released"]),
        ('document.querySelector("li").append("!");', ["only in one", "only in the other", "picture released"]),
        ('const s = new CSSStyleSheet(); s.replaceSync("#lamp { width: 41px }"); document.adoptedStyleSheets.push(s);',
         ["picture released"]),
    ],
)  # fmt: skip
def test_what_somebody_could_see_is_seen(page: Page, more: str, said: list[str]) -> None:
    compared = differences(granted(page, "1111"), granted(page, "2222", more))
    found = dict.fromkeys(words.partition(":")[0] for words in compared)
    assert list(found) == said
