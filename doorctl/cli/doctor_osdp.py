"""Doctor's checks of OSDP readers: their keys on the disk, their lines, and what doord hears on these.

Opens keys to see that they open, and says none; speaks on no line. Stands before the checks of what runs: what is said
of a reader here, with what to do at a line, is not said once more there.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from doorctl.cli.doctor_files import private, there
from doorctl.cli.doctor_finding import Check, Finding, ok, warning, wrong
from doorctl.cli.doctor_subject import DOOR_USER, Board
from doorctl.errors import DoorctlError

if TYPE_CHECKING:
    from doorctl.config.types import BusPlace

_NO_READER: Final = "no reader is on a line"
_SHOW: Final = (
    "`doorctl reader show {name}`; power, A and B; `doorctl reader scan {device}` finds it while doord is stopped"
)


def reader_keys(board: Board) -> Iterator[Finding]:
    """Each secure reader has a key that this board can open, nobody else's, and none is left over."""
    from doorctl.seal.reader_keys import file_name

    places = {file_name(str(place)): (name, place) for name, place in _places(board).items()}
    folder = board.paths.reader_keys
    if not there(folder):
        yield from _missing(board, places.values())
        if not places:
            yield ok(_NO_READER)
        return
    found = {path.name: path for path in sorted(folder.glob("[!.]*.key"))}
    open_ = list(private(folder, "0700", board.machine.user_id(DOOR_USER) if board.service else None))
    spoilt = {file: list(private(path, "0600", folder.stat().st_uid)) for file, path in found.items()}
    yield from (*open_, *(finding for findings in spoilt.values() for finding in findings))
    for file in sorted(found.keys() - places.keys()):
        yield warning(
            f"{found[file]}: of a reader that the configuration no longer has, at that device and address",
            f"a changed device or address: write the old one again; a reader that is gone: rm {found[file]}",
        )
    yield from _missing(board, [places[file] for file in sorted(places.keys() - found.keys())])
    for file in sorted(places.keys() & found.keys()):
        if not spoilt[file]:
            yield from _opened(board, found[file], *places[file])


def _missing(board: Board, readers: "Iterable[tuple[str, BusPlace]]") -> Iterator[Finding]:
    for name, place in readers:
        if not place.allow_plain and not board.keys.simulated:  # doord makes the keys of made-up readers
            yield wrong(
                f"reader {name}: has no key, so it is offline", f"install it with `doorctl reader install {name}`"
            )


def _opened(board: Board, path: Path, name: str, place: "BusPlace") -> Iterator[Finding]:
    from doorctl.seal.reader_keys import ReaderKeyStore

    try:
        keys = ReaderKeyStore(path.parent, board.keys).load(str(place))
    except DoorctlError as error:
        yield wrong(str(error), error.hint or f"`doorctl reader install {name}`")
        return
    if keys.current is None:
        yield warning(
            f"reader {name}: its key has not worked yet", f"`doorctl reader install {name}`: it gets the same one"
        )
    elif place.allow_plain:
        yield warning(
            f"reader {name}: has a key, and allow_plain = true besides",
            "leave allow_plain out of doorctl.toml: a lost key would make it a plain reader again",
        )


def lines(board: Board) -> Iterator[Finding]:
    """Every line's device is there, and its readers answer, secured and at the file's speed."""
    places = _places(board)
    if not places:
        yield ok(_NO_READER)
        return
    if board.config.hal.backend.value == "gpiozero":
        for device in sorted({place.device for place in places.values()}):
            if not (board.machine.devices / device.removeprefix("/dev/")).exists():
                yield wrong(
                    f"{device}: there is no such device, so none of its readers answers",
                    "is the adapter plugged in? `ls -l /dev/serial/by-id` has names that stay",
                )
    for door in board.status["doors"]:
        for reader in door["readers"]:
            if reader.get("kind") == "osdp" and reader["name"] in places:
                yield from _heard(reader, places[reader["name"]])


def _heard(reader: Mapping[str, Any], place: "BusPlace") -> Iterator[Finding]:
    name = reader["name"]
    if not reader["online"]:
        hint = _SHOW.format(name=name, device=place.device)
        if reader["key"] == "none":
            hint = f"install it with `doorctl reader install {name}`"
        if reader["state"] == "offline":
            yield wrong(f"reader {name}: offline", hint)
        return
    if not reader["secure"]:
        yield warning(
            f"reader {name}: reads IN CLEAR: who reaches its line can play cards and codes to the door",
            f"`doorctl reader install {name}`, where it can be secured; else another reader",
        )
    if reader["baud"] != place.baud:
        yield warning(
            f"reader {name}: answers at {reader['baud']} baud, and doorctl.toml says {place.baud}",
            f"write baud = {reader['baud']} at every reader of {place.device}: until then each start looks for them",
        )


def _places(board: Board) -> dict[str, "BusPlace"]:
    """Readers on lines, by name."""
    from doorctl.config.types import BusPlace

    readers = (reader for door in board.config.doors for reader in door.readers)
    return {reader.name: reader.wiring for reader in readers if isinstance(reader.wiring, BusPlace)}


OSDP: Final[tuple[Check[Board], ...]] = (
    Check(name="reader keys", looks_at="/var/lib/doorctl/osdp", look=reader_keys, fine="each opens with this board's"),
    Check(name="reader lines", looks_at="OSDP lines and their readers", look=lines, fine="every reader answers"),
)
