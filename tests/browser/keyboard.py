"""Hands on the keyboard alone: Tab to a thing, see where one is, press it. No mouse, no focus() from a script."""

from typing import Any, Final

from playwright.sync_api import Locator, Page

_MOST_STOPS: Final = 200
_ARROWS: Final = ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp")
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


def tab_to(page: Page, target: Locator) -> None:
    """Tab until it has the focus; with arrow keys inside a keypad. The focus is seen when it is there."""
    for _ in range(_MOST_STOPS):
        if _reached(page, target):
            assert page.evaluate(_SHOWS_FOCUS) == "", page.evaluate(_NAMED)
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no number of Tabs reaches {target}")


def press(page: Page, target: Locator, key: str = "Enter") -> None:
    """Tab to it and press it."""
    tab_to(page, target)
    page.keyboard.press(key)


def stops(page: Page) -> list[str]:
    """Everything that Tab stops at, once round; each is seen to have the focus."""
    page.evaluate("() => { document.activeElement.blur(); getSelection().removeAllRanges(); }")
    found: list[str] = []
    first: Any = None
    for _ in range(_MOST_STOPS):
        page.keyboard.press("Tab")
        here = page.evaluate_handle("document.activeElement")
        if page.evaluate("element => element === document.body", here):
            if found:
                return found
            continue
        if first is None:
            first = here
        elif page.evaluate("([a, b]) => a === b", [first, here]):
            return found
        assert page.evaluate(_SHOWS_FOCUS) == "", page.evaluate(_NAMED)
        found.append(page.evaluate(_NAMED))
    raise AssertionError(f"Tab never comes round: {found[-20:]}")


def _reached(page: Page, target: Locator) -> bool:
    if target.evaluate(_FOCUSED):
        return True
    in_group = "(e, group) => e.closest(group) !== null && document.activeElement.closest(group) === e.closest(group)"
    if not target.evaluate(in_group, '[role="group"]:has([data-key])'):
        return False
    for arrow in _ARROWS:
        for _ in range(4):
            page.keyboard.press(arrow)
            if target.evaluate(_FOCUSED):
                return True
    return False
