"""Many people by one command: found, listed page by page, redrawn one slip at a time, removed all or nobody."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from doorctl.cli import holder_choice
from doorctl.cli.holder_enrol import Enrolment
from doorctl.core.types import Card, HolderId
from doorctl.roster.factors import CardId
from doorctl.roster.lookup import RosterReader
from hal.wiegand.cards import FORMATS
from tests.cli.board import Board, OnTerminal
from tests.cli.people_file import enrolled, people_file
from tests.roster.people import edit

YESTERDAY = (datetime.now(tz=UTC) - timedelta(days=2)).date().isoformat()
FAR = "2099-12-31"


@pytest.fixture
def people(board: Board, capsys: pytest.CaptureFixture[str]) -> Board:
    """Four members of staff, two of them over, one suspended; and a guest."""
    lines = [
        f"Ana Lopez,a,staff,H10302:1,,{FAR},,", f"Ben Okafor,b,staff,,,{YESTERDAY},,", f"Cy Ng,c,staff,,,{YESTERDAY},yes,",
        "Dee Lopez,d,staff,H10302:2,,,,", "Eve,e,,,,,,",
    ]  # fmt: skip
    assert board.run(capsys, "holder", "import", people_file(board.home, *lines)).code == 0
    return board


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ([], "abcde"),
        (["lopez"], "ad"),
        (["--group", "staff"], "abcd"),
        (["--expired"], "bc"),
        (["--suspended"], "c"),
        (["--expired", "--suspended", "--group", "staff"], "c"),
        (["okafor", "--suspended"], ""),
        (["--limit", "2"], "ab"),
        (["--limit", "2", "--after", "b"], "cd"),
        (["--after", "e"], ""),
        (["--limit", "0"], ""),
    ],
)
def test_a_list_has_who_fits(
    people: Board, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, options: list[str], found: str
) -> None:
    monkeypatch.setattr(holder_choice, "PAGE", 2)
    lines = people.run(capsys, "holder", "list", *options).out.splitlines()
    assert [line.split()[0] for line in lines] == (list(found) or ["nobody"])
    as_json = json.loads(people.run(capsys, "holder", "list", "--json", *options).out)
    assert [holder["holder"] for holder in as_json] == list(found)


@pytest.mark.parametrize(
    ("options", "left"),
    [(["b", "e"], "acd"), (["--expired"], "ade"), (["--group", "staff"], "e"), (["--suspended"], "abde")],
)
def test_leavers_go_in_one_change(
    people: Board, capsys: pytest.CaptureFixture[str], options: list[str], left: str
) -> None:
    with RosterReader.open(people.paths.roster) as reader:
        before = reader.generation()
    ran = people.run(capsys, "holder", "remove", "--yes", *options)
    assert (ran.code, ran.err) == (0, "")
    assert list(enrolled(people)) == list(left)
    with RosterReader.open(people.paths.roster) as reader:
        assert (reader.generation(), reader.facts().rows) == (before + 1, 7 * len(left))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "nobody was named; give short names, or --group, --expired or --suspended"),
        (["a", "--expired"], "name people, or give --group, --expired or --suspended, not both"),
        (["--group", "stff"], 'there is no group "stff"\n  hint: did you mean "staff"?'),
        (["a", "zz"], "holder zz: there is none of that name"),
        (["--group", "staff", "--expired"], "nobody was removed\n  hint: answer y, or give --yes"),
    ],
)
def test_a_removal_that_is_not_clear_removes_nobody(people: Board, options: list[str], told: str) -> None:
    before = people.paths.roster.read_bytes()
    ran = people.process("holder", "remove", *options)
    assert (ran.code, ran.out) == (1, "")
    assert told in ran.err
    assert people.paths.roster.read_bytes() == before


def test_a_removal_shows_who_and_asks(people: Board) -> None:
    with OnTerminal(people, "holder", "remove", "--expired", errors_too=True) as command:
        command.wait_for("remove these 2 people? [y/N]")
        command.type("y\n")
        ran = command.ended()
    assert (ran.code, ran.out, list(enrolled(people))) == (0, "2 removed\n", ["a", "d", "e"])
    assert [line.split()[:2] for line in command.seen.splitlines()[:2]] == [["b", "Ben"], ["c", "Cy"]]


def test_codes_of_a_group_die_one_by_one_as_their_slips_are_read(people: Board) -> None:
    with RosterReader.open(people.paths.roster) as reader:
        before = reader.generation()
    with OnTerminal(people, "holder", "codes", "--group", "staff", "--yes", "--json") as command:
        for number, person in ((1, "Ana Lopez (a)"), (2, "Ben Okafor (b)")):
            command.wait_for(f"slip {number} of 4")
            command.wait_for(person)
            with RosterReader.open(people.paths.roster) as reader:
                assert reader.generation() == before + number
            if number == 1:
                command.type("\n")
        ran = command.ended(typing="\x03")
    assert (ran.code, json.loads(ran.out)) == (1, {"holders": ["a"], "codes_not_shown": ["b"]})
    assert "the codes of 1 were drawn and not shown: b\n" in ran.err
    with RosterReader.open(people.paths.roster) as reader:
        assert (reader.generation(), reader.facts().rows) == (before + 2, 35)
    with closing(sqlite3.connect(people.paths.roster)) as connection:
        assert connection.execute("SELECT leftovers FROM meta").fetchall() == [(0,)]


def card_number(people: Board, number: int) -> CardId:
    """What the roster keeps of a card of H10302."""
    length, raw = FORMATS["H10302"].encode({"card": number})
    with closing(Enrolment.open(people.paths)) as enrolment:
        return enrolment.card(Card(length=length, raw=raw))


def test_a_card_lost_while_slips_are_read_does_not_come_back(people: Board) -> None:
    other = card_number(people, 99)
    with OnTerminal(people, "holder", "codes", "a", "d", "--yes") as command:
        command.wait_for("slip 1 of 2")
        with closing(Enrolment.open(people.paths)) as enrolment:
            enrolment.redraw(HolderId("d"), card=other)
        command.type("\n")
        command.wait_for("slip 2 of 2")
        command.type("\n")
        assert command.ended().code == 0
    found = enrolled(people)
    assert (found["a"].card, found["d"].card) == (card_number(people, 1), other)


def test_enter_typed_ahead_confirms_no_slip(people: Board) -> None:
    with OnTerminal(people, "holder", "codes", "a", "d", "--yes", "--json") as command:
        command.type("\n\n\n\n")
        command.wait_for("slip 1 of 2")
        ran = command.ended(typing="\x03")
    assert (ran.code, json.loads(ran.out)) == (1, {"holders": [], "codes_not_shown": ["a"]})


def test_who_is_removed_while_slips_are_read_gets_no_codes(people: Board) -> None:
    with OnTerminal(people, "holder", "codes", "a", "b", "d", "--yes", "--json") as command:
        command.wait_for("slip 1 of 3")
        with closing(Enrolment.open(people.paths)) as enrolment:
            enrolment.writer.remove_holder(HolderId("b"))
        command.type("\n")
        command.wait_for("Dee Lopez (d)")
        command.type("\n")
        ran = command.ended()
    assert (ran.code, json.loads(ran.out)) == (0, {"holders": ["a", "d"], "codes_not_shown": []})
    assert ran.err == "b: removed meanwhile, so no codes were drawn\n"


def test_who_was_renewed_while_the_question_stood_is_not_removed(people: Board) -> None:
    with OnTerminal(people, "holder", "remove", "--expired", errors_too=True) as command:
        command.wait_for("remove these 2 people? [y/N]")
        with closing(Enrolment.open(people.paths)) as enrolment:
            edit(enrolment.writer, HolderId("b"), valid_from=None, valid_until=None)
        command.type("y\n")
        ran = command.ended()
    assert (ran.code, ran.out, list(enrolled(people))) == (1, "", ["a", "b", "c", "d", "e"])
    assert "those it is about were changed meanwhile, so nobody was removed" in command.seen


def test_an_edit_is_one_change(people: Board, capsys: pytest.CaptureFixture[str]) -> None:
    with RosterReader.open(people.paths.roster) as reader:
        before = reader.generation()
    said = people.run(capsys, "holder", "edit", "e", "--group", "staff", "--until", FAR, "--suspend", "--json")
    assert said.code == 0
    e = enrolled(people)["e"]
    assert (e.groups, str(e.valid_until), e.suspended) == (("staff",), FAR, True)
    with RosterReader.open(people.paths.roster) as reader:
        assert reader.generation() == before + 1


def test_codes_of_many_ask_first(people: Board) -> None:
    before = people.paths.roster.read_bytes()
    with OnTerminal(people, "holder", "codes", "--group", "staff", errors_too=True) as command:
        command.wait_for("draw new codes for these 4 people, one after the other? [y/N]")
        command.type("n\n")
        assert command.ended().code == 1
    assert people.paths.roster.read_bytes() == before


def test_a_card_typed_is_in_nobodys_list_of_processes(people: Board) -> None:
    with OnTerminal(people, "holder", "card", "e", "-") as command:
        command.wait_for("the card, as H10301:12:3456: ")
        command.type("H10302:77\n")
        ran = command.ended()
    assert (ran.code, ran.err) == (0, "")
    assert enrolled(people)["e"].card is not None
