"""`make fuzz`: what a hostile line could say, by the million, to the framer, the secure channel and the CP.

`python -m tests.fuzz.osdp [STREAMS [SEED]]`. No exception escapes, memory is bounded, and bytes that are not authentic
change nothing but what a reader that lost its power may ask for: one new handshake a second.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from random import Random

from hal.osdp.commands import CardData, Reply
from hal.osdp.emulator import Emulator
from hal.osdp.frame import BROADCAST, LONGEST, SOM, Frame, Framer, Problem, SecurityBlock
from hal.osdp.happenings import Heard, KeyInstalled, Online
from hal.osdp.secure_channel import Channel, cp_cryptogram, initial_mac, session_keys
from hal.osdp.session import Phase, ReaderSettings, Session
from tests.hal.osdp.line import MS, SECOND, Line, nonces

STREAMS = 1_000_000
KEY = bytes(range(16))
READERS = 2
GROWTH = 20_000
"""Blocks of memory that may be more in use than before, whatever the number of streams."""
ROUND = 256
"""Streams between two looks at whether the true readers are still there."""


def a_frame(rng: Random) -> Frame:
    """Well formed, and anybody's."""
    kind = rng.choice((None, None, *range(0x11, 0x19), rng.randrange(256)))
    block = None if kind is None else SecurityBlock(type=kind, data=rng.randbytes(rng.choice((0, 0, 1, 1, 3))))
    return Frame(
        address=rng.choice((0, 0, 0, 1, 5, BROADCAST)), reply=rng.random() < 0.9, sequence=rng.randrange(4),
        code=rng.choice((*Reply, *Reply, rng.randrange(256))), data=rng.randbytes(rng.choice((0, 1, 2, 8, 16, 32, 60))),
        security=block, mac=rng.randbytes(4) if block is not None and block.authenticated else b"",
        crc=rng.random() < 0.9,
    )  # fmt: skip


def mutated(rng: Random, burst: bytes) -> bytes:
    """Bytes flipped, lost, doubled, moved or cut off."""
    out = bytearray(burst)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(out) + 1)
        match rng.randrange(6):
            case 0 | 1 if at < len(out):
                out[at] ^= 1 << rng.randrange(8)
            case 2:
                del out[at : at + rng.randrange(1, 5)]
            case 3:
                out[at:at] = rng.randbytes(rng.randrange(1, 5))
            case 4:
                del out[at:]
            case _:
                out += out[at : at + rng.randrange(1, 30)]
    return bytes(out)


def stream(rng: Random, seeds: list[bytes]) -> bytes:
    """One burst of somebody's; `seeds` are true frames of this line."""
    match rng.randrange(8):
        case 0:
            return rng.randbytes(rng.randrange(1, 80))
        case 1:
            length = rng.choice((0, 6, 7, 8, 14, 255, 256, 257, LONGEST, LONGEST + 1, 0xFFFF)).to_bytes(2, "little")
            return bytes((SOM, rng.randrange(256))) + length + rng.randbytes(rng.randrange(40))
        case 2:
            return a_frame(rng).encode()
        case 3:
            return a_frame(rng).encode() + mutated(rng, a_frame(rng).encode())
        case _:
            return mutated(rng, rng.choice(seeds))


def fuzz_framer(rng: Random, streams: int) -> None:
    """Everything is told, nothing is kept beyond a frame, and what follows is found."""
    framer, seeds = Framer(256), [a_frame(rng).encode() for _ in range(200)]
    true = Frame(address=1, reply=True, sequence=1, code=Reply.ACK)
    for _ in range(streams):
        burst = stream(rng, seeds)
        cut = rng.randrange(len(burst) + 1)
        for piece in (burst[:cut], burst[cut:]):
            assert all(isinstance(found, Frame | Problem) for found in framer.feed(piece))
            assert len(framer._waiting) <= 256
        framer.clear()
        assert framer.feed(true.encode()) == [true]


def fuzz_channel(rng: Random, streams: int) -> None:
    """Only the very frame that was sealed opens, and the channel that looked at others is as it was."""
    keys = session_keys(KEY, bytes(8))
    channel = Channel(keys=keys, reply_mac=initial_mac(keys, cp_cryptogram(keys, bytes(8), bytes(8))))
    for _ in range(streams // ROUND + 1):
        command = Frame(address=0, reply=False, sequence=1, code=0x60)
        _, asked = channel.seal(command)
        reply = Frame(address=0, reply=True, sequence=1, code=Reply.RAW, data=rng.randbytes(rng.choice((0, 5, 16, 40))))
        sealed, _ = asked.seal(reply)
        wire = sealed.encode()
        for _ in range(ROUND):
            for found in Framer().feed(stream(rng, [wire])):
                if isinstance(found, Frame):
                    assert asked.open(found) is None or found == sealed
        opened = asked.open(sealed)
        assert opened is not None
        assert opened[0].data == reply.data
        channel = opened[1]


class HostileLine:
    """Two true readers, and somebody between them and the CP who says anything at any time."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.line = Line(
            [ReaderSettings(address=number, key=KEY) for number in range(READERS)],
            [Emulator(number, nonces(b"pd%d" % number), key=KEY) for number in range(READERS)],
            baud=9600, wire=self._overhear, now=SECOND,
        )  # fmt: skip
        self._overheard: list[bytes] = []
        self._cards = 0
        self.line.run_for(2 * SECOND)
        self.restarts = self._restarts()

    def _overhear(self, burst: bytes, _direction: str, _now: int) -> bytes:
        self._overheard = [*self._overheard[-30:], burst]
        return burst

    def round(self) -> None:
        """Streams while an answer is awaited and between two; then the truth must still be there."""
        rng, line = self._rng, self.line
        for _ in range(ROUND):
            if rng.random() < 0.1:
                line.run_for(rng.randrange(10 * MS))
            sessions = [turn.session for turn in line.cp._turns.values()]
            before, channels = [state(session) for session in sessions], [one._after_request for one in sessions]
            begun, said = self._restarts(), stream(rng, self._overheard)
            kept = bytes(line.cp._framer._waiting)
            line.inject(said)
            if self._restarts() == begun and not any(map(self._true_answer(kept + said), channels)):
                assert [state(one) for one, was in zip(sessions, before, strict=True) if was[0] is Phase.ONLINE] == [
                    was for was in before if was[0] is Phase.ONLINE
                ]
            assert len(line.cp._framer._waiting) <= 256
        self._truth()

    def _true_answer(self, said: bytes) -> Callable[[Channel | None], bool]:
        """Whether the very answer that is awaited is in there, kept back by garbage or said once more: it is one then."""
        frames = [found for found in Framer(256).feed(said) if isinstance(found, Frame)]
        return lambda channel: channel is not None and any(channel.open(frame) is not None for frame in frames)

    def _truth(self) -> None:
        """A card is heard as it is; no other was; handshakes were at most one a second and reader."""
        line, begun = self.line, self.line.now
        self._cards += 1
        line.run_for(1200 * MS)  # until a handshake that was asked for is over
        line.readers[self._cards % READERS].card(40, self._cards)
        line.run_for(300 * MS)
        cards = [one.what for _, _, one in line.told if isinstance(one, Heard)]
        assert cards == [CardData(reader=0, length=40, raw=self._cards)], (cards, self._cards)
        assert not line.happenings(KeyInstalled)
        assert self._restarts() - self.restarts <= READERS * (2 + (line.now - begun) // SECOND)
        assert all(turn.session.secure for turn in line.cp._turns.values())
        self.restarts = self._restarts()
        line.told.clear()
        line.bursts.clear()

    def _restarts(self) -> int:
        return sum(self.line.cp.counters(number).restarts for number in range(READERS))


def state(session: Session) -> tuple[object, ...]:
    """All that an unauthentic frame must not move."""
    return (
        session.phase, session._sequence, id(session._channel), session._attempt, session.settings,
        session._told_online, session._proven, session._identity, session._capabilities, len(session._orders._waiting),
    )  # fmt: skip


def fuzz_cp(rng: Random, streams: int) -> None:
    hostile = HostileLine(rng)
    for _ in range(streams // ROUND + 1):
        hostile.round()


def fuzz_handshake(rng: Random, streams: int) -> None:
    """The same against a reader that was never there: nothing of it opens a session or tells a card."""
    line = Line([ReaderSettings(address=0, key=KEY, new_key=bytes(16), install=True)], [], baud=38_400)
    seeds = [a_frame(rng).encode() for _ in range(50)]
    for _ in range(streams):
        if rng.random() < 0.3:
            line.run_for(rng.randrange(60 * MS))
        line.inject(stream(rng, seeds))
        assert not line.happenings(Online, Heard, KeyInstalled)
        line.told.clear()
        line.bursts.clear()


TARGETS: dict[str, tuple[Callable[[Random, int], None], float]] = {
    "framer": (fuzz_framer, 0.3), "secure channel": (fuzz_channel, 0.25), "cp": (fuzz_cp, 0.3),
    "handshake": (fuzz_handshake, 0.15),
}  # fmt: skip
"""And each one's share of the streams."""


def run(streams: int, seed: int) -> Iterator[str]:
    """A line each target, when it has held; an AssertionError where it has not."""
    for name, (target, share) in TARGETS.items():
        count = int(streams * share) + 1
        target(Random(f"{seed} {name} first"), ROUND)  # caches fill before memory is measured
        before, begun = sys.getallocatedblocks(), time.perf_counter()
        target(Random(f"{seed} {name}"), count)
        grown = sys.getallocatedblocks() - before
        assert grown < GROWTH, f"{name}: {grown} blocks of memory more than before"
        yield f"{name:16}{count:>10} streams, {time.perf_counter() - begun:6.1f} s, {grown:+} blocks of memory"


def main(arguments: list[str]) -> None:
    streams = int(arguments[0]) if arguments else STREAMS
    seed = int(arguments[1]) if len(arguments) > 1 else int.from_bytes(os.urandom(4))
    sys.stdout.write(f"{streams} streams, seed {seed}\n")
    for line in run(streams, seed):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
