"""What a visitor may break: the line to the monitor, the board's power, its disk, doord itself. And mends it again.

A killed doord is started again by itself after a moment, as systemd would; power comes back when the visitor says so.
Nothing here is part of the door or the monitor.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from doorctl.cli.sim_page_feed import Event, Feed
from doorctl.errors import DoorctlError, OperatorError

DEAD_FOR_S: Final = 2.0
"""Long enough to see that a dead doord leaves the door locked."""
_BUSY: Final = frozenset({"killed", "starting"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakable:
    """How the site is broken and mended; each blocks until it is done."""

    cut_line: Callable[[], None]
    mend_line: Callable[[], None]
    stall_disk: Callable[[], None]
    mend_disk: Callable[[], None]
    kill_doord: Callable[[], None]
    start_doord: Callable[[], None]
    cut_power: Callable[[], None]
    """All that runs on the board ends at once."""
    start_board: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RigView:
    """What is broken now."""

    line: str = "whole"
    disk: str = "well"
    power: str = "on"
    """on, off, or returning."""
    doord: str = "running"
    """running, killed, off, starting, or why it did not start."""


class Rig:
    """Breaks and mends; publishes what is broken."""

    def __init__(
        self,
        site: Breakable,
        feed: Feed,
        broken: Callable[[tuple[str, ...]], None],
        *,
        dead_for_s: float = DEAD_FOR_S,
    ) -> None:
        """`broken` is told in words what is broken while the doors go on, whenever that changes."""
        self._site, self._feed, self._broken, self._dead_for_s = site, feed, broken, dead_for_s
        self._closing = asyncio.Event()
        self.rising: asyncio.Task[None] | None = None
        """doord on its way back."""
        self.view = RigView()

    def everything(self) -> Iterable[Event]:
        """For a browser that comes."""
        yield "rig", asdict(self.view)

    async def set_line(self, *, cut: bool) -> None:
        """Cut or mend the line."""
        await asyncio.to_thread(self._site.cut_line if cut else self._site.mend_line)
        self._show(line="cut" if cut else "whole")

    async def set_disk(self, *, stalled: bool) -> None:
        """Stall the board's disk, or let it write again."""
        await asyncio.to_thread(self._site.stall_disk if stalled else self._site.mend_disk)
        self._show(disk="stalled" if stalled else "well")

    async def kill_doord(self) -> None:
        """kill -9, and start it again after a moment; OperatorError while that goes on or there is no power."""
        self._refuse_while_rising()
        if self.view.power != "on":
            raise OperatorError("the board has no power", hint="give it power first")
        self._show(doord="killed")
        await asyncio.to_thread(self._site.kill_doord)
        self._rise(self._start_again())

    async def set_power(self, *, cut: bool) -> None:
        """Cut the board's power, or give it back; OperatorError while it starts. Twice the same is nothing."""
        self._refuse_while_rising()
        if cut and self.view.power == "on":
            self._show(power="off", doord="off")
            await asyncio.to_thread(self._site.cut_power)
        elif not cut and self.view.power == "off":
            self._show(power="returning", doord="starting")
            self._rise(self._boot())

    def close(self) -> None:
        """Start nothing any more; a start that has begun is in `rising`."""
        self._closing.set()

    def _refuse_while_rising(self) -> None:
        if self.view.doord in _BUSY:
            raise OperatorError("doord is on its way back already", hint="it takes a few seconds")

    def _rise(self, start: Coroutine[Any, Any, None]) -> None:
        self.rising = asyncio.create_task(start, name="doord rises")

    async def _start_again(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._dead_for_s):
                await self._closing.wait()
                return
        self._show(doord="starting")
        try:
            await asyncio.to_thread(self._site.start_doord)
        except DoorctlError as error:
            self._show(doord=_why(error))
        else:
            self._show(doord="running")

    async def _boot(self) -> None:
        try:
            await asyncio.to_thread(self._site.start_board)
        except DoorctlError as error:
            await asyncio.to_thread(self._site.cut_power)
            self._show(power="off", doord=_why(error))
        else:
            self._show(power="on", doord="running")

    def _show(self, **what: Any) -> None:
        self.view = replace(self.view, **what)
        self._feed.publish("rig", asdict(self.view))
        faults = {"the line was cut": self.view.line == "cut", "the disk was stalled": self.view.disk == "stalled"}
        self._broken(tuple(words for words, is_so in faults.items() if is_so))


def _why(error: DoorctlError) -> str:
    """Of a daemon's last words the one that says what was wrong, else what we waited for."""
    first, *words = str(error).splitlines()
    return next((word.strip() for word in reversed(words) if "error:" in word.lower()), first)
