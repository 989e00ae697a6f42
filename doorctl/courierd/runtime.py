"""The courier's event loop: events from lines and the clock into `Delivery`, its effects out. Decides nothing."""

import asyncio
import logging
import secrets
import ssl
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, assert_never

from doorctl.core.types import SECOND, Monotonic
from doorctl.courierd.config import Monitor
from doorctl.courierd.delivery import Delivery
from doorctl.courierd.events import Dial, DialDoor, Effect, Event, HangUp, Line, Report, Send, Tell
from doorctl.courierd.lines import DoorLine, MonitorLine
from doorctl.sdnotify import notify, watchdog_period

LOG: Final = logging.getLogger("doorctl.courierd")


class Courier:
    """One courier at work."""

    def __init__(
        self,
        *,
        delivery: Delivery,
        door_socket: Path,
        monitor: Monitor,
        context: ssl.SSLContext,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._delivery = delivery
        self._failure: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._stopping = False
        self._door = DoorLine(door_socket, self._happened, self._fail)
        self._monitor = {
            line: MonitorLine(
                line,
                context=context,
                certificate_der=monitor.certificate_der,
                random_bytes=random_bytes,
                deliver=self._happened,
                fail=self._fail,
            )
            for line in (Line.FRESH, Line.BACKLOG)
        }

    async def run(self, stop: asyncio.Event) -> None:
        """Carry records until `stop` is set; whatever breaks a rule of ours is raised and ends the process."""
        self._failure = asyncio.get_running_loop().create_future()
        stopped = asyncio.create_task(stop.wait(), name="stop")
        beat = asyncio.create_task(_watchdog(), name="watchdog")
        try:
            self._carry_out(self._delivery.start(_now()))
            notify(f"READY=1\nSTATUS={self._delivery.status}")
            ends: list[asyncio.Future[Any]] = [stopped, beat, self._failure]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for end in ends:
                if end.done():
                    end.result()
        finally:
            notify("STOPPING=1")
            await self._close(stopped, beat)

    async def _close(self, *tasks: asyncio.Task[Any]) -> None:
        self._stopping = True
        if self._timer is not None:
            self._timer.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(self._door.close(), *(line.close() for line in self._monitor.values()))

    def _happened(self, event: Event) -> None:
        if not self._stopping:
            self._decide(partial(self._delivery.receive, event))

    def _time_passed(self) -> None:
        self._decide(self._delivery.on_deadline)

    def _decide(self, step: Callable[[Monotonic], list[Effect]]) -> None:
        try:
            self._carry_out(step(_now()))
        except Exception as error:  # noqa: BLE001  a broken rule of ours ends the process, from whatever callback
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if self._failure is not None and not self._failure.done():
            self._failure.set_exception(error)

    def _carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case DialDoor(attempt=attempt):
                    self._door.dial(attempt)
                case Dial(line=line, attempt=attempt, address=address):
                    self._monitor[line].dial(attempt, address)
                case HangUp(line=Line.DOOR):
                    self._door.hang_up()
                case HangUp(line=line):
                    self._monitor[line].hang_up()
                case Send(line=line, records=records):
                    self._monitor[line].send(records)
                case Tell(message=message):
                    self._door.tell(message)
                case Report(text=text):
                    LOG.info("%s", text)
                    notify(f"STATUS={self._delivery.status}")
                case _:
                    assert_never(effect)
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._delivery.next_deadline()
        if deadline is not None:
            delay_s = max(0, deadline - _now()) / SECOND
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._time_passed)


async def _watchdog() -> None:
    """Tells systemd that the loop turns; waits for ever where no watchdog is set."""
    period = watchdog_period()
    while True:
        await asyncio.sleep(3600 if period is None else period / SECOND)
        notify("WATCHDOG=1")


def _now() -> Monotonic:
    return Monotonic(time.monotonic_ns())
