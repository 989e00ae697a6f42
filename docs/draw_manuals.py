"""Draws doorctl's own pages into docs/man/, one a command: `python docs/draw_manuals.py`.

A page is what the argparse tree says, and the sections written by hand in docs/man/parts/PAGE.roff, which stand where
manuals have them. tests/docs/test_manuals.py checks that it was run.
"""  # noqa: INP001  a script beside the pages, in no package

import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from importlib.metadata import version
from pathlib import Path
from typing import Final

from doorctl.cli.completion_tree import Command, Kind, Option, Place, Value, command_tree
from doorctl.cli.main import build_parser

FOLDER: Final = Path(__file__).with_name("man")
PARTS: Final = FOLDER / "parts"
DATE: Final = "2026-11-23"
"""Of the version; a page must not change because a day has passed."""
ORDER: Final = (
    "NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "ENVIRONMENT", "FILES", "EXIT STATUS", "EXAMPLES",
    "NOTES", "SEE ALSO",
)  # fmt: skip
"""man-pages(7)."""

Sections = Mapping[str, list[str]]
Shared = AbstractSet[tuple[tuple[str, ...], str]]
"""Flags and help of the options that every command has in the same words."""


def main() -> None:
    """Write every page, and take away those of commands that are gone."""
    pages = drawn_pages()
    for path in FOLDER.glob("doorctl*.1"):
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        FOLDER.joinpath(name).write_text(text, encoding="utf-8")


def drawn_pages() -> dict[str, str]:
    """Every page by the name of its file."""
    tree = command_tree(build_parser())
    pages = {"doorctl": _program(tree)}
    pages |= {_page(command): _command(command, tree) for command in tree.verbs}
    return {f"{name}.1": _joined(name, sections) for name, sections in pages.items()}


def _page(command: Command) -> str:
    return "-".join(("doorctl", *command.path))


def _joined(name: str, sections: Sections) -> str:
    by_hand = _by_hand(name)
    if unknown := {*sections, *by_hand}.difference(ORDER):
        raise ValueError(f"{name}: no place is known for the sections {', '.join(sorted(unknown))}")
    lines = [
        f'.\\" drawn by docs/draw_manuals.py from the commands and docs/man/parts/{name}.roff: do not edit',
        f'.TH {name.upper()} 1 {DATE} "doorctl {version("doorctl").rpartition(".")[0]}" "User Commands"',
    ]
    for section in ORDER:
        if content := [*sections.get(section, ()), *by_hand.get(section, ())]:
            lines += [f".SH {section}", *(_listed(content) if section == "SEE ALSO" else content)]
    return "\n".join(lines) + "\n"


def _by_hand(name: str) -> dict[str, list[str]]:
    path = PARTS / f"{name}.roff"
    if not path.exists():
        return {}
    _, *parts = re.split(r"^\.SH (.+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {section: text.splitlines() for section, text in zip(parts[::2], parts[1::2], strict=True)}


def _listed(pages: Iterable[str]) -> list[str]:
    """`.BR doorctl (1)` lines, with commas between them."""
    *first, last = dict.fromkeys(pages)
    return [*(f"{page}," for page in first), last]


def _program(tree: Command) -> Sections:
    commands = [
        line
        for command in tree.verbs
        for line in (".TP", f".BR {_code(_page(command))} (1)", *_text(_sentence(command.help)))
    ]
    return {
        "NAME": [f"doorctl \\- {tree.parser.description}"],
        "SYNOPSIS": [_synopsis(tree)],
        "OPTIONS": ["Those but the last may stand before or after the command.", *_options(tree.options)],
        "COMMANDS": commands,
        "EXIT STATUS": _exit_status(tree.parser.exit_codes),
        "SEE ALSO": [f".BR {_code(_page(command))} (1)" for command in tree.verbs],
    }


def _command(command: Command, tree: Command) -> Sections:
    shared = {(option.flags, option.help) for option in tree.options}
    runnable = [one for one in command.all() if one.parser.get_default("run") is not None]
    own = {"COMMANDS": [line for verb in runnable if verb is not command for line in _verb(verb, command, shared)]}
    if command in runnable:
        own["OPTIONS"] = [*_options(_own(command, shared)), *_places(command.places)] or ["None of its own."]
    return own | {
        "NAME": [f"{_code(_page(command))} \\- {command.help}"],
        "SYNOPSIS": [line for one in runnable for line in (".br", _synopsis(one, shared))][1:],
        "DESCRIPTION": [
            *_text(command.parser.description or ""),
            ".PP",
            "The options of every command are in",
            ".BR doorctl (1).",
        ],
        "EXIT STATUS": _exit_status(command.parser.exit_codes),
        "EXAMPLES": _examples([example for one in command.all() for example in one.parser.examples]),
        "SEE ALSO": [".BR doorctl (1)"],
    }


def _verb(verb: Command, of: Command, shared: Shared) -> Iterator[str]:
    yield f".SS {_code(' '.join(verb.path[len(of.path) :]))}"
    yield from _text(verb.parser.description or "")
    yield from _options(_own(verb, shared))
    yield from _places(verb.places)
    if verb.parser.exit_codes != of.parser.exit_codes:
        yield from (".PP", "Its exit codes:", *_exit_status(verb.parser.exit_codes))


def _own(command: Command, shared: Shared) -> list[Option]:
    return [option for option in command.options if (option.flags, option.help) not in shared]


def _synopsis(command: Command, shared: Shared = frozenset()) -> str:
    words = [f"\\fB{_code(' '.join(('doorctl', *command.path)))}\\fR"]
    for option in _own(command, shared):
        takes = _taken(option.value)
        word = f"\\fB{_code(option.flags[-1])}\\fR{' ' if takes else ''}{takes}"
        words.append((word if option.required else f"[{word}]") + (" ..." if option.repeats else ""))
    for place in command.places:
        word = _taken(place.value)
        words.append((f"[{word}]" if place.optional else word) + (" ..." if place.repeats else ""))
    if not command.path:
        words.append("\\fICOMMAND\\fR [\\fIARGUMENT\\fR ...]")
    return " ".join(words)


def _taken(value: Value) -> str:
    match value.kind:
        case Kind.NOTHING:
            return ""
        case Kind.WORDS if not value.name.isupper():
            return "|".join(f"\\fB{_code(word)}\\fR" for word in value.words)
        case _:
            return f"\\fI{_code(value.name)}\\fR"


def _options(options: Iterable[Option]) -> Iterator[str]:
    for option in options:
        takes = _taken(option.value)
        flags = ", ".join(f"\\fB{_code(flag)}\\fR{' ' if takes else ''}{takes}" for flag in option.flags)
        yield from (".TP", flags, *_text(_sentence(option.help)), *_right_words(option.value))


def _places(places: Iterable[Place]) -> Iterator[str]:
    for place in places:
        yield from (".TP", _taken(place.value), *_text(_sentence(place.help)), *_right_words(place.value))


def _right_words(value: Value) -> list[str]:
    return [f"One of {', '.join(value.words)}."] if value.kind is Kind.WORDS and value.name.isupper() else []


def _exit_status(codes: Mapping[int, str]) -> list[str]:
    return [line for code, meaning in codes.items() for line in (".TP", f".B {code}", *_text(_sentence(meaning)))]


def _examples(examples: Iterable[str]) -> list[str]:
    return [".EX", *(_code(example) for example in dict.fromkeys(examples)), ".EE"]


def _sentence(text: str) -> str:
    """With a capital, unless it begins with what is to be typed."""
    begin = text[:1].upper() if re.match(r"[a-z]+(?![\w@-])", text) else text[:1]
    return f"{begin}{text[1:]}{'' if text.endswith('.') else '.'}" if text else ""


def _text(text: str) -> list[str]:
    """Prose: a sentence a line, what stands in backquotes bold."""
    lines = []
    for sentence in re.split(r"(?<=\.) +(?=[A-Z`])|\n+", text):
        parts = re.split(r"`([^`]*)`", sentence)
        line = "".join(f"\\fB{_code(part)}\\fR" if odd % 2 else _escaped(part) for odd, part in enumerate(parts))
        line = re.sub(r"(?<![\w\\-])-{1,2}(?=\w)", lambda found: found[0].replace("-", "\\-"), line)
        lines.append(f"\\&{line}" if line.startswith((".", "'")) else line)
    return lines


def _code(text: str) -> str:
    """To be typed as it stands: no hyphen, quote or circumflex becomes a typographical one."""
    return _escaped(text).replace("-", "\\-").replace("'", "\\(aq").replace("^", "\\(ha").replace("~", "\\(ti")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\e")


if __name__ == "__main__":
    main()
