"""Readers behind a wire with a speed, as a process of its own: `python -m tests.hal.osdp.paced BAUD COUNT KIND KEY`.

KIND: `ours` (hal's strict emulator) or `libosdp`. Every byte takes the time it takes at BAUD, there and back; BAUD 0
takes none. One JSON line in is something that happens: {"card": 7, "reader": 0}, {"cut": true}, {"noise": 0.001},
{"spoil": ["to CP", "flip", 3]}. One out is what did: {"device": …}, {"shown": 7, "at": nanoseconds},
{"spoilt": "to CP"}. A card has 32 bits.
"""

import heapq
import json
import os
import random
import select
import sys
import time
import tty
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any, Protocol

MS = 1_000_000
SECOND = 1000 * MS
TURNAROUND = MS
FIFO = 8
"""Characters that a UART hands on at a time."""
CARD_BITS = 32
REFRESH = 5 * MS


class Readers(Protocol):
    def receive(self, burst: bytes) -> bytes: ...
    def card(self, reader: int, raw: int) -> None: ...
    def idle(self) -> None: ...


class Ours:
    def __init__(self, number: int, key: bytes) -> None:
        from hal.osdp.emulator import Emulator

        self._readers = [Emulator(address, os.urandom, key=key) for address in range(number)]

    def receive(self, burst: bytes) -> bytes:
        for reader in self._readers:
            reader.silence()
        return b"".join(reader.receive(burst) for reader in self._readers)

    def card(self, reader: int, raw: int) -> None:
        self._readers[reader].card(CARD_BITS, raw)

    def idle(self) -> None:
        """It has no clock."""


class Libosdp:
    """Somebody else's readers; each has ears of its own, and one mouth serves all."""

    def __init__(self, number: int, key: bytes) -> None:
        import osdp_sys

        self._sys = osdp_sys
        osdp_sys.set_loglevel(osdp_sys.LOG_CRIT)
        self._said = bytearray()
        self._ears = [Ears(address, self._said) for address in range(number)]
        self._readers = [
            osdp_sys.PeripheralDevice(
                {
                    "name": f"reader {address}", "address": address, "flags": osdp_sys.FLAG_ENFORCE_SECURE,
                    "channel": ears, "scbk": key, "version": 1, "model": 1, "vendor_code": 0xCAFEBA,
                    "serial_number": address, "firmware_version": 1,
                },
                capabilities=[
                    {"function_code": code, "compliance_level": 1, "num_items": 1}
                    for code in (osdp_sys.CAP_CARD_DATA_FORMAT, osdp_sys.CAP_COMMUNICATION_SECURITY)
                ],
            )
            for address, ears in enumerate(self._ears)
        ]  # fmt: skip
        for reader in self._readers:
            reader.set_command_callback(lambda _command: (0, None))

    def receive(self, burst: bytes) -> bytes:
        for ears in self._ears:
            ears.heard.extend(burst)
        for _ in range(3):
            for reader, ears in zip(self._readers, self._ears, strict=True):
                if ears.heard or self._said:
                    reader.refresh()
            if self._said:
                break
        said = bytes(self._said)
        self._said.clear()
        return said

    def card(self, reader: int, raw: int) -> None:
        self._readers[reader].submit_event(
            {"event": self._sys.EVENT_CARDREAD, "reader_no": 0, "format": self._sys.CARD_FMT_RAW_WIEGAND,
             "direction": 0, "length": CARD_BITS, "data": raw.to_bytes(4, "big")}
        )  # fmt: skip

    def idle(self) -> None:
        for reader in self._readers:
            reader.refresh()


class Ears:
    def __init__(self, number: int, said: bytearray) -> None:
        self.id = number
        self._said = said
        self.heard: deque[int] = deque(maxlen=4096)

    def read(self, most: int) -> bytes:
        return bytes(self.heard.popleft() for _ in range(min(most, len(self.heard))))

    def write(self, burst: bytes) -> int:
        self._said += burst
        return len(burst)

    def flush(self) -> None:
        self.heard.clear()


class Wire:
    """Time, faults and the pty."""

    def __init__(self, baud: int, readers: Readers) -> None:
        self.readers = readers
        self._character = 10 * SECOND // baud if baud else 0
        self._turnaround = TURNAROUND if baud else 0
        self.port, self._far = os.openpty()
        tty.setraw(self._far)
        os.set_blocking(self.port, False)
        self.device = os.ttyname(self._far)
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = count()
        self._free = 0
        self.cut = False
        self.noise = 0.0
        self.spoil: list[str | int] = []
        self._drawn = random.Random(1)

    def at(self, when: int, what: Callable[[], None]) -> None:
        heapq.heappush(self._due, (when, next(self._numbers), what))

    def run_due(self) -> float:
        """Everything that is due; seconds until the next thing is."""
        while self._due and self._due[0][0] <= time.monotonic_ns():
            heapq.heappop(self._due)[2]()
        return (self._due[0][0] - time.monotonic_ns()) / SECOND if self._due else 1.0

    def sent(self, burst: bytes) -> None:
        """By the CP: it arrives when its last character does."""
        begun = max(time.monotonic_ns(), self._free)
        self._free = begun + len(burst) * self._character
        self.at(self._free, partial(self._arrive, self._free, self._passed(burst, "to PD")))

    def _arrive(self, when: int, burst: bytes) -> None:
        answer = self._passed(self.readers.receive(burst), "to CP")
        for at in range(0, len(answer), FIFO):
            piece = answer[at : at + FIFO]
            self.at(when + self._turnaround + (at + len(piece)) * self._character, partial(self._say, piece))

    def _say(self, piece: bytes) -> None:
        os.write(self.port, piece)

    def _passed(self, burst: bytes, direction: str) -> bytes:
        if self.cut:
            return b""
        if self.spoil and self.spoil[0] == direction and burst:
            _, how, at = self.spoil
            place, self.spoil = int(at) % len(burst), []
            tell({"spoilt": direction})
            kept = {
                "flip": bytes((burst[place] ^ 1,)) + burst[place + 1 :],
                "lose": burst[place + 1 :],
                "truncate": b"",
            }
            return burst[:place] + kept[str(how)]
        if not self.noise:
            return burst
        return bytes(
            byte ^ self._drawn.randrange(1, 256) if self._drawn.random() < self.noise else byte for byte in burst
        )


def tell(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def happen(wire: Wire, what: dict[str, Any]) -> None:
    if "card" in what:
        tell({"shown": what["card"], "at": time.monotonic_ns()})
        wire.readers.card(what["reader"], what["card"])
    wire.cut = what.get("cut", wire.cut)
    wire.noise = what.get("noise", wire.noise)
    wire.spoil = what.get("spoil", wire.spoil)


def refresh(wire: Wire) -> None:
    wire.readers.idle()
    wire.at(time.monotonic_ns() + REFRESH, partial(refresh, wire))


def main(baud: str, number: str, kind: str, key: str) -> None:
    make = Ours if kind == "ours" else Libosdp
    wire = Wire(int(baud), make(int(number), bytes.fromhex(key)))
    if kind == "libosdp":
        refresh(wire)
    tell({"device": wire.device})
    while True:
        wait = wire.run_due()
        ready, _, _ = select.select([wire.port, 0], [], [], max(0.0, wait))
        if wire.port in ready:
            wire.sent(os.read(wire.port, 4096))
        if 0 in ready:
            said = os.read(0, 65_536)
            if not said:
                return
            for line in said.splitlines():
                happen(wire, json.loads(line))


if __name__ == "__main__":
    main(*sys.argv[1:])
