"""Who has the pins: this command, through the code that doord makes its pins with, and only where doord does not run.

Strikes are secured from their first moment and again when the board closes. Should this process be killed, the strikes'
record (doord/strike_record.py) has what the helper of the next doord needs. Nothing else is stored, and nobody is
looked up: a reader that has no key yet is spoken to in clear, which opens nothing.
"""

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, contextmanager
from functools import partial
from tempfile import TemporaryDirectory
from typing import Final, TypeVar

from doorctl.config.types import Backend, BusPlace, Config, Door, Input, ReaderInput
from doorctl.core.types import ReaderName
from doorctl.doord.assembly import DoorPins, door_input, door_strike, opened_board, read_at
from doorctl.doord.strike_lines import StrikesLeft
from doorctl.errors import OperatorError
from doorctl.paths import Paths
from doorctl.seal.keys import load_controller_keys
from doorctl.seal.reader_keys import ReaderKeys, ReaderKeyStore, new_key
from hal.board import Board
from hal.errors import HalError
from hal.osdp.reader import OsdpReader
from hal.osdp.session import ReaderSettings
from hal.ports import Contact, Strike

T = TypeVar("T")
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
    left = StrikesLeft(paths.strikes, of_all_doors=False)
    # lgpio makes a FIFO in the working directory, which may be anybody's and read-only
    with TemporaryDirectory(prefix="doorctl-") as folder, chdir(folder):
        keys = _keys(paths, config)
        board = opened_board(config)
        try:
            with _recorded(left, config, board):
                yield board, Claims(board, keys).all(config.doors)
        except HalError as error:
            raise OperatorError(f"hal: {error}", hint="docs/operations.md, Boards") from error


@contextmanager
def _recorded(left: StrikesLeft, config: Config, board: Board) -> Iterator[None]:
    """The record of these strikes, locked: killed with one released, we leave behind what it takes to secure it."""
    try:
        left.before_claiming(config, board.chip.device)
        if left.wrong is not None:
            raise OperatorError(f"{left.wrong}, so nothing would secure a strike after a kill", hint="run it with sudo")
        yield
    finally:
        board.close()  # where that fails, the record stays as it is, and the kernel ends the lock
        left.given_back(())


class Claims:
    """Every line of these doors, each claimed once, strikes first; goes on after one that cannot be had."""

    def __init__(self, board: Board, keys: BorrowedKeys) -> None:
        self._board, self._keys = board, keys
        self._refused: dict[str, None] = {}

    def all(self, doors: tuple[Door, ...]) -> tuple[DoorPins, ...]:
        """All of them; OperatorError naming each that cannot be had."""
        strikes = [self._tried(partial(door_strike, self._board, door)) for door in doors]
        claimed = tuple(map(self._door, doors, strikes))
        if self._refused:
            hint = f"a pin in use: is it doord's? {_STOP_IT}"
            raise OperatorError("; ".join(self._refused), hint=hint)
        return claimed

    def _door(self, door: Door, strike: Strike | None) -> DoorPins:
        """Whole where nothing was refused."""
        found = {kind: getattr(door, kind) for kind in ("contact", "rex", "tamper")}
        on_lines: dict[ReaderName, OsdpReader] = {}
        ports = {kind: self._input(door, kind, on, on_lines) for kind, on in found.items() if isinstance(on, Input)}
        readers = [self._tried(partial(read_at, self._board, reader, self._keys)) for reader in door.readers]
        had = tuple(reader for reader in readers if reader is not None)
        on_lines |= {reader.name: port for reader, port, _ in had if isinstance(port, OsdpReader)}
        for kind, on in found.items():
            if isinstance(on, ReaderInput) and on.reader in on_lines:
                ports[kind] = self._input(door, kind, on, on_lines)
        return DoorPins(
            door=door, strike=strike,  # type: ignore[arg-type]  # where it is None the claims are refused as a whole
            contact=ports.get("contact"), rex=ports.get("rex"), tamper=ports.get("tamper"), readers=had,
        )  # fmt: skip

    def _input(
        self, door: Door, kind: str, on: Input | ReaderInput, on_lines: Mapping[ReaderName, OsdpReader]
    ) -> Contact | None:
        return self._tried(partial(door_input, self._board, on_lines, f"{door.name} {kind}", on))

    def _tried(self, claim: Callable[[], T]) -> T | None:
        try:
            return claim()
        except HalError as error:
            # no door is moved: what could be had is given back, and the command says what could not
            self._refused[f"hal: {error}"] = None
            return None


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


def _keys(paths: Paths, config: Config) -> BorrowedKeys:
    on_lines = any(isinstance(reader.wiring, BusPlace) for door in config.doors for reader in door.readers)
    store = None
    if on_lines and (paths.keys / "identity.key").exists():
        store = ReaderKeyStore(paths.reader_keys, load_controller_keys(paths))
    return BorrowedKeys(store, simulated=config.hal.backend is Backend.MOCK)
