"""Enrolment: draw a holder's codes, stretch them, seal seven rows, write them in one change. Shows nothing itself.

The only place besides the monitor that knows meanings, and only while it runs: codes leave it as return values, to be
shown once.
"""

import resource
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Self

from doorctl.config.reading import read_config
from doorctl.core.types import Card, GroupName, HolderId
from doorctl.paths import Paths
from doorctl.roster.enrolment import NewHolder, NewRow, RosterWriter
from doorctl.roster.factors import CardId, Lookup, card_id, lookup_card, lookup_card_and_code, lookup_code, stretch
from doorctl.roster.holders import Holder, Which, folded
from doorctl.seal.keys import ControllerKeys, load_controller_keys, read_monitor_file
from doorctl.seal.meaning import Code, CodeLookups, draw_codes, seal_rows
from doorctl.seal.public import MonitorPublic


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """A holder and the codes drawn, to be shown once."""

    holder: HolderId
    codes: tuple[Code, ...] = field(repr=False)


class Enrolment:
    """An open roster with the keys to make rows of it."""

    def __init__(self, writer: RosterWriter, keys: ControllerKeys, monitor: MonitorPublic) -> None:
        self.writer = writer
        self._keys = keys
        self._monitor = monitor
        self._parameters = writer.parameters()

    @classmethod
    def open(cls, paths: Paths) -> Self:
        """The board's roster; OperatorError where the board was not made or may not be written by us.

        From here on this process leaves no core: it would hold codes and the look-up key.
        """
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        keys = load_controller_keys(paths)
        monitor = read_monitor_file(paths.etc / read_config(paths.config).monitor.file).keys
        return cls(RosterWriter.open(paths.roster, today=today()), keys, monitor)

    def close(self) -> None:
        """Close the roster."""
        self.writer.close()

    def card(self, card: Card) -> CardId:
        """What the roster keeps of a card."""
        return card_id(self._keys.lookup, card)

    def namesakes(self, label: str) -> list[Holder]:
        """Who is enrolled by that name; case and accents do not count."""
        wanted = folded(label.strip())
        return [holder for holder in self.writer.holders(Which(search=wanted)) if folded(holder.label) == wanted]

    def add(
        self,
        label: str,
        *,
        groups: Sequence[GroupName],
        card: CardId | None,
        valid_from: date | None = None,
        valid_until: date | None = None,
        with_codes: bool = True,
    ) -> Enrolled:
        """A new holder with a whole set of codes, all or nothing."""
        holder = self.writer.free_id(label)
        codes, rows = self.draw(holder, label, card, with_codes=with_codes, taken=self.writer.code_taken)
        self.writer.add_holder(
            NewHolder(
                label=label,
                rows=rows,
                card=card,
                groups=groups,
                valid_from=valid_from,
                valid_until=valid_until,
                id=holder,
            )
        )
        return Enrolled(holder=holder, codes=codes)

    def redraw(self, holder: HolderId, *, card: CardId | None = None) -> Enrolled:
        """The holder's whole set anew, with this card (None: the one that is theirs); the old codes open nothing more.

        Name and card are read within the change: a card that was given up a moment ago does not come back.
        """
        with self.writer.enrolling() as change:
            present = self.writer.holder(holder)
            kept = present.card if card is None else card
            codes, rows = self.draw(holder, present.label, kept, with_codes=True, taken=change.code_taken)
            change.replace(holder, rows, kept)
        return Enrolled(holder=holder, codes=codes)

    def card_lookup(self, card: CardId) -> Lookup:
        """Where the row of a card alone stands."""
        return lookup_card(self._keys.lookup, card)

    def draw(
        self,
        holder: HolderId,
        label: str,
        card: CardId | None,
        *,
        with_codes: bool,
        taken: Callable[[Lookup], bool],
    ) -> tuple[tuple[Code, ...], list[NewRow]]:
        """A whole set of codes, none of them `taken`, and the seven rows; writes nothing."""
        policy = self._parameters
        codes: tuple[Code, ...] = ()
        if with_codes:
            codes = draw_codes(policy.code_length, policy.codes_per_holder, lambda code: taken(self._alone(code)))
        rows = seal_rows(
            holder=holder,
            label=label,
            issued=today(),
            card=None if card is None else self.card_lookup(card),
            codes=[self._lookups(code, card) for code in codes],
            monitor=self._monitor,
        )
        return codes, [NewRow(lookup=Lookup(lookup), token=token) for lookup, token in rows]

    def _lookups(self, code: Code, card: CardId | None) -> CodeLookups:
        return CodeLookups(
            meaning=code.meaning,
            alone=self._alone(code.code),
            with_card=None if card is None else self._with_card(code.code, card),
        )

    def _alone(self, code: str) -> Lookup:
        stretched = stretch(code, site_salt=self._parameters.site_salt, card=None, parameters=self._parameters.stretch)
        return lookup_code(self._keys.lookup, stretched)

    def _with_card(self, code: str, card: CardId) -> Lookup:
        stretched = stretch(code, site_salt=self._parameters.site_salt, card=card, parameters=self._parameters.stretch)
        return lookup_card_and_code(self._keys.lookup, card, stretched)


def today() -> date:
    """The day that enrolment writes, in UTC so that it says nothing of where."""
    return datetime.now(tz=UTC).date()
