"""Whoever sits on the line and has thought about it: at install time, between two sessions, as a second controller."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from hal.osdp.commands import CardData, Command, Identity, Refusal, Reply, parse_identity
from hal.osdp.emulator import IDENTITY, Emulator
from hal.osdp.frame import Frame, SecurityBlock
from hal.osdp.happenings import KeyInstalled, Misuse, Misused, Offline, Online
from hal.osdp.secure_channel import DEFAULT_KEY, Block
from hal.osdp.session import ReaderSettings
from tests.hal.osdp.line import MS, SECOND, Line, Wire, nonces
from tests.hal.osdp.test_attacks import BEGIN, assert_true_reader_is_heard, frame_of, one_reader
from tests.hal.osdp.test_cp import KEY, OTHER

TRUE = parse_identity(IDENTITY)
SOMEBODY = Identity(vendor=b"abc", model=1, version=1, serial=77, firmware=(1, 0, 0))


def installing(reader: Emulator, wire: Wire | None = None, **settings: object) -> Line:
    """A line on which an administrator installs the reader at address 0."""
    wanted = ReaderSettings(address=0, new_key=OTHER, install=True, **settings)  # type: ignore[arg-type]  # a test's own word
    line = Line([wanted], [reader], baud=38_400)
    line.wire = wire or line.wire
    return line


def codes(line: Line) -> set[int]:
    """Of all commands that left the CP."""
    return {frame_of(burst).code for _, burst in line.bursts}


def test_a_stranger_in_install_mode_is_offered_nothing_and_the_true_reader_is_installed_after_it() -> None:
    stranger = Emulator(0, nonces(b"stranger"))
    line = installing(stranger, expected=TRUE)
    line.wire = lambda burst, to, _now: (
        replace(frame_of(burst), data=b"abc" + IDENTITY[3:]).encode()
        if to == "to CP" and line.readers[0] is stranger and frame_of(burst).code == Reply.IDENTITY
        else burst
    )
    line.run_for(5 * SECOND)
    assert set(line.happenings(Misused)) == {Misused(how=Misuse.STRANGER)}
    assert codes(line) == {Command.POLL, Command.ID} - {Command.POLL}
    assert stranger.key is None
    line.readers[0] = Emulator(0, nonces(b"pd"))
    begun = line.now
    line.run_for(1700 * MS)
    assert line.happenings(KeyInstalled) == [KeyInstalled(key=OTHER)]
    assert line.readers[0].key == OTHER
    assert_true_reader_is_heard(line, begun)


def test_a_stranger_in_install_mode_never_gets_the_key_that_the_true_reader_has() -> None:
    """Whoever answers first in install mode gets a key: a fresh one, that no other reader has or ever had."""
    stranger = Emulator(0, nonces(b"stranger"))
    line = installing(stranger, key=KEY)
    line.run_for(3 * SECOND)
    assert stranger.key == OTHER
    assert KEY not in {stranger.key, DEFAULT_KEY}
    true = Emulator(0, nonces(b"pd"), key=KEY)
    line.readers[0] = true
    line.run_for(10 * SECOND)
    assert true.key == KEY
    assert Misused(how=Misuse.WRONG_KEY) in line.happenings(Misused)
    assert len(line.happenings(Online)) == 1


def test_a_reader_with_a_key_of_its_own_is_not_installed_over_the_default_one() -> None:
    """Somebody refuses in its place that it knows its key: it is asked with the default one, and does not know that."""

    def refuse(burst: bytes, to: str, now: int) -> bytes:
        true = frame_of(burst)
        if to != "to CP" or now > BEGIN or true.code != Reply.CHALLENGE:
            return burst
        return replace(true, code=Reply.NAK, data=bytes((Refusal.SECURITY_CONDITION,)), security=None).encode()

    line = installing(Emulator(0, nonces(b"pd"), key=KEY), refuse, key=KEY)
    line.run(BEGIN)
    assert line.happenings(KeyInstalled, Online) == []
    assert set(line.happenings(Misused)) == {Misused(how=Misuse.DOWNGRADE)}
    line.run_for(1700 * MS)
    assert line.readers[0].key == OTHER
    assert_true_reader_is_heard(line, BEGIN)


def test_a_key_that_somebody_else_says_was_taken_does_not_count() -> None:
    """KEYSET never arrives, and is acknowledged in clear, as some readers do: only a handshake with it would count."""
    swallowed: list[int] = []

    def swallow(burst: bytes, to: str, now: int) -> bytes:
        if to != "to PD" or frame_of(burst).code != Command.KEYSET or len(swallowed) >= 3:
            return burst
        swallowed.append(now)
        asked = frame_of(burst)
        told = Frame(address=0, reply=True, sequence=asked.sequence, code=Reply.ACK)
        line.at(now + 20 * MS, lambda: line.inject(told.encode()))
        return b""

    line = installing(Emulator(0, nonces(b"pd")), swallow)
    while len(swallowed) < 3:
        line.run_for(10 * MS)
    assert not line.readers[0].key
    assert line.happenings(KeyInstalled, Online) == []
    line.run(swallowed[-1] + 1900 * MS)
    assert line.readers[0].key == OTHER
    assert line.happenings(KeyInstalled) == [KeyInstalled(key=OTHER)]
    assert_true_reader_is_heard(line, swallowed[-1])


def reflected(sent: Frame) -> Frame:
    """Our own words as the reader's."""
    return replace(sent, reply=True)


def relabelled(sent: Frame) -> Frame:
    """The same with the block that an answer would have."""
    block = {0x15: Block.REPLY, 0x17: Block.SEALED_REPLY}[sent.security.type if sent.security else 0]
    return replace(sent, reply=True, security=SecurityBlock(type=block.value))


def as_a_card(sent: Frame) -> Frame:
    return replace(relabelled(sent), code=Reply.RAW)


@pytest.mark.parametrize("mirror", [reflected, relabelled, as_a_card])
def test_our_own_frames_thrown_back(mirror: Callable[[Frame], Frame]) -> None:
    """They carry a right MAC, for the other direction."""

    def wire(burst: bytes, to: str, now: int) -> bytes:
        if to == "to CP" and BEGIN <= now < BEGIN + 300 * MS:
            return mirror(frame_of(line.bursts[-1][1])).encode() + burst
        return burst

    line = one_reader(wire)
    line.run(BEGIN + 300 * MS)
    assert set(line.happenings(Misused)) == {Misused(how=Misuse.BAD_MAC)}
    assert not line.heard()
    assert line.happenings(Offline) == []
    assert_true_reader_is_heard(line, BEGIN + 300 * MS)


def test_a_card_that_is_held_back_is_worthless_in_the_next_session() -> None:
    """Whoever keeps a card's frame from us cannot open the door with it when the person has gone."""
    kept: list[bytes] = []

    def wire(burst: bytes, to: str, now: int) -> bytes:
        if to == "to CP" and frame_of(burst).code == Reply.RAW and now < BEGIN + SECOND:
            kept.append(burst)
            return b""
        if to == "to CP" and now > BEGIN + 3 * SECOND and frame_of(burst).sequence == frame_of(kept[0]).sequence:
            return kept[0] + burst
        return burst

    line = one_reader(wire)
    line.run(BEGIN)
    line.readers[0].card(26, 5)
    line.run(BEGIN + 4 * SECOND)
    assert len(kept) == 4
    assert line.heard() == []
    assert set(line.happenings(Misused)) == {Misused(how=Misuse.BAD_MAC)}
    assert_true_reader_is_heard(line, line.now)


def test_a_second_controller_ends_sessions_and_learns_nothing() -> None:
    """It begins anew with each reader, which ends ours: told each time, and the readers are back."""
    line = Line(
        [ReaderSettings(address=number, key=KEY) for number in range(2)],
        [Emulator(number, nonces(b"pd%d" % number), key=KEY) for number in range(2)], baud=38_400,
    )  # fmt: skip
    line.run(BEGIN)
    for reader in line.readers:
        reader.card(26, reader.address)
        for code in (Command.POLL, Command.LED, Command.CHALLENGE):
            asked = Frame(address=reader.address, reply=False, sequence=0, code=code, data=bytes(8))
            line.inject(asked.encode())
            line.inject(reader.receive(asked.encode()))
    line.run(BEGIN + 2 * SECOND)
    told = {(address, one) for _, address, one in line.told if isinstance(one, Misused)}
    assert {address for address, _ in told} == {0, 1}
    assert {one.how for _, one in told} <= {Misuse.UNASKED, Misuse.PLAINTEXT}
    assert sorted(line.heard(), key=str) == [(number, CardData(reader=0, length=26, raw=number)) for number in range(2)]
    assert len(line.happenings(Online)) == 4
    assert line.happenings(Offline) == []
    assert_true_reader_is_heard(line, line.now)


def test_a_refusal_in_clear_each_second_costs_no_card_and_no_session() -> None:
    """What the true reader repeats overrules it, also where it stood in a card's place; the session goes on."""

    def wire(burst: bytes, to: str, now: int) -> bytes:
        true = frame_of(burst)
        if to != "to CP" or not true.mac or now < BEGIN or now - churned[-1] < SECOND:
            return burst
        churned.append(now)
        return replace(true, code=Reply.NAK, data=b"\4", security=None, mac=b"").encode()

    churned = [0]
    line = one_reader(wire)
    line.run(BEGIN)
    waits = []
    for number in range(30):
        line.readers[0].card(26, number)
        shown, heard = line.now, len(line.heard())
        while len(line.heard()) == heard:
            line.run_for(5 * MS)
        waits.append(line.now - shown)
        line.run_for(370 * MS)
    assert line.heard() == [(0, CardData(reader=0, length=26, raw=number)) for number in range(30)]
    assert len(churned) > 10
    assert max(waits) < 200 * MS
    assert line.cp.counters(0).restarts == 0
