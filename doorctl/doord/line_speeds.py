"""The speeds of OSDP lines: an operator's change of one, and the search for readers at another than the file says.

A change is of all readers of a line or of none (hal/osdp/speed.py), and a record that names the uid. It cannot be ended
half-way: whoever asked may hang up, and it goes on. The configuration stays the file's: until it says the new speed,
each start begins at the old one and looks for the readers (hal/osdp/find_speed.py).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, assert_never

from doorctl.doord.control import Answer, Caller, Operation, Right
from doorctl.doord.requests import only
from doorctl.doord.worker import Spawn
from doorctl.errors import MalformedError, OperatorError
from doorctl.wire.detail import Act
from hal.osdp.find_speed import find_speed, gather
from hal.osdp.reader import OsdpLine
from hal.osdp.scan import SPEEDS
from hal.osdp.speed import Outcome, SpeedChange, change_speed

_LOG: Final = logging.getLogger("doord")
_AS_IT_WAS: Final = SpeedChange(outcome=Outcome.CHANGED)
_FIND: Final = "`doorctl reader show` says why; --find looks for them at other speeds"
_NOWHERE: Final = "power and cable; a reader that is gone for good goes out of doorctl.toml first"
Done = Callable[..., Awaitable[None]]
"""Operations.done: the record of a person's act."""


class LineSpeeds:
    """All lines of one board, by device."""

    def __init__(self, lines: Mapping[str, OsdpLine], spawn: Spawn) -> None:
        self._lines, self._spawn = lines, spawn
        self._searches: dict[str, asyncio.Task[None]] = {}
        self._changing: set[str] = set()

    def begin(self) -> None:
        """At start: where no reader answers, it may have another speed."""
        for device in self._lines:
            self._search(device)

    def keep(self, device: str) -> asyncio.Task[None] | None:
        """Somebody wants a reader of this line: no search disturbs them; OperatorError while its speed changes.

        The search that was ended, if there was one: when it is over the line has its own speed again.
        """
        if device in self._changing:
            raise OperatorError(f"{device}: is being taken to another speed", hint="try again in half a minute")
        if (search := self._searches.pop(device, None)) is not None:
            search.cancel()
        return search

    def operations(self, done: Done) -> Mapping[str, tuple[Right, Operation]]:
        """Name → right and operation."""

        async def speed(caller: Caller, request: Mapping[str, Any]) -> Answer:
            return await self.change(caller, request, done)

        return {"reader-speed": (Right.ENROL, speed)}

    async def change(self, caller: Caller, request: Mapping[str, Any], done: Done) -> Answer:
        """Take all readers of a line to another speed; OperatorError where they keep the old one."""
        only(request, "line", "baud", "find")
        device, line, baud = *self._line(request.get("line")), _speed(request.get("baud"))
        find, names = _truth(request.get("find", False)), self._names(line, line.bus.addresses())
        answer = {"line": device, "was": line.bus.baud, "baud": baud, "readers": names}
        if baud == line.bus.baud and line.bus.online() and not find:
            return answer
        search = self.keep(device)
        self._changing.add(device)
        try:
            if search is not None:
                await asyncio.wait([search])
            was = answer["was"] = line.bus.baud
            if not find:
                self._refuse_absent(device, line, _FIND)
            await done(caller, Act.CHANGE_SPEED, f"speed of {device} from {was} to {baud} baud")
            if find:
                await gather(line.bus)
                self._refuse_absent(device, line, _NOWHERE)
            change = await change_speed(line.bus, baud) if baud != was else _AS_IT_WAS
        finally:
            self._changing.discard(device)
        if change.outcome is not Outcome.CHANGED:
            raise self._refusal(device, line, change, baud)
        return answer

    def _refusal(self, device: str, line: OsdpLine, change: SpeedChange, baud: int) -> OperatorError:
        match change.outcome:
            case Outcome.NOT_BEGUN:
                return OperatorError(f"{device}: a reader was away for a moment; nothing was changed", hint="try again")
            case Outcome.UNKNOWN:
                return OperatorError(
                    f"{device}: the port does not run at {baud} baud; nothing was changed",
                    hint="another speed, or another adapter",
                )
            case Outcome.TAKEN_BACK | Outcome.CHANGED:
                return self._taken_back(device, line, change, baud)
            case _:
                assert_never(change.outcome)

    def _taken_back(self, device: str, line: OsdpLine, change: SpeedChange, baud: int) -> OperatorError:
        told = f"{device}: {', '.join(self._names(line, change.missing))} not heard at {baud} baud"
        back = f"the line is at {line.bus.baud} again"
        if not change.lost:
            return OperatorError(
                f"{told}; {back}, with all its readers", hint="a slower speed, or a better line: docs/osdp.md, Wiring"
            )
        if not line.bus.online():
            self._search(device)
            return OperatorError(
                f"{told}; {back}, and nobody answers",
                hint=f"power and cable; doord looks for them at every speed, as does `doorctl reader scan {device}`",
            )
        return OperatorError(
            f"{told}; {back}, and {', '.join(self._names(line, change.lost))} does not answer there either",
            hint=f"power and cable; then `doorctl reader speed {device} {line.bus.baud} --find`",
        )

    def _refuse_absent(self, device: str, line: OsdpLine, hint: str) -> None:
        if absent := line.bus.addresses() - line.bus.online():
            raise OperatorError(
                f"{device}: not online, and would stay behind: {', '.join(self._names(line, absent))}; "
                "the speed was not changed",
                hint=hint,
            )

    def _search(self, device: str) -> None:
        line = self._lines[device]
        if any(not reader.keyless or reader.settings.allow_plain for reader in line.readers.values()):
            self._searches[device] = self._spawn(self._find(device), name=f"speed of {device}")

    async def _find(self, device: str) -> None:
        bus = self._lines[device].bus
        own = bus.baud
        if await find_speed(bus) and bus.baud != own:
            _LOG.warning("%s: readers answer at %d baud, not at %d", device, bus.baud, own)
        self._searches.pop(device, None)

    def _line(self, untrusted_device: object) -> tuple[str, OsdpLine]:
        for device, line in self._lines.items():
            if device == untrusted_device:
                return device, line
        known = ", ".join(self._lines) or "none"
        raise OperatorError(f"there is no line {untrusted_device!r} in doorctl.toml", hint=f"lines: {known}")

    def _names(self, line: OsdpLine, addresses: frozenset[int]) -> list[str]:
        return [line.readers[address].name for address in sorted(addresses)]


def _truth(untrusted: object) -> bool:
    if isinstance(untrusted, bool):
        return untrusted
    raise MalformedError("control: expected find to be true or false")


def _speed(untrusted: object) -> int:
    if isinstance(untrusted, int) and not isinstance(untrusted, bool) and untrusted in SPEEDS:
        return untrusted
    raise MalformedError(f"control: expected baud to be one of {', '.join(map(str, sorted(SPEEDS)))}")
