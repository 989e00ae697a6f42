"""libosdp's readers on one port, as a process of their own: `python stranger.py DEVICE COUNT KEY|none`.

One JSON line in is something that happens at a reader: {"reader": 0, "card": [26, 123]}, {"reader": 0, "keys": "12#"},
{"reader": 0, "local": [1, 0]} (tamper, power), {"reader": 0, "inputs": [0, 1]}. One JSON line out is what libosdp says:
an order that a reader was given, {"reader": 0, "command": 3, …}, or {"reader": 0, "secure": true} as its session opens
and closes. Only for tests; knows nothing of ours.
"""

import json
import os
import select
import sys
from collections import deque
from typing import Any

import osdp_sys

CARD_AS_WIEGAND = osdp_sys.CARD_FMT_RAW_WIEGAND
INPUTS = 4
OUTPUTS = 2
CAPABILITIES = {
    osdp_sys.CAP_CONTACT_STATUS_MONITORING: INPUTS, osdp_sys.CAP_OUTPUT_CONTROL: OUTPUTS,
    osdp_sys.CAP_CARD_DATA_FORMAT: 1, osdp_sys.CAP_READER_LED_CONTROL: 1, osdp_sys.CAP_READER_AUDIBLE_OUTPUT: 1,
    osdp_sys.CAP_READER_TEXT_OUTPUT: 1, osdp_sys.CAP_COMMUNICATION_SECURITY: 1,
}  # fmt: skip
LEVELS_ON = frozenset({2, 4, 5})
"""Control codes of an output order that switch it on."""


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


class Stranger:
    """One of libosdp's readers, and what is true at it."""

    def __init__(self, number: int, port: int, key: bytes | None) -> None:
        self.wire = Wire(number, port)
        self._number = number
        self._secure = False
        self._status = {
            osdp_sys.STATUS_REPORT_LOCAL: bytes(2), osdp_sys.STATUS_REPORT_INPUT: bytes(INPUTS),
            osdp_sys.STATUS_REPORT_OUTPUT: bytes(OUTPUTS), osdp_sys.STATUS_REPORT_REMOTE: bytes(1),
        }  # fmt: skip
        self._reader = osdp_sys.PeripheralDevice(
            {
                "name": f"reader {number}", "address": number, "channel": self.wire, "scbk": key, "version": 1,
                "flags": osdp_sys.FLAG_INSTALL_MODE if key is None else osdp_sys.FLAG_ENFORCE_SECURE, "model": 1,
                "vendor_code": 0xCAFEBA, "serial_number": number, "firmware_version": 1,
            },
            capabilities=[
                {"function_code": code, "compliance_level": 1, "num_items": many} for code, many in CAPABILITIES.items()
            ],
        )  # fmt: skip
        self._reader.set_command_callback(self._told)

    def refresh(self) -> None:
        self._reader.refresh()
        if self._reader.is_sc_active() is not self._secure:
            self._secure = not self._secure
            say(self._number, {"secure": self._secure})

    def happens(self, what: dict[str, Any]) -> None:
        match what:
            case {"card": [length, raw]}:
                size = -(-length // 8)
                data = (raw << (8 * size - length)).to_bytes(size, "big")
                self._submit(
                    osdp_sys.EVENT_CARDREAD, format=CARD_AS_WIEGAND, direction=0, reader_no=0, length=length, data=data
                )
            case {"keys": keys}:
                self._submit(osdp_sys.EVENT_KEYPRESS, reader_no=0, data=keys.encode("latin-1"))
            case {"local": report}:
                self._changed(osdp_sys.STATUS_REPORT_LOCAL, bytes(report))
            case {"inputs": report}:
                self._changed(osdp_sys.STATUS_REPORT_INPUT, bytes(report))

    def _changed(self, kind: int, report: bytes) -> None:
        self._status[kind] = report
        self._submit(osdp_sys.EVENT_STATUS, type=kind, report=report)

    def _submit(self, event: int, **what: Any) -> None:
        if not self._reader.submit_event({"event": event, **what}):
            say(self._number, {"refused": event})

    def _told(self, command: dict[str, Any]) -> tuple[int, dict[str, Any] | None]:
        say(self._number, {name: shown(value) for name, value in command.items()})
        match command:
            case {"command": osdp_sys.CMD_OUTPUT, "output_no": number, "control_code": control}:
                levels = bytearray(self._status[osdp_sys.STATUS_REPORT_OUTPUT])
                levels[number] = control in LEVELS_ON
                self._status[osdp_sys.STATUS_REPORT_OUTPUT] = bytes(levels)
            case {"command": osdp_sys.CMD_STATUS, "type": kind}:
                return 0, answer(kind, self._status[kind])
        return 0, None


def answer(kind: int, report: bytes) -> dict[str, Any]:
    """A status for the C code, which the binding has no form for: a maker's own command lies in memory as one does.

    `struct osdp_status_report` is {type, count, bytes} where `struct osdp_cmd_mfg` is {vendor_code, bytes}.
    """
    data = len(report).to_bytes(4, sys.byteorder) + report
    return {"command": osdp_sys.CMD_MFG, "vendor_code": kind, "data": data}


def shown(value: object) -> object:
    return value.hex() if isinstance(value, bytes | bytearray) else value


def say(number: int, what: dict[str, Any]) -> None:
    print(json.dumps(what | {"reader": number}), flush=True)  # noqa: T201  this is its protocol


def main(device: str, count: str, key: str) -> None:
    port = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    osdp_sys.set_loglevel(osdp_sys.LOG_CRIT)
    readers = [
        Stranger(number, port, None if key == "none" else bytes.fromhex(key)) for number in range(int(count))
    ]  # fmt: skip
    say(-1, {"ready": True})
    while True:
        ready, _, _ = select.select([port, 0], [], [], 0.002)
        if port in ready:
            try:
                burst = os.read(port, 4096)
            except OSError:
                return
            for reader in readers:
                reader.wire.heard.extend(burst)
        if 0 in ready:
            said = os.read(0, 65_536)
            if not said:
                return
            for line in said.splitlines():
                what = json.loads(line)
                readers[what["reader"]].happens(what)
        for reader in readers:
            reader.refresh()


if __name__ == "__main__":
    main(*sys.argv[1:])
