"""Draws the shells' completion into docs/completion/: `python docs/draw_completion.py`. tests/docs/test_completion.py
checks that it was run."""  # noqa: D205, D209, INP001  a script beside the pages, in no package

from pathlib import Path

from doorctl.cli.completion import SHELLS, script

FOLDER = Path(__file__).with_name("completion")
FILES = {"bash": "doorctl", "zsh": "_doorctl", "fish": "doorctl.fish"}
"""The names that each shell looks for."""


def main() -> None:
    """Write every script."""
    FOLDER.mkdir(exist_ok=True)
    for shell in SHELLS:
        FOLDER.joinpath(FILES[shell]).write_text(script(shell), encoding="utf-8")


if __name__ == "__main__":
    main()
