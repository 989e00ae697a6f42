"""Whoever sits on the line: nothing they say opens anything, each try is told, and the true reader is back at once."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hal.osdp.commands import CardData, Command, Reply
from hal.osdp.emulator import Emulator
from hal.osdp.frame import Frame, Framer, SecurityBlock
from hal.osdp.happenings import Gone, Misuse, Misused, Offline, Online
from hal.osdp.secure_channel import Block
from hal.osdp.session import ReaderSettings
from tests.hal.osdp.line import MS, SECOND, Line, Wire, nonces
from tests.hal.osdp.test_cp import KEY, OTHER

CARD = bytes((0, 1, 26, 0)) + bytes.fromhex("deadbe80")
BEGIN = 3 * SECOND
Forge = Callable[[Frame], Frame | None]


def frame_of(burst: bytes) -> Frame:
    (frame,) = Framer().feed(burst)
    assert isinstance(frame, Frame)
    return frame


class Attacker:
    """Between reader and CP: answers in the reader's place once, from a time on."""

    def __init__(self, forge: Forge, *, also_true: bool = False, begin: int = BEGIN) -> None:
        self._forge, self._begin = forge, begin
        self._also_true = also_true
        self.forged = 0
        self.at = 0

    def __call__(self, burst: bytes, to: str, now: int) -> bytes:
        if to != "to CP" or now < self._begin or self.forged:
            return burst
        forged = self._forge(frame_of(burst))
        if forged is None:
            return burst
        self.forged += 1
        self.at = now
        return forged.encode() + (burst if self._also_true else b"")


def one_reader(wire: Wire) -> Line:
    return Line([ReaderSettings(address=0, key=KEY)], [Emulator(0, nonces(b"pd"), key=KEY)], baud=38_400, wire=wire)


def attacked(forge: Forge, *, also_true: bool = False) -> tuple[Line, int]:
    """A line that was, and when."""
    attacker = Attacker(forge, also_true=also_true)
    line = one_reader(attacker)
    line.run(BEGIN + 500 * MS)
    assert attacker.forged == 1
    return line, attacker.at


def assert_true_reader_is_heard(line: Line, attacked_at: int) -> None:
    """Within two seconds of the attack, and nothing else is."""
    before = line.heard()
    line.readers[0].card(26, 77)
    line.run(attacked_at + 2 * SECOND)
    assert line.heard() == [*before, (0, CardData(reader=0, length=26, raw=77))]


@pytest.mark.parametrize("also_true", [False, True], ids=["in its place", "before it"])
def test_a_card_in_clear(also_true: bool) -> None:
    def forge(true: Frame) -> Frame:
        return replace(true, code=Reply.RAW, data=CARD, security=None, mac=b"")

    line, at = attacked(forge, also_true=also_true)
    assert line.heard() == []
    assert line.happenings(Misused) == [Misused(how=Misuse.PLAINTEXT)]
    assert line.happenings(Offline) == []
    assert_true_reader_is_heard(line, at)


@pytest.mark.parametrize("block", [Block.REPLY, Block.SEALED_REPLY])
def test_a_wrong_mac(block: Block) -> None:
    def forge(true: Frame) -> Frame:
        data = CARD if block is Block.REPLY else CARD + CARD
        return replace(true, code=Reply.RAW, data=data, security=SecurityBlock(type=block.value), mac=b"1234")

    line, at = attacked(forge, also_true=True)
    assert line.heard() == []
    assert line.happenings(Misused) == [Misused(how=Misuse.BAD_MAC)]
    assert_true_reader_is_heard(line, at)


def test_a_mac_of_zero_length_and_unused_block_types() -> None:
    for type_ in (0x14, 0x15, 0x17, 0x19, 0xFF):
        authentic = type_ >= 0x15

        def forge(true: Frame, type_: int = type_, mac: bytes = b"1234" if authentic else b"") -> Frame:
            return replace(true, code=Reply.RAW, data=CARD, security=SecurityBlock(type=type_), mac=mac)

        line, at = attacked(forge)
        assert line.heard() == []
        assert line.happenings(Misused) == [Misused(how=Misuse.BAD_MAC)]
        assert_true_reader_is_heard(line, at)


def test_a_replayed_frame() -> None:
    """A card that was read once, played again whenever its sequence number comes round."""
    recorded: list[Frame] = []

    def wire(burst: bytes, to: str, now: int) -> bytes:
        if to != "to CP":
            return burst
        frame = frame_of(burst)
        if frame.code == Reply.RAW and not recorded:
            recorded.append(frame)
        elif recorded and now > BEGIN + SECOND and frame.sequence == recorded[0].sequence:
            return recorded[0].encode() + burst
        return burst

    line = Line([ReaderSettings(address=0, key=KEY)], [Emulator(0, nonces(b"pd"), key=KEY)], baud=38_400, wire=wire)
    line.run(BEGIN)
    line.readers[0].card(26, 1)
    line.run(BEGIN + 2 * SECOND)
    assert line.heard() == [(0, CardData(reader=0, length=26, raw=1))]
    assert len(line.happenings(Misused)) > 10
    assert set(line.happenings(Misused)) == {Misused(how=Misuse.BAD_MAC)}
    assert len(line.happenings(Online)) == 1
    assert_true_reader_is_heard(line, line.now)


def test_a_whole_session_played_back_by_a_reader_without_the_key() -> None:
    """Each answer of yesterday, in its order; worthless, since the nonce is another one."""
    recorded: list[bytes] = []

    def record(burst: bytes, to: str, _now: int) -> bytes:
        if to == "to CP":
            recorded.append(burst)
        return burst

    yesterday = Line([ReaderSettings(address=0, key=KEY)], [Emulator(0, nonces(b"pd"), key=KEY)], wire=record)
    yesterday.readers[0].card(26, 5)
    yesterday.run_for(2 * SECOND)
    assert len(yesterday.heard()) == 1

    class Player(Emulator):
        def receive(self, untrusted: bytes) -> bytes:
            asked = frame_of(untrusted)
            fitting = [burst for burst in recorded if frame_of(burst).sequence == asked.sequence]
            return fitting[0] if fitting else b""

    true = Emulator(0, nonces(b"pd"), key=KEY)
    today = Line([ReaderSettings(address=0, key=KEY)], [true], baud=38_400, nonce=nonces(b"other"))
    today.run(BEGIN)
    today.readers[0] = Player(0, nonces(b"x"))
    today.run_for(12 * SECOND)
    assert today.heard() == []
    assert len(today.happenings(Online)) == 1
    assert set(today.happenings(Misused)) == {Misused(how=Misuse.BAD_MAC), Misused(how=Misuse.WRONG_KEY)}
    today.readers[0] = true
    assert_true_reader_is_heard(today, today.now)


def handshake_attacked(forge: Forge, begin: int = BEGIN) -> tuple[Line, int]:
    """The reader loses power while the attacker waits for its next handshake, or for the very first; and when that was."""
    attacker = Attacker(forge, begin=begin)
    line = one_reader(attacker)
    if begin:
        line.run(begin)
        line.readers[0].power_cycle()
    while not attacker.forged:
        line.run_for(10 * MS)
    line.run_for(500 * MS)
    return line, attacker.at


def test_a_forged_last_proof() -> None:
    line, at = handshake_attacked(
        lambda true: replace(true, data=bytes(16)) if true.code == Reply.INITIAL_MAC else None
    )
    assert line.happenings(Misused) == [Misused(how=Misuse.FORGED_PROOF)]
    assert_true_reader_is_heard(line, at)


def test_the_default_key_is_offered() -> None:
    def forge(true: Frame) -> Frame | None:
        if true.code != Reply.CHALLENGE or true.security is None or true.security.type != Block.CRYPTOGRAM.value:
            return None
        return replace(true, security=SecurityBlock(type=Block.CRYPTOGRAM.value, data=b"\0"))

    line, at = handshake_attacked(forge)
    assert line.happenings(Misused) == [Misused(how=Misuse.DOWNGRADE)]
    assert_true_reader_is_heard(line, at)


@pytest.mark.parametrize(
    "claims",
    [{"data": b""}, {"data": b"\x01\x01\x01\x09\x00\x00"}, {"code": Reply.NAK, "data": b"\3"}],
    ids=["nothing", "no security", "refused"],
)
def test_the_reader_claims_in_clear_that_it_cannot_be_secured(claims: dict[str, Any]) -> None:
    """It is secured all the same; and as it says otherwise in the session, somebody said it in its place."""
    line, at = handshake_attacked(
        lambda true: replace(true, **claims) if true.code == Reply.CAPABILITIES else None, begin=1
    )
    assert line.happenings(Misused) == [Misused(how=Misuse.DOWNGRADE)]
    assert [one.secure for one in line.happenings(Online) if isinstance(one, Online)] == [True]
    assert all(frame_of(burst).security for when, burst in line.bursts if when > at + 200 * MS)
    assert_true_reader_is_heard(line, at)


def test_a_reader_that_never_says_it_can_be_secured_is_no_attack() -> None:
    """Some forget to; what it says in the session is its own word."""

    class Modest(Emulator):
        def _carry_out(self, frame: Frame) -> tuple[int, bytes]:
            code, data = super()._carry_out(frame)
            return (code, data[:9]) if code == Reply.CAPABILITIES else (code, data)

    line = Line([ReaderSettings(address=0, key=KEY)], [Modest(0, nonces(b"pd"), key=KEY)], baud=38_400)
    line.run_for(2 * SECOND)
    assert line.happenings(Misused, Offline) == []
    assert len(line.happenings(Online)) == 1


def test_the_reader_refuses_the_challenge() -> None:
    """It stays offline until it does not, and nothing is read meanwhile."""

    def refuse(true: Frame) -> Frame | None:
        return replace(true, code=Reply.NAK, data=b"\5", security=None) if true.code == Reply.CHALLENGE else None

    line, at = handshake_attacked(refuse)
    assert line.happenings(Misused) == [Misused(how=Misuse.DOWNGRADE)]
    assert line.happenings(Offline) == [Offline(why=Gone.REFUSED)]
    assert_true_reader_is_heard(line, at)


def test_a_second_talker() -> None:
    """Frames nobody asked for, between two exchanges and in another's name."""
    line = Line(
        [ReaderSettings(address=number, key=KEY) for number in range(2)],
        [Emulator(number, nonces(b"pd%d" % number), key=KEY) for number in range(2)], baud=38_400,
    )  # fmt: skip
    line.run(BEGIN)
    begun = line.now
    for address in (0, 1):
        for reply in (True, False):
            line.inject(Frame(address=address, reply=reply, sequence=1, code=Reply.RAW, data=CARD).encode())
    line.run_for(500 * MS)
    assert line.heard() == []
    told = {(address, one) for _, address, one in line.told if isinstance(one, Misused)}
    assert {how.how for _, how in told} <= {Misuse.UNASKED, Misuse.PLAINTEXT}
    assert {address for address, _ in told} == {0, 1}
    assert_true_reader_is_heard(line, begun)


def test_refusals_in_clear_cost_a_handshake_a_second_and_no_more() -> None:
    """An attacker who answers everything with NAK keeps the reader offline, as cutting the wire would; nothing else."""

    def wire(burst: bytes, to: str, now: int) -> bytes:
        if to != "to CP" or not BEGIN <= now < BEGIN + 10 * SECOND:
            return burst
        true = frame_of(burst)
        return replace(true, code=Reply.NAK, data=b"\6", security=None, mac=b"").encode()

    line = Line([ReaderSettings(address=0, key=KEY)], [Emulator(0, nonces(b"pd"), key=KEY)], baud=38_400, wire=wire)
    line.run(BEGIN + 10 * SECOND)
    assert line.heard() == []
    assert line.cp.counters(0).restarts <= 12
    assert set(line.happenings(Misused)) == {Misused(how=Misuse.DOWNGRADE)}
    assert_true_reader_is_heard(line, line.now)


def test_a_stranger_without_the_key_never_learns_one() -> None:
    """Whatever it answers in whichever order, no frame that leaves the CP has a key in it."""
    line = Line(
        [ReaderSettings(address=0, key=KEY, new_key=OTHER)], [Emulator(0, nonces(b"pd"), key=bytes(16))], baud=38_400
    )
    line.run_for(5 * SECOND)
    assert all(frame_of(burst).code != Command.KEYSET for _, burst in line.bursts)
    assert line.happenings(Online) == []
