"""Notes every visit that is played at the page, for the comparison: an onlooker who sees the door and the line at once.

Whoever plays knows what their code means; so this knows it too, and is on neither side: nothing of it reaches the
door or the monitor. What it notes is what really happened: the mock board's outputs with their own times, the access
log's rows as doord wrote them, the line's bytes as the relay passed them on.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from doorctl.cli.sim_network import Passed
from doorctl.cli.sim_page_compare import Comparison, Edges, Visit, compare
from doorctl.cli.sim_page_feed import Event, Feed
from doorctl.cli.sim_site import Person
from doorctl.core.types import MS, SECOND, HolderId
from doorctl.journal.rows import Logged

WINDOW_NS: Final = SECOND
"""From the last key: the slowest answer (three beeps) is over by then, unless this computer is slow."""
_ANSWER_NS: Final = 600 * MS
"""An answer that comes late is looked at so long all the same."""
FINISH_S: Final = 2.0
"""After the answer: by then the log was read and supervision's own message is known."""
_ANSWER_WITHIN_NS: Final = 3 * SECOND
_GIVES_UP_NS: Final = 5 * SECOND
"""A reader's: so long after its last key an entry is over."""
_SUPERVISION_NS: Final = 400 * MS
"""So close to a supervision that the monitor heard, one message of its is not the visit's."""
_REMEMBERED: Final = 1024
_REACTION_NS: Final = 1 * MS


@dataclass(slots=True, kw_only=True)
class _Entry:
    """What was typed at a door and not answered yet."""

    keys: str = ""
    last: int = 0
    late: int = 0


@dataclass(slots=True, kw_only=True)
class _Seen:
    """One door's past."""

    outputs: dict[str, deque[tuple[int, bool]]] = field(
        default_factory=lambda: {what: deque(maxlen=_REMEMBERED) for what in ("lamp", "sounder", "strike")}
    )
    rows: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    touched: deque[int] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    """When hands did something there."""
    entry: _Entry = field(default_factory=_Entry)


class Visits:
    """At all doors; everything on the page's loop."""

    def __init__(
        self,
        doors: Iterable[str],
        people: Mapping[HolderId, Person],
        passed: Callable[[int, int], list[Passed]],
        feed: Feed,
        *,
        zone: ZoneInfo,
        finish_s: float = FINISH_S,
    ) -> None:
        self._people, self._passed, self._feed, self._zone = people, passed, feed, zone
        self._finish_s = finish_s
        self._seen = {door: _Seen() for door in doors}
        self._visits: dict[tuple[str, str, str], Visit] = {}
        """(door, kind, holder) → the last; the newest of all at the end."""
        self._supervised: deque[int] = deque(maxlen=_REMEMBERED)
        self._late = 0
        self._broken: tuple[str, ...] = ()
        self._finishing: set[asyncio.TimerHandle] = set()

    @property
    def comparisons(self) -> list[dict[str, Any]]:
        """For each door."""
        return [self._compared(door).plain() for door in self._seen]

    def everything(self) -> Iterable[Event]:
        """For a browser that comes."""
        yield "compare", self.comparisons

    def close(self) -> None:
        """Finish nothing any more."""
        for timer in self._finishing:
            timer.cancel()
        self._finishing.clear()

    # What is told

    def pressed(self, door: str, keys: str, *, first: int, last: int) -> None:
        """Keys at a reader, from one moment to another; what was typed long before them is forgotten, as there."""
        seen = self._seen[door]
        if first - seen.entry.last > _GIVES_UP_NS:
            seen.entry = _Entry()
        for key in keys:
            entry = seen.entry
            match key:
                case "*":
                    seen.entry = _Entry()
                    continue
                case "#":
                    pass
                case _:
                    if not entry.keys:
                        entry.late = self._late
                    entry.keys += key
            entry.last = last

    def touched(self, door: str, at: int) -> None:
        """A card, the leaf, REX: what comes after it is no longer the answer alone."""
        self._seen[door].touched.append(at)

    def output(self, door: str, what: str, *, active: bool, at: int) -> None:
        """A wire of the door changed at that moment."""
        seen = self._seen[door]
        if what not in seen.outputs:
            return
        seen.outputs[what].append((at, active))
        if what != "lamp" and active:  # the lamp blinks while an entry waits
            self._answered(door, at)

    def logged(self, lines: Sequence[Logged]) -> None:
        """Rows of the access log."""
        ahead = time.time_ns() - time.monotonic_ns()
        for line in lines:
            row = line.row
            if row.event == "access" and row.door in self._seen:
                text = f"{row.event} {row.holder or 'nobody'} {row.outcome.name.lower()} {row.reason.name.lower()}"
                at = row.wall - ahead
                self._seen[row.door].rows.append((at, f"{text} {row.detail}".strip().replace("_", " ")))
                self._answered(row.door, at)

    def late(self, count: int) -> None:
        """How many answers the board itself calls late, since it started."""
        self._late = count

    def broken(self, what: tuple[str, ...]) -> None:
        """What the visitor has broken from now on, in words."""
        self._broken = what

    def supervised(self, said: str | None) -> None:
        """The monitor's time of the last supervision, ISO 8601; its clock is this computer's."""
        if said:
            wall = int(datetime.fromisoformat(said).timestamp() * SECOND)
            self._supervised.append(wall - (time.time_ns() - time.monotonic_ns()))

    def forget(self, holder: str) -> None:
        """A person is gone, and what they did here with them."""
        self._visits = {key: visit for key, visit in self._visits.items() if visit.holder != holder}
        self._feed.publish("compare", self.comparisons)

    # What is made of it

    def _answered(self, door: str, at: int) -> None:
        """The door has said something to what was typed, by whichever wire it has, or by its log alone."""
        seen = self._seen[door]
        entry = seen.entry
        if not entry.keys or not 0 < at - entry.last < _ANSWER_WITHIN_NS:
            return
        seen.entry = _Entry()
        if (played := self._played(entry.keys)) is not None:
            kind, person = played
            broken = self._broken
            self._later(lambda: self._finish(door, kind, person, entry, told=at, broken=broken))

    def _played(self, keys: str) -> tuple[str, Person] | None:
        for person in self._people.values():
            for kind, code in (("normal", person.code), ("duress", person.duress_code)):
                if keys == code:
                    return kind, person
        return None

    def _later(self, act: Callable[[], None]) -> None:
        def due() -> None:
            self._finishing.discard(timer)
            act()

        timer = asyncio.get_running_loop().call_later(self._finish_s, due)
        self._finishing.add(timer)

    def _finish(
        self, door: str, kind: str, person: Person, entry: _Entry, *, told: int, broken: tuple[str, ...]
    ) -> None:
        seen, last = self._seen[door], entry.last
        answer = min(
            (
                at
                for what in ("sounder", "strike")
                for at, active in seen.outputs[what]
                if active and last < at < last + _ANSWER_WITHIN_NS
            ),
            default=told,
        )
        end = max(last + WINDOW_NS, answer + _ANSWER_NS)
        until = min([end, *(at for at in seen.touched if answer < at < end)])
        visit = Visit(
            kind=kind,
            holder=person.holder,
            person=person.label,
            door=door,
            time=datetime.now(tz=self._zone).strftime("%H:%M:%S"),
            window_ms=_ms(until - last),
            answer_ms=_ms(answer - last),
            lamp=_edges(seen.outputs["lamp"], last, until),
            beep=_edges(seen.outputs["sounder"], last, until),
            strike=_edges(seen.outputs["strike"], last, until),
            log=tuple((_ms(at - last), text) for at, text in seen.rows if last - _REACTION_NS < at <= until),
            line=self._line(last, until),
            late=self._late > entry.late,
            broken=broken,
        )
        self._visits.pop((door, kind, person.holder), None)
        self._visits[(door, kind, person.holder)] = visit
        self._feed.publish("compare", self.comparisons)

    def _line(self, last: int, until: int) -> tuple[tuple[float, str, int], ...]:
        """Without the messages of supervision, whose pace has nothing to do with visits: as many as were heard."""
        pieces = self._passed(last - _SUPERVISION_NS, until + _SUPERVISION_NS)
        for heard in self._supervised:
            for way in ("up", "down"):  # what goes up is heard after it, what comes down is the answer to it
                near = [
                    piece
                    for piece in pieces
                    if piece.way == way
                    and 0 <= (heard - piece.at if way == "up" else piece.at - heard) < _SUPERVISION_NS
                ]
                if near:
                    pieces.remove(min(near, key=lambda piece: abs(piece.at - heard)))
        return tuple((_ms(piece.at - last), piece.way, piece.size) for piece in pieces if last <= piece.at <= until)

    def _compared(self, door: str) -> Comparison:
        """The newest visit beside the last of the other kind, of the same person where there is one."""
        visits = [visit for visit in self._visits.values() if visit.door == door]
        if not visits:
            return compare(door, ())
        newest = visits[-1]
        others = [visit for visit in visits if visit.kind != newest.kind]
        others.sort(key=lambda visit: visit.holder == newest.holder)
        return compare(door, (newest, *others[-1:]))


def _edges(changes: Iterable[tuple[int, bool]], last: int, until: int) -> Edges:
    """The level at the last key, then every change up to the end."""
    level = False
    edges: list[tuple[float, bool]] = []
    for at, on in changes:
        if at <= last:
            level = on
        elif at <= until and on is not (edges[-1][1] if edges else level):
            edges.append((_ms(at - last), on))
    return ((0.0, level), *edges)


def _ms(span: int) -> float:
    return round(span / MS, 1)
