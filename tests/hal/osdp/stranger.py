"""libosdp's readers on one port, as a process of their own: `python stranger.py DEVICE COUNT KEY|none`.

One JSON line in is something that happens at a reader: {"reader": 0, "card": [26, 123]}, {"reader": 0, "keys": "12#"}.
One JSON line out is an order that a reader was given: {"reader": 0, "command": 3, …}. Only for tests; knows nothing of
ours.
"""

import json
import os
import select
import sys
from collections import deque
from typing import Any

import osdp_sys

CARD_AS_WIEGAND = osdp_sys.CARD_FMT_RAW_WIEGAND


class Wire:
    """Every reader hears what the port says; what one says goes out at once."""

    def __init__(self, number: int, port: int) -> None:
        self.id = number
        self._port = port
        self.heard: deque[int] = deque(maxlen=4096)

    def read(self, most: int) -> bytes:
        return bytes(self.heard.popleft() for _ in range(min(most, len(self.heard))))

    def write(self, burst: bytes) -> int:
        return os.write(self._port, burst)

    def flush(self) -> None:
        self.heard.clear()


def happen(reader: Any, what: dict[str, Any]) -> None:
    if "card" in what:
        length, raw = what["card"]
        size = -(-length // 8)
        data = (raw << (8 * size - length)).to_bytes(size, "big")
        reader.submit_event(
            {"event": osdp_sys.EVENT_CARDREAD, "reader_no": 0, "format": CARD_AS_WIEGAND, "direction": 0,
             "length": length, "data": data}
        )  # fmt: skip
    else:
        reader.submit_event({"event": osdp_sys.EVENT_KEYPRESS, "reader_no": 0, "data": what["keys"].encode()})


def told(number: int, command: dict[str, Any]) -> tuple[int, None]:
    shown = {name: value for name, value in command.items() if isinstance(value, int | str)}
    print(json.dumps(shown | {"reader": number}), flush=True)  # noqa: T201  this is its protocol
    return 0, None


def main(device: str, count: str, key: str) -> None:
    port = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    osdp_sys.set_loglevel(osdp_sys.LOG_CRIT)
    wires = [Wire(number, port) for number in range(int(count))]
    capabilities = [
        {"function_code": code, "compliance_level": 1, "num_items": 1}
        for code in (
            osdp_sys.CAP_CARD_DATA_FORMAT, osdp_sys.CAP_READER_LED_CONTROL, osdp_sys.CAP_READER_AUDIBLE_OUTPUT,
            osdp_sys.CAP_READER_TEXT_OUTPUT, osdp_sys.CAP_OUTPUT_CONTROL, osdp_sys.CAP_COMMUNICATION_SECURITY,
        )
    ]  # fmt: skip
    flags = osdp_sys.FLAG_INSTALL_MODE if key == "none" else osdp_sys.FLAG_ENFORCE_SECURE
    readers = []
    for number, wire in enumerate(wires):
        info = {
            "name": f"reader {number}", "address": number, "flags": flags, "channel": wire,
            "scbk": None if key == "none" else bytes.fromhex(key), "version": 1, "model": 1,
            "vendor_code": 0xCAFEBA, "serial_number": number, "firmware_version": 1,
        }  # fmt: skip
        reader = osdp_sys.PeripheralDevice(info, capabilities=capabilities)
        reader.set_command_callback(lambda command, number=number: told(number, command))
        readers.append(reader)
    print(json.dumps({"ready": True}), flush=True)  # noqa: T201
    while True:
        ready, _, _ = select.select([port, 0], [], [], 0.002)
        if port in ready:
            try:
                burst = os.read(port, 4096)
            except OSError:
                return
            for wire in wires:
                wire.heard.extend(burst)
        if 0 in ready:
            said = os.read(0, 65_536)
            if not said:
                return
            for line in said.splitlines():
                what = json.loads(line)
                happen(readers[what["reader"]], what)
        for reader in readers:
            reader.refresh()


if __name__ == "__main__":
    main(*sys.argv[1:])
