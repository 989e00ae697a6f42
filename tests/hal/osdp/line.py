"""An RS-485 line in virtual time: paced to a baud, with readers that take a moment, and a wire that may lie."""

import hashlib
import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import count

from hal.events import Monotonic
from hal.osdp.cp import Cp, Effect, Send, Told
from hal.osdp.emulator import Emulator
from hal.osdp.happenings import Happening, Heard
from hal.osdp.session import ReaderSettings

MS = 1_000_000
SECOND = 1000 * MS
TURNAROUND = MS
Wire = Callable[[bytes, str, int], bytes]
"""What arrives of a burst that left in a direction ("to PD", "to CP") at a time."""


def honest(burst: bytes, _direction: str, _now: int) -> bytes:
    return burst


def nonces(seed: bytes) -> Callable[[int], bytes]:
    """Different each time, the same in each run."""
    numbers = count()
    return lambda size: hashlib.sha256(seed + bytes((next(numbers) & 0xFF,))).digest()[:size]


@dataclass
class Line:
    """One CP, its readers, and the wire between them."""

    settings: list[ReaderSettings]
    readers: list[Emulator]
    baud: int = 9600
    wire: Wire = honest
    now: int = SECOND
    told: list[tuple[int, int, Happening]] = field(default_factory=list)
    """When, of which reader, what."""
    bursts: list[tuple[int, bytes]] = field(default_factory=list)
    """When, what the CP sent."""
    cut: bool = False
    turnarounds: dict[int, int] = field(default_factory=dict)
    """Of readers that take longer, by address."""
    nonce: Callable[[int], bytes] = field(default_factory=lambda: nonces(b"cp"))
    """The CP's."""

    def __post_init__(self) -> None:
        self.cp = Cp(self.settings, baud=self.baud, now=Monotonic(self.now), nonce=self.nonce)
        self._character = 10 * SECOND // self.baud if self.baud else 0
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = count()

    def at(self, when: int, what: Callable[[], None]) -> None:
        heapq.heappush(self._due, (when, next(self._numbers), what))

    def run(self, until: int) -> None:
        """Time passes; every deadline and every arrival in its order."""
        while True:
            deadline = self.cp.next_deadline()
            when = min(deadline, self._due[0][0] if self._due else deadline)
            if when > until:
                self.now = until
                return
            self.now = max(self.now, when)
            if self._due and self._due[0][0] <= self.now:
                heapq.heappop(self._due)[2]()
            else:
                self._effects(self.cp.on_deadline(Monotonic(self.now)))

    def run_for(self, nanoseconds: int) -> None:
        self.run(self.now + nanoseconds)

    def heard(self) -> list[tuple[int, object]]:
        """What readers said, by address."""
        return [(address, one.what) for _, address, one in self.told if isinstance(one, Heard)]

    def happenings(self, *kinds: type[Happening]) -> list[Happening]:
        return [one for _, _, one in self.told if isinstance(one, kinds)]

    def inject(self, burst: bytes) -> None:
        """Somebody else speaks."""
        self._effects(self.cp.receive(burst, Monotonic(self.now)))

    def _effects(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Told):
                self.told.append((self.now, effect.address, effect.happening))
            else:
                self._send(effect)

    def _send(self, send: Send) -> None:
        self.bursts.append((self.now, send.frame))
        arrives = self.now + len(send.frame) * self._character
        burst = b"" if self.cut else self.wire(send.frame, "to PD", self.now)
        self.at(arrives, lambda: self._arrive(burst))

    def _arrive(self, burst: bytes) -> None:
        for reader in self.readers:
            reader.silence()
            answer = reader.receive(burst)
            if answer and not self.cut:
                turnaround = self.turnarounds.get(reader.address, TURNAROUND)
                self._answer(self.wire(answer, "to CP", self.now), turnaround)

    def _answer(self, heard: bytes, turnaround: int) -> None:
        """Eight characters at a time, as a UART's FIFO hands them on."""
        for at in range(0, len(heard), 8):
            piece = heard[at : at + 8]
            when = self.now + turnaround + (at + len(piece)) * self._character
            self.at(when, partial(self._hear, piece))

    def _hear(self, piece: bytes) -> None:
        self._effects(self.cp.receive(piece, Monotonic(self.now)))
