"""What the mock socket's commands do at made-up OSDP readers: cards, keys, covers, and lines that break.

On the event loop's thread and in its time, as everything of the mock board.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from hal.board import Board
from hal.errors import MockCommandError
from hal.events import SECOND
from hal.mock_commands import Card, Keys, Osdp
from hal.osdp.mock_line import MockLine

_AS_SENT: Final = {"*": b"\x7f", "#": b"\r"}


def hold_card(board: Board, command: Card, bits: str) -> dict[str, Any]:
    """A card of these bits is held to the reader."""
    reader = board.made_up[str(command.reader)]
    at = _at(board, command.at)
    _later(board, at, partial(reader.card, len(bits), int(bits, 2)))
    return {"first": at, "last": at}


def press_keys(board: Board, command: Keys) -> dict[str, Any]:
    """A person types; each key is a message of its own, as at most readers."""
    reader = board.made_up[str(command.reader)]
    begin = _at(board, command.at)
    for place, key in enumerate(command.keys):
        _later(board, begin + place * command.gap_ns, partial(reader.press, _AS_SENT.get(key, key.encode())))
    return {"first": begin, "last": begin + (len(command.keys) - 1) * command.gap_ns}


def change(board: Board, command: Osdp) -> dict[str, Any]:
    """Exactly one of what the command can say."""
    reader = board.made_up.get(command.reader)
    if reader is None:
        raise MockCommandError(f"no OSDP reader {command.reader!r}; there are: {', '.join(board.made_up) or 'none'}")
    said = [
        one for one in (command.tamper, command.input, command.line, command.power, command.baud) if one is not None
    ]
    if len(said) != 1:
        raise MockCommandError("osdp: expected exactly one of tamper, input, line, power and baud")
    if command.tamper is not None:
        reader.tamper(torn=command.tamper)
    elif command.input is not None:
        reader.input(command.number, active=command.input)
    elif command.power is not None:
        reader.key = None if command.power == "reset" else reader.key
        reader.power_cycle()
    elif command.baud is not None:
        reader.baud = command.baud or None
    else:
        (line,) = [one for one in board.mock_lines.values() if reader in one.readers.values()]
        _break(line, str(command.line))
    return {"at": board.chip.clock()}


def _break(line: MockLine, how: str) -> None:
    match how:
        case "cut" | "mend":
            line.cut = how == "cut"
        case "unplug":
            line.unplug()
        case "plug":
            line.gone = False
        case "unterminated" | "terminated":
            line.terminated = how == "terminated"
        case _:
            line.spoil += 1


def _at(board: Board, at: int | None) -> int:
    return board.chip.clock() if at is None else at


def _later(board: Board, at: int, what: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(max(0, at - board.chip.clock()) / SECOND, what)
