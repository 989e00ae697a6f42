"""Does what the mock socket's commands say, on a board of the mock backend. Knows no socket and no JSON.

A command that cannot be done raises MockCommandError or ConfigurationError before anything has changed.
"""

from collections.abc import Iterable
from typing import Any, assert_never

from hal import mock_osdp
from hal.board import Board
from hal.errors import MockCommandError
from hal.events import SECOND, Key, Monotonic
from hal.mock import MockChip, OutputChange, PinFaults
from hal.mock_commands import Card, Command, Edges, Fault, History, Input, Keys, Osdp, PinFault, State, Watch
from hal.wiegand.cards import find_format
from hal.wiegand.keys import Keypad, KeypadEncoding

Reply = dict[str, Any]
NOISE_PER_S, HUM_PER_S = 50_000, 100
CROSSTALK_NS = 5_000
"""After a pulse on one wire the other one follows, where reader and board have no ground in common."""
WHOLE_ENTRY = {KeypadEncoding.BINARY_26, KeypadEncoding.BCD_26}


def perform(board: Board, command: Command) -> Reply:  # noqa: C901, PLR0911 - one case a command
    """Do one command and return its reply's fields; `watch` is answered here and streamed by the socket."""
    chip = _mock(board)
    match command:
        case Edges():
            return _schedule(chip, command.edges, command.at)
        case Card() if command.reader in board.made_up:
            return mock_osdp.hold_card(board, command, _card_bits(command))
        case Keys() if command.reader in board.made_up:
            return mock_osdp.press_keys(board, command)
        case Osdp():
            return mock_osdp.change(board, command)
        case Card():
            d0, d1 = _pins(board, command)
            return _schedule(chip, _frame((d0, d1), _card_bits(command), command.interval_ns, 0), command.at)
        case Keys():
            return _schedule(chip, _key_frames(board, command), command.at)
        case Input():
            at = chip.clock() if command.at is None else Monotonic(command.at)
            chip.line(command.pin).feed(at, level=command.level)
            return {"at": at}
        case Fault():
            _inject(chip, command)
            return {}
        case History():
            outputs = chip.outputs_since(command.since)
            forgotten = bool(outputs) and outputs[0].number > command.since + 1
            return {"outputs": [as_list(change) for change in outputs], "newest": chip.recorded, "forgotten": forgotten}
        case State():
            return _state(board, chip)
        case Watch():
            return {"newest": chip.recorded}
        case _:
            assert_never(command)


def as_list(change: OutputChange) -> list[Any]:
    """[number, pin, level or null (given back), nanoseconds]."""
    return [change.number, change.pin, None if change.level is None else int(change.level), change.at]


def _mock(board: Board) -> MockChip:
    if board.mock is None:
        raise MockCommandError("this board is not a mock")
    return board.mock


def _pins(board: Board, command: Card | Keys) -> tuple[str, str]:
    if (command.reader is None) == (command.pins is None):
        raise MockCommandError("expected either a reader's name or its pins [D0, D1]")
    if command.pins is not None:
        return command.pins
    wiring = board.readers.get(str(command.reader))
    if wiring is None:
        raise MockCommandError(
            f"no reader {command.reader!r}; there are: {', '.join([*board.readers, *board.made_up]) or 'none'}"
        )
    return wiring.d0, wiring.d1


def _card_bits(command: Card) -> str:
    if (command.bits is None) == (command.format is None) or (command.fields is None) != (command.format is None):
        raise MockCommandError("expected either bits, or a format and its fields")
    if command.bits is not None:
        return command.bits
    length, raw = find_format(str(command.format)).encode(command.fields or {})
    return f"{raw:0{length}b}"


def _key_frames(board: Board, command: Keys) -> list[tuple[str, int]]:
    pins, keypad = _pins(board, command), _keypad(board, command)
    meant = {
        "*": Key.ENTER if keypad.enter_key == "*" else Key.ESC,
        "#": Key.ENTER if keypad.enter_key == "#" else Key.ESC,
    }
    keys = [meant[key] if key in meant else Key(key) for key in command.keys]
    edges: list[tuple[str, int]] = []
    begin = 0
    for group in [keys] if keypad.encoding in WHOLE_ENTRY else [[key] for key in keys]:
        length, raw = keypad.frame(group)
        edges += _frame(pins, f"{raw:0{length}b}", command.interval_ns, begin)
        begin = edges[-1][1] + command.gap_ns
    return edges


def _keypad(board: Board, command: Keys) -> Keypad:
    if command.encoding is not None:
        return Keypad(encoding=KeypadEncoding(command.encoding), enter_key=command.enter)
    wiring = board.readers.get(command.reader or "")
    if wiring is None or wiring.keypad is None:
        raise MockCommandError("that reader has no keypad; give an encoding")
    return wiring.keypad


def _frame(pins: tuple[str, str], bits: str, interval_ns: int, begin: int) -> list[tuple[str, int]]:
    return [(pins[int(bit)], begin + place * interval_ns) for place, bit in enumerate(bits)]


def _schedule(chip: MockChip, edges: Iterable[tuple[str, int]], at: int | None) -> Reply:
    base = chip.clock() if at is None else at
    pulses = [(pin, Monotonic(base + offset)) for pin, offset in edges]
    times = [when for _, when in pulses]
    if min(times) < 0:
        raise MockCommandError("an edge would be before the beginning of time")
    chip.schedule(pulses)
    return {"first": min(times), "last": max(times)}


def _inject(chip: MockChip, command: Fault) -> None:
    match command.fault:
        case "swapped" | "no-ground":
            _miswire(chip, command)
        case "gone":
            chip.gone = True
        case "clear" if command.pin is None:
            chip.gone = False
        case fault:
            if command.pin is None:
                raise MockCommandError(f"{fault}: expected a pin")
            _inject_at(chip, fault, command.pin, command)


def _inject_at(chip: MockChip, fault: PinFault, pin: str, command: Fault) -> None:
    if fault == "busy":
        chip.hold_by_another(pin, held=True)
        return
    line = chip.line(pin)
    match fault:
        case "no-pull-up":
            chip.hang(pin, SECOND // (command.edges_per_s or HUM_PER_S))
        case "stuck-low":
            line.hold_low(chip.clock())
        case "drop":
            line.faults.drop_edges = command.count
        case "raise":
            line.faults.raise_edges = command.count
        case "noise":
            begin, interval = chip.clock(), SECOND // (command.edges_per_s or NOISE_PER_S)
            chip.schedule((pin, Monotonic(begin + edge * interval)) for edge in range(command.count))
        case "clear":
            chip.hold_by_another(pin, held=False)
            line.faults = PinFaults()
            chip.hang(pin, 0)
            chip.wired = {one: seen for one, seen in chip.wired.items() if line.name not in {one, *dict(seen)}}
        case _:
            assert_never(fault)


def _miswire(chip: MockChip, command: Fault) -> None:
    if command.pins is None:
        raise MockCommandError(f"{command.fault}: expected the pins [D0, D1]")
    d0, d1 = (chip.line(pin).name for pin in command.pins)
    for here, there in ((d0, d1), (d1, d0)):
        chip.wired[here] = ((there, 0),) if command.fault == "swapped" else ((here, 0), (there, CROSSTALK_NS))


def _state(board: Board, chip: MockChip) -> Reply:
    lines = chip.lines()
    return {
        "now": chip.clock(),
        "pins": {
            name: {"user": user, "function": lines[name].function, "level": int(lines[name].wire)}
            for name, user in board.users.items()
            if name in lines
        },
        "readers": {
            **{name: wiring.reader.counters() for name, wiring in board.readers.items()},
            **{reader.name: reader.counters() for line in board.lines.values() for reader in line.readers.values()},
        },
        "newest": chip.recorded,
        "delivering": not chip.notifier_died,
    }
