"""The fenced blocks of README.md and docs/: which are commands, for which machine, and what they are said to print.

A block's language says what it is: `sh` is typed line by line, `console` has prompts and what is shown after them, every
other is no command. A comment on the line before a block says more, invisible to who reads the page:
`<!-- on: monitor -->` names the machine, `<!-- not run: REASON -->` is an exception.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
COMMANDS: Final = frozenset({"sh", "console"})
NO_COMMANDS: Final = frozenset({"text", "toml", "json", "csv", "mermaid", "http", "cron", "ini"})
_FENCE: Final = re.compile(r"^```(.*)$")
_MARK: Final = re.compile(r"^<!-- (on|not run): (.+) -->$")
_PROMPT: Final = re.compile(r"^(\w*)\$ +(.*)$")
HERE: Final = "board"
"""Where commands are typed that say nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command, and what stands below it."""

    machine: str
    command: str
    shown: str
    place: str
    """`docs/operations.md:17`, for a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block."""

    document: str
    line: int
    language: str
    text: str
    machine: str
    not_run: str | None

    @property
    def place(self) -> str:
        return f"{self.document}:{self.line}"

    def steps(self) -> Iterator[Step]:
        """What is typed, in order."""
        if self.language == "console":
            yield from self._dialogue()
            return
        for command in _joined(self.text.splitlines()):
            yield Step(machine=self.machine, command=command, shown="", place=self.place)

    def _dialogue(self) -> Iterator[Step]:
        pieces: list[tuple[str, list[str], list[str]]] = []
        for line in self.text.splitlines():
            if prompt := _PROMPT.match(line):
                pieces.append((prompt[1] or self.machine, [prompt[2]], []))
            elif pieces and pieces[-1][1][-1].endswith("\\"):
                pieces[-1][1].append(line)
            else:
                assert pieces, f"{self.place}: a console block begins with a prompt"
                pieces[-1][2].append(line)
        for machine, command, shown in pieces:
            yield Step(machine=machine, command="\n".join(command), shown="\n".join(shown), place=self.place)


def documents() -> list[Path]:
    """Every page whose blocks count."""
    return [ROOT / "README.md", *sorted(ROOT.joinpath("docs").rglob("*.md"))]


def blocks(path: Path) -> list[Block]:
    """Of one page, in its order."""
    name, found = str(path.relative_to(ROOT)), []
    lines = iter(enumerate(path.read_text(encoding="utf-8").splitlines(), start=1))
    marks: dict[str, str] = {}
    for number, line in lines:
        if mark := _MARK.match(line):
            marks[mark[1]] = mark[2]
        elif fence := _FENCE.match(line):
            text = []
            for _, inner in lines:
                if inner == "```":
                    break
                text.append(inner)
            found.append(
                Block(
                    document=name, line=number, language=fence[1].strip(), text="\n".join(text),
                    machine=marks.get("on", HERE), not_run=marks.get("not run"),
                )
            )  # fmt: skip
            marks = {}
        else:
            marks = {}
    return found


def _joined(lines: list[str]) -> Iterator[str]:
    """Commands, those that go on over several lines whole; comments and empty lines are none."""
    command: list[str] = []
    for line in lines:
        if not command and (not line.strip() or line.lstrip().startswith("#")):
            continue
        command.append(line)
        if not line.endswith("\\"):
            yield "\n".join(command)
            command = []
    assert not command, f"a command does not end: {command}"
