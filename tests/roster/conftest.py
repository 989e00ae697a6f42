"""One roster a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from doorctl.roster.enrolment import RosterWriter
from doorctl.roster.lookup import RosterReader
from tests.roster.people import Draw, new_roster


@pytest.fixture
def draw() -> Draw:
    return Draw()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "roster" / "roster.db"


@pytest.fixture
def writer(path: Path) -> Iterator[RosterWriter]:
    with new_roster(path) as writer:
        yield writer


@pytest.fixture
def reader(path: Path, writer: RosterWriter) -> Iterator[RosterReader]:
    assert writer.generation() == 0
    with RosterReader.open(path) as reader:
        yield reader
