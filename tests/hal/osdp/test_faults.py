"""What a line does to frames, in virtual time: no card is lost, nobody waits long, and no card comes out wrong."""

import random
from collections.abc import Callable, Iterator
from itertools import product

import pytest

from hal.events import Monotonic
from hal.osdp.commands import Blink, CardData, Color, Command, Reply, led
from hal.osdp.emulator import Emulator, Shown
from hal.osdp.frame import Frame, Framer
from hal.osdp.happenings import Gone, Heard, Misuse, Misused, Offline, Online
from hal.osdp.session import ReaderSettings
from tests.hal.osdp.line import MS, SECOND, Line
from tests.hal.osdp.test_cp import KEY, line_of

BEGIN = 2 * SECOND
SHOWN = led(lasting=Blink(on=Color.GREEN))
Fault = Callable[[bytes, int], bytes]
FAULTS: dict[str, Fault] = {
    "flipped": lambda burst, at: burst[:at] + bytes((burst[at] ^ 1 << at % 8,)) + burst[at + 1 :],
    "lost": lambda burst, at: burst[:at] + burst[at + 1 :],
    "added": lambda burst, at: burst[:at] + b"\x53" + burst[at:],
    "truncated": lambda burst, at: burst[:at],
}
HANDSHAKE = {Command.CHALLENGE, Command.CRYPTOGRAM, Reply.CHALLENGE, Reply.INITIAL_MAC}
SPOILT = [
    *product(["to PD"], [Command.POLL, Command.LED, Command.CHALLENGE, Command.CRYPTOGRAM]),
    *product(["to CP"], [Reply.ACK, Reply.RAW, Reply.CHALLENGE, Reply.INITIAL_MAC]),
]


class Once:
    """Spoils one byte of the first frame of a kind."""

    def __init__(self, direction: str, code: int, fault: Fault, place: int) -> None:
        self._direction, self._code, self._fault, self._place = direction, code, fault, place
        self.at: int | None = None
        self.size = 0

    def __call__(self, burst: bytes, to: str, now: int) -> bytes:
        if self.at is not None or now < BEGIN or to != self._direction or code_of(burst) != self._code:
            return burst
        self.at, self.size = now, len(burst)
        return self._fault(burst, self._place) if self._place < len(burst) else burst


def code_of(burst: bytes) -> int:
    (frame,) = Framer().feed(burst)
    assert isinstance(frame, Frame)
    return frame.code


def spoil(direction: str, code: int, fault: Fault) -> Iterator[tuple[Line, Once]]:
    """One line a byte of the frame; a card is shown as it happens, and the LED is to be lit."""
    place, size = 0, 1
    while place < size:
        wire = Once(direction, code, fault, place)
        line = line_of(wire=wire)
        line.run(BEGIN)
        if code in HANDSHAKE:
            line.readers[0].power_cycle()
        line.readers[0].card(26, 7)
        line.cp.order(0, Command.LED, SHOWN, Monotonic(line.now))
        line.run(BEGIN + 1800 * MS)
        yield line, wire
        place, size = place + 1, wire.size


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("direction", "code"), SPOILT)
def test_one_broken_byte_anywhere_costs_no_card_no_order_and_less_than_a_second(
    direction: str, code: int, fault: str
) -> None:
    for line, wire in spoil(direction, code, FAULTS[fault]):
        assert wire.at is not None
        (heard,) = [(at, one.what) for at, _, one in line.told if isinstance(one, Heard)]
        assert heard[1] == CardData(reader=0, length=26, raw=7)
        assert heard[0] - wire.at < SECOND
        assert set(line.readers[0].shown) == {Shown(command=Command.LED, data=SHOWN)}
        assert line.happenings(Offline, Misused) == []


@pytest.mark.parametrize("baud", [9600, 38_400, 115_200])
def test_eight_readers_are_back_within_two_seconds_of_an_outage(baud: int) -> None:
    line = line_of(8, baud=baud)
    line.run(5 * SECOND)
    line.cut = True
    line.run(17 * SECOND + 123 * MS)
    assert line.happenings(Offline) == [Offline(why=Gone.SILENT)] * 8
    line.cut = False
    back = line.now
    for reader in line.readers:
        reader.card(26, 5)
    line.run_for(4 * SECOND)
    again = [at for at, _, one in line.told if isinstance(one, Online)][8:]
    assert len(again) == 8
    assert max(again) - back < 2 * SECOND
    assert sorted(line.heard(), key=lambda one: one[0]) == [
        (number, CardData(reader=0, length=26, raw=5)) for number in range(8)
    ]


@pytest.mark.parametrize(("baud", "cards"), [(9600, 150), (38_400, 300), (115_200, 300)])
def test_a_dead_neighbour_costs_no_card_and_little_time(baud: int, cards: int) -> None:
    """Seven readers beside one that dies under way, and the same seven alone; p95 once it is known to be dead."""

    def play(readers: int) -> int:
        line, drawn = line_of(readers, baud=baud), random.Random(5)
        line.run(3 * SECOND)
        shown: list[int] = []
        for number in range(20 + cards):
            if number == 5:
                del line.readers[7:]
            line.run_for(drawn.randrange(200 * MS, 300 * MS) if number < 20 else drawn.randrange(60 * MS, 120 * MS))
            shown.append(line.now)
            line.readers[drawn.randrange(7)].card(26, number)
        line.run_for(2 * SECOND)
        heard = {one.what.raw: at for at, _, one in line.told if isinstance(one, Heard)}  # type: ignore[union-attr]
        assert sorted(heard) == list(range(20 + cards))
        waits = sorted(heard[number] - at for number, at in enumerate(shown) if number >= 20)
        return waits[len(waits) * 95 // 100]

    assert play(8) <= 1.3 * play(7)


@pytest.mark.parametrize(
    ("seed", "baud", "readers"), [*((seed, 9600, 1) for seed in range(5)), (5, 38_400, 4), (6, 115_200, 8)]
)
def test_a_minute_of_noise(seed: int, baud: int, readers: int) -> None:
    """A byte in a thousand is another one, on the way there and back."""
    drawn = random.Random(seed)

    def wire(burst: bytes, _to: str, now: int) -> bytes:
        if now < 3 * SECOND:
            return burst
        return bytes(byte ^ drawn.randrange(1, 256) if drawn.random() < 1e-3 else byte for byte in burst)

    line = line_of(readers, baud=baud, wire=wire)
    line.run(3 * SECOND)
    for number in range(100):
        line.readers[number % readers].card(26, number)
        line.run_for(600 * MS)
    line.run_for(SECOND)
    cards = [what.raw for _, what in line.heard() if isinstance(what, CardData)]
    assert sorted(cards) == list(range(100))
    assert line.happenings(Offline) == []


def test_a_reader_that_is_busy_for_ever_is_offline() -> None:
    """It would be online and unheard, if its word were believed."""

    def wire(burst: bytes, to: str, now: int) -> bytes:
        if to != "to CP" or not BEGIN <= now < BEGIN + 20 * SECOND:
            return burst
        return Frame(address=0, reply=True, sequence=0, code=Reply.BUSY).encode()

    line = line_of(wire=wire)
    line.run(BEGIN + 9 * SECOND)
    assert line.happenings(Offline) == [Offline(why=Gone.SILENT)]
    line.run(BEGIN + 22 * SECOND)
    assert len(line.happenings(Online)) == 2


def test_a_reader_that_answers_but_never_in_a_session_is_offline() -> None:
    """It says who it is, over and over, and never proves it."""

    def wire(burst: bytes, to: str, now: int) -> bytes:
        forbidden = {Command.POLL, Command.CHALLENGE}
        return b"" if to == "to PD" and now >= BEGIN and code_of(burst) in forbidden else burst

    line = line_of(wire=wire)
    line.run(BEGIN + 10 * SECOND)
    assert line.happenings(Offline) == [Offline(why=Gone.SILENT)]


def test_a_line_that_never_falls_silent_is_spoken_into() -> None:
    """Somebody jabbers: readers are offline, since nobody could have heard a card; and they are back when it ends."""
    line = line_of(2, baud=115_200)
    line.run(BEGIN)
    line.cut = True
    while line.now < BEGIN + 11 * SECOND:
        line.inject(b"\x00\x53\x01")
        line.run_for(500_000)
    assert line.happenings(Offline) == [Offline(why=Gone.SILENT)] * 2
    line.cut = False
    line.run_for(2 * SECOND)
    assert len(line.happenings(Online)) == 4


def test_one_readers_orders_starve_nobody() -> None:
    """Its orders go ahead of polls, and yet a card elsewhere waits at most twice as long."""
    line = line_of(8)
    line.run(4 * SECOND)
    worst = 0
    for number in range(100):
        line.readers[1 + number * 3 % 7].card(26, number)
        begun, heard = line.now, len(line.heard())
        while len(line.heard()) == heard:
            line.cp.order(0, Command.LED, led(lasting=Blink(on=Color(number % 5))), Monotonic(line.now))
            line.run_for(10 * MS)
        worst = max(worst, line.now - begun)
    assert worst < 900 * MS
    assert len(line.readers[0].shown) > 250


def test_a_reader_in_use_is_asked_more_often() -> None:
    line = line_of(8)
    line.run(20 * SECOND)
    line.readers[3].press(b"1")
    line.run_for(SECOND)
    before = [line.cp.counters(number).exchanges for number in range(8)]
    line.run_for(4 * SECOND)
    polls = [line.cp.counters(number).exchanges - begun for number, begun in enumerate(before)]
    others = polls[:3] + polls[4:]
    assert polls[3] > 2 * max(others)
    assert max(others) - min(others) <= 1


def test_a_slow_reader_is_found_again() -> None:
    """It takes nearly all the time that the standard gives it; short time-outs alone would never hear it."""
    line = line_of(2, baud=115_200, turnarounds={1: 150 * MS})
    line.run(3 * SECOND)
    assert len(line.happenings(Online)) == 2
    line.cut = True
    line.run_for(12 * SECOND)
    line.cut = False
    line.run_for(2 * SECOND)
    assert len(line.happenings(Online)) == 4

    unknown = line_of(2, baud=115_200, turnarounds={1: 150 * MS})
    unknown.readers[1].address = 9
    unknown.run(10 * SECOND)
    unknown.readers[1].address = 1
    unknown.run_for(31 * SECOND)
    assert len(unknown.happenings(Online)) == 2


def test_counters_say_what_a_line_did() -> None:
    spoil: list[str] = []

    def wire(burst: bytes, to: str, now: int) -> bytes:
        if to == "to CP" and spoil:
            spoil.pop()
            return burst[:-1] + bytes((burst[-1] ^ 1,))
        return burst

    line = line_of(1, wire=wire)
    line.run(12 * SECOND)
    spoil += ["once"]
    line.cp.order(0, Command.KEYSET, bytes(5), Monotonic(line.now))
    line.run_for(SECOND)
    line.cut = True
    line.run_for(12 * SECOND)
    line.cut = False
    line.run_for(2 * SECOND)
    report = line.cp.counters(0).report(Monotonic(line.now))
    few = {name: report[name] for name in ("broken", "nak_record", "misused", "bad_macs", "offline_s")}
    assert few == {"broken": 1, "nak_record": 1, "misused": 0, "bad_macs": 0, "offline_s": pytest.approx(4.2, abs=0.5)}
    assert report["retries"] > 3
    assert 30 < report["answer_ms_p50"] < 34
    assert 30 < report["wait_ms_p50"] < 36
    assert report["wait_ms_p99"] < 100
    assert 10 < report["line_use_percent"] <= 100


def test_a_wrong_key_elsewhere_is_no_matter_of_ours() -> None:
    """A reader that fails its handshake each second costs its neighbours what a dead one does."""
    line = line_of(3)
    line.readers[2].key = bytes(16)
    line.run(12 * SECOND)
    assert set(line.happenings(Misused)) == {Misused(how=Misuse.WRONG_KEY)}
    assert line.cp.counters(0).exchanges > 120
    assert ReaderSettings(address=2, key=KEY) in line.settings
    assert isinstance(line.readers[2], Emulator)
