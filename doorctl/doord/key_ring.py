"""The keys of the board's OSDP readers: what each reader is started with, and what is stored when one changes.

A key is on the disk before a reader may hear it (`prepare`), and is the reader's when a session with it was opened
(`counts`). Where a stored key cannot be read the reader stays offline; it is never read in clear instead.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from doorctl.config.types import BusPlace
from doorctl.core.types import ReaderName
from doorctl.doord.worker import Spawn
from doorctl.errors import DoorctlError
from doorctl.seal.reader_keys import ReaderKeys, ReaderKeyStore, new_key
from hal.osdp.session import ReaderSettings

OnDisk = Callable[[Callable[[], None]], Awaitable[None]]
"""Does blocking work on a thread."""
_UNREAD: Final = "key"
"""The first word of the fault of a key file."""


class KeyRing:
    """All readers on lines, by name."""

    def __init__(
        self, store: ReaderKeyStore, *, simulated: bool, on_disk: OnDisk, spawn: Spawn,
        fault: Callable[[str, str | None], None],
    ) -> None:  # fmt: skip
        """`simulated`: a made-up reader has the key that the board makes for it; nobody has to install it."""
        self._store, self._simulated = store, simulated
        self._on_disk, self._spawn, self._fault = on_disk, spawn, fault
        self._keys: dict[ReaderName, ReaderKeys] = {}
        self._places: dict[ReaderName, BusPlace] = {}
        self.unread: dict[ReaderName, str] = {}
        """What is wrong with a reader's key file."""

    def settings(self, reader: ReaderName, place: BusPlace) -> ReaderSettings:
        """At start: the reader as its files have it."""
        self._places[reader] = place
        allow_plain = place.allow_plain
        try:
            keys = self._store.load(str(place))
            if self._simulated and keys.current is None and not allow_plain:
                keys = ReaderKeys(current=new_key())
                self._store.store(str(place), keys)
        except DoorctlError as error:
            # the door stays as it is: this reader is offline, and a file that was spoilt makes it no plain one
            self.unread[reader], keys, allow_plain = str(error), ReaderKeys(), False
        self._keys[reader] = keys
        return ReaderSettings(
            address=place.address, key=keys.current, new_key=keys.pending, allow_plain=allow_plain
        )  # fmt: skip

    def tell_unread(self) -> None:
        """Set the faults of files that were found unreadable at start."""
        for reader, why in self.unread.items():
            self._fault(f"{_UNREAD} {reader}", why)

    def keys(self, reader: ReaderName) -> ReaderKeys:
        """What is known now."""
        return self._keys[reader]

    def place(self, reader: ReaderName) -> BusPlace:
        """Where it is."""
        return self._places[reader]

    async def prepare(self, reader: ReaderName) -> bytes:
        """A new key, on the disk; the same as last time while that has not worked, for the reader may have it."""
        keys = self._keys[reader]
        pending = keys.pending or new_key()
        await self._store_now(reader, replace(keys, pending=pending))
        if self.unread.pop(reader, None) is not None:
            self._fault(f"{_UNREAD} {reader}", None)
        return pending

    def counts(self, reader: ReaderName, key: bytes) -> None:
        """The reader has proved that it has this key."""
        self._keys[reader] = ReaderKeys(current=key)
        self._spawn(self._keep(reader), name=f"key of {reader}")

    async def _keep(self, reader: ReaderName) -> None:
        name = f"{_UNREAD} {reader}"
        try:
            await self._store_now(reader, self._keys[reader])
        except DoorctlError as error:
            # the door stays as it is: the file has this key as the pending one, and the next start tries it first
            self._fault(name, str(error))
        else:
            self._fault(name, None)

    async def _store_now(self, reader: ReaderName, keys: ReaderKeys) -> None:
        await self._on_disk(lambda: self._store.store(str(self._places[reader]), keys))
        self._keys[reader] = keys
