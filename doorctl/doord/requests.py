"""What operations of the control socket share: checking a request's members, and waiting while the caller is there."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from doorctl.core.types import SECOND, Card, Duration
from doorctl.doord.control import Caller
from doorctl.doord.reader_unit import ReaderUnit
from doorctl.errors import MalformedError, OperatorError

LONGEST_WAIT_S: Final = 120
LOOK_S: Final = 0.25
"""How soon what was begun for a caller is ended after they hung up."""


def only(request: Mapping[str, Any], *known: str) -> None:
    """MalformedError where a request says more than its operation knows."""
    if unknown := sorted(set(request) - set(known)):
        raise MalformedError(f"control: unknown member {unknown[0][:40]!r}")


def waiting(request: Mapping[str, Any], usual_s: float = 30.0, longest_s: float = LONGEST_WAIT_S) -> float:
    """The request's `wait_s`, `usual_s` where it says none."""
    wait_s = request.get("wait_s", usual_s)
    if isinstance(wait_s, bool) or not isinstance(wait_s, int | float) or not 0 < wait_s <= longest_s:
        raise MalformedError(f"control: expected wait_s from 0 to {longest_s:g}")
    return float(wait_s)


async def shown_card(
    caller: Caller, reader: ReaderUnit, request: Mapping[str, Any], *, beep_ms: tuple[int, ...] = ()
) -> Card:
    """The next card at the reader; OperatorError where none came in time, or the caller hung up."""
    within = Duration(round(waiting(request) * SECOND))
    shown = asyncio.ensure_future(reader.next_card(within, beep_ms=beep_ms))
    try:
        while not shown.done() and not caller.gone():
            await asyncio.wait({shown}, timeout=LOOK_S)
    finally:
        shown.cancel()  # nothing where it is done
    card = None if shown.cancelled() or not shown.done() else shown.result()
    if card is None:
        raise OperatorError(f"{reader.place.reader}: no card was shown in time")
    return card


async def came_true(condition: Callable[[], bool], caller: Caller, within_s: float) -> bool:
    """Whether it did while the caller was there; looked at a few times a second, for things that take seconds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within_s
    while not condition():
        if caller.gone() or loop.time() >= end:
            return False
        await asyncio.sleep(min(LOOK_S, max(0.001, end - loop.time())))
    return True
