"""The search for readers that are at another speed: it ends, and at the line's own speed where there are none."""

import asyncio

from hal.osdp.find_speed import OWN_S, find_speed
from hal.osdp.scan import SPEEDS
from tests.doord.virtual import virtual_time

OWN = 9600
UNKNOWN = 230_400


class Line:
    """Without readers; its port knows all speeds but one."""

    def __init__(self) -> None:
        self.baud = OWN
        self.is_open = True
        self.tried: list[int] = []

    def takes(self, baud: int) -> bool:
        return self.is_open and baud != UNKNOWN

    def addresses(self) -> frozenset[int]:
        return frozenset({0})

    def online(self) -> frozenset[int]:
        return frozenset()

    def set_speed(self, baud: int) -> None:
        self.baud = baud
        self.is_open = self.is_open and self.takes(baud)
        self.tried.append(baud)


def test_a_speed_that_the_port_has_not_is_left_out() -> None:
    line = Line()
    with virtual_time() as loop:
        assert loop.run_until_complete(find_speed(line)) is False
    assert (line.baud, line.is_open) == (OWN, True)
    assert set(line.tried) == {*SPEEDS} - {UNKNOWN}


def test_a_device_that_went_at_another_speed_is_waited_for_at_the_lines_own() -> None:
    line = Line()

    with virtual_time() as loop:
        searching = loop.create_task(find_speed(line))

        async def story() -> None:
            await asyncio.sleep(OWN_S + 0.5)
            assert line.baud != OWN
            line.is_open = False
            await asyncio.sleep(60)
            assert line.baud == OWN
            line.is_open = True
            await searching

        loop.run_until_complete(story())
    assert (line.baud, searching.result()) == (OWN, False)
