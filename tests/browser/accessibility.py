"""axe-core over a page: every rule of WCAG 2.0 to 2.2, A and AA, and its best practices, in light and in dark.

Its source comes over the DevTools protocol, so the page's content security policy stays as strict as for users.
"""

from typing import Any, Final, Literal

from playwright.sync_api import Page

TAGS: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice")
"""target-size (wcag22aa) is off by default in axe-core: naming its tag turns it on."""
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")


def violations(page: Page, axe: str) -> list[str]:
    """What axe-core finds in both colour schemes: rule, element and what to do."""
    found = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        if not page.evaluate("typeof axe === 'object'"):
            page.evaluate(f"() => {{ {axe} }}")
        result: dict[str, Any] = page.evaluate(
            "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})", list(TAGS)
        )
        for rule in result["violations"]:
            found += [f"{scheme}: {rule['id']}: {node['target']}: {node['failureSummary']}" for node in rule["nodes"]]
    page.emulate_media(color_scheme="null")
    return found
