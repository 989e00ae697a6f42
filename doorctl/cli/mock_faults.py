"""Wires that an installer got wrong, at a reader of a mock board: what the mock's socket is told. Pure."""

from typing import Any, Final

from doorctl.config.types import BusPlace, DataLines, Reader
from doorctl.errors import OperatorError

Request = dict[str, Any]
"""As hal/mock_commands.py has it."""
_OTHER_SPEED: Final = 38_400
_USUAL_SPEED: Final = 9_600


def requests(reader: Reader, fault: str) -> list[Request]:
    """What to tell the mock; OperatorError where such a reader cannot have the fault."""
    known = _at_two_wires(reader.wiring) if isinstance(reader.wiring, DataLines) else _on_a_line(reader, reader.wiring)
    if fault not in known:
        raise OperatorError(f"{reader.name}: its wires cannot be {fault}", hint=f"one of {', '.join(known)}")
    return known[fault]


def _at_two_wires(lines: DataLines) -> dict[str, list[Request]]:
    pins = [lines.d0, lines.d1]
    return {
        **{fault: [{"do": "fault", "fault": fault, "pins": pins}] for fault in ("swapped", "no-ground")},
        **{fault: [{"do": "fault", "fault": fault, "pin": lines.d0}] for fault in ("stuck-low", "no-pull-up")},
        "none": [{"do": "fault", "fault": "clear", "pin": pin} for pin in pins],
    }


def _on_a_line(reader: Reader, place: BusPlace) -> dict[str, list[Request]]:
    osdp: Request = {"do": "osdp", "reader": reader.name}
    return {
        "wrong-baud": [{**osdp, "baud": _OTHER_SPEED if place.baud != _OTHER_SPEED else _USUAL_SPEED}],
        "no-termination": [{**osdp, "line": "unterminated"}],
        "none": [{**osdp, "baud": 0}, {**osdp, "line": "terminated"}],
    }
