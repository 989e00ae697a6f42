"""The wires of docs/install.md: picture, table and configuration are one, and the picture can be read."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree as ET

import pytest

from doorctl.config.reading import read_config

DOCS = Path(__file__).parents[2] / "docs"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def drawing() -> ModuleType:
    """docs/draw_wiring.py; a script beside the page is in no package."""
    spec = importlib.util.spec_from_file_location("draw_wiring", DOCS / "draw_wiring.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["draw_wiring"] = module  # its dataclasses look for it there
    spec.loader.exec_module(module)
    return module


def test_picture_and_page_are_current(drawing: ModuleType) -> None:
    config = read_config(drawing.CONFIG)
    page = drawing.PAGE.read_text(encoding="utf-8")
    assert drawing.PICTURE.read_text(encoding="utf-8") == drawing.picture(config), "run: make drawn"
    assert drawing.drawn(page, config) == page, "run: make drawn"


def test_every_line_of_the_configuration_is_in_picture_and_table(drawing: ModuleType) -> None:
    config = read_config(drawing.CONFIG)
    lines = set(re.findall(r'"(GPIO\d+)"', drawing.CONFIG.read_text(encoding="utf-8")))
    assert {one.what for one in drawing.wires(config) if one.key} == lines
    words = {one.text for one in ET.parse(drawing.PICTURE).iter(f"{SVG}text")}  # noqa: S314  our own
    shown = {frozenset(word.split(" · ")) for word in words if word and " · " in word}
    assert shown == {frozenset({str(one.pin), one.what}) for one in drawing.wires(config)}


def test_no_words_are_over_others_or_outside(drawing: ModuleType) -> None:
    """At 0.62 of its height a letter, which is more than the fonts need that are asked for."""
    boxes = []
    for one in ET.parse(drawing.PICTURE).iter(f"{SVG}text"):  # noqa: S314  our own
        high = {"name": 22, "small": 18}.get(one.get("class", ""), 20)
        wide, x, y = len(one.text or "") * high * 0.62, int(one.get("x", "")), int(one.get("y", ""))
        left = x - wide if one.get("text-anchor") == "end" else x
        assert left >= 0
        assert left + wide <= drawing.WIDTH, one.text
        assert high <= y <= drawing.HEIGHT - 6, one.text
        boxes.append((left, y - high * 0.8, left + wide, y + high * 0.2, one.text))
    over = [
        (one[4], other[4]) for number, one in enumerate(boxes) for other in boxes[number + 1 :]
        if one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
    ]  # fmt: skip
    assert over == []
