"""The page's door side: what somebody at the doors sees. Never asks the monitor, never knows what a code means.

Its sources are an onlooker's: the outputs as the mock board's `watch` tells them, doord's status, and the access log.
Strike and lamp are levels on wires, not what doord says of them: a killed doord leaves them to the metal.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from doorctl.cli.ask import ask
from doorctl.cli.sim_page_feed import Event, Feed
from doorctl.cli.sim_page_mock import MockLine
from doorctl.cli.sim_wire import is_released, wire_of
from doorctl.config import types as config_types
from doorctl.config.types import BusPlace, Config
from doorctl.core.types import SECOND, Mode, Outcome
from doorctl.errors import DoorctlError
from doorctl.journal.reader import JournalReader
from doorctl.journal.rows import Logged
from doorctl.paths import Paths

LOG_LINES: Final = 50
"""Kept for a browser that comes."""
_LOOK_EVERY_S: Final = 0.5
_LOOK_SOON_S: Final = 0.1
_SOON_FOR_S: Final = 0.7
"""After something happened: a leaf's debounce takes 100 ms, a release's end a little more."""
_TOGETHER_S: Final = 0.03
"""What one happening changes on wires, in status and in the log is shown at one moment: seen once, in one order."""
_TRY_AGAIN_S: Final = 0.1
_STATUS_WITHIN_S: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorView:
    """One door as it is now."""

    name: str
    released: bool = False
    """The strike: whether the leaf can be opened."""
    lamp: bool = False
    beep: bool = False
    open: bool = False
    tampered: bool = False
    state: str = ""
    """As `doorctl status` says it; empty while doord does not run."""
    reader: str = ""
    """"reading" once the reader is armed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardView:
    """The board as it is now."""

    running: bool = False
    path: str = ""
    """The way to the monitor, as the board sees it."""
    pending: int | None = None
    """Records without a receipt."""
    faults: tuple[str, ...] = ()


class Onlooker(Protocol):
    """Somebody who is told what can be seen at the doors, with its times."""

    def output(self, door: str, what: str, *, active: bool, at: int) -> None:
        """Strike, lamp or sounder of a door changed at that moment, CLOCK_MONOTONIC in nanoseconds."""

    def logged(self, lines: Sequence[Logged]) -> None:
        """New rows of the access log."""

    def late(self, count: int) -> None:
        """How many answers the board calls late."""


_Pins = dict[str, tuple[str, str]]
_OUTPUTS: Final = frozenset({"strike", "lamp", "sounder"})


class DoorSide:
    """Follows the board for as long as `run` runs; publishes into its feed."""

    def __init__(self, paths: Paths, config: Config, feed: Feed, onlooker: Onlooker) -> None:
        self._paths, self._feed, self._onlooker = paths, feed, onlooker
        self._zone = ZoneInfo(config.site.timezone)
        self._journal = JournalReader(paths.journal)
        self._pins = _pins(config.doors)
        self._look = asyncio.Event()
        self._soon_until = 0.0
        self._changed: set[str] = set()
        self._new_lines: list[dict[str, Any]] = []
        self._telling: asyncio.TimerHandle | None = None
        self._inputs_known = False
        """From the first board on, leaf and cover are where the visitor's hands put them."""
        self.site = {"site": config.site.id, "doors": [describe(door) for door in config.doors]}
        self.config = {str(door.name): door for door in config.doors}
        self.doors = {name: DoorView(name=name) for name in self.config}
        self.board = BoardView()
        self.log: deque[dict[str, Any]] = deque(maxlen=LOG_LINES)

    def everything(self) -> Iterable[Event]:
        """For a browser that comes."""
        yield "site", self.site["site"]
        yield "zone", str(self._zone)
        yield "about", self.site["doors"]
        yield "board", asdict(self.board)
        yield "doors", [asdict(door) for door in self.doors.values()]
        yield "log", list(self.log)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch(), name="outputs")
            tasks.create_task(self._follow(), name="status and log")

    def look(self) -> None:
        """Something was done: status and log may have news, and for a moment more of them."""
        self._soon_until = time.monotonic() + _SOON_FOR_S
        self._look.set()

    # Wires

    async def _watch(self) -> None:
        while True:
            with suppress(DoorctlError):
                async with MockLine(self._paths.mock_socket) as line:
                    state = await line.do("state")
                    self._take_state(state["pins"])
                    async for pin, level, at in line.changes(state["newest"]):
                        self.take_level(pin, level=level, at=at)
            self._let_go()
            await asyncio.sleep(_TRY_AGAIN_S)

    def _take_state(self, pins: dict[str, Any]) -> None:
        for pin, wire in pins.items():
            if self._pins.get(pin, ("", ""))[1] in _OUTPUTS or not self._inputs_known:
                self.take_level(pin, level=wire["level"] == 1)
        self._inputs_known = True

    def take_level(self, pin: str, *, level: bool | None, at: int | None = None) -> bool:
        """A wire has this level now; None: nobody drives it. False where it shows at no door."""
        if pin not in self._pins:
            return False
        name, what = self._pins[pin]
        door = self.config[name]
        match what:
            case "strike":
                active = is_released(door.strike, level)
                self._change(name, released=active)
            case "lamp":
                active = level is True
                self._change(name, lamp=active)
            case "sounder":
                active = level is True
                self._change(name, beep=active)
            case "contact":
                active = _is_active(door.contact, level)
                self._change(name, open=active)
            case _:
                active = _is_active(door.tamper, level)
                self._change(name, tampered=active)
        if what in _OUTPUTS:
            self._onlooker.output(name, what, active=active, at=time.monotonic_ns() if at is None else at)
        return True

    def active_inputs(self) -> frozenset[str]:
        """Pins of leaves that stand open and covers that are off: how a board finds them when it starts."""
        found = set()
        for pin, (name, what) in self._pins.items():
            seen = self.doors[name]
            if (what == "contact" and seen.open) or (what == "tamper" and seen.tampered):
                found.add(pin)
        return frozenset(found)

    def wants_card(self, door: str) -> bool:
        """Whether its reader asks for a card before a code."""
        return self.config[door].readers[0].mode is Mode.CARD_AND_CODE

    def _let_go(self) -> None:
        """doord ended: what it drove falls back; where the leaf is nobody can say, so it stays as it was seen."""
        for pin, (_, what) in self._pins.items():
            if what in _OUTPUTS:
                self.take_level(pin, level=None)
        self.look()

    def _change(self, name: str, **what: Any) -> None:
        seen = replace(self.doors[name], **what)
        if seen != self.doors[name]:
            self.doors[name] = seen
            self._changed.add(name)
            self._tell_soon()
            self.look()

    def _tell_soon(self) -> None:
        if self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(_TOGETHER_S, self._tell)

    def _tell(self) -> None:
        self._telling = None
        for name, seen in self.doors.items():
            if name in self._changed:
                self._feed.publish("door", asdict(seen))
        self._changed.clear()
        if self._new_lines:
            self._feed.publish("log", self._new_lines)
            self._new_lines = []

    # Status and log

    async def _follow(self) -> None:
        last: int | None = None
        while True:
            self._look.clear()
            await self._read_status()
            last = await self._read_log(last)
            with suppress(TimeoutError):
                soon = time.monotonic() < self._soon_until
                async with asyncio.timeout(_LOOK_SOON_S if soon else _LOOK_EVERY_S):
                    await self._look.wait()

    async def _read_status(self) -> None:
        try:
            status = await asyncio.to_thread(ask, self._paths, "status", within_s=_STATUS_WITHIN_S)
        except DoorctlError:
            self._take_board(BoardView())
            for name in self.doors:
                self._change(name, state="", reader="")
            return
        self._take_board(board_view(status))
        self._onlooker.late(int(status["answer_ms"]["late"]))
        for door in status["doors"]:
            if door["name"] in self.doors:
                self._change(door["name"], state=door["state"], reader=", ".join(r["state"] for r in door["readers"]))

    def _take_board(self, board: BoardView) -> None:
        if board != self.board:
            self.board = board
            self._feed.publish("board", asdict(board))

    async def _read_log(self, last: int | None) -> int | None:
        try:
            lines = await asyncio.to_thread(self._journal.log, LOG_LINES, after_id=last)
        except DoorctlError:
            return last
        if not lines:
            return last
        views = [log_view(line, self._zone) for line in lines]
        self.log.extend(views)
        self._onlooker.logged(lines)
        self._new_lines += views
        self._tell_soon()
        return lines[-1].id


def describe(door: config_types.Door) -> dict[str, Any]:
    """What there is to touch at a door; of several readers the first."""
    reader = door.readers[0]
    return {
        "name": door.name,
        "held_open_s": door.held_open // SECOND,
        "release_s": door.strike.release // SECOND,
        "mode": reader.mode.value,
        "card": reader.mode is not Mode.CODE,
        "keypad": reader.takes_keys,
        "contact": door.contact is not None,
        "rex": door.rex is not None,
        "tamper": door.tamper is not None,
    }


def board_view(status: dict[str, Any]) -> BoardView:
    """What of doord's status concerns the whole board."""
    return BoardView(
        running=True,
        path=str(status["path"]["state"]),
        pending=int(status["spool"]["pending"]),
        faults=tuple(str(fault) for fault in status["faults"]),
    )


def log_view(logged: Logged, zone: ZoneInfo) -> dict[str, Any]:
    """One line of the access log, in columns."""
    row = logged.row
    decided = row.outcome is not Outcome.NONE
    why = "" if row.outcome in (Outcome.NONE, Outcome.GRANTED) else row.reason.name.lower().replace("_", " ")
    return {
        "id": logged.id,
        "time": datetime.fromtimestamp(row.wall / SECOND, tz=zone).strftime("%H:%M:%S"),
        "door": row.door,
        "what": row.outcome.name.lower() if decided else row.event,
        "who": row.holder or "",
        "more": " ".join(part for part in (why, row.detail, f"× {row.count}" if row.count > 1 else "") if part),
    }


def _pins(doors: Iterable[config_types.Door]) -> _Pins:
    """Pin → (door, what is on it)."""
    pins: _Pins = {}
    for door in doors:
        reader = door.readers[0]
        on_line = isinstance(reader.wiring, BusPlace)
        wires = {
            "strike": door.strike.pin,
            "lamp": f"{reader.name} led" if on_line else reader.led,
            "sounder": f"{reader.name} buzzer" if on_line else reader.buzzer,
            "contact": None if door.contact is None else wire_of(door.contact),
            "tamper": None if door.tamper is None else wire_of(door.tamper),
        }
        pins |= {pin: (str(door.name), what) for what, pin in wires.items() if pin is not None}
    return pins


def _is_active(
    source: config_types.Input | config_types.ReaderInput | None,
    level: bool | None,  # noqa: FBT001  a wire's level is a value
) -> bool:
    return source is not None and level is source.active_high
