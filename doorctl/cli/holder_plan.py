"""What an import is to do with each line: enrol, change, leave, or refuse with a reason. Writes nothing.

Who a line is about: the short name it gives; else whose card it has; else who has that very name. Somebody who is
there already is a refused line unless the import was told to update. Codes that people know never die by the way:
another card or another name of somebody enrolled is refused unless the line asks for new codes.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from doorctl.cli.holder_file import Line, Refused
from doorctl.config.section import nearest, quoted
from doorctl.core.types import Card, HolderId
from doorctl.errors import OperatorError
from doorctl.roster.change import Person
from doorctl.roster.enrolment import RosterWriter
from doorctl.roster.factors import CardId
from doorctl.roster.holders import Holder, encode_validity, short_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrol:
    """A new holder."""

    holder: HolderId
    person: Person
    card: CardId | None = field(repr=False)
    codes: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A holder who is there becomes as the line says; with codes, all rows are drawn anew."""

    holder: HolderId
    present: Holder
    """As they are while the change is planned."""
    person: Person
    card: CardId | None = field(repr=False)
    codes: bool


@dataclass(slots=True, kw_only=True)
class Plan:
    """What is to be done."""

    enrol: list[Enrol] = field(default_factory=list)
    change: list[Change] = field(default_factory=list)
    unchanged: int = 0
    refused: list[Refused] = field(default_factory=list)

    @property
    def codes(self) -> int:
        """How many people get codes."""
        return sum(step.codes for step in self.enrol) + sum(step.codes for step in self.change)


class Planner:
    """Looks at lines one by one; knows the roster and the lines before."""

    def __init__(
        self,
        writer: RosterWriter,
        *,
        card_id: Callable[[Card], CardId],
        groups: Iterable[str],
        named: Iterable[HolderId],
        update: bool,
    ) -> None:
        """`named`: every short name that some line gives; nobody else is named so."""
        self._writer = writer
        self._card_id = card_id
        self._groups = tuple(groups)
        self._named = frozenset(named)
        self._update = update
        self._ids: dict[HolderId, int] = {}
        """Short names of lines before, with the numbers of the lines."""
        self._cards: dict[CardId, int] = {}
        self._names: dict[str, int] = {}
        """Labels without a short name of their own."""
        self._last: dict[str, int] = {}
        """The number given last to people whose names make the same short name."""
        self.plan = Plan()

    def take(self, line: Line | Refused) -> None:
        """One line more."""
        if isinstance(line, Refused):
            self.plan.refused.append(line)
            return
        try:
            self._decide(line)
        except OperatorError as error:
            self.plan.refused.append(Refused(line=line.number, who=line.holder or line.label, reason=str(error)))

    def _decide(self, line: Line) -> None:
        for group in line.groups:
            if group not in self._groups:
                meant = nearest(group, self._groups) or f"groups: {', '.join(self._groups) or 'none'}"
                raise OperatorError(f"there is no group {quoted(group)}; {meant}")
        encode_validity(line.valid_from, line.until)
        card = None if line.card is None else self._card_id(line.card)
        owner = None if card is None else self._writer.holder_of_card(card)
        self._not_twice(line, card)
        present = self._present(line, owner)
        if present is None:
            self._enrol(line, card)
        elif not self._update:
            raise OperatorError(f"{present.id} is enrolled already; --update changes who is there")
        else:
            self._change(line, present, card)
        if card is not None:
            self._cards[card] = line.number
        if line.holder is None:
            self._names.setdefault(line.label, 0 if card is not None else line.number)

    def _not_twice(self, line: Line, card: CardId | None) -> None:
        if card is not None and card in self._cards:
            raise OperatorError(f"the same card as line {self._cards[card]}")
        if line.holder is not None and line.holder in self._ids:
            raise OperatorError(f"the same holder as line {self._ids[line.holder]}")
        before = self._names.get(line.label) if line.holder is None else None
        if before is not None and (before or card is None):
            raise OperatorError("a line before has the same name; give each a short name (holder), or a card")

    def _present(self, line: Line, owner: HolderId | None) -> Holder | None:
        if line.holder is not None:
            present = self._writer.find_holder(line.holder)
            if owner is not None and owner != line.holder:
                raise OperatorError(f"the card is {owner}'s")
            return present
        if owner is not None:
            return self._writer.holder(owner)
        same = self._writer.find_holder(short_name(line.label, lambda _: False))
        return same if same is not None and same.label == line.label else None

    def _enrol(self, line: Line, card: CardId | None) -> None:
        holder = line.holder or self._free(line.label)
        self._ids[holder] = line.number
        person = Person(
            label=line.label,
            groups=line.groups,
            valid_from=line.valid_from,
            valid_until=line.until,
            suspended=line.suspended,
        )
        self.plan.enrol.append(Enrol(holder=holder, person=person, card=card, codes=line.codes))

    def _free(self, label: str) -> HolderId:
        def taken(name: str) -> bool:
            id_ = HolderId(name)
            return id_ in self._ids or id_ in self._named or self._writer.find_holder(id_) is not None

        return short_name(label, taken, self._last)

    def _change(self, line: Line, present: Holder, card: CardId | None) -> None:
        if present.id in self._ids:
            raise OperatorError(f"the same holder as line {self._ids[present.id]}")
        if card is not None and card != present.card and not line.codes:
            raise OperatorError("another card: old codes would die; codes=yes draws new ones")
        if line.label != present.label and not line.codes:
            raise OperatorError(f'the name is "{present.label}", sealed into the rows; codes=yes draws new ones')
        self._ids[present.id] = line.number
        person = _updated(present, line)
        if not line.codes and person == _as_is(present):
            self.plan.unchanged += 1
            return
        kept = present.card if card is None else card
        change = Change(holder=present.id, present=present, person=person, card=kept, codes=line.codes)
        self.plan.change.append(change)


def _updated(present: Holder, line: Line) -> Person:
    """What the file has no column for stays; an empty field of a column that it has takes away."""
    has = line.columns
    return Person(
        label=line.label,
        groups=line.groups if "groups" in has else present.groups,
        valid_from=line.valid_from if "valid_from" in has else present.valid_from,
        valid_until=line.until if "until" in has else present.valid_until,
        suspended=line.suspended if "suspended" in has else present.suspended,
    )


def _as_is(present: Holder) -> Person:
    return Person(
        label=present.label,
        groups=present.groups,
        valid_from=present.valid_from,
        valid_until=present.valid_until,
        suspended=present.suspended,
    )
