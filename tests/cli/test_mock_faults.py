"""`doorctl mock fault`: each fault in the mock socket's own words, and none that a reader cannot have."""

import json

import msgspec
import pytest

from doorctl.cli.mock import FAULTS
from doorctl.cli.mock_faults import requests
from doorctl.config.types import BusPlace, DataLines, Reader
from doorctl.core.types import Duration, Mode, ReaderName
from doorctl.errors import OperatorError
from hal.mock_commands import parse_command

TWO_WIRES = Reader(
    name=ReaderName("front"), wiring=DataLines(d0="GPIO14", d1="GPIO15"), format="H10301", check_parity=True,
    keypad=None, enter_key="#", mode=Mode.CARD, modes=(), code_window=Duration(0), led=None, buzzer=None,
)  # fmt: skip
ON_A_LINE = msgspec.structs.replace(
    TWO_WIRES,
    wiring=BusPlace(device="/dev/ttyAMA0", address=1, baud=38_400, rts_drives=False, allow_plain=False),
)
AT = {
    TWO_WIRES: {"swapped", "no-ground", "stuck-low", "no-pull-up", "none"},
    ON_A_LINE: {"wrong-baud", "no-termination", "none"},
}


@pytest.mark.parametrize("reader", AT, ids=["two wires", "a line"])
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_one_that_the_mock_knows(reader: Reader, fault: str) -> None:
    if fault not in AT[reader]:
        with pytest.raises(OperatorError, match=f"^front: its wires cannot be {fault}$"):
            requests(reader, fault)
        return
    for request in requests(reader, fault):
        parse_command(json.dumps(request).encode())


def test_another_speed_is_another_one() -> None:
    (request,) = requests(ON_A_LINE, "wrong-baud")
    assert request == {"do": "osdp", "reader": "front", "baud": 9_600}
