"""A real site under load: three daemons, four doors that open by card, people coming and going without pause."""

import json
import random
import socket
import threading
from pathlib import Path
from typing import NamedTuple

from doorctl.cli.holder_enrol import Enrolment
from doorctl.cli.mock_line import BoardGoneError
from doorctl.cli.sim_site import SimSite
from doorctl.core.types import Card, GroupName, Outcome
from doorctl.wire.record import Body, Epoch, Kind, Sequence
from hal.wiegand.cards import FORMATS

DOORS = ("north", "east", "south", "west")
STRIKES = {"GPIO20": "north", "GPIO21": "east", "GPIO22": "south", "GPIO23": "west"}
ANSWER_WITHIN_NS = 480_000_000
"""From a record's making to the strike, with what a crowded machine adds (453 ms were seen at a load of 10).

Less than a release takes, so that the record of an entry before cannot stand for this one.
"""

CONFIG = """
[site]
id = "busy-site"
timezone = "UTC"
[hal]
backend = "mock"
[group.staff]
north = "always"
east = "always"
south = "always"
west = "always"
""" + "".join(
    f"""
[door.{name}]
reader = {{ wiegand = ["GPIO{4 + 2 * i}", "GPIO{5 + 2 * i}"], format = "H10301", mode = "card" }}
strike = {{ pin = "GPIO{20 + i}", type = "fail-secure", release_s = 0.5 }}
egress = "mechanical"
"""
    for i, name in enumerate(DOORS)
)


class Moved(NamedTuple):
    """A strike that was seen to move, by the kernel's clock."""

    door: str
    at: int


class BusySite(SimSite):
    """A SimSite with other doors and many people."""

    cards: list[Card]

    def make(self) -> None:
        self.paths.etc.mkdir(parents=True, exist_ok=True)
        self.paths.config.write_text(CONFIG)
        super().make()
        self.cards = []
        enrolment = Enrolment.open(self.paths)
        for number in range(1, 9):
            length, raw = FORMATS["H10301"].encode({"facility": 77, "card": number})
            card = Card(length=length, raw=raw)
            enrolment.add(f"Person {number}", groups=[GroupName("staff")], card=enrolment.card(card), with_codes=False)
            self.cards.append(card)
        enrolment.close()

    def granted(self) -> list[tuple[Epoch, Sequence, Body]]:
        return [r for r in self.records() if r[2].kind is Kind.ACCESS and r[2].outcome is Outcome.GRANTED]


class Watcher:
    """Hears every output of the mock board until the process at the other end dies."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._socket.sendall(b'{"do":"watch"}\n')
        self.moved: list[Moved] = []
        self.secured = True
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        with self._socket, self._socket.makefile("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                output = json.loads(line).get("output")
                if output is not None and output[1] in STRIKES:
                    self._hear(Moved(STRIKES[output[1]], output[3]), released=output[2] == 1)

    def _hear(self, move: Moved, *, released: bool) -> None:
        with self._changed:
            if released:
                self.moved.append(move)
            self.secured = not released
            self._changed.notify_all()

    def wait(self, count: int) -> None:
        """Until so many strikes were seen to move."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.moved) >= count, 5)

    def wait_secured(self) -> None:
        """Until the last strike that moved has fallen."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.secured, 5)

    def has_seen(self) -> bool:
        return bool(self.moved)

    def join(self) -> None:
        self._thread.join(10)
        assert not self._thread.is_alive()


class Traffic:
    """Cards at every door, one after the other, until told to stop or until the board is gone."""

    def __init__(self, site: BusySite, chance: random.Random) -> None:
        self._site = site
        self._chance = chance
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            with self._site.drive() as drive:
                while not self._stop.wait(0.06):
                    card = self._chance.choice(self._site.cards)
                    drive.do("card", reader=self._chance.choice(DOORS), bits=format(card.raw, f"0{card.length}b"))
        except BoardGoneError:
            return  # the board was killed, which is what the test is about

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)
        assert not self._thread.is_alive()


class Unrecorded(NamedTuple):
    """A strike that moved without a record of its own made just before."""

    move: Moved
    records_before_ms: list[int]
    """How long before the move the door's last records were made: a late answer is told from a lost record."""


def unrecorded(moved: list[Moved], granted: list[tuple[Epoch, Sequence, Body]]) -> list[Unrecorded]:
    """Strikes that moved for no record of their own."""
    by_door: dict[str, list[int]] = {door: [] for door in DOORS}
    for _, _, body in granted:
        by_door[body.door].append(body.monotonic)
    free = {door: sorted(made) for door, made in by_door.items()}
    missing = []
    for move in moved:
        made = [at for at in free[move.door] if 0 <= move.at - at <= ANSWER_WITHIN_NS]
        if made:
            free[move.door].remove(made[0])
        else:
            before = sorted(move.at - at for at in by_door[move.door] if at <= move.at)
            missing.append(Unrecorded(move, [gap // 1_000_000 for gap in before[:3]]))
    return missing
