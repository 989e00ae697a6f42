"""People of a file become holders: all or nobody, each refused line with its number and reason, never a code from a file."""

import csv
import json
import os
import re
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing, nullcontext
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from doorctl.cli import holder_import, holder_plan
from doorctl.cli.holder_enrol import Enrolment
from doorctl.cli.holder_slips import SlipScreen
from doorctl.core.types import Card, HolderId
from doorctl.roster.enrolment import NewHolder, RosterWriter
from doorctl.roster.factors import lookup_card
from doorctl.roster.holders import short_name
from doorctl.roster.lookup import RosterReader
from doorctl.seal.keys import load_controller_keys
from hal.wiegand.cards import FORMATS
from tests.cli.board import DOORCTL, Board, OnTerminal, Ran, only_one_format, strings_under, wait_until
from tests.cli.people_file import enrolled, many, people_file
from tests.roster.people import Draw, edit

CLEAR = "\x1b[H\x1b[2J\x1b[3J"


def told(board: Board, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """What `holder import --json` says."""
    said: dict[str, Any] = json.loads(board.run(capsys, "holder", "import", "--json", *arguments).out)
    return said


def reasons(said: dict[str, Any]) -> list[tuple[int, str]]:
    return [(line["line"], line["reason"]) for line in said["refused"]]


def card_of(board: Board, number: int) -> bool:
    """Whether a card of H10302 finds a row."""
    keys = load_controller_keys(board.paths)
    length, raw = FORMATS["H10302"].encode({"card": number})
    enrolment = Enrolment.open(board.paths)
    card = enrolment.card(Card(length=length, raw=raw))
    enrolment.close()
    with RosterReader.open(board.paths.roster) as reader:
        return reader.find(lookup_card(keys.lookup, card)) is not None


def test_people_of_a_file_are_enrolled_in_one_change(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    file = people_file(
        board.home,
        "Ana López,,staff,H10301:12:3456,2027-01-01,2027-06-30,no,no",
        "Ben Okafor,bo-7,,raw:26:0x1234567,,,yes,",
        '"Smith, Jo",,staff,,,,,',
        "Ana López,,,H10302:5,,,,",
    )
    assert board.run(capsys, "holder", "import", file).out == "4 enrolled, 0 changed, 0 as they were, 0 lines refused\n"
    people = enrolled(board)
    assert {id_: (holder.label, holder.groups, holder.suspended) for id_, holder in people.items()} == {
        "ana-lopez": ("Ana López", ("staff",), False),
        "ana-lopez-2": ("Ana López", (), False),
        "bo-7": ("Ben Okafor", (), True),
        "smith-jo": ("Smith, Jo", ("staff",), False),
    }
    assert (people[HolderId("ana-lopez")].valid_from, people[HolderId("ana-lopez")].valid_until) == (
        date(2027, 1, 1), date(2027, 6, 30),
    )  # fmt: skip
    assert [id_ for id_, holder in people.items() if holder.card is None] == ["smith-jo"]
    assert card_of(board, 5)
    with RosterReader.open(board.paths.roster) as reader:
        assert (reader.generation(), reader.facts().rows) == (1, 28)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", None),
        (",,,,,,,", "label: expected a name of 1 to 80 printable characters"),
        ("A\x07,,,,,,,", "label: expected a name of 1 to 80 printable characters"),
        ("=1+1,,,,,,,", "label: a spreadsheet would compute what begins with = + - or @"),
        ("Ana,,\x1b]0;x\x07staff,,,,,", 'there is no group "\\u001b]0;x\\u0007staff"; did you mean "staff"?'),
        ("Ana,,Staff,,,,,", 'there is no group "Staff"; did you mean "staff"?'),
        ("Ana,,visitor,,,,,", 'there is no group "visitor"; groups: staff'),
        ("Ana,Ana Lopez,,,,,,", "holder: expected 1 to 40 lower-case letters, digits and hyphens, as ana-lopez"),
        ("Ana,,stff,,,,,", 'there is no group "stff"; did you mean "staff"?'),
        ("Ana,,,H10301:12,,,,", "card: expected H10301:FACILITY:CARD"),
        ("Ana,,,H10301:12:x,,,,", "card: expected H10301:FACILITY:CARD"),
        ("Ana,,,H10301:12:99999,,,,", "card: H10301: card does not fit into 16 bits"),
        (
            "Ana,,,h10301:1:2,,,,",
            'card: no such format; did you mean "H10301"; `doorctl check --formats` lists them',
        ),
        ("Ana,,,26,,,,", "card: expected FORMAT and its fields, as H10301:12:3456, or raw:BITS:NUMBER"),
        ("Ana,,,4711471147,,,,", "card: expected FORMAT and its fields, as H10301:12:3456, or raw:BITS:NUMBER"),
        ("Ana,,,raw:4:16,,,,", "card: expected raw:BITS:NUMBER, at most 128 bits, the number no longer than that"),
        ("Ana,,,raw:129:1,,,,", "card: expected raw:BITS:NUMBER, at most 128 bits, the number no longer than that"),
        (
            "Ana,,,,2027-02-30,,,",
            'valid_from: expected a date such as 2026-12-31, found "2027-02-30"',
        ),
        ("Ana,,,,,31.12.2027,,", 'until: expected a date such as 2026-12-31, found "31.12.2027"'),
        ("Ana,,,,12/31/27,,,", 'valid_from: expected a date such as 2026-12-31, found "12/31/27"'),
        ("Ana,,,,,20270230,,", "until: expected a date such as 2026-12-31"),  # as long as a code
        ("Ana,,,,48 20 78,,,", "valid_from: expected a date such as 2026-12-31"),  # as a code is written
        ("Ana,,,,2027-02-02,2027-02-01,,", "validity: 2027-02-01 is before 2027-02-02"),
        ("Ana,,,,,,1,", "suspended: expected yes or no"),
        ("Ana,,,,,,,4820", "codes: expected yes or no (codes are drawn, never brought in)"),
        ("Ana,,,,,,", "7 fields, expected 8"),
        ("Ana,,,,,,,,", "9 fields, expected 8"),
    ],
)
def test_a_line_that_is_wrong_is_refused_by_number_and_reason(
    board: Board, capsys: pytest.CaptureFixture[str], line: str, reason: str | None
) -> None:
    file = people_file(board.home, "Ben,,,,,,,", line)
    said = told(board, capsys, file, "--dry-run")
    assert reasons(said) == ([] if reason is None else [(3, reason)])
    assert enrolled(board) == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "there is no header"),
        (b"name,groups\n", 'there is no column "name"'),
        (b"label,\x1b[2Jcard\n", 'there is no column "\\u001b[2Jcard"'),
        (b"label,\xc2\x9bPIN\n", 'a column "\\u009bPIN": codes are drawn here'),
        (b"label,label\n", 'the column "label" is there twice'),
        (b"groups\nstaff\n", 'the column "label" is missing'),
        (b"label\tgroups\nAna\tstaff\n", "fields are separated by tabs"),
        (b"label,PIN\nAna,4711\n", 'a column "PIN": codes are drawn here, never brought in'),
        (b"label;Pin-Code\nAna;4711\n", 'a column "Pin-Code": codes are drawn here, never brought in'),
        (b"label,Duress code\nAna,4711\n", 'a column "Duress code": codes are drawn here, never brought in'),
        (b"label\nAna\nB\xe9n\n", "line 3: not UTF-8"),
        (b"label\nAna\nB\0n\n", "line 3: a zero byte"),
        (b'label\nAna\n"Ben\n', "line 3: unexpected end of data"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_whole(
    board: Board, capsys: pytest.CaptureFixture[str], content: bytes, message: str
) -> None:
    file = board.home / "people.csv"
    file.write_bytes(content)
    ran = board.run(capsys, "holder", "import", str(file), "--skip-bad")
    assert (ran.code, ran.out, enrolled(board)) == (1, "", {})
    assert f"people.csv: {message}" in ran.err
    assert "4711" not in ran.err


@pytest.mark.parametrize("begin", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_spreadsheets_write_is_read(
    board: Board, capsys: pytest.CaptureFixture[str], begin: bytes, delimiter: str, end: str
) -> None:
    lines = [("label", "groups", "until"), ("Ana López", "staff", "2027-06-30"), ('"Jo; Ann, Li"', "", "")]
    file = board.home / "people.csv"
    file.write_bytes(begin + end.join(delimiter.join(line) for line in lines).encode())
    assert told(board, capsys, str(file))["enrolled"] == 2
    people = enrolled(board)
    assert {id_: (holder.label, holder.groups) for id_, holder in people.items()} == {
        "ana-lopez": ("Ana López", ("staff",)),
        "jo-ann-li": ("Jo; Ann, Li", ()),
    }


def test_with_a_bad_line_nobody_is_enrolled_unless_told_so(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    file = people_file(board.home, *many(30, bad=[4, 17]))
    before = board.paths.roster.read_bytes()
    ran = board.run(capsys, "holder", "import", file)
    assert ran.code == 1
    assert ran.out == (
        "line 6: p4: card: H10302: card does not fit into 35 bits\n"
        "line 19: p17: card: H10302: card does not fit into 35 bits\n"
        "28 to enrol, 0 to change, 0 as they were, 2 lines refused\n"
        "nothing was changed: mend the lines, or give --skip-bad to enrol the others\n"
    )
    assert board.paths.roster.read_bytes() == before
    said = told(board, capsys, file, "--skip-bad")
    assert (said["committed"], said["enrolled"], [line for line, _ in reasons(said)]) == (True, 28, [6, 19])
    assert sorted(set(range(30)) - {int(id_[1:]) for id_ in enrolled(board)}) == [4, 17]


@pytest.mark.parametrize("name", ["refused.csv", "refused.json"])
def test_the_report_has_every_refused_line_and_no_secret(
    board: Board, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    file = people_file(board.home, *many(60, bad=range(25)), "Zoe,,,471147114711,,,,", "Yan,,,,,,,48207815")
    report = board.home / name
    ran = board.run(capsys, "holder", "import", file, "--skip-bad", "--report", str(report))
    assert (ran.code, f"{report}: all 27 refused lines\n" in ran.out) == (0, True)
    content = report.read_text()
    rows = json.loads(content) if name.endswith("json") else list(csv.DictReader(content.splitlines()))
    assert [int(row["line"]) for row in rows] == [*range(2, 27), 62, 63]
    assert [row["who"] for row in rows][-2:] == ["Zoe", "Yan"]
    assert report.stat().st_mode & 0o777 == 0o600
    assert "4711" not in content + ran.out
    assert "4820" not in content + ran.out
    again = board.run(capsys, "holder", "import", file, "--skip-bad", "--report", str(report))
    assert (again.code, "there is a file already" in again.err, report.read_text()) == (1, True, content)


def test_no_spreadsheet_computes_what_a_report_or_an_export_has(
    board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    report = board.home / "refused.csv"
    told(board, capsys, people_file(board.home, "@SUM(A1),,,,,,,", "Ana,,,,,,,"), "--skip-bad", "--report", str(report))
    assert [row["who"] for row in csv.DictReader(report.read_text().splitlines())] == ["'@SUM(A1)"]
    with closing(sqlite3.connect(board.paths.roster)) as connection, connection:
        connection.execute("UPDATE holders SET label = '=1+1'")  # as an older version would have taken it
    exported = csv.DictReader(board.run(capsys, "holder", "export").out.splitlines())
    assert [row["label"] for row in exported] == ["'=1+1"]
    assert board.run(capsys, "holder", "edit", "ana", "--suspend").code == 0


def test_cards_that_no_reader_reads_are_warned_of_once_a_format(
    board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    file = people_file(
        board.home, "Ana,,staff,H10301:12:1,,,,", "Ben,,staff,H10304:12:2,,,,", "Cy,,staff,H10304:12:3,,,,",
        "Dee,,staff,raw:30:5,,,,", "Eve,,staff,raw:26:0x180013,,,,", "Fay,,staff,,,,,",
    )  # fmt: skip
    assert board.run(capsys, "holder", "import", file, "--dry-run").err == ""
    only_one_format(board)
    ran = board.run(capsys, "holder", "import", file)
    assert ran.code == 0
    assert ran.err == (
        "doorctl: warning: people.csv: 2 cards: no reader reads H10304; front reads H10301\n"
        "doorctl: warning: people.csv: 1 card: no reader reads raw cards of 30 bits; front reads H10301\n"
    )
    assert len(enrolled(board)) == 6


def test_the_same_card_name_or_holder_twice_is_refused(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    file = people_file(
        board.home,
        "Ana,a1,,H10302:1,,,,",
        "Ben,,,H10302:1,,,,",
        "Cy,a1,,,,,,",
        "Dee,,,,,,,",
        "Dee,,,,,,,",
        "Eve,,,H10302:2,,,,",
        "Eve,,,H10302:3,,,,",
    )
    assert reasons(told(board, capsys, file, "--skip-bad")) == [
        (3, "the same card as line 2"),
        (4, "the same holder as line 2"),
        (6, "a line before has the same name; give each a short name (holder), or a card"),
    ]
    assert sorted(enrolled(board)) == ["a1", "dee", "eve", "eve-2"]


def test_a_short_name_that_a_later_line_gives_is_nobody_elses(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    file = people_file(board.home, "Ana,,,,,,,", "Ben,ana,,,,,,")
    assert told(board, capsys, file)["enrolled"] == 2
    assert {id_: holder.label for id_, holder in enrolled(board).items()} == {"ana": "Ben", "ana-2": "Ana"}


def test_a_repeat_is_refused_line_by_line_and_changes_nothing(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    lines = ["Ana,,staff,H10302:1,,,,", "Ben,ben,,,,,,", "Cy,,,,,,,"]
    file = people_file(board.home, *lines)
    assert told(board, capsys, file)["enrolled"] == 3
    before = board.paths.roster.read_bytes()
    assert reasons(told(board, capsys, file, "--skip-bad")) == [
        (number, f"{id_} is enrolled already; --update changes who is there")
        for number, id_ in ((2, "ana"), (3, "ben"), (4, "cy"))
    ]
    assert told(board, capsys, file, "--update")["unchanged"] == 3
    assert board.paths.roster.read_bytes() == before


def test_an_update_changes_what_the_file_says_and_no_row(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    told(board, capsys, people_file(board.home, "Ana,ana,staff,H10302:1,,2027-01-01,,", "Ben,ben,staff,,,,,"))
    with RosterReader.open(board.paths.roster) as reader:
        before = reader.digest()
    file = people_file(board.home, "ana,Ana,,yes", "ben,Ben,staff,no", header="holder,label,groups,suspended")
    said = told(board, capsys, file, "--update")
    assert (said["changed"], said["unchanged"], said["refused"]) == (1, 1, [])
    ana = enrolled(board)["ana"]
    assert (ana.groups, ana.suspended, ana.valid_until) == ((), True, date(2027, 1, 1))
    with RosterReader.open(board.paths.roster) as reader:
        assert reader.digest() == before


def test_an_update_never_lets_known_codes_die_by_the_way(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    told(board, capsys, people_file(board.home, "Ana,ana,,H10302:1,,,,", "Ben,ben,,H10302:2,,,,"))
    file = people_file(board.home, "Ana,ana,,H10302:3,,,,", "Benno,ben,,,,,,", "Cy,cy,,H10302:2,,,,")
    assert reasons(told(board, capsys, file, "--update")) == [
        (2, "another card: old codes would die; codes=yes draws new ones"),
        (3, 'the name is "Ben", sealed into the rows; codes=yes draws new ones'),
        (4, "the card is ben's"),
    ]


def test_an_export_is_imported_again_as_it_was(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    told(board, capsys, people_file(
        board.home, "Ana López,,staff,H10302:1,2027-01-01,2027-02-01,,", '"Smith, Jo",,,,,,yes,', '"He said ""hi""",,,,,,,',
    ))  # fmt: skip
    exported = board.run(capsys, "holder", "export").out
    assert exported.splitlines()[:2] == [
        "holder,label,groups,valid_from,until,suspended", "ana-lopez,Ana López,staff,2027-01-01,2027-02-01,no",
    ]  # fmt: skip
    file = board.home / "export.csv"
    file.write_text(exported)
    assert told(board, capsys, str(file), "--update")["unchanged"] == 3
    board.run(capsys, "holder", "remove", "--yes", *enrolled(board))
    assert told(board, capsys, str(file))["enrolled"] == 3
    assert board.run(capsys, "holder", "export").out == exported
    as_json = json.loads(board.run(capsys, "holder", "export", "--json").out)
    assert [(holder["holder"], holder["card"]) for holder in as_json] == [
        ("ana-lopez", False), ("he-said-hi", False), ("smith-jo", False),
    ]  # fmt: skip


def test_standard_input_is_a_file_too(board: Board) -> None:
    done = subprocess.run(
        [*DOORCTL, "--home", str(board.home), "holder", "import", "-"], input="label\nAna\n", text=True,
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout == "1 enrolled, 0 changed, 0 as they were, 0 lines refused\n"
    assert list(enrolled(board)) == ["ana"]


def test_a_few_thousand_in_several_processes_are_each_as_they_should(
    board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    file = people_file(board.home, *many(1500, bad=range(0, 1500, 100)))
    said = told(board, capsys, file, "--skip-bad")
    assert (said["enrolled"], len(said["refused"])) == (1485, 15)
    with RosterReader.open(board.paths.roster) as reader:
        facts, state = reader.facts(), reader.state()
        assert (facts.holders, facts.rows, state.generation) == (1485, 7 * 1485, 1)
    assert [number for number in (2, 777, 1500) if not card_of(board, number)] == []
    assert not card_of(board, 101)


@pytest.mark.parametrize("after_s", [0.05, 0.6, 1.2])
def test_killed_half_way_it_leaves_nothing_and_nobody(board: Board, after_s: float) -> None:
    file = people_file(board.home, *many(4000))
    before = board.paths.roster.read_bytes()
    running = subprocess.Popen(
        [*DOORCTL, "--home", str(board.home), "holder", "import", file],
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    wait_until((board.paths.roster.parent / "roster.db-wal").exists, "the change")
    with pytest.raises(subprocess.TimeoutExpired):
        running.wait(after_s)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    wait_until(lambda: not _in_session(running.pid), "the end of the sealers")
    assert enrolled(board) == {}
    with RosterReader.open(board.paths.roster) as reader:
        assert (reader.generation(), reader.facts().rows) == (0, 0)
    Enrolment.open(board.paths).close()
    assert board.paths.roster.read_bytes() == before
    assert [path.name for path in board.paths.roster.parent.iterdir()] == ["roster.db"]


def _in_session(leader: int) -> list[int]:
    """Processes of a session that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        if int(fields[3]) == leader and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def test_codes_are_shown_slip_by_slip_after_the_commit_and_nowhere_else(board: Board) -> None:
    file = people_file(board.home, *many(4, codes=[1, 3]))
    with OnTerminal(board, "holder", "import", file, "--json") as command:
        for number in (1, 2):
            command.wait_for(f"slip {number} of 2")
            assert len(enrolled(board)) == 4
            command.type("\n")
        ran = command.ended()
    said = json.loads(ran.out)
    assert (ran.code, said["codes_drawn"], said["codes_not_shown"]) == (0, 2, [])
    before, one, between, other, after = command.seen.split(CLEAR)
    codes = [slip_codes(one), slip_codes(other)]
    assert ("Person 1 (p1)" in one, "Person 3 (p3)" in other) == (True, True)
    assert [len(set(drawn)) for drawn in codes] == [2, 2]
    assert [part.strip() for part in (before, between, after)] == ["", "", ""]
    assert strings_under(board.home, codes[0] + codes[1]) == []
    assert [code for code in codes[0] + codes[1] if code in ran.out + ran.err] == []


def test_naming_people_without_latin_letters_costs_each_the_same(
    board: Board, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def counted(label: str, taken: Callable[[str], bool], last: dict[str, int] | None = None) -> HolderId:
        def asking(name: str) -> bool:
            asked.append(name)
            return taken(name)

        return short_name(label, asking, last)

    monkeypatch.setattr(holder_plan, "short_name", counted)
    file = people_file(board.home, *(f"{chr(0x4E00 + number)},,,,,,," for number in range(150)), "Zoe,holder-7,,,,,,")
    assert told(board, capsys, file)["enrolled"] == 151
    assert len(asked) <= 3 * 151
    named = ["holder", *(f"holder-{number}" for number in range(2, 152))]
    assert sorted(enrolled(board)) == sorted(named)
    assert enrolled(board)["holder-7"].label == "Zoe"


Meanwhile = Callable[[RosterWriter], object]


@pytest.fixture
def import_during(
    board: Board, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[[Meanwhile], Ran]:
    """Imports two of whom one gets codes; while these are drawn somebody else writes the roster."""
    told(board, capsys, people_file(board.home, "Ana,ana,staff,H10302:1,,,,", "Ben,ben,staff,,,,,"))
    monkeypatch.setattr(SlipScreen, "opened", nullcontext)
    monkeypatch.setattr(holder_import, "show_all", lambda *_: [])
    draw = Enrolment.draw

    def run(meanwhile: Meanwhile) -> Ran:
        def drawing(*given: Any, **named: Any) -> object:
            with RosterWriter.open(board.paths.roster, today=date(2026, 1, 1)) as other:
                meanwhile(other)
            return draw(*given, **named)

        monkeypatch.setattr(Enrolment, "draw", drawing)
        lines = ["Ana,ana,,H10302:1,,,,", "Cy,cy,,H10302:2,,,,yes"]
        return board.run(capsys, "holder", "import", "--update", people_file(board.home, *lines))

    return run


def test_somebody_can_be_suspended_while_codes_are_drawn(
    board: Board, import_during: Callable[[Meanwhile], Ran]
) -> None:
    ran = import_during(lambda other: edit(other, HolderId("ben"), suspended=True))
    assert (ran.code, ran.out) == (0, "1 enrolled, 1 changed, 0 as they were, 0 lines refused\n")
    people = enrolled(board)
    assert {id_: (holder.groups, holder.suspended) for id_, holder in people.items()} == {
        "ana": ((), False), "ben": (("staff",), True), "cy": ((), False),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("meanwhile", "told"),
    [
        (
            lambda other: edit(other, HolderId("ana"), suspended=True),
            "holder ana: changed while the import was prepared, so nothing was imported\n  hint: import the file again\n",
        ),
        (lambda other: other.remove_holder(HolderId("ana")), "holder ana: changed while the import was prepared"),
        (
            lambda other: other.add_holder(NewHolder(label="Cy", rows=Draw().rows(), id=HolderId("cy"))),
            "holder cy: there is one of that name already",
        ),
    ],
)
def test_an_import_that_was_overtaken_changes_nothing(
    board: Board, import_during: Callable[[Meanwhile], Ran], meanwhile: Meanwhile, told: str
) -> None:
    ran = import_during(meanwhile)
    assert (ran.code, ran.out) == (1, "")
    assert told in ran.err
    with RosterReader.open(board.paths.roster) as reader:
        assert reader.generation() == 2


def numbers(board: Board) -> list[str]:
    """Short names as the roster's file numbers their holders."""
    with closing(sqlite3.connect(board.paths.roster)) as connection:
        return [id_ for (id_,) in connection.execute("SELECT id FROM holders ORDER BY number")]


def test_no_order_in_the_roster_depends_on_who_gets_codes(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    other = board.copied_to(board.home.with_name("other"))
    told(other, capsys, people_file(other.home, *many(6)))
    with OnTerminal(board, "holder", "import", people_file(board.home, *many(6, codes=[2, 5])), "--json") as command:
        for slip, person in ((1, "(p2)"), (2, "(p5)")):
            command.wait_for(f"slip {slip} of 2")
            command.wait_for(person)
            command.type("\n")
        assert command.ended().code == 0
    assert numbers(board) == numbers(other) == [f"p{number}" for number in range(6)]
    for each in (board, other):
        with closing(sqlite3.connect(each.paths.roster)) as connection:
            assert connection.execute("SELECT generation, added, revoked FROM generations").fetchall() == [(1, 42, 0)]


def slip_codes(slip: str) -> list[str]:
    """What a slip shows, without spaces."""
    return [found.replace(" ", "") for found in re.findall(r"code +(\d{3} \d{3} \d{2})\n", slip)]


def test_an_interrupted_show_tells_whose_codes_nobody_has_seen(board: Board) -> None:
    file = people_file(board.home, *many(3, codes=[0, 1, 2]))
    with OnTerminal(board, "holder", "import", file) as command:
        command.wait_for("slip 1 of 3")
        command.type("\n")
        command.wait_for("slip 2 of 3")
        ran = command.ended(typing="\x03")
    assert ran.code == 1
    assert ran.err == (
        "doorctl: error: the codes of 2 were drawn and not shown: p1 p2\n"
        "  hint: `doorctl holder codes` with these names draws others and shows them\n"
    )
    assert sorted(enrolled(board)) == ["p0", "p1", "p2"]


def test_without_a_terminal_nobody_of_a_file_with_codes_is_enrolled(board: Board) -> None:
    before = board.paths.roster.read_bytes()
    ran = board.process("holder", "import", people_file(board.home, *many(3, codes=[1])))
    assert (ran.code, ran.out) == (1, "")
    assert "codes are shown on the controlling terminal only" in ran.err
    assert board.paths.roster.read_bytes() == before
