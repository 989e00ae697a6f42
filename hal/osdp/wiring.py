"""What an OSDP line's counters and answers say of its wires: numbers in, likely faults out, in an installer's words.

Pure: no clock, no line. It never finds fault with a reader that is online over a line without broken frames.

| what was seen                                            | likely       |
|----------------------------------------------------------|--------------|
| the device does not open                                 | NO_DEVICE    |
| frames broken: three or more, and one in a hundred       | NOISE        |
| the address answers at another speed                     | SPEED        |
| it answers at the line's speed, and no session opens     | KEY          |
| something at the address that nobody can read            | TWO_READERS  |
| another address answers, which no other reader has       | ADDRESS      |
| nobody answers                                           | NOBODY       |
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from hal.osdp.scan import Broken, Found
from hal.wiring import Finding

FEWEST_BROKEN: Final = 3
"""Two are a wire that was touched while somebody worked at it."""
ONE_BROKEN_IN: Final = 100
"""Exchanges; on a terminated line of any length in the standard there are none for hours."""


class Fault(Enum):
    """What is likely wrong; the values are for scripts."""

    NO_DEVICE = "no such device"
    NOISE = "broken frames"
    SPEED = "another speed"
    KEY = "no session"
    TWO_READERS = "unreadable answers"
    ADDRESS = "another address"
    NOBODY = "nobody answers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One reader, as its line shows it."""

    device: str
    address: int
    baud: int
    others: frozenset[int] = frozenset()
    """Addresses that other readers of the device are configured at."""
    is_open: bool
    """The device."""
    online: bool
    """In a session."""
    counters: Mapping[str, int | float]
    """Of hal.osdp.counters: `exchanges` and `broken`."""
    answers: Sequence[Found | Broken] = ()
    """Of a scan of the line, made where the reader was not online."""


def findings(seen: Seen) -> tuple[Finding, ...]:
    """What is told of the reader, the likeliest first."""
    return tuple(_told(fault, seen) for fault in _faults(seen))


def _faults(seen: Seen) -> list[Fault]:
    if not seen.is_open:
        return [Fault.NO_DEVICE]
    noise = [Fault.NOISE] if _is_noisy(seen.counters) else []
    if seen.online:
        return noise
    here = [answer for answer in seen.answers if answer.address == seen.address]
    if any(isinstance(answer, Found) and answer.baud == seen.baud for answer in here):
        return noise or [Fault.KEY]
    if any(isinstance(answer, Found) for answer in here):
        return [Fault.SPEED]
    if any(answer.baud == seen.baud for answer in here):
        return noise or [Fault.TWO_READERS]
    return noise or ([Fault.ADDRESS] if _strangers(seen) else [Fault.NOBODY])


def _is_noisy(counters: Mapping[str, int | float]) -> bool:
    broken, exchanges = counters.get("broken", 0), counters.get("exchanges", 0)
    return broken >= FEWEST_BROKEN and broken * ONE_BROKEN_IN >= exchanges


def _strangers(seen: Seen) -> list[int]:
    return sorted(
        {
            answer.address
            for answer in seen.answers
            if isinstance(answer, Found) and answer.address not in {seen.address, *seen.others}
        }
    )


def _told(fault: Fault, seen: Seen) -> Finding:
    elsewhere = [a.baud for a in seen.answers if isinstance(a, Found) and a.address == seen.address]
    facts = {
        "device": seen.device,
        "address": str(seen.address),
        "baud": str(seen.baud),
        "broken": f"{seen.counters.get('broken', 0):g}",
        "exchanges": f"{seen.counters.get('exchanges', 0):g}",
        "speed": str(elsewhere[0]) if elsewhere else "",
        "found": ", ".join(map(str, _strangers(seen))),
    }
    words = _WORDS[fault]
    return Finding(fault=fault.value, words=words.likely.format(**facts), do=words.do.format(**facts))


class _Words(NamedTuple):
    """Both with the names of `_told` in braces."""

    likely: str
    do: str


_WORDS: Final[dict[Fault, _Words]] = {
    Fault.NO_DEVICE: _Words(
        likely="{device} does not open: likely the adapter is unplugged, has another name, or is in use",
        do="`ls /dev/serial/by-id/`; a console that uses the port; whether this user may open it",
    ),
    Fault.NOISE: _Words(
        likely="answers arrive broken ({broken} in {exchanges} exchanges): likely no termination at the line's ends, "
        "no common ground, or a cable beside a power cable",
        do="120 ohms between A and B at both ends and nowhere else, one cable from reader to reader without branches, "
        "the reader's ground joined to the board's; then a lower speed",
    ),
    Fault.SPEED: _Words(
        likely="address {address} answers at {speed} baud, and doorctl.toml has {baud}: likely the reader's speed was "
        "changed",
        do="write baud = {speed} for every reader of {device}, or set the reader's; with doord running "
        "`doorctl reader speed` takes a whole line along",
    ),
    Fault.KEY: _Words(
        likely="address {address} answers and no session opens: likely it has another board's key, or was reset",
        do="`doorctl reader install`, after the reader was put into its factory state",
    ),
    Fault.TWO_READERS: _Words(
        likely="something at address {address} cannot be read: likely two readers have this address, or the line is "
        "not terminated",
        do="unplug all readers but one, give each an address of its own, then 120 ohms at both ends",
    ),
    Fault.ADDRESS: _Words(
        likely="nobody at address {address}, and somebody at {found}: likely the reader has another address",
        do="write address = {found} for it, or set the reader's",
    ),
    Fault.NOBODY: _Words(
        likely="nobody answers on {device} at any speed: likely A and B are swapped, a wire is off, or the reader has "
        "no power",
        do="does the reader light up? Exchange A and B; see that the adapter drives the line (rts_drives)",
    ),
}
