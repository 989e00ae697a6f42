"""What the control socket can ask of readers: how they are, who answers at an address, a key, a test.

A key goes out in install mode only, which stands open for one reader while somebody waits at the command, two minutes
usually, and for no reader but the one that the person was shown. Both orders are records that name the uid.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from doorctl.doord.control import Answer, Caller, Operation, Right
from doorctl.doord.key_ring import KeyRing
from doorctl.doord.reader_unit import ReaderUnit
from doorctl.doord.requests import came_true, only, shown_card, waiting
from doorctl.errors import OperatorError
from doorctl.wire.detail import Act
from hal.osdp.commands import Identity
from hal.osdp.reader import OsdpReader

if TYPE_CHECKING:
    from doorctl.doord.runtime import Doord

INSTALL_S: Final = 120.0
LONGEST_INSTALL_S: Final = 600.0
IDENTIFY_S: Final = 5.0
"""A reader that is looked for once a second was asked a few times by then."""
TEST_BEEP_MS: Final = (200, 100, 200)

Done = Callable[..., Awaitable[None]]
"""Operations.done: the record of a person's act."""


class ReaderOperations:
    """The operations of all readers of one daemon."""

    def __init__(self, doord: "Doord", done: Done, reader: Callable[[object], ReaderUnit]) -> None:
        self._doord, self._done, self._reader = doord, done, reader

    def table(self) -> Mapping[str, tuple[Right, Operation]]:
        """Name → right and operation."""
        return {
            "readers": (Right.READ, self.readers),
            "reader-who": (Right.ENROL, self.who),
            "reader-install": (Right.ENROL, self.install),
            "reader-rekey": (Right.ENROL, self.rekey),
            "reader-test": (Right.ENROL, self.test),
            **self._doord.speeds.operations(self._done),
        }

    async def readers(self, _: Caller, request: Mapping[str, Any]) -> Answer:
        """All readers, with everything that is known of them."""
        only(request)
        return {
            "readers": [
                {
                    "name": unit.place.reader, "door": unit.place.door, "state": unit.state,
                    **wiring_facts(unit, self._doord.ring),
                    "misused": unit.misused, "dropped": unit.dropped, "counters": unit.reader.counters(),
                }
                for door in self._doord.doors.values()
                for unit in door.readers
            ]
        }  # fmt: skip

    async def who(self, caller: Caller, request: Mapping[str, Any]) -> Answer:
        """Who answers at the reader's address, before a key is given to them."""
        only(request, "door")
        unit, reader = self._on_a_line(request)
        return {"reader": unit.place.reader, "identity": identity_facts(await self._identity(caller, unit, reader))}

    async def install(self, caller: Caller, request: Mapping[str, Any]) -> Answer:
        """Give a reader its first key, or one that lost it a new one; `words` is who the person was shown."""
        only(request, "door", "words", "wait_s")
        within_s = waiting(request, INSTALL_S, LONGEST_INSTALL_S)
        unit, reader = self._on_a_line(request)
        if reader.online is not None and reader.online.secure:
            raise OperatorError(
                f"{reader.name}: is installed and online", hint=f"`doorctl reader rekey {reader.name}` changes its key"
            )
        found = await self._identity(caller, unit, reader)
        if identity_facts(found)["words"] != request.get("words"):
            raise OperatorError(
                f"{reader.name}: another reader answers now: {identity_facts(found)['words']}",
                hint="look at the line before you try again: two readers at one address, or somebody else's",
            )
        await self._done(caller, Act.INSTALL_READER, f"install reader {reader.name}", door=unit.place.door)
        pending = await self._doord.ring.prepare(unit.place.reader)
        stored = reader.settings
        reader.configure(replace(stored, new_key=pending, install=True, expected=found))
        if not await self._installed(unit, caller, within_s):
            reader.configure(replace(stored, new_key=pending))
            raise OperatorError(
                f"{reader.name}: did not take the key within {within_s:g} s",
                hint="set the reader to its factory state or its own install mode (its manual says how), then again",
            )
        return {"reader": reader.name, "identity": identity_facts(found)}

    async def rekey(self, caller: Caller, request: Mapping[str, Any]) -> Answer:
        """A new key over the old one, which counts until the new one has worked."""
        only(request, "door", "wait_s")
        within_s = waiting(request)
        unit, reader = self._on_a_line(request)
        if reader.online is None or not reader.online.secure:
            raise OperatorError(
                f"{reader.name}: is not online with a key", hint=f"`doorctl reader install {reader.name}` gives it one"
            )
        identity = reader.online.identity
        await self._done(caller, Act.REKEY_READER, f"rekey reader {reader.name}", door=unit.place.door)
        reader.configure(replace(reader.settings, new_key=await self._doord.ring.prepare(unit.place.reader)))
        if not await self._installed(unit, caller, within_s):
            raise OperatorError(
                f"{reader.name}: did not take the new key within {within_s:g} s",
                hint="the old key still counts, and the new one is tried whenever the reader comes online",
            )
        return {"reader": reader.name, "identity": identity_facts(identity)}

    async def test(self, caller: Caller, request: Mapping[str, Any]) -> Answer:
        """Blink, beep, and wait for a card, which opens nothing."""
        only(request, "door", "wait_s")
        unit = self._reader(request.get("door"))
        if unit.state != "reading":
            raise OperatorError(f"{unit.place.reader}: is {unit.state}", hint="`doorctl reader show` says more")
        card = await shown_card(caller, unit, request, beep_ms=TEST_BEEP_MS)
        return {"reader": unit.place.reader, "length": card.length}

    async def _installed(self, unit: ReaderUnit, caller: Caller, within_s: float) -> bool:
        ring, name = self._doord.ring, unit.place.reader
        return await came_true(lambda: ring.keys(name).pending is None, caller, within_s)

    async def _identity(self, caller: Caller, unit: ReaderUnit, reader: OsdpReader) -> Identity:
        if reader.online is not None:
            return reader.online.identity
        before = reader.settings
        reader.ask_who()
        try:
            await came_true(lambda: reader.claimed is not None, caller, IDENTIFY_S)
        finally:
            reader.configure(before)
        if reader.claimed is None:
            raise OperatorError(
                f"{reader.name}: nobody answers at {self._doord.ring.place(unit.place.reader)}",
                hint="power, A and B swapped, address and speed; docs/osdp.md, For the installer",
            )
        return reader.claimed

    def _on_a_line(self, request: Mapping[str, Any]) -> tuple[ReaderUnit, OsdpReader]:
        unit = self._reader(request.get("door"))
        if not isinstance(unit.reader, OsdpReader):
            raise OperatorError(f"{unit.place.reader}: is a Wiegand reader, which has no key")
        self._doord.speeds.keep(self._doord.ring.place(unit.place.reader).device)
        return unit, unit.reader


def wiring_facts(unit: ReaderUnit, ring: KeyRing) -> dict[str, Any]:
    """How a reader is connected, and what it has proved."""
    reader = unit.reader
    if not isinstance(reader, OsdpReader):
        return {"kind": "wiegand"}
    place, online = ring.place(unit.place.reader), reader.online
    return {
        "kind": "osdp",
        "device": place.device,
        "address": place.address,
        "baud": reader.baud,
        "configured_baud": place.baud,
        "online": online is not None,
        "secure": online is not None and online.secure,
        "key": key_word(reader),
        "allow_plain": place.allow_plain,
        "tampered": reader.tamper.active,
        "identity": None if online is None else identity_facts(online.identity),
    }


def key_word(reader: OsdpReader) -> str:
    """What there is of a key: none, installed, or a new one that has not worked yet."""
    if reader.settings.new_key is not None:
        return "pending"
    return "none" if reader.settings.key is None else "installed"


def identity_facts(identity: Identity) -> dict[str, Any]:
    """As numbers, and as people read it."""
    vendor, firmware = identity.vendor.hex(), ".".join(map(str, identity.firmware))
    return {
        "vendor": vendor, "model": identity.model, "version": identity.version, "serial": identity.serial,
        "firmware": firmware,
        "words": f"vendor {vendor}, model {identity.model} version {identity.version}, serial {identity.serial}, "
        f"firmware {firmware}",
    }  # fmt: skip
