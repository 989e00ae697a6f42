"""doorctl reader scan: which readers answer on a line, at which address and speed.

Speaks on the line itself, in clear, and only asks who is there. doord must not have the port meanwhile: to ask a reader
anything in clear is to end its session.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from doorctl.errors import OperatorError
from hal.clock import monotonic_now
from hal.osdp.bus import serial_port
from hal.osdp.commands import Identity
from hal.osdp.scan import ADDRESSES, Broken, Found, Scan
from hal.osdp.scan_line import scan_line

_HINT: Final = "where doord uses the line: `systemctl stop doorctl`, or ask `doorctl reader list`"


def questions(bauds: Sequence[int]) -> int:
    """How many a scan asks."""
    return len(bauds) * len(ADDRESSES)


def scanned(
    device: str, bauds: Sequence[int], *, rts_drives: bool, told: Callable[[dict[str, Any]], None],
    advance: Callable[[int], None],
) -> None:  # fmt: skip
    """Ask every address; `told` has each that answered as it is found. OperatorError where the port cannot be had."""
    asyncio.run(_scanned(device, bauds, rts_drives=rts_drives, told=told, advance=advance))


async def _scanned(
    device: str, bauds: Sequence[int], *, rts_drives: bool, told: Callable[[dict[str, Any]], None],
    advance: Callable[[int], None],
) -> None:  # fmt: skip
    scan = Scan(monotonic_now(), bauds=bauds, addresses=ADDRESSES)
    open_port = serial_port(device, baud=bauds[0], rts_drives=rts_drives)
    try:
        await scan_line(scan, open_port, lambda step: told(facts(step)), progress=partial(_one_more, advance))
    except OSError as error:
        raise OperatorError(
            f"{device}: cannot be scanned: {os.strerror(error.errno) if error.errno else error}", hint=_HINT
        ) from error


def _one_more(advance: Callable[[int], None], _asked: int, _total: int) -> None:
    advance(1)


def facts(step: Found | Broken) -> dict[str, Any]:
    """As JSON has it; `words` says it to people."""
    place = {"address": step.address, "baud": step.baud}
    match step:
        case Found(identity=Identity() as who):
            words = (
                f"vendor {who.vendor.hex()}, model {who.model} version {who.version}, serial {who.serial}, "
                f"firmware {'.'.join(map(str, who.firmware))}"
            )
            return {**place, "answered": True, "serial": who.serial, "words": words}
        case Found():
            return {**place, "answered": True, "serial": None, "words": "a reader that does not say who it is in clear"}
    return {
        **place, "answered": False, "serial": None,
        "words": "something that nobody can read: another speed, or two readers at one address",
    }  # fmt: skip
