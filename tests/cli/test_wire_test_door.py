"""`wire-test` at a door with two wires a reader: each fault injected at the mock board's pins, outputs, and every end."""

import asyncio
import os
import re
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from doorctl.cli import wire_test_door
from doorctl.cli.check_live import look
from doorctl.cli.wire_test_claim import BorrowedKeys
from doorctl.cli.wire_test_door import DoorTest
from doorctl.cli.wire_test_hands import Hands
from doorctl.cli.wire_test_run import wire_test
from doorctl.cli.wire_test_verdict import Standing, Verdict
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
from tests.cli.test_wire_test import BITS, CONFIG, RAW
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


def noise(pin: str) -> Callable[[Board], None]:
    return lambda board: void(perform(board, Fault(fault="noise", pin=pin, count=400)))


def keys(encoding: Any) -> Callable[[Board], None]:
    return lambda board: void(perform(board, Keys(pins=(D0, D1), keys="5", encoding=encoding)))


def flicker(pin: str, edges_per_s: int | None = None) -> Callable[[Board], None]:
    return lambda board: void(perform(board, Fault(fault="no-pull-up", pin=pin, edges_per_s=edges_per_s)))


def miswired(fault: Any) -> Callable[[Board], None]:
    """And a good card."""

    def happens(board: Board) -> None:
        perform(board, Fault(fault=fault, pins=(D0, D1)))
        perform(board, Card(reader="front", bits=BITS))

    return happens


def low(pin: str) -> Callable[[Board], None]:
    return lambda board: void(perform(board, Fault(fault="stuck-low", pin=pin)))


def nothing(_: Board) -> None:
    """Nobody comes, or nothing comes of it."""


WORKS = {
    "swapped": ("D0 and D1 swapped", miswired("swapped")),
    "D0 off": ("D0 never moves", without(D0)),
    "D1 off": ("D1 never moves", without(D1)),
    "no ground": ("noise", miswired("no-ground")),
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


@pytest.mark.parametrize("edges_per_s", [20, None, 1_000, 10_000], ids=["20", "the mains hum", "1000", "10000"])
@pytest.mark.parametrize(
    ("hung", "fault"),
    [([D0], "D0 hangs in the air"), ([D1], "D1 hangs in the air"), ([D0, D1], "both data lines hang in the air")],
    ids=["D0", "D1", "both"],
)
def test_a_line_without_a_pull_up_is_named_before_a_card_is_asked_for(
    config: Config, loop: VirtualLoop, hung: list[str], fault: str, edges_per_s: int | None
) -> None:
    def before(board: Board) -> None:
        for pin in hung:
            flicker(pin, edges_per_s)(board)

    report = report_of(config, loop, nothing, before=before)
    assert [finding["fault"] for finding in report["readers"][0]["findings"]] == [fault]
    assert report["missed"] == ["contact", "card at front", "key at front"]


def test_a_hand_that_plays_with_the_keys_is_no_line_that_hangs(config: Config, loop: VirtualLoop) -> None:
    """Eight keys a second, from before the reader is listened to for a wire without a pull-up."""

    def plays(board: Board) -> None:
        perform(board, Keys(pins=(D0, D1), keys="0123456789*#" * 5, encoding="8-bit", gap_ns=SECOND // 8))

    (reader,) = report_of(config, loop, nothing, before=lambda board: void(loop.call_later(6, plays, board)))["readers"]
    assert reader["findings"] == []
    assert reader["key"] == {"bits": 8, "good": True}


def test_an_input_without_a_pull_up_is_named_and_shown_no_more(config: Config, loop: VirtualLoop) -> None:
    report = report_of(config, loop, nothing, before=flicker(CONTACT))
    contact = report["verdict"]["parts"][0]
    assert (contact["part"], contact["standing"]) == ("contact", "wrong")
    assert "hangs in the air" in contact["why"]
    assert len(report["changes"]) < 100


def go_round(board: Board, loop: VirtualLoop, *, left_open: bool = False) -> None:
    """The leaf is opened and closed, a card and a key shown."""
    begun = board.chip.clock()
    perform(board, Input(pin=CONTACT, level=False))
    for after, level in ((1, True), (2, left_open)):
        loop.call_later(after, perform, board, Input(pin=CONTACT, level=level, at=Monotonic(begun + after * SECOND)))


def card_and_key(board: Board) -> None:
    perform(board, Card(reader="front", bits=BITS))
    perform(board, Keys(pins=(D0, D1), keys="5", encoding="8-bit", at=board.chip.clock() + 2 * SECOND))


ROUNDS: dict[str, tuple[bool, Callable[[Board], None], dict[str, str]]] = {
    "all of it": (False, card_and_key, {}),
    "the door left open": (True, card_and_key, {"contact": "wrong"}),
    "no key": (False, card(BITS), {"key at front": "missed"}),
    "a key and no card": (False, keys("8-bit"), {"card at front": "missed"}),
    "a bad card": (
        False, card(BITS[:-1] + str(1 - int(BITS[-1]))), {"key at front": "missed", "reader front": "wrong"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("left_open", "happens", "not_fine"), ROUNDS.values(), ids=ROUNDS)
def test_a_round_is_fine_where_nothing_is_left_out(
    config: Config, loop: VirtualLoop, left_open: bool, happens: Callable[[Board], None], not_fine: dict[str, str]
) -> None:
    report = report_of(config, loop, happens, before=lambda board: go_round(board, loop, left_open=left_open))
    told = {part["part"]: part["standing"] for part in report["verdict"]["parts"]}
    assert {part: standing for part, standing in told.items() if standing != "fine"} == not_fine
    assert report["verdict"]["fine"] is (not not_fine)


@pytest.mark.parametrize("digit", "0123456789*#")
def test_nothing_tells_which_key_it_was(config: Config, loop: VirtualLoop, digit: str) -> None:
    report = report_of(
        config, loop, lambda board: void(perform(board, Keys(pins=(D0, D1), keys=digit, encoding="8-bit")))
    )
    assert report["readers"][0]["key"] == {"bits": 8, "good": True}


@pytest.mark.parametrize("pin", [D0, D1])
def test_a_report_never_says_how_many_pulses_a_line_had(config: Config, loop: VirtualLoop, pin: str) -> None:
    """With one wire off that is how many ones, or zeros, the card has."""
    (reader,) = report_of(config, loop, without(pin))["readers"]
    count = str(RAW.bit_count() if pin == D0 else 26 - RAW.bit_count())
    assert reader["card"] == {
        "bits": None, "format": None, "fields": [], "interval_ms": None, "jitter_ms": None, "good": False,
    }  # fmt: skip
    assert count not in re.findall(r"\d+", str(reader))


def test_a_good_card_is_measured_and_no_fault(config: Config, loop: VirtualLoop) -> None:
    report = report_of(config, loop, card(BITS))
    assert report["missed"] == ["contact", "key at front"]
    assert report["readers"] == [
        {
            "reader": "front", "wired": "D0 GPIO14, D1 GPIO15", "findings": [],
            "card": {
                "bits": 26, "format": "H10301", "fields": ["facility", "card"], "interval_ms": 1.0, "jitter_ms": 0.0,
                "good": True,
            },
            "key": None,
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


AT_REST: dict[str, tuple[Callable[[Board], None], dict[str, str]]] = {
    "all right": (nothing, {}),
    "an open leaf": (lambda board: void(perform(board, Input(pin=CONTACT, level=True))), {"front: contact": "missed"}),
    "D1 low": (low(D1), {"front: reader front": "wrong"}),
    "D0 without a pull-up": (flicker(D0), {"front: reader front": "wrong"}),
    "a contact without a pull-up": (flicker(CONTACT), {"front: contact": "wrong"}),
}


@pytest.mark.parametrize(("happens", "not_fine"), AT_REST.values(), ids=AT_REST)
def test_check_live_tells_what_is_wrong_from_what_is_only_open(
    config: Config, loop: VirtualLoop, happens: Callable[[Board], None], not_fine: dict[str, str]
) -> None:
    async def main() -> Verdict:
        board, pins = claim_pins(config, BorrowedKeys(None, simulated=True))
        perform(board, Input(pin=CONTACT, level=False))
        happens(board)
        living = asyncio.ensure_future(wires_live(board))
        _, told = await look(board, pins, config, say=lambda _: None, quiet=True)
        living.cancel()
        board.close()
        return told

    told = run(main(), loop)
    found = {part.part: part.standing.value for part in told.parts}
    assert {part: standing for part, standing in found.items() if standing != "fine"} == not_fine
    assert found.keys() == {"front: contact", "front: reader front"}


def levels(board: Board, pin: str) -> list[bool | None]:
    assert board.mock is not None
    return [change.level for change in board.mock.history if change.pin == pin]


def test_nothing_is_moved_where_nobody_can_be_asked(config: Config, loop: VirtualLoop) -> None:
    async def main() -> tuple[Verdict, DoorTest, list[bool | None]]:
        board, (pins,) = claim_pins(config, BorrowedKeys(None, simulated=True))
        test = DoorTest(
            board, pins, (), hands=Hands(yes=False, terminal=False), say=lambda _: None, within_s=1, quiet=True
        )
        told = await test.run()
        moved = levels(board, STRIKE)
        board.close()
        return told, test, moved

    told, test, moved = run(main(), loop)
    assert moved == [False]
    assert [output["pulsed"] for output in test.report["outputs"]] == [False, False]
    assert [part.part for part in told.of(Standing.MISSED)] == [
        "contact", "strike", "LED and buzzer at front", "card at front", "key at front",
    ]  # fmt: skip
    assert not told.fine


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
