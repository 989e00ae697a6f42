"""Enrolment by command: codes on the controlling terminal and nowhere else, everything else for scripts."""

import json
import re
from datetime import UTC, datetime

import pytest

from doorctl.cli.holder_codes import spaced
from doorctl.cli.holder_enrol import Enrolment
from doorctl.cli.holder_readers import unread
from doorctl.core.types import Card, GroupName, HolderId
from doorctl.errors import OperatorError
from doorctl.roster.lookup import RosterReader
from hal.wiegand.cards import FORMATS
from tests.cli.board import CTRL_C, Board, OnTerminal, codes_shown, only_one_format, strings_under

ANA = HolderId("ana-lopez")


def enrol(board: Board, label: str = "Ana Lopez", *groups: str) -> HolderId:
    """Somebody with codes that nobody saw."""
    enrolment = Enrolment.open(board.paths)
    try:
        return enrolment.add(label, groups=[GroupName(group) for group in groups], card=None).holder
    finally:
        enrolment.close()


def holders(board: Board) -> list[str]:
    with RosterReader.open(board.paths.roster) as reader:
        return [holder.id for holder in reader.holders()]


def shown(board: Board, capsys: pytest.CaptureFixture[str], holder: str = ANA) -> dict[str, object]:
    """What `holder show --json` says."""
    found: dict[str, object] = json.loads(board.run(capsys, "holder", "show", holder, "--json").out)
    return found


def test_codes_are_shown_on_the_terminal_and_nowhere_else(board: Board) -> None:
    arguments = ["holder", "add", "Ana López", "--group", "staff", "--card", "H10301:12:3456", "--json"]
    with OnTerminal(board, *arguments) as command:
        ran = command.ended()
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == {"holder": "ana-lopez"}
    line = r"ana-lopez: code \d{3} \d{3} \d{2}, duress code \d{3} \d{3} \d{2}   \(shown once, on this terminal only\)\n"
    assert re.fullmatch(line, command.seen)
    codes = codes_shown(command.seen)
    assert len(set(codes)) == 2
    assert strings_under(board.home, codes) == []
    with RosterReader.open(board.paths.roster) as reader:
        holder = reader.holder(ANA)
        assert (holder.label, holder.groups, holder.card is not None) == ("Ana López", ("staff",), True)


UNREAD = "no reader reads H10304; front reads H10301"


@pytest.mark.parametrize("verb", [["add", "Ana Lopez", "--group", "staff", "--card"], ["card", ANA]])
@pytest.mark.parametrize(
    ("one_format", "card", "warned"),
    [
        (True, "H10304:77:20482", f"doorctl: warning: --card: {UNREAD}\n"),
        (True, "H10301:77:20482", ""),
        (False, "H10304:77:20482", ""),  # a line without a format takes every card
    ],
)
def test_a_card_that_no_reader_reads_is_taken_with_a_warning(
    board: Board, verb: list[str], one_format: bool, card: str, warned: str
) -> None:
    if verb[0] == "card":
        enrol(board, "Ana Lopez", "staff")
    if one_format:
        only_one_format(board)
    with OnTerminal(board, "holder", *verb, card) as command:
        assert command.ended() == (0, "", warned)
    with RosterReader.open(board.paths.roster) as reader:
        assert reader.holder(ANA).card is not None


def test_a_card_is_not_missed_where_no_reader_takes_any() -> None:
    assert unread([], "H10301", Card(length=26, raw=0)) == "no reader reads H10301; none here reads cards"


def test_the_same_name_again_is_another_person_and_said_to_be(board: Board) -> None:
    enrol(board, "Wanda Kiln", "staff")
    enrol(board, "Wanda Kilner", "staff")
    with OnTerminal(board, "holder", "add", "wanda kiln", "--group", "staff") as command:
        ran = command.ended()
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == (
        'doorctl: warning: there is a holder named "Wanda Kiln" already, wanda-kiln; the new one is wanda-kiln-2\n'
        "  hint: if a card was meant for the first: `doorctl holder remove wanda-kiln-2`, "
        "then `doorctl holder card wanda-kiln CARD`\n"
    )
    assert holders(board) == ["wanda-kiln", "wanda-kiln-2", "wanda-kilner"]


def test_without_a_terminal_nobody_is_enrolled(board: Board) -> None:
    before = board.paths.roster.read_bytes()
    ran = board.process("holder", "add", "Ana Lopez", "--group", "staff")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "doorctl: error: codes are shown on the controlling terminal only, and there is none\n"
        "  hint: run it in a terminal; over ssh use `ssh -t`\n"
    )
    assert board.paths.roster.read_bytes() == before
    assert holders(board) == []


def test_without_a_terminal_no_codes_are_drawn(board: Board) -> None:
    enrol(board)
    before = board.paths.roster.read_bytes()
    for arguments in (["holder", "codes", ANA], ["holder", "card", ANA, "H10301:1:2"]):
        ran = board.process(*arguments)
        assert (ran.code, ran.out) == (1, "")
        assert board.paths.roster.read_bytes() == before


def test_somebody_in_no_group_is_told_so(board: Board) -> None:
    with OnTerminal(board, "holder", "add", "Ana Lopez") as command:
        assert command.ended() == (0, "", "")
    assert command.seen.endswith(
        "in no group, so no door opens: `doorctl holder edit ana-lopez --group GROUP`\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["add", "Ana", "--group", "stff"], 'there is no group "stff"\n  hint: did you mean "staff"?'),
        (["add", "Ana", "--group", "zzz"], 'there is no group "zzz"\n  hint: groups: staff'),
        (["show", "ana-lopes"], "holder ana-lopes: there is none of that name\n  hint: "),
        (["show", "ana"], "holder ana: there is none of that name\n  hint: did you mean ana-lopez"),
        (["remove", "nobody", "--yes"], "holder nobody: there is none of that name\n  hint: "),
        (["edit", "nobody", "--suspend"], "holder nobody: there is none of that name\n  hint: "),
        (["edit", ANA, "--group", "staf"], 'there is no group "staf"\n  hint: did you mean "staff"?'),
        (["edit", ANA], "nothing to change was named\n  hint: `doorctl holder edit --help`"),
        (["edit", ANA, "--from", "2027-01-02", "--until", "2027-01-01"], "2027-01-01 is before 2027-01-02"),
    ],
)
def test_what_cannot_be_is_refused_with_a_hint(
    board: Board, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    enrol(board, "Ana Lopez", "staff")
    before = board.paths.roster.read_bytes()
    ran = board.run(capsys, "holder", *arguments)
    assert (ran.code, ran.out) == (1, "")
    assert told in ran.err
    assert board.paths.roster.read_bytes() == before


@pytest.mark.parametrize(
    ("card", "told"),
    [
        ("next@frnt", 'there is no door or reader "frnt"\n  hint: did you mean "front"?'),
        ("next@front", "control.sock: doord is not running here\n  hint: systemctl status doorctl"),
        ("h10301:12:3456", 'there is no card format "h10301"\n  hint: did you mean "H10301"?'),
        (
            "26-bit:12:3456",
            'there is no card format "26-bit"\n  hint: did you mean "H10301"? `doorctl check --formats`',
        ),
        ("what", 'there is no card format "what"\n  hint: `doorctl check --formats`'),
        ("H10301:12", "--card: expected H10301:FACILITY:CARD, found 1 fields"),
        ("H10301:12:x", "--card: expected H10301:FACILITY:CARD, found 2 fields"),
        ("H10301:12:99999", "--card: H10301: card does not fit into 16 bits"),
    ],
)
def test_a_card_that_is_none_enrols_nobody(board: Board, card: str, told: str) -> None:
    with OnTerminal(board, "holder", "add", "Ana Lopez", "--group", "staff", "--card", card) as command:
        ran = command.ended()
    assert (ran.code, ran.out) == (1, "")
    assert told in ran.err
    assert "99999" not in ran.err
    assert "code" not in command.seen
    assert holders(board) == []


def test_one_card_is_one_persons(board: Board) -> None:
    errors = []
    for label, code in (("Ana Lopez", 0), ("Ben Okafor", 1)):
        with OnTerminal(board, "holder", "add", label, "--group", "staff", "--card", "H10301:12:3456") as command:
            ran = command.ended()
        assert ran.code == code
        errors.append(ran.err)
    assert errors[0] == ""
    assert "card" in errors[1]
    assert "3456" not in errors[1]
    assert holders(board) == [ANA]


def test_drawing_codes_makes_every_row_another(board: Board) -> None:
    enrol(board, "Ana Lopez", "staff")
    with RosterReader.open(board.paths.roster) as reader:
        before = reader.digest()
    with OnTerminal(board, "holder", "codes", ANA) as command:
        assert command.ended() == (0, "", "")
    assert len(codes_shown(command.seen)) == 2
    with RosterReader.open(board.paths.roster) as reader:
        assert reader.digest() != before
        assert reader.facts().rows == 7


def test_another_card_keeps_person_and_groups(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    enrol(board, "Ana Lopez", "staff")
    with OnTerminal(board, "holder", "card", ANA, "H10301:12:3456", "--json") as command:
        ran = command.ended()
    assert (ran.code, json.loads(ran.out)) == (0, {"holder": ANA})
    assert shown(board, capsys)["card"] is True
    assert shown(board, capsys)["groups"] == ["staff"]
    length, raw = FORMATS["H10301"].encode({"facility": 12, "card": 3456})
    enrolment = Enrolment.open(board.paths)
    try:
        assert enrolment.writer.holder_of_card(enrolment.card(Card(length=length, raw=raw))) == ANA
    finally:
        enrolment.close()


def test_what_a_script_reads_of_a_holder(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    enrol(board, "Ana Lopez", "staff")
    assert shown(board, capsys) == {
        "holder": "ana-lopez", "name": "Ana Lopez", "groups": ["staff"], "card": False, "valid_from": None,
        "valid_until": None, "suspended": False, "codes_drawn": datetime.now(tz=UTC).date().isoformat(),
    }  # fmt: skip


def test_what_people_read_of_a_holder(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    enrol(board)
    board.run(capsys, "holder", "edit", ANA, "--suspend", "--until", "2027-06-30")
    today = datetime.now(tz=UTC).date()
    assert board.run(capsys, "holder", "show", ANA).out == (
        "holder       ana-lopez\n"
        "name         Ana Lopez\n"
        "groups       none: no door opens\n"
        "card         no\n"
        "valid        always to 2027-06-30\n"
        "suspended    yes: every credential is refused\n"
        f"codes drawn  {today}\n"
    )


def test_an_edit_changes_what_it_names_and_nothing_else(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    enrol(board, "Ana Lopez", "staff")
    before = shown(board, capsys)
    edits: list[tuple[list[str], dict[str, object]]] = [
        (["--from", "2027-01-01", "--until", "2027-06-30"], {"valid_from": "2027-01-01", "valid_until": "2027-06-30"}),
        (["--until", "2027-12-31"], {"valid_until": "2027-12-31"}),
        (["--from", "none"], {"valid_from": None}),
        (["--suspend"], {"suspended": True}),
        (["--resume"], {"suspended": False}),
    ]
    for arguments, changed in edits:
        assert board.run(capsys, "holder", "edit", ANA, *arguments).code == 0
        before |= changed
        assert shown(board, capsys) == before


def test_lists(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    assert board.run(capsys, "holder", "list").out == "nobody is enrolled\n"
    enrol(board, "Ana López", "staff")
    enrol(board, "Ben Okafor")
    board.run(capsys, "holder", "edit", "ben-okafor", "--suspend")
    everybody = board.run(capsys, "holder", "list").out.splitlines()
    assert [line.split() for line in everybody] == [
        ["ana-lopez", "Ana", "López", "staff"],
        ["ben-okafor", "Ben", "Okafor", "suspended"],
    ]
    assert board.run(capsys, "holder", "list", "LOPEZ").out.splitlines() == everybody[:1]
    assert board.run(capsys, "holder", "list", "--group", "staff").out.splitlines() == everybody[:1]
    assert board.run(capsys, "holder", "list", "zoe").out == "nobody matches\n"
    listed = json.loads(board.run(capsys, "holder", "list", "--json").out)
    assert [holder["holder"] for holder in listed] == ["ana-lopez", "ben-okafor"]


def test_removing_asks_and_takes_every_row(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    enrol(board)
    refused = board.process("holder", "remove", ANA)
    assert (refused.code, holders(board)) == (1, [ANA])
    assert "nobody was removed\n  hint: answer y, or give --yes" in refused.err
    with OnTerminal(board, "holder", "remove", ANA, "--json", errors_too=True) as command:
        command.wait_for("remove Ana Lopez (ana-lopez)? [y/N]")
        command.type("y\n")
        ran = command.ended()
    assert (ran.code, json.loads(ran.out)) == (0, {"removed": ANA})
    with RosterReader.open(board.paths.roster) as reader:
        assert (reader.facts().holders, reader.facts().rows) == (0, 0)
    assert board.run(capsys, "holder", "list").out == "nobody is enrolled\n"


def test_ctrl_c_while_waiting_at_a_question_changes_nothing(board: Board) -> None:
    enrol(board)
    with OnTerminal(board, "holder", "remove", ANA, errors_too=True) as command:
        command.wait_for("[y/N]")
        assert command.ended(typing=CTRL_C).code == 130
    assert holders(board) == [ANA]


def test_a_board_without_a_roster_says_how_to_get_one(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    board.paths.roster.unlink()
    ran = board.run(capsys, "holder", "list")
    assert ran.code == 1
    assert "there is no roster\n  hint: doorctl init makes one" in ran.err


def test_no_code_is_ever_in_the_words_of_an_enrolment(board: Board) -> None:
    enrolment = Enrolment.open(board.paths)
    try:
        enrolled = enrolment.add("Ana Lopez", groups=[], card=None)
        with pytest.raises(OperatorError) as refused:
            enrolment.add(" ", groups=[], card=None)
    finally:
        enrolment.close()
    words = repr(enrolled) + str(refused.value) + repr(enrolled.codes)
    assert [code.code for code in enrolled.codes if code.code in words] == []


@pytest.mark.parametrize(("code", "read"), [("482078", "482 078"), ("48207815", "482 078 15"), ("4820", "482 0")])
def test_codes_are_spoken_in_threes(code: str, read: str) -> None:
    assert spaced(code) == read
