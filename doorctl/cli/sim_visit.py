"""One visit to a door of the simulated site, and everything an onlooker could see of it.

An onlooker has a stop-watch, the board's log, status and files, and the line to the monitor. What they see of two
visits is compared by `differences`; times are taken from the last key.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from doorctl.cli.mock_line import Drive
from doorctl.cli.sim_site import Person, SimError, SimSite, wait_for
from doorctl.doord.answer import ANSWER_BOUND, COMMIT_ALLOWANCE
from doorctl.journal.reader import JournalReader

MS: Final = 1_000_000
SAME_TIME_MS: Final = 40
"""Two answers count as simultaneous: the half of what a person's fastest reaction needs, and a busy laptop's jitter."""
_ANSWER_WITHIN_S: Final = 5.0
_SETTLED_S: Final = 0.4
_ANSWER_MS: Final = 300
"""After the strike, what still belongs to the answer: the beep."""
_CONTACTS: Final = {"front": "GPIO27", "office": "GPIO24", "vault": "GPIO26"}
_STRIKES: Final = {"front": "GPIO17", "office": "GPIO18", "vault": "GPIO19"}
_OUTPUTS: Final = {
    "front": {"GPIO17": "strike", "GPIO6": "lamp", "GPIO7": "sounder"},
    "office": {"GPIO18": "strike", "GPIO10": "lamp", "GPIO11": "sounder"},
    "vault": {"GPIO19": "strike", "vault led": "lamp", "vault buzzer": "sounder"},
}
"""The last door's reader is on a line: what it shows is under its name."""
_CODE_ALONE: Final = frozenset({"office"})
_ON_A_LINE: Final = frozenset({"vault"})
_LINE_MS: Final = 100
"""Lamp and beep are two orders there, and a busy machine's line takes its turns in between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What an onlooker saw of one visit."""

    door: str
    opened_after_ms: float | None
    """From the last key to the strike; None: it stayed secured."""
    outputs: tuple[tuple[str, int], ...]
    """Strike and sounder in order, from the last key on, and then the lamp from the answer on."""
    times_ms: tuple[float, ...]
    log: str
    status: tuple[Any, ...]
    late: bool = False
    """This machine was so busy that the answer moved to a later slot, or stalled after it: such a visit is not
    compared, and a story of nothing else ends as badly as one with a difference."""


def visit(
    site: SimSite, person: Person, door: str, code: str, *, after_strike: Callable[[], None] | None = None
) -> Seen:
    """Card where the door wants one, code, and through the door once it opens; leaves it closed and secured.

    `after_strike` is called as soon as the strike has moved, and then nothing more is looked at.
    """
    drive, late = site.drive(), site.status()["answer_ms"]["late"]
    try:
        newest = drive.do("state")["newest"]
        if door not in _CODE_ALONE:
            if person.card is None:
                raise SimError(f"{person.label} has no card for the {door} door")
            drive.do("card", reader=door, bits=format(person.card.raw, f"0{person.card.length}b"))
            time.sleep(_SETTLED_S)
        last_key = drive.do("keys", reader=door, keys=code)["last"]
        wait_for(f"an answer at {door}", lambda: _answered(drive, newest, last_key, door), within_s=_ANSWER_WITHIN_S)
        if after_strike is not None:
            opened = _level(drive, _STRIKES[door]) == 1
            after_strike()
            return Seen(door=door, opened_after_ms=0.0 if opened else None, outputs=(), times_ms=(), log="", status=())
        _walk_through(drive, door)
        wait_for(f"{door} to be secured", lambda: _level(drive, _STRIKES[door]) == 0, within_s=10)
        time.sleep(_SETTLED_S)
        outputs = drive.do("history", since=newest)["outputs"]
    finally:
        drive.close()
    return _seen(site, door, outputs, last_key, late)


def differences(first: Seen, second: Seen) -> list[str]:
    """What an onlooker could tell two visits apart by; nothing is the promise."""
    found = []
    if first.outputs != second.outputs:
        found.append(f"the door showed {first.outputs} and {second.outputs}")
    elif any(abs(a - b) > SAME_TIME_MS for a, b in zip(first.times_ms, second.times_ms, strict=True)):
        found.append(f"the door's times differ: {first.times_ms} and {second.times_ms} ms")
    if first.log != second.log:
        found.append(f"the log says {first.log!r} and {second.log!r}")
    if first.status != second.status:
        found.append(f"status says {first.status} and {second.status}")
    return found


def _answered(drive: Drive, newest: int, last_key: int, door: str) -> bool:
    """Whether the beep is over: whoever opens the door before would end the answer's light too."""
    outputs = drive.do("history", since=newest)["outputs"]
    sounder = next(pin for pin, what in _OUTPUTS[door].items() if what == "sounder")
    return any(output[1] == sounder and output[2] == 0 and output[3] > last_key for output in outputs)


def _walk_through(drive: Drive, door: str) -> None:
    if _level(drive, _STRIKES[door]) == 0:
        return
    drive.do("input", pin=_CONTACTS[door], level=True)
    time.sleep(_SETTLED_S)
    drive.do("input", pin=_CONTACTS[door], level=False)


def _level(drive: Drive, pin: str) -> int:
    return int(drive.do("state")["pins"][pin]["level"])


def shown(
    door: str, outputs: list[Any], last_key: int
) -> tuple[float | None, tuple[tuple[str, int], ...], tuple[float, ...]]:
    """When the strike moved, what the answer showed, and when; of all that the outputs did in a visit.

    While an entry waits, the lamp blinks at the pace of whoever types: at the answer it may be lit already, which is no
    edge. So of the lamp it is the level that counts from the answer on, and each change until the answer is over.
    """
    names = _OUTPUTS[door]
    mine = [output for output in outputs if output[1] in names]
    since = [output for output in mine if output[3] > last_key]
    opened = [output[3] for output in since if output[1] == _STRIKES[door] and output[2] == 1]
    # the strike falls when she opens the door, which is her doing and not the answer's
    moving = [output for output in since if names[output[1]] == "sounder" or output[1:3] == [_STRIKES[door], 1]]
    answer = [output for output in moving if not opened or output[3] <= opened[0] + _ANSWER_MS * MS]
    edges = (
        *((names[output[1]], output[2]) for output in answer),
        *_lamp_of(mine, names, answer, _LINE_MS if door in _ON_A_LINE else SAME_TIME_MS),
    )
    times = tuple(round((output[3] - last_key) / MS, 1) for output in answer)
    return None if not opened else (opened[0] - last_key) / MS, edges, times


def past_its_bound(opened_after_ms: float | None, planned_ms: float) -> bool:
    """Whether the answer came later than doord lets any disk, and so any code, make it (doord/answer.py)."""
    bound = planned_ms + (ANSWER_BOUND - COMMIT_ALLOWANCE) / MS + SAME_TIME_MS
    return opened_after_ms is not None and opened_after_ms > bound


def _lamp_of(mine: list[Any], names: dict[str, str], answer: list[Any], within_ms: int) -> list[tuple[str, int]]:
    """Its level a moment after the beep began, for its own edge may come a little later, and then its edges."""
    beeps = [output[3] for output in answer if names[output[1]] == "sounder"]
    end = beeps[-1]
    begin = min(beeps[0] + within_ms * MS, end)
    lamps = [output for output in mine if names[output[1]] == "lamp" and output[3] <= end]
    level = [0, *(output[2] for output in lamps if output[3] <= begin)][-1]
    return [("lamp", level), *(("lamp", output[2]) for output in lamps if output[3] > begin)]


def _seen(site: SimSite, door: str, outputs: list[Any], last_key: int, late_before: int) -> Seen:
    opened_after_ms, edges, times_ms = shown(door, outputs, last_key)
    row = JournalReader(site.paths.journal).log(1, door=door)[-1].row
    status = site.status()
    times = status["answer_ms"]
    return Seen(
        door=door,
        opened_after_ms=opened_after_ms,
        outputs=edges,
        times_ms=times_ms,
        log=f"{row.event} {row.door} {row.reader} {row.holder} {row.outcome.name} {row.reason.name} {row.detail}",
        status=tuple((unit["name"], unit["state"], unit["light"]) for unit in status["doors"]),
        late=times["late"] != late_before or past_its_bound(opened_after_ms, times["code"]),
    )
