"""Doctor's table of checks for a board, in the order in which they are said: files first, then what runs on them."""

from collections.abc import Iterator
from typing import Final

from doorctl.cli.doctor_files import FILES
from doorctl.cli.doctor_finding import Check, Finding, Unseen
from doorctl.cli.doctor_leftovers import LEFTOVERS
from doorctl.cli.doctor_line import LINE
from doorctl.cli.doctor_machine import disk_room, disk_speed, pins, size_of, units, versions
from doorctl.cli.doctor_osdp import OSDP
from doorctl.cli.doctor_running import RUNNING
from doorctl.cli.doctor_stores import STORES
from doorctl.cli.doctor_subject import Board
from doorctl.journal.bounds import LIMIT
from doorctl.journal.schema import PAGE_SIZE

_LOG_BYTES: Final = 60_000_000
"""Of the access log at its most; journal/bounds.py."""


def room(board: Board) -> Iterator[Finding]:
    """For the journal: every record of a full spool has a page."""
    folder = board.paths.journal.parent
    if not folder.is_dir():
        raise Unseen(f"{folder}: there is none yet")
    yield from disk_room(folder, may_grow=max(0, LIMIT * PAGE_SIZE + _LOG_BYTES - size_of(board.paths.journal)))


def speed(board: Board) -> Iterator[Finding]:
    """Of the disk that a door waits for."""
    folder = board.paths.journal.parent
    if not folder.is_dir():
        raise Unseen(f"{folder}: there is none yet")
    yield from disk_speed(folder)


def services(board: Board) -> Iterator[Finding]:
    """Both daemons' units."""
    return units(board.machine, ("doorctl.service", "doorctl-courier.service"), service=board.service)


BOARD: Final[tuple[Check[Board], ...]] = (
    *FILES,
    *STORES,
    *LEFTOVERS,
    *OSDP,
    *RUNNING,
    *LINE,
    Check(name="disk room", looks_at="the journal's file system", look=room),
    Check(name="disk speed", looks_at="a write beside the journal", look=speed),
    Check(name="pins", looks_at="the gpiochip and who may use it", look=pins, fine="doord may use the gpiochip"),
    Check(name="services", looks_at="systemd units", look=services, fine="installed, enabled and running"),
    Check(name="versions", looks_at="Python, SQLite, libraries", look=versions),
)
