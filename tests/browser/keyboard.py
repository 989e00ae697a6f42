"""Hands on the keyboard alone: Tab to a thing, see where one is, press it. No mouse, no focus() from a script."""

from typing import Final

from playwright.sync_api import Locator, Page

_MOST_STOPS: Final = 200
_ROUND: Final = ("ArrowUp",) * 4 + ("ArrowLeft",) * 12 + ("ArrowRight",) * 12
"""To a keypad's first key, and through all of them."""
_FOCUSED: Final = "element => element === document.activeElement"

# What somebody sees of the focus: an outline or a shadow that the element has not without it. A sheet's rule could hide
# either, so both are asked of the computed style, and of the nearest things around for those that show it there.
_SHOWS_FOCUS: Final = """() => {
  const element = document.activeElement;
  if (!element.matches(":focus-visible")) return "not :focus-visible";
  const box = element.getBoundingClientRect();
  if (box.width < 1 || box.height < 1) {
    const label = element.closest("label") ?? element.labels?.[0];
    if (!label || label.getBoundingClientRect().width < 1) return "has no size";
  }
  const rings = [element, element.closest("label"), ...(element.labels ?? [])].filter(Boolean).some((one) => {
    const style = getComputedStyle(one);
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
    return outlined || style.boxShadow !== "none";
  });
  return rings ? "" : "shows no focus";
}"""

_NAMED: Final = """() => {
  const element = document.activeElement;
  const data = [...element.attributes].filter(({ name }) => name.startsWith("data-"));
  const name = element.getAttribute("aria-label") ?? element.textContent.trim().slice(0, 40);
  return `${element.localName} ${data.map(({ name, value }) => `${name}=${value}`).join(" ")} ${name}`;
}"""

_STOP: Final = """() => {
  const here = document.activeElement;
  const [first] = window.stops;
  if (here === first && window.stops.size > 1) return "round";
  if (window.stops.has(here)) return "still"; // a date's day, month and year are one element
  if (here === document.body) return window.stops.size ? "round" : "nowhere";
  window.stops.add(here);
  return "here";
}"""

_MISSED: Final = """() => {
  const group = (one) => (one.type === "radio" ? one.name : one.closest(":has(> [data-key])")) ?? one;
  const reached = new Set([...window.stops].map(group));
  const pressable = [...document.querySelectorAll("button, a[href], input, select, textarea, summary, [role=button]")]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled && one.type !== "hidden");
  return pressable.filter((one) => !reached.has(group(one))).map((one) => one.outerHTML.slice(0, 200));
}"""


def tab_to(page: Page, target: Locator, tab: str = "Tab") -> None:
    """Tab until it has the focus, or Shift+Tab; arrow keys inside a keypad. The focus is seen when it is there."""
    for _ in range(_MOST_STOPS):
        if _reached(page, target):
            assert page.evaluate(_SHOWS_FOCUS) == "", page.evaluate(_NAMED)
            return
        page.keyboard.press(tab)
    raise AssertionError(f"no number of Tabs reaches {target}")


def press(page: Page, target: Locator, key: str = "Enter") -> None:
    """Tab to it and press it."""
    tab_to(page, target)
    page.keyboard.press(key)


def out_of_reach(page: Page) -> list[str]:
    """What a mouse can press and Tab never comes to, once round the page; each stop is seen to have the focus.

    Of a group with one stop, a keypad or radio buttons, one is enough: the rest is the arrow keys'.
    """
    page.evaluate(
        "() => { document.activeElement.blur(); getSelection().removeAllRanges(); window.stops = new Set(); }"
    )
    for _ in range(_MOST_STOPS):
        page.keyboard.press("Tab")
        where: str = page.evaluate(_STOP)
        if where == "round":
            missed: list[str] = page.evaluate(_MISSED)
            return missed
        if where == "here":
            assert page.evaluate(_SHOWS_FOCUS) == "", page.evaluate(_NAMED)
    raise AssertionError(f"Tab never comes round: {page.evaluate(_NAMED)}")


def _reached(page: Page, target: Locator) -> bool:
    if target.evaluate(_FOCUSED):
        return True
    in_group = "(e, group) => e.closest(group) !== null && document.activeElement.closest(group) === e.closest(group)"
    if not target.evaluate(in_group, '[role="group"]:has([data-key])'):
        return False
    for arrow in _ROUND:
        page.keyboard.press(arrow)
        if target.evaluate(_FOCUSED):
            return True
    return False
