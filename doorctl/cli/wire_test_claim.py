"""Who has the pins: this command, through the code that doord makes its pins with, and only where doord does not run.

Strikes are secured from their first moment and again when the board closes. Nothing is recorded or stored here, and
nobody is looked up: a reader that has no key yet is spoken to in clear, which opens nothing.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from tempfile import TemporaryDirectory
from typing import Final

from msgspec.structs import replace

from doorctl.config.types import Backend, BusPlace, Config, Input
from doorctl.core.types import ReaderName
from doorctl.doord.assembly import DoorPins, claim_pins
from doorctl.errors import OperatorError
from doorctl.paths import Paths
from doorctl.seal.keys import load_controller_keys
from doorctl.seal.reader_keys import ReaderKeys, ReaderKeyStore, new_key
from hal.board import Board
from hal.errors import HalError
from hal.osdp.session import ReaderSettings

_STOP_IT: Final = "systemctl stop doorctl; on a laptop end it with Ctrl-C; afterwards start it again"


class BorrowedKeys:
    """The readers' keys as doord has them, read and never written."""

    def __init__(self, store: ReaderKeyStore | None, *, simulated: bool) -> None:
        """No store: this board has no keys yet. `simulated`: a made-up reader is made with the key it is given."""
        self._store, self._simulated = store, simulated

    def settings(self, reader: ReaderName, place: BusPlace) -> ReaderSettings:  # noqa: ARG002  a KeyRing's signature
        """The reader as its files have it; without a key in clear."""
        keys = ReaderKeys() if self._store is None else self._store.load(str(place))
        if self._simulated and keys.current is None and not place.allow_plain:
            keys = ReaderKeys(current=new_key())
        return ReaderSettings(
            address=place.address,
            key=keys.current,
            new_key=keys.pending,
            allow_plain=place.allow_plain or (keys.current is None and keys.pending is None),
        )

    def counts(self, reader: ReaderName, key: bytes) -> None:
        """doord's file has both keys, and its next start tries both."""


@contextmanager
def claimed(paths: Paths, config: Config) -> Iterator[tuple[Board, tuple[DoorPins, ...]]]:
    """The board and the pins of these doors; given back with every strike secured, whatever happens.

    OperatorError where doord or anybody else has them, or where one cannot be had.
    """
    paths.check_sockets()
    refuse_beside_doord(paths)
    # lgpio makes a FIFO in the working directory, which may be anybody's and read-only
    with TemporaryDirectory(prefix="doorctl-") as folder, chdir(folder):
        keys = _keys(paths, config)
        try:
            board, pins = claim_pins(config, keys)
        except OperatorError as error:
            refused = "; ".join(_refused(config, keys)) or str(error)
            raise OperatorError(refused, hint=error.hint or f"a pin in use: is it doord's? {_STOP_IT}") from error
        try:
            yield board, pins
        except HalError as error:
            raise OperatorError(f"hal: {error}", hint="docs/operations.md, Boards") from error
        finally:
            board.close()


def refuse_beside_doord(paths: Paths) -> None:
    """OperatorError while doord runs: two processes never move one strike."""
    path = paths.control_socket
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(os.fspath(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return
        except PermissionError as error:
            raise OperatorError(f"{path}: no right to ask whether doord runs", hint="run it with sudo") from error
    raise OperatorError("doord runs, and has the pins", hint=_STOP_IT)


def _refused(config: Config, keys: BorrowedKeys) -> list[str]:
    """What is said of each line that cannot be had, tried one by one; doord's claim ends at the first of them."""
    said: dict[str, None] = {}
    for door in config.doors:
        bare = replace(door, readers=(), contact=None, rex=None, tamper=None)
        found = {kind: getattr(door, kind) for kind in ("contact", "rex", "tamper")}
        inputs = [replace(bare, **{kind: source}) for kind, source in found.items() if isinstance(source, Input)]
        for part in (bare, *inputs, *(replace(bare, readers=(reader,)) for reader in door.readers)):
            try:
                board, _ = claim_pins(replace(config, doors=(part,)), keys)
            except OperatorError as error:
                said.setdefault(str(error))
            else:
                board.close()
    return list(said)


def _keys(paths: Paths, config: Config) -> BorrowedKeys:
    on_lines = any(isinstance(reader.wiring, BusPlace) for door in config.doors for reader in door.readers)
    store = None
    if on_lines and (paths.keys / "identity.key").exists():
        store = ReaderKeyStore(paths.reader_keys, load_controller_keys(paths))
    return BorrowedKeys(store, simulated=config.hal.backend is Backend.MOCK)
