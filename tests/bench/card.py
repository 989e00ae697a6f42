"""From a card's last edge to the strike at a door that wants a card alone."""

from collections.abc import Iterator

from tests.bench.machine import spread
from tests.system.busy_site import BusySite, Watcher

CARDS = 40
MS = 1_000_000


def lines(site: BusySite) -> Iterator[str]:
    """One card after the other at one door; the site is made and not running."""
    site.start()
    answer_ms = site.status()["answer_ms"]["card"]
    watcher, taken = Watcher(site.paths.mock_socket), []
    with site.drive() as drive:
        for number in range(CARDS):
            card = site.cards[number % len(site.cards)]
            seen = len(watcher.moved)
            last = drive.do("card", reader="north", bits=format(card.raw, f"0{card.length}b"))["last"]
            watcher.wait(seen + 1)
            taken.append((watcher.moved[seen].at - last) / MS)
            watcher.wait_secured()
    site.doord.stop()
    watcher.join()
    yield f"{'card, last edge → strike':36}{spread(taken, 'ms')}   (fixed answer: {answer_ms} ms)"
