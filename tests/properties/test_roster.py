"""Any sequence of enrolments against a plain dictionary; after each step the file agrees with it and with itself."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from doorctl.core.types import GroupName, HolderId
from doorctl.roster.enrolment import NewHolder, NewRow, RosterWriter
from doorctl.roster.factors import CardId
from doorctl.roster.lookup import RosterReader, RosterState
from doorctl.roster.registrations import entry_of
from doorctl.seal.roster_tree import roster_digest
from doorctl.wire.detail import Action
from tests.roster.people import CHEAP, SALT, TODAY, Draw, edit

labels = st.text(alphabet="aB é-李", min_size=1, max_size=6).filter(lambda text: text.strip()[:1] not in {"", "-"})
groups = st.lists(st.sampled_from(["staff", "night", "guests"]).map(GroupName), max_size=3)


@dataclass
class Person:
    """What the roster must know of somebody."""

    rows: list[NewRow]
    card: CardId | None
    groups: tuple[GroupName, ...] = ()
    suspended: bool = False


class Enrolments(RuleBasedStateMachine):
    """The model is a dictionary of people."""

    everybody = Bundle("everybody")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "roster.db"
        self.writer = RosterWriter.create(
            self.path, today=TODAY, stretch=CHEAP, code_length=8, codes_per_holder=2, site_salt=SALT
        )
        self.writer._connection.execute("PRAGMA synchronous = OFF")  # only for speed
        self.reader = RosterReader.open(self.path)
        self.draw = Draw()
        self.people: dict[HolderId, Person] = {}
        self.gone: list[NewRow] = []
        self.changes = 0

    @rule(target=everybody, label=labels, with_card=st.booleans(), in_groups=groups)
    def add(self, label: str, with_card: bool, in_groups: list[GroupName]) -> HolderId:
        card = self.draw.card() if with_card else None
        rows = self.draw.rows()
        id_ = self.writer.add_holder(NewHolder(label=label, rows=rows, card=card, groups=in_groups))
        assert id_ not in self.people
        self.people[id_] = Person(rows=rows, card=card, groups=tuple(sorted(set(in_groups))))
        self.changes += 1
        return id_

    @rule(target=everybody, count=st.integers(0, 8))
    def add_many(self, count: int) -> object:
        added = []
        with self.writer.enrolling() as enrolling:
            for _ in range(count):
                rows, card = self.draw.rows(), self.draw.card()
                added.append(enrolling.add(NewHolder(label="Many", rows=rows, card=card)))
                self.people[added[-1]] = Person(rows=rows, card=card)
        self.changes += 1
        return multiple(*added)

    @rule(holder=everybody, keep_card=st.booleans())
    def replace(self, holder: HolderId, keep_card: bool) -> None:
        person = self.people[holder]
        self.gone += person.rows
        person.rows, person.card = self.draw.rows(), person.card if keep_card else self.draw.card()
        self.writer.replace_rows(holder, person.rows, card=person.card)
        self.changes += 1

    @rule(holder=consumes(everybody))
    def remove(self, holder: HolderId) -> None:
        self.gone += self.people.pop(holder).rows
        self.writer.remove_holder(holder)
        self.changes += 1

    @rule(holder=everybody, suspended=st.booleans(), to_groups=groups)
    def update(self, holder: HolderId, suspended: bool, to_groups: list[GroupName]) -> None:
        edit(self.writer, holder, suspended=suspended)
        edit(self.writer, holder, groups=to_groups)
        self.people[holder].suspended = suspended
        self.people[holder].groups = tuple(sorted(set(to_groups)))
        self.changes += 2

    @rule()
    def reopen_writer(self) -> None:
        self.writer.close()
        self.writer = RosterWriter.open(self.path, today=TODAY)
        self.writer._connection.execute("PRAGMA synchronous = OFF")

    @invariant()
    def the_reader_finds_exactly_who_is_enrolled(self) -> None:
        for id_, person in self.people.items():
            for new in person.rows:
                row = self.reader.find(new.lookup)
                assert row is not None
                assert (row.match.holder, row.token) == (id_, new.token)
                assert (row.match.groups, row.match.suspended) == (person.groups, person.suspended)
        assert all(self.reader.find(row.lookup) is None for row in self.gone[-14:])
        assert {h.id: h.card for h in self.reader.holders()} == {id_: p.card for id_, p in self.people.items()}

    @invariant()
    def digest_registrations_and_counts_agree(self) -> None:
        rows = [row for person in self.people.values() for row in person.rows]
        digest = roster_digest(entry_of(row.lookup, row.token) for row in rows)
        assert self.reader.state() == RosterState(generation=self.changes, digest=digest)
        facts = self.reader.facts()
        assert (facts.holders, facts.rows, facts.generation) == (len(self.people), len(rows), self.changes)
        live: set[bytes] = set()
        for part in self.reader.registrations_after(0, 1000):
            live = live | set(part.entries) if part.action is Action.ADD else live - set(part.entries)
        assert roster_digest(live) == digest

    @invariant()
    def nothing_of_who_is_gone_is_left(self) -> None:
        content = b"".join(each.read_bytes() for each in self.path.parent.iterdir())
        assert not any(bytes(row.lookup) in content or bytes(row.token) in content for row in self.gone)

    def teardown(self) -> None:
        self.reader.close()
        self.writer.close()
        self.folder.cleanup()


Enrolments.TestCase.settings = settings(max_examples=15, stateful_step_count=12, deadline=None)
TestEnrolments = Enrolments.TestCase
