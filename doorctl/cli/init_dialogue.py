"""Questions and answers, on a terminal or from a pipe. Defaults stand in brackets, `?` explains, all is checked."""

import re
import sys
from dataclasses import dataclass
from io import TextIOWrapper
from typing import Final, NoReturn

from doorctl.cli.init_draft import Draft, Put
from doorctl.config.key import Choice, expected
from doorctl.config.keys import key_at
from doorctl.config.lines import Place
from doorctl.config.section import Mistake
from doorctl.errors import OperatorError

_SUGGESTED: Final = re.compile(r'(?:did you mean|try) "([^"]+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One thing to ask; `about` is the key that `?` explains."""

    words: str
    about: Place
    put: Put
    default: str | None = None
    """None: there is no safe one, and an answer is needed."""
    taken: tuple[str, ...] = ()
    """Names that something else has."""


class Dialogue:
    """The person at standard input, or the script; questions go to standard error, so that --json stays JSON."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self._person = sys.stdin.isatty()
        if isinstance(sys.stdin, TextIOWrapper):
            sys.stdin.reconfigure(errors="replace")  # what is no text is refused like any other wrong answer

    def ask(self, question: Question) -> str:
        """Ask until the answer is right, and take it into the draft; a script has one try."""
        default = question.default
        while True:
            answer = self._answer(question.words, default)
            if answer == "?":
                say(*_explained(question.about))
            elif not answer:
                self._wrong(question.words, "an answer is needed: no default is safe here", "`?` explains the question")
            elif answer in question.taken:
                self._wrong(question.words, f"{answer} is there already", "give it a name of its own")
            elif (mistake := self.draft.take(question.put, answer)) is None:
                return answer
            else:
                self._wrong(question.words, _in_words(mistake, answer), mistake.hint)
                suggested = _SUGGESTED.search(mistake.hint or "")
                default = suggested[1] if suggested else default

    def count(self, words: str, about: Place, *, default: int, most: int) -> int:
        """A number of things to go on asking about."""
        while True:
            answer = self._answer(words, str(default))
            if answer == "?":
                say(*_explained(about))
            elif answer.isascii() and answer.isdecimal() and len(answer) <= len(str(most)) and 1 <= int(answer) <= most:
                return int(answer)
            else:
                self._wrong(words, f"expected a whole number from 1 to {most}, found {answer!r}", None)

    def agreed(self, words: str) -> bool:
        """Yes or no; ENTER is yes."""
        while (answer := self._answer(words, "yes").lower()) not in ("y", "yes", "n", "no"):
            self._wrong(words, f"expected yes or no, found {answer!r}", None)
        return answer in ("y", "yes")

    def _answer(self, words: str, default: str | None) -> str:
        sys.stderr.write(f"{words} [{default}]: " if default else f"{words}: ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            say("")
            raise OperatorError(f'nothing was written: the answers ended at "{words}"', hint="`?` explains a question")
        if not self._person:
            say("")  # a terminal shows the answer and its ENTER; a pipe does not
        return line.strip() or default or ""

    def _wrong(self, words: str, what: str, hint: str | None) -> None:
        if not self._person:
            _end(words, what, hint)
        say(f"  {what}", *([f"  hint: {hint}"] if hint else []))


def _end(words: str, what: str, hint: str | None) -> NoReturn:
    raise OperatorError(f"nothing was written: {words}: {what}", hint=hint)


def say(*lines: str) -> None:
    """To the person, never into a script's output."""
    print(*lines, sep="\n", file=sys.stderr)


def _in_words(mistake: Mistake, answer: str) -> str:
    """What is wrong; the key where it is not the answer itself that is repeated."""
    told = f"expected {mistake.expected}, found {mistake.found}"
    return told if answer in mistake.found else f"{mistake.key}: {told}"


def _explained(about: Place) -> list[str]:
    """What the table of keys says."""
    key = key_at(about)
    lines = [f"  {key.meaning}", f"  takes {expected(key.kind)}"]
    if isinstance(key.kind, Choice):
        lines += [f"    {word}: {meaning}" for word, meaning in key.kind.words.items() if word not in key.kind.refused]
    if key.line:
        lines.append(f"  in the file: {key.line}")
    return [*lines, f"  careful: {key.danger}"] if key.danger else lines
