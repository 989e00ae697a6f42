"""`wire-test` at a door with two wires a reader: each fault injected at the mock board's pins, outputs, and every end."""

import asyncio
import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from doorctl.cli import wire_test_door
from doorctl.cli.wire_test_claim import BorrowedKeys
from doorctl.cli.wire_test_door import DoorTest
from doorctl.cli.wire_test_hands import Hands
from doorctl.cli.wire_test_run import wire_test
from doorctl.config.reading import read_config
from doorctl.config.types import Config
from doorctl.core.types import DoorName
from doorctl.doord import assembly
from doorctl.doord.assembly import claim_pins
from doorctl.errors import OperatorError
from doorctl.paths import Paths
from hal.board import Board, open_board
from hal.events import SECOND, Monotonic
from hal.mock_commands import Card, Edges, Fault, Input, Keys
from hal.mock_drive import perform
from hal.wiegand.cards import FORMATS
from tests.cli.board import wait_until
from tests.cli.test_wire_test import BITS, CONFIG, RAW, SWAPPED
from tests.hal.virtual import VirtualLoop, run

D0, D1, STRIKE, CONTACT = "GPIO14", "GPIO15", "GPIO17", "GPIO27"
KEYPAD = CONFIG.replace('mode = "card" }', 'keypad = "8-bit", mode = "card+code", led = "GPIO23", buzzer = "GPIO24" }')
WITHIN_S = 5


@pytest.fixture
def config(tmp_path: Path) -> Config:
    file = tmp_path / "doorctl.toml"
    file.write_text(KEYPAD)
    return read_config(file)


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> VirtualLoop:
    loop = VirtualLoop()
    monkeypatch.setattr(assembly, "open_board", partial(open_board, clock=loop.clock))
    return loop


async def wires_live(board: Board) -> None:
    """As the mock socket does: what is due is delivered in its time."""
    assert board.mock is not None
    while True:
        board.mock.deliver_due(board.mock.clock())
        await asyncio.sleep(0.01)


def report_of(
    config: Config,
    loop: VirtualLoop,
    happens: Callable[[Board], None],
    *,
    before: Callable[[Board], None] | None = None,
) -> dict[str, Any]:
    """The whole report; `happens` while a card is waited for, `before` before anything else."""

    async def main() -> dict[str, Any]:
        board, (pins,) = claim_pins(config, BorrowedKeys(None, simulated=True))
        if before is not None:
            before(board)
        living = asyncio.ensure_future(wires_live(board))
        test = DoorTest(
            board, pins, (), hands=Hands(yes=True, terminal=False), say=lambda _: None, within_s=WITHIN_S, quiet=True
        )
        running = asyncio.ensure_future(test.run())
        await asyncio.sleep(WITHIN_S + 2 * wire_test_door.RELEASED_S + 2)
        happens(board)
        await running
        living.cancel()
        board.close()
        return test.report

    return run(main(), loop)


def card(bits: str) -> Callable[[Board], None]:
    return lambda board: void(perform(board, Card(reader="front", bits=bits)))


def void(_: object) -> None:
    """What the mock answers is nobody's business here."""


def without(pin: str) -> Callable[[Board], None]:
    """A card at a reader of which this wire is off."""

    def happens(board: Board) -> None:
        edges = [((D0, D1)[int(bit)], place * 1_000_000) for place, bit in enumerate(BITS)]
        perform(board, Edges(edges=[edge for edge in edges if edge[0] != pin]))

    return happens


def crosstalk(board: Board) -> None:
    """Without a common ground each pulse is seen on both wires."""
    perform(board, Card(reader="front", bits=BITS))
    perform(board, Card(reader="front", bits=SWAPPED, at=board.chip.clock() + 5_000))


def noise(pin: str) -> Callable[[Board], None]:
    return lambda board: void(perform(board, Fault(fault="noise", pin=pin, count=400)))


def keys(encoding: Any) -> Callable[[Board], None]:
    return lambda board: void(perform(board, Keys(pins=(D0, D1), keys="5", encoding=encoding)))


def low(pin: str) -> Callable[[Board], None]:
    return lambda board: void(perform(board, Fault(fault="stuck-low", pin=pin)))


def nothing(_: Board) -> None:
    """Nobody comes, or nothing comes of it."""


WORKS = {
    "swapped": ("D0 and D1 swapped", card(SWAPPED)),
    "D0 off": ("D0 never moves", without(D0)),
    "D1 off": ("D1 never moves", without(D1)),
    "no ground": ("noise", crosstalk),
    "noise on a wire": ("noise", noise(D0)),
    "another keypad": ("another keypad format", keys("4-bit")),
    "another card": ("another card format", card(f"{FORMATS['H10306'].encode({'facility': 1, 'card': 2})[1]:034b}")),
    "nothing": ("neither line moves", nothing),
}


@pytest.mark.parametrize(("fault", "happens"), WORKS.values(), ids=WORKS)
def test_an_injected_fault_is_named_exactly(
    config: Config, loop: VirtualLoop, fault: str, happens: Callable[[Board], None]
) -> None:
    (reader,) = report_of(config, loop, happens)["readers"]
    assert [finding["fault"] for finding in reader["findings"]] == [fault]


@pytest.mark.parametrize(
    ("stuck", "fault"),
    [([D0], "D0 stuck low"), ([D1], "D1 stuck low"), ([D0, D1], "both data lines low")],
    ids=["D0", "D1", "both"],
)
def test_a_line_stuck_low_is_named_before_a_card_is_asked_for(
    config: Config, loop: VirtualLoop, stuck: list[str], fault: str
) -> None:
    def before(board: Board) -> None:
        for pin in stuck:
            low(pin)(board)

    (reader,) = report_of(config, loop, nothing, before=before)["readers"]
    assert [finding["fault"] for finding in reader["findings"]] == [fault]


def test_a_good_card_is_measured_and_no_fault(config: Config, loop: VirtualLoop) -> None:
    report = report_of(config, loop, card(BITS))
    assert report["readers"] == [
        {
            "reader": "front", "wired": "D0 GPIO14, D1 GPIO15", "findings": [],
            "card": {
                "bits": 26, "format": "H10301", "fields": ["facility", "card"], "interval_ms": 1.0, "jitter_ms": 0.0,
                "pulses": {"d0": 26 - RAW.bit_count(), "d1": RAW.bit_count()}, "good": True,
            },
        }
    ]  # fmt: skip
    assert str(RAW) not in str(report)
    assert "3456" not in str(report)


def test_a_good_key_is_told_and_the_card_still_waited_for(config: Config, loop: VirtualLoop) -> None:
    def happens(board: Board) -> None:
        keys("8-bit")(board)
        perform(board, Card(reader="front", bits=BITS, at=board.chip.clock() + SECOND))

    (reader,) = report_of(config, loop, happens)["readers"]
    assert (reader["card"]["bits"], reader["findings"]) == (26, [])


def test_inputs_are_shown_at_rest_and_as_they_change(config: Config, loop: VirtualLoop) -> None:
    def before(board: Board) -> None:
        begun = board.chip.clock()
        perform(board, Input(pin=CONTACT, level=False))
        for after, level in ((1, True), (2, False)):
            loop.call_later(
                after, perform, board, Input(pin=CONTACT, level=level, at=Monotonic(begun + after * SECOND))
            )

    report = report_of(config, loop, card(BITS), before=before)
    assert report["inputs"] == [
        {"input": "contact", "wired": CONTACT, "level": False, "words": "closed", "idle": True}
    ]  # fmt: skip
    assert report["changes"] == [
        {"input": "contact", "level": True, "words": "open", "at_s": 1.0},
        {"input": "contact", "level": False, "words": "closed", "at_s": 2.0},
    ]


def levels(board: Board, pin: str) -> list[bool | None]:
    assert board.mock is not None
    return [change.level for change in board.mock.history if change.pin == pin]


def test_nothing_is_moved_where_nobody_can_be_asked(config: Config, loop: VirtualLoop) -> None:
    async def main() -> tuple[DoorTest, list[bool | None]]:
        board, (pins,) = claim_pins(config, BorrowedKeys(None, simulated=True))
        test = DoorTest(
            board, pins, (), hands=Hands(yes=False, terminal=False), say=lambda _: None, within_s=1, quiet=True
        )
        await test.run()
        moved = levels(board, STRIKE)
        board.close()
        return test, moved

    test, moved = run(main(), loop)
    assert moved == [False]
    assert [output["pulsed"] for output in test.report["outputs"]] == [False, False]
    assert test.missed == ("contact", "a card at front")


@pytest.fixture
def boards(monkeypatch: pytest.MonkeyPatch) -> list[Board]:
    """Those that were opened, in real time."""
    opened: list[Board] = []

    def opening(*arguments: Any) -> Board:
        opened.append(open_board(*arguments))
        return opened[-1]

    monkeypatch.setattr(assembly, "open_board", opening)
    return opened


def when_released(boards: list[Board], what: Callable[[], None]) -> Callable[[str], None]:
    """`say`, which looks for the strike: hands that come in that moment."""
    done: list[bool] = []

    def look() -> None:
        if not done and boards and levels(boards[0], STRIKE)[-1:] == [True]:
            done.append(True)
            what()

    def say(_: str) -> None:
        assert boards[0].mock is not None
        before = boards[0].mock.on_output

        def on_output() -> None:
            if before is not None:
                before()
            asyncio.get_running_loop().call_soon(look)

        boards[0].mock.on_output = on_output

    return say


@pytest.mark.parametrize(
    ("number", "ends"),
    [
        (signal.SIGINT, KeyboardInterrupt),
        (signal.SIGTERM, SystemExit),
        (signal.SIGHUP, SystemExit),
        (signal.SIGQUIT, SystemExit),
    ],
    ids=["ctrl-c", "sigterm", "terminal gone", "ctrl-backslash"],
)
def test_a_released_strike_is_secured_by_whatever_signal_ends_it(
    config: Config, tmp_path: Path, boards: list[Board], number: signal.Signals, ends: type[BaseException]
) -> None:
    say = when_released(boards, lambda: os.kill(os.getpid(), number))
    with pytest.raises(ends) as ended:
        wire_test(Paths.under(tmp_path), config, DoorName("front"), yes=True, within_s=0, say=say, quiet=True)
    assert levels(boards[0], STRIKE) == [False, True, False, None]
    assert getattr(ended.value, "code", 143) == 143


def test_a_released_strike_is_secured_by_an_exception(
    config: Config, tmp_path: Path, boards: list[Board], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(_: float) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(wire_test_door, "_pause", breaks)
    with pytest.raises(RuntimeError):
        wire_test(
            Paths.under(tmp_path), config, DoorName("front"), yes=True, within_s=0, say=lambda _: None, quiet=True
        )
    assert levels(boards[0], STRIKE) == [False, True, False, None]


def test_a_loop_that_is_held_up_keeps_no_strike_released(
    config: Config, tmp_path: Path, boards: list[Board], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by an output that blocks: nothing of ours writes one then, a library's log line may."""

    async def stands_still(_: float) -> None:
        wait_until(lambda: levels(boards[0], STRIKE)[-1] is False, "the strike secured")

    monkeypatch.setattr(wire_test_door, "AT_MOST_S", 0.05)
    monkeypatch.setattr(wire_test_door, "_pause", stands_still)
    wire_test(Paths.under(tmp_path), config, DoorName("front"), yes=True, within_s=0, say=lambda _: None, quiet=True)
    assert levels(boards[0], STRIKE) == [False, True, False, None]


def test_nothing_is_said_while_the_strike_is_released(config: Config, loop: VirtualLoop) -> None:
    """Who waits for a terminal that stands still leaves it released."""

    async def main() -> list[tuple[bool | None, str]]:
        board, (pins,) = claim_pins(config, BorrowedKeys(None, simulated=True))
        perform(board, Input(pin=CONTACT, level=False))
        said: list[tuple[bool | None, str]] = []
        test = DoorTest(
            board, pins, (), hands=Hands(yes=True, terminal=False), within_s=1, quiet=True,
            say=lambda text: said.append((levels(board, STRIKE)[-1], text)),
        )  # fmt: skip
        loop.call_later(1.5, perform, board, Input(pin=CONTACT, level=True))
        await test.run()
        board.close()
        return said

    said = run(main(), loop)
    assert {released for released, _ in said} == {False}
    assert said[2:4] == [
        (False, "   1.500 s  contact: open\n"),
        (False, "strike at front: released and secured again\n"),
    ]


def test_every_pin_of_somebody_else_is_named_with_what_to_do(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*arguments: Any) -> Board:
        board = open_board(*arguments)
        assert board.mock is not None
        for pin in (CONTACT, D1):
            board.mock.hold_by_another(pin, held=True)
        return board

    monkeypatch.setattr(assembly, "open_board", busy)
    with pytest.raises(OperatorError, match=r"GPIO27.*in use.*; hal: .*GPIO15.*in use") as refused:
        wire_test(
            Paths.under(tmp_path), config, DoorName("front"), yes=True, within_s=0, say=lambda _: None, quiet=True
        )
    assert "systemctl stop doorctl" in str(refused.value.hint)
