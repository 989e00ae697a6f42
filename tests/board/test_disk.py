"""A card that fills, stands still, turns read-only or dies: doors open, status says so, and no record is lost.

All that the board keeps is on it: keys, roster, journal. The kernel does to it what becomes of cards (card.py).
No clock: what a board without one does is tested in virtual time, since a machine here has the host's
(tests/doord/test_receipts.py, "The time"; tests/doord/test_clock.py).
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.board.card import Card
from tests.board.conftest import Site
from tests.board.rig import until
from tests.board.test_units import by_card
from tests.board.test_upgrade import granted, waiting

pytestmark = pytest.mark.board

KEPT: Final = "/var/lib/doorctl"
DAEMONS: Final = "doorctl doorctl-courier"
FAULT: Final = "storage: the disk does not answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Of a card, as good as it was: what happens, and what mends it."""

    comes: Callable[[Card], None]
    goes: Callable[[Card], None]


BY_ITSELF: Final = {
    "full": End(comes=Card.fill, goes=Card.empty),
    "stands still": End(comes=Card.freeze, goes=Card.thaw),
}
"""doord goes on as soon as the card does."""
BY_HAND: Final = {
    "read-only": End(comes=Card.turn_read_only, goes=Card.mend),
    "dead": End(comes=Card.die, goes=Card.mend),
}
"""Somebody takes it out."""


@pytest.fixture(scope="module")
def card(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Card]:
    """Under all that the board keeps."""
    board = site.board
    board.run(f"systemctl stop {DAEMONS}")
    with Card(board, tmp_path_factory.mktemp("card") / "image", "/srv/card") as card:
        board.run(f"cp -a {KEPT}/. /srv/card")
        card.move_to(KEPT)
        board.run(f"systemctl start {DAEMONS}")
        yield card
        board.run(f"systemctl stop {DAEMONS}")
        card.move_to("/srv/card")
        board.run(f"rm -r {KEPT}/*; cp -a /srv/card/. {KEPT}; rm -r {KEPT}/lost+found")
    board.run(f"rmdir /srv/card; systemctl start {DAEMONS}")


def pid(site: Site) -> int:
    return site.board.main_pid("doorctl")


def told(site: Site) -> tuple[bool, bool]:
    """Whether doorctl's status says the fault, and systemd's line."""
    line = site.board.run("systemctl show --property=StatusText --value doorctl")
    return FAULT in site.board.run("doorctl status", check=False), FAULT in line


def logged(site: Site) -> int:
    """Visits in the board's log."""
    rows = map(json.loads, site.board.run("doorctl log --json -n 5000").splitlines())
    return sum(row["count"] for row in rows if row["outcome"] == "granted")


def a_visit_that_no_disk_has(site: Site, card: Card, end: End) -> None:
    """The door opens, status says why that is not all, and the monitor has the record though the disk has not."""
    so_far, running = granted(site), pid(site)
    end.comes(card)
    by_card(site)
    until(lambda: told(site) == (True, True), 30, "status does not say it")
    until(lambda: granted(site) == so_far + 1, 30, "the monitor hears nothing")
    assert waiting(site) > 0
    assert pid(site) == running


def well(site: Site) -> bool:
    return told(site) == (False, False) and waiting(site) == 0


@pytest.mark.parametrize("how", BY_ITSELF)
def test_a_card_that_comes_back_gets_what_it_missed(site: Site, card: Card, how: str) -> None:
    running, before = pid(site), logged(site)
    a_visit_that_no_disk_has(site, card, BY_ITSELF[how])
    BY_ITSELF[how].goes(card)
    until(lambda: well(site), 30, "the fault stays")
    assert (pid(site), logged(site)) == (running, before + 1)


def test_a_card_that_turns_read_only_is_replaced(site: Site, card: Card) -> None:
    """Until then a start is possible, and opens doors."""
    a_visit_that_no_disk_has(site, card, BY_HAND["read-only"])
    site.board.run("systemctl restart doorctl")
    by_card(site)
    until(lambda: told(site) == (True, True), 30, "status does not say it")
    site.board.run(f"systemctl stop {DAEMONS}")
    BY_HAND["read-only"].goes(card)
    site.board.run(f"systemctl start {DAEMONS}")
    by_card(site)
    until(lambda: well(site), 30, "the fault stays")


def test_a_card_that_died_is_waited_for(site: Site, card: Card) -> None:
    """doord goes on with what it has read; one that begins without its keys is begun again until they are there."""
    a_visit_that_no_disk_has(site, card, BY_HAND["dead"])
    site.board.kill("doorctl", "KILL")
    failed = "identity.key: cannot be opened: Input/output error"
    until(lambda: failed in site.board.run("journalctl -u doorctl -n 10 -o cat"), 30, "it has its keys")
    site.board.run("systemctl stop doorctl-courier")
    BY_HAND["dead"].goes(card)
    site.board.run("systemctl start doorctl-courier")
    until(lambda: site.board.run("systemctl is-active doorctl", check=False).strip() == "active", 30, "doord is gone")
    by_card(site)
    until(lambda: well(site), 30, "the fault stays")


@pytest.fixture
def read_only_root(site: Site) -> Iterator[Path]:
    """A board whose system is never written; its card is."""
    site.board.run("journalctl --relinquish-var && mount -o remount,ro /")
    yield site.board.path("/etc/doorctl")
    site.board.run("mount -o remount,rw / && journalctl --flush")


def test_a_read_only_system_is_enough(site: Site, card: Card, read_only_root: Path) -> None:
    with pytest.raises(OSError, match="Read-only file system"):
        (read_only_root / "probe").touch()
    site.board.run(f"systemctl restart {DAEMONS}")
    before = granted(site)
    by_card(site)
    until(lambda: granted(site) == before + 1, 30, "the monitor hears nothing")
    until(lambda: well(site), 30, "a fault")
