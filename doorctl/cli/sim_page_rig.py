"""What a visitor may break: the line between courier and monitor, and doord itself (kill -9). And mends it again.

doord is started again by itself after a moment, as systemd would. Nothing here is part of the door or the monitor.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from doorctl.cli.sim_page_feed import Feed
from doorctl.errors import DoorctlError, OperatorError

DEAD_FOR_S: Final = 2.0
"""Long enough to see that a dead doord leaves the door locked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakable:
    """How the site is broken and mended; each blocks until it is done."""

    cut_line: Callable[[], None]
    mend_line: Callable[[], None]
    kill_doord: Callable[[], None]
    start_doord: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RigView:
    """What is broken now."""

    line: str = "whole"
    doord: str = "running"
    """running, killed, starting, or why it did not start."""


class Rig:
    """Breaks and mends; publishes into the door side's feed, since both show there."""

    def __init__(self, site: Breakable, feed: Feed, *, dead_for_s: float = DEAD_FOR_S) -> None:
        self._site, self._feed, self._dead_for_s = site, feed, dead_for_s
        self._closing = asyncio.Event()
        self.rising: asyncio.Task[None] | None = None
        """doord on its way back."""
        self.view = RigView()

    async def set_line(self, *, cut: bool) -> None:
        """Cut or mend the line."""
        await asyncio.to_thread(self._site.cut_line if cut else self._site.mend_line)
        self._show(line="cut" if cut else "whole")

    async def kill_doord(self) -> None:
        """kill -9, and start it again after a moment; OperatorError while that goes on."""
        if self.view.doord in ("killed", "starting"):
            raise OperatorError("doord is on its way back already")
        self._show(doord="killed")
        await asyncio.to_thread(self._site.kill_doord)
        self.rising = asyncio.create_task(self._start_again(), name="doord rises")

    def close(self) -> None:
        """Start nothing any more; a start that has begun is in `rising`."""
        self._closing.set()

    async def _start_again(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._dead_for_s):
                await self._closing.wait()
                return
        self._show(doord="starting")
        try:
            await asyncio.to_thread(self._site.start_doord)
        except DoorctlError as error:
            self._show(doord=str(error).partition("\n")[0])
        else:
            self._show(doord="running")

    def _show(self, **what: Any) -> None:
        self.view = replace(self.view, **what)
        self._feed.publish("rig", asdict(self.view))
