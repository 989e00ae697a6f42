"""Long output through the pager: what people may do in it, as root, is no more than reading."""

import io
import sys
from pathlib import Path

import pytest

from doorctl.cli.pager import paged


class Terminal(io.StringIO):
    """Standard output that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def environment_of_pager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pager that leaves the variables it was given in this file."""
    left = tmp_path / "left"
    monkeypatch.delenv("LESS", raising=False)
    monkeypatch.setenv("PAGER", f"sh -c 'cat > {left}; env > {left}.env'")
    return left


@pytest.mark.parametrize("before", [None, "0"])
def test_a_pager_opens_no_shell_and_writes_no_file(
    environment_of_pager: Path, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    if before is not None:
        monkeypatch.setenv("LESSSECURE", before)
    monkeypatch.setattr(sys, "stdout", Terminal())
    with paged() as out:
        out.write("ana-lopez\n")
    assert environment_of_pager.read_text() == "ana-lopez\n"
    variables = environment_of_pager.with_suffix(".env").read_text().splitlines()
    assert sorted(line for line in variables if line.startswith("LESS")) == ["LESS=FRX", "LESSSECURE=1"]


def test_what_is_no_terminal_is_written_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    with paged() as out:
        out.write("ana-lopez\n")
    assert stream.getvalue() == "ana-lopez\n"
