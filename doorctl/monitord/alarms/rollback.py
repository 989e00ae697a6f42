"""Whether the roster's generation ever goes down along a controller's history. Pure.

Places within an epoch are 2 × sequence for a record and 2 × head + 1 for supervision, which stands between records.
"""

from typing import Final, NamedTuple

from doorctl.monitord.alarms.state import ControllerState, EpochState

_MOST: Final = 256


class Rollback(NamedTuple):
    """In an epoch the roster was older than before."""

    epoch: bytes
    earlier: int
    later: int
    """The lower generation that came after."""


def receive(state: ControllerState, epoch_name: bytes, place: int, generation: int) -> list[Rollback]:
    """Note a generation at a place, and compare with what is known before and after it."""
    epoch = state.epochs.get(epoch_name)
    if epoch is None:  # forgotten: it was judged when it was young
        return []
    low, high = epoch.generations.get(generation, (place, place))
    epoch.generations[generation] = (min(low, place), max(high, place))
    found = _within(epoch_name, epoch, generation)
    before = state.epochs.get(epoch.predecessor or b"")
    if before is not None:
        found += _between(epoch_name, before, epoch)
    for name, successor in state.epochs.items():
        if successor.predecessor == epoch_name:
            found += _between(name, epoch, successor)
    _compact(epoch)
    return found


def _within(name: bytes, epoch: EpochState, generation: int) -> list[Rollback]:
    low, high = epoch.generations[generation]
    return [
        Rollback(epoch=name, earlier=max(generation, other), later=min(generation, other))
        for other, (other_low, other_high) in epoch.generations.items()
        if (other > generation and other_low < high) or (other < generation and low < other_high)
    ]


def _between(name: bytes, before: EpochState, after: EpochState) -> list[Rollback]:
    if not before.generations or not after.generations:
        return []
    earlier, later = max(before.generations), min(after.generations)
    return [Rollback(epoch=name, earlier=earlier, later=later)] if later < earlier else []


def _compact(epoch: EpochState) -> None:
    """A board that makes up generations gets no more room than this; the middle ones say the least."""
    while len(epoch.generations) > _MOST:
        middle = sorted(epoch.generations)[len(epoch.generations) // 2]
        del epoch.generations[middle]
