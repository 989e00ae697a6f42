"""Files of people for the import's tests, and what a board says of whom it has."""

from collections.abc import Iterable
from pathlib import Path

from doorctl.roster.holders import Holder
from doorctl.roster.lookup import RosterReader
from tests.cli.board import Board

HEADER = "label,holder,groups,card,valid_from,until,suspended,codes"


def people_file(folder: Path, *lines: str, header: str = HEADER) -> str:
    """A file with these lines; its path."""
    path = folder / "people.csv"
    path.write_text("".join(f"{line}\n" for line in (header, *lines)))
    return str(path)


def many(count: int, *, bad: Iterable[int] = (), codes: Iterable[int] = ()) -> list[str]:
    """Lines of so many people with cards; those of `bad` have a card that fits no format."""
    wrong, coded = frozenset(bad), frozenset(codes)
    return [
        f"Person {number},p{number},staff,{'H10302:99999999999' if number in wrong else f'H10302:{number + 1}'},,,no,"
        f"{'yes' if number in coded else 'no'}"
        for number in range(count)
    ]


def enrolled(board: Board) -> dict[str, Holder]:
    """Everybody, by short name."""
    with RosterReader.open(board.paths.roster) as reader:
        return {holder.id: holder for holder in reader.holders()}
