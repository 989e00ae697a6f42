import re
from pathlib import Path

from doorctl.core.door_diagram import BEGIN, END, drawn
from doorctl.core.door_tables import LEAF_TABLE, LOCK_TABLE, Leaf, Lock

PAGE = Path(__file__).parents[2] / "docs" / "door.md"


def test_the_page_is_drawn_from_the_tables() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page[page.index(BEGIN) :] == drawn(), "run: python docs/draw_door.py"
    assert (page.count(BEGIN), page.count(END)) == (1, 1)


def test_every_row_and_every_arrow_is_drawn() -> None:
    text = drawn()
    for state, trigger, to in [
        *((s.name, t.value, step.to.name) for s, steps in LOCK_TABLE.items() for t, step in steps.items()),
        *((s.name, t.value, step.to.name) for s, steps in LEAF_TABLE.items() for t, step in steps.items()),
    ]:
        assert f"| {state} | {trigger} | {'stays' if to == state else to} |" in text
        label = trigger.removeprefix("order: ")
        drawn_arrow = re.search(rf"^    {state} --> {to}: (.*, )?{label}(, .*)?$", text, re.MULTILINE)
        assert (drawn_arrow is not None) is (to != state)


def test_diagrams_name_every_state() -> None:
    lock, leaf = (block for block in drawn().split("```mermaid")[1:])
    for state in Lock:
        assert state.name in lock
    for position in Leaf:
        assert position.name in leaf
