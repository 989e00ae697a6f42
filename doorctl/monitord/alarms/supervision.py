"""What supervision says and what its absence says: silent, alive twice, gaps, backlog, clock. Pure."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from doorctl.core.types import SECOND, Duration, WallTime
from doorctl.errors import MalformedError
from doorctl.monitord.alarms import conditions
from doorctl.monitord.alarms.effects import Effect, Raise, alarm_of
from doorctl.monitord.alarms.kinds import AlarmKind
from doorctl.monitord.alarms.lineage import epoch_state, holes_below, mark_of
from doorctl.monitord.alarms.state import ControllerState, EpochState, Mark, is_after
from doorctl.monitord.ledger import LedgerSupervision
from doorctl.monitord.supervised import receipted_until
from doorctl.wire.detail import SupervisionDetail
from doorctl.wire.record import NO_EPOCH, ControllerId, Epoch, Flag

SLOWEST: Final = Duration(60 * SECOND)
QUICKEST: Final = Duration(10 * SECOND)
"""Design, "Supervision": every 10 to 60 s."""
MISSED: Final = 3
_DISTANCES: Final = 5
"""Between supervisions; their median is the pace."""
_SLACK: Final = Duration(5 * SECOND)
_STANDSTILLS: Final = 3
_OVERTAKEN: Final = 30
"""A backlog comes newest first, so that its oldest is overtaken for a while; but not for ever."""
_GAPS: Final = 2
"""The first may be a loss record that is still on its way."""
_LARGEST_DIFFERENCE: Final = Duration(60 * SECOND)
_HOLES_TOLD: Final = 1000

_CAN_KNOW: Final = "the monitor's keys are on the door's own board: the door can know"
_CAN_KNOW_AS_EXPECTED: Final = (
    "expected of a simulation: board and monitor run on one machine, so here the door can know"
)


def conditions_told(flags: Flag) -> tuple[tuple[AlarmKind, str, bool], ...]:
    """The conditions that every record tells: what to raise, in which words, and whether it is on."""
    can_know = _CAN_KNOW_AS_EXPECTED if Flag.SIMULATED in flags else _CAN_KNOW
    return (
        (AlarmKind.STORAGE, "the door goes on before its disk answers", Flag.STORAGE_FAULT in flags),
        (AlarmKind.COLOCATED, can_know, Flag.COLOCATED in flags),
    )


def judge(controller: ControllerId, state: ControllerState, supervised: LedgerSupervision) -> list[Effect]:
    """One supervision, newer than the last of its epoch."""
    try:
        detail = SupervisionDetail.parse(supervised.body.detail)
    except MalformedError as error:
        return [alarm_of(AlarmKind.CHAIN, supervised, f"a supervision makes no sense: {error}")]
    name, mark = supervised.header.epoch, mark_of(supervised.body)
    if state.live != name and _is_over(state, name):
        return _second_life(state, supervised, mark)
    epoch = epoch_state(state, name)
    _live_on(state, name, mark)
    effects: list[Effect] = [
        *_alive(controller, state, supervised),
        *_head(state, epoch, supervised, detail, mark),
        *_gap(state, supervised, detail, mark),
        *_backlog(state, supervised, detail, mark),
        *_clock(state, supervised, mark),
        *_flags(state, supervised, mark),
    ]
    state.head, state.pending = detail.head, supervised.body.pending
    state.generation = supervised.body.roster_generation
    state.simulated = Flag.SIMULATED in supervised.body.flags
    return effects


def silent_from(state: ControllerState, listening_since: WallTime) -> WallTime | None:
    """When three supervisions will have been missed; None before the first one and once it was told."""
    if not state.supervised or conditions.is_on(state, AlarmKind.SILENT.value):
        return None
    pace = min(_pace(state.paces), SLOWEST)
    return WallTime(max(state.supervised, listening_since) + MISSED * max(pace, QUICKEST) + _SLACK)


def _pace(distances: Sequence[int]) -> int:
    """Of supervision, as it came: one outage, or two connections in a row, is no other pace."""
    few = len(distances) < _DISTANCES
    return max(distances, default=SLOWEST) if few else sorted(distances)[_DISTANCES // 2]


def silence(
    controller: ControllerId, state: ControllerState, now: WallTime, listening_since: WallTime
) -> Iterator[Effect]:
    """The path fault, once; it ends with the next supervision."""
    since = silent_from(state, listening_since)
    if since is None or now < since:
        return
    text = f"nothing heard for {(now - state.supervised) // SECOND} s"
    alarm = Raise(
        kind=AlarmKind.SILENT, subject=f"{AlarmKind.SILENT.value}:{controller.hex()}:{state.supervised}",
        controller=controller, event=now, received=now, text=text,
    )  # fmt: skip
    yield from conditions.begin(state, AlarmKind.SILENT.value, _ours(now), alarm)


def draining(state: ControllerState) -> bool:
    """Whether a backlog is still coming in, as far as the last supervision told."""
    silent = conditions.is_on(state, AlarmKind.SILENT.value)
    return state.backlog[0] not in {b"", NO_EPOCH} and state.standstills < _STANDSTILLS and not silent


def _ours(now: int) -> Mark:
    """Silence is measured by the monitor's clock alone; no board has this boot id."""
    return Mark(boot=b"monitor", monotonic=now, wall=now, unsure=False)


def _is_over(state: ControllerState, name: bytes) -> bool:
    """Whether a later start is known: by its supervision, or by its START."""
    known = state.epochs.get(name)
    retired = name in state.forgotten or (known is not None and known.retired)
    return retired or any(other.predecessor == name for other in state.epochs.values())


def _second_life(state: ControllerState, supervised: LedgerSupervision, mark: Mark) -> list[Effect]:
    """Supervision of a start that was over; a courier may have carried it late."""
    name = supervised.header.epoch
    begun = [other.start for other in state.epochs.values() if other.predecessor == name and other.start is not None]
    if state.live_mark is not None:
        begun.append(state.live_mark)
    if any(is_after(mark, start) is False for start in begun):
        return []
    text = f"start {name.hex()} lives on after a later one had begun"
    alarm = alarm_of(AlarmKind.CLONE, supervised, text, what=name.hex())
    return conditions.once(state, alarm.subject, mark, alarm)


def _live_on(state: ControllerState, name: bytes, mark: Mark) -> None:
    if state.live == name:
        return
    if state.live in state.epochs:
        state.epochs[state.live].retired = True
    state.live, state.live_mark = name, mark
    state.backlog, state.standstills, state.overtaken, state.holes = (b"", 0, 0), 0, 0, 0


def _alive(controller: ControllerId, state: ControllerState, supervised: LedgerSupervision) -> list[Effect]:
    now = supervised.received
    if state.supervised and not conditions.is_on(state, AlarmKind.SILENT.value):
        state.paces = [*state.paces[1 - _DISTANCES :], max(now - state.supervised, 0)]
    state.supervised = now
    over = Raise(
        kind=AlarmKind.SILENT, subject="", controller=controller, event=now, received=now, text="",
    )  # fmt: skip
    return conditions.end(state, AlarmKind.SILENT.value, _ours(now), over)


def _head(
    state: ControllerState, epoch: EpochState, supervised: LedgerSupervision, detail: SupervisionDetail, mark: Mark
) -> list[Effect]:
    """Supervision names the head's hash, so that the newest record cannot be exchanged either."""
    at_head = [link for link in epoch.links if link.last == detail.head]
    if not at_head or supervised.body.previous in at_head[0].hashes:
        return []
    text = f"record {detail.head} of start {supervised.header.epoch.hex()} is another one here than at the board"
    alarm = alarm_of(AlarmKind.CHAIN, supervised, text, what=f"{supervised.header.epoch.hex()}:{detail.head}:head")
    return conditions.once(state, alarm.subject, mark, alarm)


def _gap(state: ControllerState, supervised: LedgerSupervision, detail: SupervisionDetail, mark: Mark) -> list[Effect]:
    epoch, until = receipted_until(supervised.header.epoch, supervised.body, detail)
    holes = list(islice(holes_below(state, epoch, until), _HOLES_TOLD))
    state.holes = state.holes + 1 if holes else 0
    number = sum(last - first + 1 for _, first, last in holes)
    first = f", the first is {holes[0][1]} of start {holes[0][0].hex()}" if holes else ""
    alarm = alarm_of(AlarmKind.GAP, supervised, f"{number} records are missing here{first}")
    if state.holes >= _GAPS:
        return conditions.begin(state, AlarmKind.GAP.value, mark, alarm)
    return conditions.end(state, AlarmKind.GAP.value, mark, alarm) if not holes else []


def _backlog(
    state: ControllerState, supervised: LedgerSupervision, detail: SupervisionDetail, mark: Mark
) -> list[Effect]:
    """The oldest one the same and no fewer than ever since, or overtaken for long: something withholds it.

    Against the fewest, not the last: traffic that waits every other time would look as if something drained.
    """
    pending, oldest = supervised.body.pending, (bytes(detail.oldest_epoch), int(detail.oldest_sequence))
    same = detail.oldest_epoch != NO_EPOCH and oldest == state.backlog[:2]
    stands = same and pending >= state.backlog[2]
    state.backlog = (*oldest, min(pending, state.backlog[2]) if same else pending)
    state.standstills = state.standstills + 1 if stands else 0
    state.overtaken = (state.overtaken if same else 0) + _is_overtaken(supervised.header.epoch, detail)
    alarm = alarm_of(AlarmKind.STALLED, supervised, f"{pending} records wait and the oldest does not get through")
    if state.standstills >= _STANDSTILLS or state.overtaken >= _OVERTAKEN:
        return conditions.begin(state, AlarmKind.STALLED.value, mark, alarm)
    return conditions.end(state, AlarmKind.STALLED.value, mark, alarm) if not stands else []


def _is_overtaken(now: Epoch, detail: SupervisionDetail) -> bool:
    """Whether a newer record than the oldest that waits has a receipt."""
    if detail.oldest_epoch == detail.receipted_epoch:
        return detail.receipted_sequence > detail.oldest_sequence
    return detail.oldest_epoch != NO_EPOCH and detail.receipted_epoch == now


def _clock(state: ControllerState, supervised: LedgerSupervision, mark: Mark) -> list[Effect]:
    difference = supervised.body.wall - supervised.received
    unknown = Flag.TIME_UNKNOWN in supervised.body.flags
    text = "the board does not trust its clock" if unknown else f"the board's clock is off by {difference // SECOND} s"
    alarm = alarm_of(AlarmKind.CLOCK, supervised, text)
    wrong = unknown or abs(difference) > _LARGEST_DIFFERENCE
    change = conditions.begin if wrong else conditions.end
    return change(state, AlarmKind.CLOCK.value, mark, alarm)


def _flags(state: ControllerState, supervised: LedgerSupervision, mark: Mark) -> Iterator[Effect]:
    """Only supervision, which has none of a record's delays, ends them."""
    for kind, text, on in conditions_told(supervised.body.flags):
        change = conditions.begin if on else conditions.end
        yield from change(state, kind.value, mark, alarm_of(kind, supervised, text))
