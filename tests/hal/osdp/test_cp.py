"""The CP and the strict reader against each other, in memory and in virtual time."""

import random
from dataclasses import replace

import pytest

from hal.events import Monotonic
from hal.osdp.commands import Blink, CardData, Color, Command, Identity, Keys, LocalStatus, Reply, led
from hal.osdp.emulator import Emulator, Shown
from hal.osdp.frame import Frame, Framer
from hal.osdp.happenings import KeyInstalled, Misuse, Misused, Offline, Online
from hal.osdp.secure_channel import DEFAULT_KEY
from hal.osdp.session import ReaderSettings
from tests.hal.osdp.line import MS, SECOND, Line, nonces

KEY = bytes(range(16))
OTHER = bytes(range(100, 116))


def line_of(addresses: int = 1, **options: object) -> Line:
    settings = [ReaderSettings(address=number, key=KEY) for number in range(addresses)]
    readers = [Emulator(number, nonces(b"pd%d" % number), key=KEY) for number in range(addresses)]
    return Line(settings, readers, **options)  # type: ignore[arg-type]  # a test's own word


@pytest.mark.parametrize("baud", [9600, 38_400, 115_200, 0])
def test_a_reader_comes_online_and_is_heard(baud: int) -> None:
    line = line_of(baud=baud)
    line.run_for(SECOND)
    (online,) = line.happenings(Online)
    assert isinstance(online, Online)
    assert online.secure
    line.readers[0].card(26, 0x2ABCDEF)
    line.readers[0].press(b"1234\r")
    line.readers[0].tamper(torn=True)
    line.run_for(SECOND)
    assert line.heard() == [
        (0, CardData(reader=0, length=26, raw=0x2ABCDEF)),
        (0, Keys(reader=0, pressed=b"1234\r")),
        (0, LocalStatus(tamper=True, power_failure=False)),
    ]


def test_orders_are_carried_out_and_of_a_kind_the_last_counts() -> None:
    line = line_of()
    line.run_for(SECOND)
    shown = [led(lasting=Blink(on=color)) for color in (Color.RED, Color.GREEN)]
    for data in shown:
        line.cp.order(0, Command.LED, data, Monotonic(line.now))
    line.run_for(SECOND)
    assert list(line.readers[0].shown) == [Shown(command=Command.LED, data=shown[1])]


def test_eight_readers_share_a_line() -> None:
    line = line_of(8)
    line.run_for(3 * SECOND)
    assert len(line.happenings(Online)) == 8
    for number, reader in enumerate(line.readers):
        reader.card(26, number)
    line.run_for(SECOND)
    assert sorted(line.heard(), key=lambda one: one[0]) == [
        (number, CardData(reader=0, length=26, raw=number)) for number in range(8)
    ]


@pytest.mark.parametrize("direction", ["to PD", "to CP"])
@pytest.mark.parametrize("fault", ["flip", "lose", "truncate"])
@pytest.mark.parametrize("place", [0, 1, 2, 4, 5, 8, -3, -1])
def test_one_broken_byte_costs_no_card_and_less_than_a_second(direction: str, fault: str, place: int) -> None:
    """Also where it is the very frame that carries a card."""
    spoilt: list[int] = []

    def wire(burst: bytes, to: str, now: int) -> bytes:
        if to != direction or now < 3 * SECOND or spoilt or not -len(burst) <= place < len(burst):
            return burst
        spoilt.append(now)
        at = place % len(burst)
        match fault:
            case "flip":
                return burst[:at] + bytes((burst[at] ^ 0x10,)) + burst[at + 1 :]
            case "lose":
                return burst[:at] + burst[at + 1 :]
            case _:
                return burst[:at]

    line = line_of(wire=wire)
    line.run(3 * SECOND)
    before = line.happenings(Online)
    line.readers[0].card(26, 7)
    line.run(3 * SECOND + 900 * MS)
    assert spoilt
    assert line.heard() == [(0, CardData(reader=0, length=26, raw=7))]
    assert line.happenings(Online) == before  # the session has survived
    assert line.happenings(Offline) == []


def test_an_outage_is_over_as_soon_as_the_line_is() -> None:
    line = line_of(2)
    line.run(3 * SECOND)
    line.cut = True
    line.run(15 * SECOND)
    assert len(line.happenings(Offline)) == 2
    line.cut = False
    line.readers[0].card(26, 5)
    line.run(17 * SECOND)
    assert line.heard() == [(0, CardData(reader=0, length=26, raw=5))]
    assert len(line.happenings(Online)) == 4


def test_a_reader_that_lost_power_is_back_at_once() -> None:
    line = line_of()
    line.run(3 * SECOND)
    line.readers[0].power_cycle()
    line.run(4 * SECOND)
    line.readers[0].card(26, 9)
    line.run(5 * SECOND)
    assert line.heard() == [(0, CardData(reader=0, length=26, raw=9))]
    assert line.happenings(Offline, Misused) == []


def test_a_dead_neighbour_costs_little() -> None:
    """Polls of the living, with and without two dead readers on their line."""

    def polls(dead: int) -> int:
        settings = [ReaderSettings(address=number, key=KEY) for number in range(4 + dead)]
        readers = [Emulator(number, nonces(b"pd%d" % number), key=KEY) for number in range(4)]
        line = Line(settings, readers)
        line.run(10 * SECOND)
        before = line.cp.counters(0).exchanges
        line.run(40 * SECOND)
        return line.cp.counters(0).exchanges - before

    assert polls(2) >= 0.85 * polls(0)


@pytest.mark.parametrize("sequence", [0, 2])
def test_a_refusal_after_a_power_cut_is_heard_however_it_is_numbered(sequence: int) -> None:
    """The time-out of each of eight readers, one after the other, would be seconds."""

    def wire(burst: bytes, to: str, _now: int) -> bytes:
        (frame,) = Framer().feed(burst)
        assert isinstance(frame, Frame)
        refusal = to == "to CP" and frame.code == Reply.NAK
        return replace(frame, sequence=sequence).encode() if refusal else burst

    line = line_of(8, baud=115_200, wire=wire)
    line.run(4 * SECOND)
    begun = line.now
    for reader in line.readers:
        reader.power_cycle()
    line.run_for(SECOND)
    again = [at for at, _, one in line.told if isinstance(one, Online)][8:]
    assert len(again) == 8
    assert max(again) - begun < 600 * MS
    assert line.happenings(Offline, Misused) == []


def test_an_answer_that_is_shorter_than_any_in_a_session_is_asked_for_soon() -> None:
    """The port tells of so many bytes and of fewer only when it is asked: a refusal in clear has nine."""
    line = line_of(baud=38_400)
    line.run(2 * SECOND)
    while line.cp.expected() == 1:
        line.run_for(MS)
    asked = line.bursts[-1][0]
    assert line.cp.expected() == 14
    look = line.cp.next_deadline()
    assert look - asked < 20 * MS
    assert line.cp.on_deadline(look) == []
    assert line.cp.expected() == 1
    assert line.cp.next_deadline() - asked > 200 * MS


def test_a_reader_that_is_slower_than_its_probe_is_no_second_talker() -> None:
    line = line_of(2, baud=115_200, turnarounds={1: 2 * MS})
    line.run(3 * SECOND)
    slow = line.readers.pop()
    line.run_for(3 * SECOND)
    line.turnarounds[1] = 30 * MS
    line.readers.append(slow)
    line.run_for(20 * SECOND)
    assert line.happenings(Misused) == []


def test_a_reader_with_another_key_stays_offline_and_is_told() -> None:
    line = Line([ReaderSettings(address=0, key=KEY)], [Emulator(0, nonces(b"pd"), key=OTHER)])
    line.run_for(5 * SECOND)
    assert line.happenings(Online) == []
    assert set(line.happenings(Misused)) == {Misused(how=Misuse.WRONG_KEY)}
    assert 3 <= len(line.happenings(Misused)) <= 6  # once a second, ever


def test_a_reader_from_the_factory_is_no_reader_of_ours() -> None:
    """It knows only the default key, which is never spoken outside install mode."""
    line = Line([ReaderSettings(address=0, key=KEY)], [Emulator(0, nonces(b"pd"))])
    line.run_for(5 * SECOND)
    assert line.happenings(Online) == []
    assert set(line.happenings(Misused)) == {Misused(how=Misuse.DOWNGRADE)}
    assert all(DEFAULT_KEY not in burst for _, burst in line.bursts)


def test_without_a_key_nothing_is_read() -> None:
    line = Line([ReaderSettings(address=0)], [Emulator(0, nonces(b"pd"))])
    line.readers[0].card(26, 1)
    line.run_for(5 * SECOND)
    assert line.happenings(Online) == []
    assert line.heard() == []


def test_a_plain_reader_must_be_allowed() -> None:
    line = Line([ReaderSettings(address=0, allow_plain=True)], [Emulator(0, nonces(b"pd"))])
    line.run_for(SECOND)
    line.readers[0].card(26, 1)
    line.run_for(SECOND)
    (online,) = line.happenings(Online)
    assert isinstance(online, Online)
    assert not online.secure
    assert line.heard() == [(0, CardData(reader=0, length=26, raw=1))]


def test_install_mode_brings_in_a_key_over_the_default_one() -> None:
    line = Line([ReaderSettings(address=0, new_key=OTHER, install=True)], [Emulator(0, nonces(b"pd"))])
    line.run_for(5 * SECOND)
    assert line.readers[0].key == OTHER
    assert line.happenings(KeyInstalled) == [KeyInstalled(key=OTHER)]
    assert len(line.happenings(Online)) == 1
    line.readers[0].card(26, 1)
    line.run_for(SECOND)
    assert len(line.heard()) == 1


def test_a_key_is_changed_over_the_old_one() -> None:
    line = Line([ReaderSettings(address=0, key=KEY, new_key=OTHER)], [Emulator(0, nonces(b"pd"), key=KEY)])
    line.run_for(5 * SECOND)
    assert line.readers[0].key == OTHER
    assert line.happenings(KeyInstalled) == [KeyInstalled(key=OTHER)]


class Forgetful(Emulator):
    """Says that it took a key, and keeps the old one."""

    asked = 0

    def _take_key(self, data: bytes) -> tuple[int, bytes]:
        self.asked += 1
        return Reply.ACK, b""


def test_a_reader_that_does_not_keep_its_key_is_asked_once_a_second() -> None:
    """Each time is a write to its flash; the line's pace would be some twenty a second."""
    reader = Forgetful(0, nonces(b"pd"), key=KEY)
    line = Line([ReaderSettings(address=0, key=KEY, new_key=OTHER)], [reader])
    line.run_for(20 * SECOND)
    assert 5 <= reader.asked <= 22
    assert line.happenings(KeyInstalled) == []


def test_a_change_that_was_cut_off_is_taken_up_whichever_key_the_reader_has() -> None:
    for held in (KEY, OTHER):
        line = Line([ReaderSettings(address=0, key=KEY, new_key=OTHER)], [Emulator(0, nonces(b"pd"), key=held)])
        line.run_for(6 * SECOND)
        assert line.readers[0].key == OTHER
        assert len(line.happenings(Online)) == 1


def test_a_stranger_in_install_mode_gets_no_key() -> None:
    expected = Identity(vendor=b"abc", model=1, version=1, serial=77, firmware=(1, 0, 0))
    settings = ReaderSettings(address=0, key=KEY, new_key=OTHER, install=True, expected=expected)
    line = Line([settings], [Emulator(0, nonces(b"pd"))])
    line.run_for(5 * SECOND)
    assert set(line.happenings(Misused)) == {Misused(how=Misuse.STRANGER)}
    assert line.readers[0].key is None


def test_noise_of_one_byte_in_a_thousand() -> None:
    drawn = random.Random(3)

    def wire(burst: bytes, _to: str, now: int) -> bytes:
        if now < 3 * SECOND:
            return burst
        return bytes(byte ^ (1 << drawn.randrange(8)) if drawn.random() < 1e-3 else byte for byte in burst)

    line = line_of(wire=wire)
    line.run(3 * SECOND)
    for number in range(100):
        line.readers[0].card(26, number)
        line.run_for(600 * MS)
    line.run_for(SECOND)
    cards = [what.raw for _, what in line.heard() if isinstance(what, CardData)]
    assert cards == list(range(100))
