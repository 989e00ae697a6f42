"""A CP as a process of its own: `python -m tests.bench.osdp_cp ours|libosdp DEVICE BAUD COUNT KEY`.

Says {"online": COUNT} once all are secure, {"card": raw, "at": nanoseconds} for each card, and, for each line it is
sent, {"cpu_s": …, "polls": …}. BAUD 0 is a line without a speed.
"""

import asyncio
import json
import os
import resource
import select
import sys
import termios
import time
import tty
from typing import Any

REFRESH_S = 0.001
_HEADER = 5


def tell(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def cost(polls: int) -> dict[str, Any]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"cpu_s": used.ru_utime + used.ru_stime, "polls": polls}


async def ours(device: str, baud: int, number: int, key: bytes) -> None:
    from hal.osdp.bus import Bus, serial_port
    from hal.osdp.commands import CardData
    from hal.osdp.happenings import Happening, Heard, Offline, Online
    from hal.osdp.session import ReaderSettings

    online: set[int] = set()

    def told(address: int, happening: Happening, at: int) -> None:
        match happening:
            case Online():
                online.add(address)
                if len(online) == number:
                    tell({"online": number})
            case Heard(what=CardData(raw=raw)):
                tell({"card": raw, "at": at})
            case Offline():
                online.discard(address)
            case _:
                pass

    settings = [ReaderSettings(address=address, key=key) for address in range(number)]
    bus = Bus(device, serial_port(device, baud=baud or 115_200), baud=baud, readers=settings)
    bus.start(told)
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def asked() -> None:
        said = os.read(0, 4096)
        if not said:
            ended.set()
        for _ in said.splitlines():
            tell(cost(sum(int(bus.counters(address)["exchanges"]) for address in range(number))))

    loop.add_reader(0, asked)
    await ended.wait()
    loop.remove_reader(0)
    bus.close()


class Port:
    """libosdp's channel; it is given whole frames, since it drops what comes in parts."""

    id = 1

    def __init__(self, device: str) -> None:
        self.descriptor = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self.descriptor, termios.TCSANOW)
        self._coming = bytearray()
        self._whole = bytearray()
        self.written = 0

    def gather(self) -> bool:
        """Whether a frame has become whole."""
        self._coming += os.read(self.descriptor, 4096)
        begin = self._coming.find(0x53)
        if begin < 0 or len(self._coming) < begin + _HEADER:
            return False
        if len(self._coming) - begin < int.from_bytes(self._coming[begin + 2 : begin + 4], "little"):
            return False
        self._whole += self._coming
        self._coming.clear()
        return True

    def read(self, most: int) -> bytes:
        taken = bytes(self._whole[:most])
        del self._whole[:most]
        return taken

    def write(self, burst: bytes) -> int:
        self.written += 1
        self._coming.clear()
        return os.write(self.descriptor, burst)

    def flush(self) -> None:
        self._whole.clear()


def libosdp(device: str, number: int, key: bytes) -> None:
    import osdp_sys

    osdp_sys.set_loglevel(osdp_sys.LOG_CRIT)
    port = Port(device)
    cp = osdp_sys.ControlPanel(
        [
            {"name": f"reader {address}", "address": address, "flags": osdp_sys.FLAG_ENFORCE_SECURE, "channel": port,
             "scbk": key}
            for address in range(number)
        ]
    )  # fmt: skip
    cp.set_event_callback(event)
    announced = False
    while True:
        ready, _, _ = select.select([port.descriptor, 0], [], [], REFRESH_S)
        if 0 in ready:
            said = os.read(0, 4096)
            if not said:
                return
            for _ in said.splitlines():
                tell(cost(port.written))
        if port.descriptor not in ready or port.gather():
            cp.refresh()
            cp.refresh()
        if not announced and cp.sc_status().bit_count() == number:
            announced = True
            tell({"online": number})


def event(_reader: int, what: dict[str, Any]) -> int:
    if "data" in what and "length" in what:
        tell({"card": int.from_bytes(what["data"], "big"), "at": time.monotonic_ns()})
    return 0


def main(kind: str, device: str, baud: str, number: str, key: str) -> None:
    if kind == "ours":
        from hal.loop import precise_loop

        with asyncio.Runner(loop_factory=precise_loop) as runner:
            runner.run(ours(device, int(baud), int(number), bytes.fromhex(key)))
    else:
        libosdp(device, int(number), bytes.fromhex(key))


if __name__ == "__main__":
    main(*sys.argv[1:])
