"""OSDP readers at `wire-test` and `check --live`: the commands' own parts over a mock board, in virtual time."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

from doorctl.cli.check_live import look
from doorctl.cli.wire_test_claim import BorrowedKeys
from doorctl.cli.wire_test_door import DoorTest
from doorctl.cli.wire_test_hands import Hands
from doorctl.cli.wire_test_run import places
from doorctl.config.reading import read_config
from doorctl.config.types import Config
from doorctl.core.types import ReaderName
from doorctl.doord import assembly
from doorctl.doord.assembly import DoorPins, claim_pins
from hal.board import Board, open_board
from hal.mock_commands import Card, Keys, Osdp
from hal.mock_drive import perform
from hal.osdp.wiring import Fault, Seen, findings
from tests.hal.virtual import VirtualLoop, run

T = TypeVar("T")
DEVICE = "/dev/ttyAMA0"
CONFIG = """\
[site]
id = "demo-site"
timezone = "Europe/Lisbon"

[hal]
backend = "mock"

[door.vault]
egress  = "mechanical"
strike  = { pin = "GPIO18", type = "fail-secure", release_s = 5 }
contact = { input = 0, active = "high" }
reader  = { osdp = "/dev/ttyAMA0", address = 1, baud = 9600, mode = "card" }

[door.gate]
egress  = "mechanical"
strike  = { pin = "GPIO17", type = "fail-secure", release_s = 5 }
reader  = { osdp = "/dev/ttyAMA0", address = 4, baud = 9600, mode = "card" }
"""


def unplug(board: Board) -> None:
    board.mock_lines[DEVICE].gone = True


def cut(board: Board) -> None:
    board.mock_lines[DEVICE].cut = True


def other_speed(board: Board) -> None:
    perform(board, Osdp(reader="vault", baud=38_400))


def other_address(board: Board) -> None:
    readers = board.mock_lines[DEVICE].readers
    moved = readers[7] = readers.pop(1)
    moved.address = 7


def other_key(board: Board) -> None:
    board.made_up["vault"].key = bytes(16)


def two_readers(board: Board) -> None:
    """Both speak at once, and the line hears neither."""
    line = board.mock_lines[DEVICE]
    say = line.say
    line.say = lambda burst: say(bytes(byte & 0xF0 for byte in burst))  # type: ignore[method-assign]


def no_termination(board: Board) -> None:
    perform(board, Osdp(reader="vault", line="unterminated"))


FAULTS: dict[str, tuple[Fault, Callable[[Board], None]]] = {
    "no device": (Fault.NO_DEVICE, unplug),
    "a cut line": (Fault.NOBODY, cut),
    "wrong baud": (Fault.SPEED, other_speed),
    "wrong address": (Fault.ADDRESS, other_address),
    "another board's key": (Fault.KEY, other_key),
    "two readers at an address": (Fault.TWO_READERS, two_readers),
    "no termination": (Fault.NOISE, no_termination),
}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    file = tmp_path / "doorctl.toml"
    file.write_text(CONFIG)
    return read_config(file)


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> VirtualLoop:
    loop = VirtualLoop()
    monkeypatch.setattr(assembly, "open_board", partial(open_board, clock=loop.clock))
    return loop


def play(
    config: Config, loop: VirtualLoop, story: Callable[[Board, tuple[DoorPins, ...]], Coroutine[Any, Any, T]]
) -> T:
    async def main() -> T:
        board, pins = claim_pins(config, BorrowedKeys(None, simulated=True))
        try:
            return await story(board, pins)
        finally:
            board.close()

    return run(main(), loop)


def report_of(config: Config, loop: VirtualLoop, happens: Callable[[Board], None]) -> dict[str, Any]:
    """The report on the vault; whoever is there holds a card to it after ten seconds."""

    async def story(board: Board, pins: tuple[DoorPins, ...]) -> dict[str, Any]:
        happens(board)
        test = DoorTest(
            board, pins[0], places(config), hands=Hands(yes=True, terminal=False), say=lambda _: None, within_s=8,
            quiet=True,
        )  # fmt: skip
        running = asyncio.ensure_future(test.run())
        await asyncio.sleep(16)
        board.made_up["vault"].card(26, 12345)
        await running
        return test.report

    return play(config, loop, story)


def test_a_good_reader_is_none_of_the_faults(config: Config, loop: VirtualLoop) -> None:
    report = report_of(config, loop, lambda _: None)
    (reader,) = report["readers"]
    assert reader["card"] == {"bits": 26, "format": None, "good": True}
    assert (reader["answers"], reader["broken"], reader["findings"]) == (True, 0, [])
    assert report["outputs"] == [
        {"output": output, "at": "vault", "pulsed": True, "moved": True} for output in ("strike", "LED and buzzer")
    ]
    assert report["missed"] == ["contact"], "nobody moved it"


def test_a_new_reader_without_a_key_is_tested_in_clear(config: Config, loop: VirtualLoop) -> None:
    async def story(board: Board, pins: tuple[DoorPins, ...]) -> None:
        port = pins[0].readers[0][1]
        port.start(lambda _: None)
        await asyncio.sleep(3)
        assert board.lines[DEVICE].bus.online() == {1, 4}

    keys = BorrowedKeys(None, simulated=False)
    assert keys.settings(ReaderName("vault"), places(config)[0]).allow_plain
    play(config, loop, story)


def test_a_reader_on_a_line_is_fine_with_its_input_card_and_key(tmp_path: Path, loop: VirtualLoop) -> None:
    file = tmp_path / "doorctl.toml"
    file.write_text(CONFIG.replace('mode = "card" }', 'mode = "card+code" }', 1))
    config = read_config(file)

    async def story(board: Board, pins: tuple[DoorPins, ...]) -> dict[str, Any]:
        test = DoorTest(
            board, pins[0], places(config), hands=Hands(yes=True, terminal=False), say=lambda _: None, within_s=8,
            quiet=True,
        )  # fmt: skip
        running = asyncio.ensure_future(test.run())
        for wait_s, what in (
            (6, Osdp(reader="vault", input=True)), (1, Osdp(reader="vault", input=False)),
            (9, Card(reader="vault", bits="01" * 13)), (4, Keys(reader="vault", keys="7")),
        ):  # fmt: skip
            await asyncio.sleep(wait_s)
            perform(board, what)
        await running
        return test.report

    report = play(config, loop, story)
    assert {part["part"]: part["standing"] for part in report["verdict"]["parts"]} == dict.fromkeys(
        ["contact", "strike", "LED and buzzer at vault", "card at vault", "key at vault"], "fine"
    )
    assert report["verdict"]["fine"]
    assert report["readers"][0]["key"] == {"bits": None, "good": True}, "not which one"


@pytest.mark.parametrize(("fault", "happens"), FAULTS.values(), ids=FAULTS)
def test_a_fault_of_the_line_is_named_exactly(
    config: Config, loop: VirtualLoop, fault: Fault, happens: Callable[[Board], None]
) -> None:
    (reader,) = report_of(config, loop, happens)["readers"]
    assert [finding["fault"] for finding in reader["findings"]] == [fault.value]


def test_every_fault_has_a_case() -> None:
    assert {fault for fault, _ in FAULTS.values()} == set(Fault)


@pytest.mark.parametrize(("fault", "happens"), FAULTS.values(), ids=FAULTS)
def test_all_doors_are_looked_at(
    config: Config, loop: VirtualLoop, fault: Fault, happens: Callable[[Board], None]
) -> None:
    async def story(board: Board, pins: tuple[DoorPins, ...]) -> list[dict[str, Any]]:
        happens(board)
        return (await look(board, pins, config, say=lambda _: None, quiet=True))[0]

    vault, gate = play(config, loop, story)
    told = [finding["fault"] for finding in vault["readers"][0]["findings"]]
    assert told == [fault.value]
    if fault is not Fault.NOISE:  # then both may be heard or not
        assert gate["readers"][0]["answers"] is (fault in {Fault.SPEED, Fault.ADDRESS, Fault.KEY})


def seen(*, broken: int, exchanges: int) -> Seen:
    return Seen(
        device=DEVICE, address=1, baud=9600, is_open=True, online=True,
        counters={"broken": broken, "exchanges": exchanges},
    )  # fmt: skip


def test_a_frame_broken_now_and_then_is_no_fault() -> None:
    assert findings(seen(broken=2, exchanges=10)) == ()
    assert findings(seen(broken=9, exchanges=1000)) == ()
    (told,) = findings(seen(broken=10, exchanges=1000))
    assert told.fault == Fault.NOISE.value
    assert told.words.startswith("answers arrive broken (10 in 1000 exchanges): likely no termination")
