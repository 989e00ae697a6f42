"""Whether a controller's records form one history: chained within a start, starts chained to each other, one at a time.

Records come in any order, so each is compared with whatever neighbours are here, and again when the missing ones come.
Findings are (kind, what, text); each `what` is reported once. Pure: changes the state it is given, and nothing else.
"""

from collections.abc import Iterator
from typing import NamedTuple

from doorctl.monitord.alarms.kinds import AlarmKind
from doorctl.monitord.alarms.state import MOST_EPOCHS, MOST_FORGOTTEN, ControllerState, EpochState, Link, Mark, is_after
from doorctl.monitord.ledger import LedgerRecord
from doorctl.monitord.ranges import FIRST_SEQUENCE, Ranges
from doorctl.wire.detail import StartDetail
from doorctl.wire.record import NO_EPOCH, Body, Flag, Kind


class Finding(NamedTuple):
    """Something that one history does not have."""

    kind: AlarmKind
    what: str
    text: str


def mark_of(body: Body) -> Mark:
    """When a record was made."""
    return Mark(
        boot=body.boot_id,
        monotonic=body.monotonic,
        wall=body.wall,
        unsure=Flag.TIME_UNKNOWN in body.flags,
    )


def receive(state: ControllerState, record: LedgerRecord, start: StartDetail | None) -> list[Finding]:
    """Put a record into its epoch; `start` is the detail of a START record."""
    if record.fork:
        what, text = f"{_at(record)}:{record.hash.hex()}", f"two records are number {_name(record)}"
        _add_hash(state.epochs.get(record.header.epoch), record)
        return [Finding(AlarmKind.FORK, what, text)]
    if record.header.epoch in state.forgotten:
        return []
    epoch = epoch_state(state, record.header.epoch)
    known_before = len(state.epochs) > 1 or bool(state.forgotten)
    findings = [*_link(epoch, record), *_place_of_start(record)]
    mark = mark_of(record.body)
    if record.header.sequence > epoch.highest_sequence:
        epoch.highest, epoch.highest_sequence = mark, record.header.sequence
    if start is not None:
        findings += _begin(state, record, start, known_before=known_before)
    findings += _ended_before(state, record, mark)
    return findings


def epoch_state(state: ControllerState, name: bytes) -> EpochState:
    """One epoch's state, begun where it is new; where there are too many, the longest known one is forgotten."""
    epoch = state.epochs.get(name)
    if epoch is None:
        epoch = state.epochs[name] = EpochState()
        if len(state.epochs) > MOST_EPOCHS:
            victim = next(key for key in state.epochs if key not in {name, state.live})
            del state.epochs[victim]
            state.forgotten.add(victim)
        while len(state.forgotten) > MOST_FORGOTTEN:
            state.forgotten.pop()
    return epoch


def lose(state: ControllerState, epoch: bytes, first: int, last: int) -> None:
    """Records that a LOSS record names are no hole."""
    if epoch in state.epochs:
        state.epochs[epoch].lost.append((first, last))


def holes_below(state: ControllerState, epoch: bytes, until: int) -> Iterator[tuple[bytes, int, int]]:
    """(epoch, first, last) of what is missing up to a record and in all starts before it; newest start first."""
    passed: set[bytes] = set()
    while epoch != NO_EPOCH and epoch not in passed:
        passed.add(epoch)
        known = state.epochs.get(epoch)
        if known is None:
            if until >= FIRST_SEQUENCE and epoch not in state.forgotten:
                yield epoch, FIRST_SEQUENCE, until
            return
        here = Ranges((link.first, link.last) for link in known.links)
        for first, last in known.lost:
            here.add(first, last)
        for first, last in here.holes(FIRST_SEQUENCE, until):
            yield epoch, first, last
        if known.predecessor is None:
            return
        epoch, until = known.predecessor, known.predecessor_head


def whole_below(state: ControllerState, epoch: bytes, until: int) -> bool:
    """Whether nothing older than a record can still be on its way."""
    return next(holes_below(state, epoch, until), None) is None


def _link(epoch: EpochState, record: LedgerRecord) -> Iterator[Finding]:
    """Join the record to the links on both sides of it, and compare the hashes that must fit."""
    sequence, previous, hash_ = record.header.sequence, record.body.previous, record.hash
    links = epoch.links
    place = sum(link.last < sequence for link in links)
    below = links[place - 1] if place and links[place - 1].last == sequence - 1 else None
    above = links[place] if place < len(links) and links[place].first == sequence + 1 else None
    if below is not None and previous not in below.hashes:
        yield _broken(record, sequence)
    if above is not None and above.previous != hash_:
        yield _broken(record, sequence + 1)
    joined = Link(
        first=below.first if below else sequence,
        last=above.last if above else sequence,
        previous=below.previous if below else previous,
        hashes=above.hashes if above else [hash_],
    )
    links[place - (below is not None) : place + (above is not None)] = [joined]


def _broken(record: LedgerRecord, sequence: int) -> Finding:
    where = f"{record.header.epoch.hex()}:{sequence}"
    text = f"record {sequence} of start {record.header.epoch.hex()} does not follow from the one before it"
    return Finding(AlarmKind.CHAIN, where, text)


def _add_hash(epoch: EpochState | None, record: LedgerRecord) -> None:
    """Either record of a fork may be the one that the next follows from."""
    for link in epoch.links if epoch else ():
        if link.last == record.header.sequence:
            link.hashes.append(record.hash)


def _place_of_start(record: LedgerRecord) -> Iterator[Finding]:
    if (record.body.kind is Kind.START) is not (record.header.sequence == FIRST_SEQUENCE):
        yield Finding(
            AlarmKind.CHAIN, f"{_at(record)}:start",
            f"record {_name(record)} is {record.body.kind.name}, and a start's first record is START",
        )  # fmt: skip


def _begin(
    state: ControllerState, record: LedgerRecord, start: StartDetail, *, known_before: bool
) -> Iterator[Finding]:
    """A START came: compare it with its predecessor and with the other starts."""
    name = record.header.epoch
    epoch = state.epochs[name]
    if epoch.start is not None:
        return
    epoch.start = mark_of(record.body)
    epoch.predecessor, epoch.predecessor_head = start.previous_epoch, start.previous_head
    epoch.predecessor_hash = start.previous_hash
    if start.previous_epoch == NO_EPOCH:
        if known_before and any(_older(other, epoch.start) for key, other in state.epochs.items() if key != name):
            text = f"start {name.hex()} knows of none before it: the board's journal was lost or changed"
            yield Finding(AlarmKind.CHAIN, f"{name.hex()}:first", text)
        return
    if any(other.predecessor == start.previous_epoch for key, other in state.epochs.items() if key != name):
        text = f"two starts follow start {start.previous_epoch.hex()}: one of them is a copy"
        yield Finding(AlarmKind.CLONE, name.hex(), text)
    before = state.epochs.get(start.previous_epoch)
    if before is None:
        return
    if any(link.last == start.previous_head and start.previous_hash not in link.hashes for link in before.links):
        text = f"start {name.hex()} names another end of start {start.previous_epoch.hex()} than is here"
        yield Finding(AlarmKind.CHAIN, f"{name.hex()}:{FIRST_SEQUENCE}", text)
    if before.highest is not None and before.highest_sequence > start.previous_head:
        yield _beyond(start.previous_epoch, before.highest, epoch.start)


def _older(other: EpochState, start: Mark) -> bool:
    """Whether an epoch is surely not a later one whose records happened to come first."""
    mark = other.start or other.highest
    return mark is not None and is_after(start, mark) is not False


def _ended_before(state: ControllerState, record: LedgerRecord, mark: Mark) -> Iterator[Finding]:
    """Compare a record with the starts that name its epoch as their predecessor."""
    name, sequence = record.header.epoch, record.header.sequence
    for successor in state.epochs.values():
        if successor.predecessor != name or successor.start is None:
            continue
        if sequence > successor.predecessor_head:
            yield _beyond(name, mark, successor.start)
        elif sequence == successor.predecessor_head and successor.predecessor_hash != record.hash:
            text = f"a later start names another end of start {name.hex()} than record {sequence}"
            yield Finding(AlarmKind.CHAIN, f"{name.hex()}:{sequence}:end", text)


def _beyond(name: bytes, mark: Mark, start: Mark) -> Finding:
    """A record after the end that a later start knows: made before that start, the disk had lost it; after, a copy."""
    if is_after(mark, start) is False:
        text = f"the board's disk had lost a record of start {name.hex()} that was sent from memory"
        return Finding(AlarmKind.STORAGE, f"{name.hex()}:beyond", text)
    return Finding(AlarmKind.CLONE, name.hex(), f"start {name.hex()} went on after a later one had begun")


def _at(record: LedgerRecord) -> str:
    return f"{record.header.epoch.hex()}:{record.header.sequence}"


def _name(record: LedgerRecord) -> str:
    return f"{record.header.sequence} of start {record.header.epoch.hex()}"
