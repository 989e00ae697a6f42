"""One mock board made once a session, copied for each test that changes it."""

from pathlib import Path

import pytest

from tests.cli.board import Board, make_board


@pytest.fixture(scope="session")
def made_board(tmp_path_factory: pytest.TempPathFactory) -> Board:
    """Never changed: see `board`."""
    return make_board(tmp_path_factory.mktemp("made"))


@pytest.fixture
def board(made_board: Board, tmp_path: Path) -> Board:
    """A board with keys and roster, paired, nobody enrolled, nothing running."""
    return made_board.copied_to(tmp_path / "board")
