"""How far a board says that everything has a receipt; ingest asks by it, the alarms part judges by it. Pure."""

from doorctl.wire.detail import SupervisionDetail
from doorctl.wire.record import NO_EPOCH, Body, Epoch


def receipted_until(epoch: Epoch, body: Body, detail: SupervisionDetail) -> tuple[Epoch, int]:
    """(epoch, sequence): up to there, epochs before it included, the board was given receipts.

    Without an oldest record on its disk, `pending` counts those still on their way to it, which are the newest.
    """
    if detail.oldest_epoch == NO_EPOCH:
        return epoch, max(detail.head - body.pending, 0)
    return detail.oldest_epoch, detail.oldest_sequence - 1
