"""Draws the tables of the door machine into docs/door.md: `python docs/draw_door.py`. tests/core/test_diagram.py
checks that it was run."""  # noqa: D205, D209, INP001  a script beside the page, in no package

from pathlib import Path

from doorctl.core.door_diagram import BEGIN, END, drawn

PAGE = Path(__file__).with_name("door.md")


def main() -> None:
    """Replace what is between the marks, nothing else."""
    page = PAGE.read_text(encoding="utf-8")
    before, after = page[: page.index(BEGIN)], page[page.index(END) :].removeprefix(f"{END}\n")
    PAGE.write_text(before + drawn() + after, encoding="utf-8")


if __name__ == "__main__":
    main()
