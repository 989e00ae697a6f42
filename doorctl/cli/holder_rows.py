"""Seven rows for everybody of an import, in the order of the file: codes are drawn for some, the others' rows sealed.

Both come in one order, because what is written first gets the lower number in the roster: a thief of the board, or of
a backup, would read who has codes from numbers that come in two groups. Writes nothing.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from doorctl.cli.holder_enrol import Enrolment
from doorctl.cli.holder_plan import Change, Enrol, Plan
from doorctl.cli.holder_sealers import Job, Sealers
from doorctl.roster.enrolment import NewRow
from doorctl.roster.factors import Lookup

if TYPE_CHECKING:
    from doorctl.seal.meaning import Code


class Made(NamedTuple):
    """One person's rows, and the codes among them."""

    step: Enrol | Change
    rows: Sequence[NewRow]
    codes: "tuple[Code, ...]"
    drawing_s: float
    """Seconds of Argon2id."""

    def __repr__(self) -> str:
        return f"Made({self.step.holder})"


def steps_with_rows(plan: Plan) -> Iterator[Enrol | Change]:
    """Everybody who is new, and whose rows are made anew; each as the file has them."""
    return chain(plan.enrol, (step for step in plan.change if step.codes))


def made(enrolment: Enrolment, sealers: Sealers, plan: Plan, *, taken: Callable[[Lookup], bool]) -> Iterator[Made]:
    """Rows for all of these, one after the other; no code of them is `taken`."""
    others = (step for step in steps_with_rows(plan) if not step.codes)
    sealed = sealers.sealed(Job(step.holder, step.person.label, _lookup(enrolment, step)) for step in others)
    for step in steps_with_rows(plan):
        if not step.codes:
            yield Made(step, next(sealed), (), 0.0)
            continue
        began = time.monotonic()
        codes, rows = enrolment.draw(step.holder, step.person.label, step.card, with_codes=True, taken=taken)
        yield Made(step, rows, codes, time.monotonic() - began)


def _lookup(enrolment: Enrolment, step: Enrol | Change) -> Lookup | None:
    return None if step.card is None else enrolment.card_lookup(step.card)
