"""Runs a Scan over a port: the only thing of a scan that waits."""

import asyncio
from collections.abc import Callable

from hal.clock import monotonic_now
from hal.events import SECOND, Monotonic
from hal.osdp.bus import OpenPort
from hal.osdp.scan import Ask, Broken, Found, Scan, Step


async def scan_line(
    scan: Scan,
    open_port: OpenPort,
    told: Callable[[Found | Broken], None],
    *,
    progress: Callable[[int, int], None] = lambda _asked, _total: None,
    clock: Callable[[], Monotonic] = monotonic_now,
) -> None:
    """Until every address was asked at every speed. OSError: the device is not there, is in use, or has vanished.

    `told` is called as readers are found; `progress` with how many of how many were asked.
    """
    heard = asyncio.Event()
    came: list[bytes] = []
    lost: list[bool] = []

    def hear(untrusted: bytes) -> None:
        came.append(untrusted)
        heard.set()

    def lose() -> None:
        lost.append(True)
        heard.set()

    port = open_port(hear, lose)
    speed: int | None = None
    try:
        while not scan.done:
            now = clock()
            steps: list[Step] = [step for piece in came for step in scan.receive(piece, now)]
            came.clear()
            steps += scan.on_deadline(now)
            for step in steps:
                if not isinstance(step, Ask):
                    told(step)
                    continue
                if step.baud != speed:
                    port.set_speed(step.baud)
                    speed = step.baud
                port.write(step.frame)
                progress(scan.asked, scan.total)
            await _until(heard, max(0, scan.next_deadline() - clock()))
            if lost:
                raise OSError("the device has vanished")
    finally:
        port.close()


async def _until(heard: asyncio.Event, wait: int) -> None:
    heard.clear()
    try:
        async with asyncio.timeout(wait / SECOND):
            await heard.wait()
    except TimeoutError:
        return
