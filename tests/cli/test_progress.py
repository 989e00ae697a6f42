"""How far a long command is: on a terminal it counts, in a log now and then, for a script not at all."""

import io
import sys

import pytest

from doorctl.cli.progress import AFTER_S, LINE_EVERY_S, progress


class Stream(io.StringIO):
    """Standard error, as a terminal or not."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


class Clock:
    """Steps of a tenth of a second each time something is done."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def counted(stream: Stream, *, quiet: bool = False, tenths: int) -> str:
    clock = Clock()
    with progress("sealing rows", 100_000, quiet=quiet, to=stream, now=clock) as advance:
        for _ in range(tenths):
            clock.now += 0.1
            advance(100)
        return stream.getvalue()


def test_a_log_gets_a_line_every_few_seconds() -> None:
    shown = counted(Stream(terminal=False), tenths=round(10 * LINE_EVERY_S) * 2 + 3)
    assert len(shown.splitlines()) == 2
    assert shown.splitlines()[0].startswith("sealing rows: 5,")
    assert shown.splitlines()[0].endswith(" of 100,000")


def test_what_is_done_within_a_second_says_nothing() -> None:
    assert counted(Stream(terminal=False), tenths=round(10 * AFTER_S) - 1) == ""


@pytest.mark.parametrize("terminal", [True, False])
def test_a_script_that_reads_json_is_told_nothing(terminal: bool) -> None:
    assert counted(Stream(terminal=terminal), quiet=True, tenths=300) == ""


def test_a_terminal_without_rich_counts_on_one_line_and_clears_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    stream = Stream(terminal=True)
    shown = counted(stream, tenths=30)
    assert "\n" not in shown
    assert shown.rpartition("\r\x1b[K")[2].startswith("sealing rows: 2,")
    assert stream.getvalue() == shown + "\r\x1b[K"


def test_a_terminal_with_rich_gets_a_bar_that_goes_away() -> None:
    stream = Stream(terminal=True)
    with progress("sealing rows", 10, quiet=False, to=stream) as advance:
        advance(10)
    assert "sealing rows" in stream.getvalue()
    assert "10/10" in stream.getvalue()
