"""doorctl config: keys explained in words with their value here, what is in force, the schema; nothing is changed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from doorctl.cli.main import main
from doorctl.config.key import Key
from doorctl.config.keys import KEYS
from doorctl.config.schema import schema
from tests.cli.board import Board

ROOT = Path(__file__).parents[2]
AIRLOCK = ROOT / "etc" / "airlock.toml"


def explained(capsys: pytest.CaptureFixture[str], *words: str, file: Path = AIRLOCK) -> str:
    assert main(["config", "explain", *words, "--file", str(file)]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_a_key_with_its_value_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert explained(capsys, "door.outer.strike.release_s") == (
        "door.outer.strike.release_s\n"
        "  for how long a grant releases the strike\n"
        "\n"
        "  takes:    seconds from 0.5 to 600\n"
        "  default:  5\n"
        "  example:  release_s = 5\n"
        "  careful:  long releases let a second person in\n"
        "  since:    doorctl 0.1\n"
        "\n"
        "  here:\n"
        "    door.outer.strike.release_s = 4  (line 19)\n"
    )


def test_words_are_explained_one_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert explained(capsys, "door.back.strike.type") == (
        "door.back.strike.type\n"
        "  what the strike does without power\n"
        "\n"
        '  takes:    "fail-secure" or "fail-safe"\n'
        '            "fail-secure"  stays locked\n'
        '            "fail-safe"    opens\n'
        "  default:  none, it is required\n"
        '  example:  type = "fail-secure"\n'
        "  careful:  fail-safe opens to everybody in a power cut; fail-secure needs a way out that needs no power\n"
        "  since:    doorctl 0.1\n"
        "\n"
        "  here:\n"
        '    door.back.strike.type = "fail-secure"  (line 54)\n'
    )


def test_a_table_with_its_keys(capsys: pytest.CaptureFixture[str]) -> None:
    assert explained(capsys, "door.front.strike", file=ROOT / "etc" / "one-door.toml") == (
        "door.front.strike\n"
        "  what holds the door\n"
        "\n"
        "  takes:    a table\n"
        "  default:  none, it is required\n"
        "  since:    doorctl 0.1\n"
        "\n"
        "  keys:\n"
        "    pin             the pin of the strike's relay; a resistor holds it at its safe level while nothing drives\n"
        "                    it\n"
        "    type            what the strike does without power\n"
        "    active          which level of the pin powers the strike\n"
        "    release_s       for how long a grant releases the strike\n"
        "    relock_on_open  whether the release ends when the door opens; needs a contact\n"
        "\n"
        "  here:\n"
        '    door.front.strike.pin = "GPIO17"  (line 18)\n'
        '    door.front.strike.type = "fail-secure"  (line 18)\n'
        '    door.front.strike.active = "high"  (the default)\n'
        "    door.front.strike.release_s = 5  (line 18)\n"
        "    door.front.strike.relock_on_open = true  (the default)\n"
    )


def here(capsys: pytest.CaptureFixture[str], asked: str) -> list[str]:
    """What is said of the values in the file, over all keys that are meant."""
    blocks = explained(capsys, asked).split("\n\n  here")[1:]
    return [line.strip() for block in blocks for line in block.partition("\n\n")[0].lstrip(":\n").split("\n") if line]


@pytest.mark.parametrize(
    ("asked", "values"),
    [
        ("door.*.held_open_s", [f"door.{name}.held_open_s = 30  (the default)" for name in ("outer", "inner", "back")]),
        ("unlock", ["door.outer.unlock is not set", "door.inner.unlock is not set", 'door.back.unlock = "deliveries"  (line 58)']),
        ("door.back.rex.active", ['door.back.rex.active = "low"  (line 56)']),
        ("door.outer.contact.active", ['door.outer.contact.active = "high"  (the default)']),
        ("door.outer.contact.pin", ['door.outer.contact.pin = "GPIO27"  (line 20)']),
        ("door.outer.readers.in.modes", ['door.outer.readers.in.modes.night = "card+code"  (line 28)']),
        ("door.*.reader.format", ['door.back.reader.format = "H10304"  (line 57)']),
        ("schedule.night.daily", ['schedule.night.daily = ["20:00-24:00", "00:00-06:00"]  (line 62)']),
        ("group.stores.back", ['group.stores.back = "deliveries"  (line 72)']),
        ("group", ['group = ["scientists", "stores"]  (line 67)']),
        ("codes.length", ["codes.length = 6  (the default)"]),
        ("log", ["log.keep_days = 90  (the default)"]),
        ("site.holidays", ["site.holidays = []  (the default)"]),
        ("hal.chip", ["hal.chip is not set"]),
        ("door.frnt.egress", ["nothing: the file has no door.frnt; there are outer, inner, back"]),
        ("door.back.tamper.pull", ["nothing: the file has no door.back.tamper; there are egress, held_open_s, pre_alarm_s, unlock, time_unknown, interlock, strike, contact, rex, reader"]),
        ("mode", [
            'door.back.reader.mode = "card"  (line 57)',
            'door.outer.readers.in.mode = "card"  (line 27)', 'door.outer.readers.out.mode = "card"  (line 33)',
            'door.inner.readers.in.mode = "card+code"  (line 45)', 'door.inner.readers.out.mode = "card"  (line 50)',
        ]),
        ("interlock", [
            'door.outer.interlock = ["inner"]  (line 18)', 'door.inner.interlock = ["outer"]  (line 37)',
            "door.back.interlock = []  (the default)",
        ]),
    ],
)  # fmt: skip
def test_values_in_force_say_whether_they_are_the_default(
    asked: str, values: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert here(capsys, asked) == values


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.dotted)
def test_every_key_can_be_asked_for(key: Key, capsys: pytest.CaptureFixture[str]) -> None:
    told = explained(capsys, key.dotted)
    assert told.startswith(f"{key.dotted}\n  {key.meaning[:60]}")
    assert max(map(len, told.splitlines())) <= 110 or "\n  here" in told


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("door.front.strke", 'did you mean "door.front.strike"?'),
        ("door.front.reader.fromat", 'did you mean "door.front.reader.format"?'),
        ("relese_s", 'did you mean "release_s"?'),
        ("sight", 'did you mean "site"?'),
        ("lockuot.tries", 'did you mean "lockout"?'),
        ("qqqqqq", "`doorctl config explain` lists every key"),
        ("\x1b[2J", "`doorctl config explain` lists every key"),
    ],
)
def test_what_is_no_key_gets_the_nearest(asked: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "explain", asked, "--file", str(AIRLOCK)]) == 1
    captured = capsys.readouterr()
    shown = asked.replace("\x1b", "\\u001b")
    assert (captured.out, captured.err) == (
        "", f'doorctl: error: there is no key "{shown}" in doorctl.toml\n  hint: {hint}\n',
    )  # fmt: skip


def test_all_keys_in_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "explain"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(KEYS)
    assert (
        lines[0]
        == "[site]                           which site this board is at, and the clock that its schedules follow"
    )
    assert main(["config", "explain", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"key": key.dotted, "meaning": key.meaning} for key in KEYS]


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(explained(capsys, "door.outer.strike.release_s", "--json")) == [
        {
            "key": "door.outer.strike.release_s", "meaning": "for how long a grant releases the strike",
            "takes": "seconds from 0.5 to 600", "unit": "seconds", "required": False, "default": 5,
            "example": "release_s = 5", "careful": "long releases let a second person in", "since": "0.1",
            "here": [{"key": "door.outer.strike.release_s", "value": 4, "default": False, "line": 19}],
        }
    ]  # fmt: skip


@pytest.mark.parametrize("words", [(), ("strike",), ("--json", "strike")])
def test_explaining_needs_no_file(words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--home", str(tmp_path), "config", "explain", *words]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert ("there is no configuration" in captured.out) is (words != ())


def test_a_file_with_mistakes_is_not_explained_from(capsys: pytest.CaptureFixture[str]) -> None:
    told = explained(capsys, "site.id", file=ROOT / "tests" / "config" / "mistaken.toml")
    assert told.endswith("  here: not known: mistaken.toml: 15 mistakes\n")


def test_what_is_in_force_with_defaults_marked(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    ran = board.run(capsys, "config", "show")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"# {board.paths.config}, with every default written out\n\n[site]\n")
    lines = ran.out.splitlines()
    assert {"supervision_s = 30  # default", "keep_days = 90  # default", 'backend = "mock"', "# unlock: never"} <= set(
        lines
    )
    written = board.home / "written-out.toml"
    written.write_text(ran.out)
    again = board.run(capsys, "config", "show", str(written), "--json")
    shown = json.loads(again.out)
    assert (shown["file"], shown["defaults"]) == (str(written), [])
    first = json.loads(board.run(capsys, "config", "show", "--json").out)
    assert first["configuration"] == shown["configuration"]
    assert first["configuration"]["door"]["office"]["strike"] == {
        "pin": "GPIO18", "type": "fail-secure", "active": "high", "release_s": 5, "relock_on_open": True,
    }  # fmt: skip
    assert {"monitor.supervision_s", "codes.length", "door.office.strike.active", "door.office.contact.pull"} <= set(
        first["defaults"]
    )
    assert "door.office.contact.pin" not in first["defaults"]


def test_a_file_with_mistakes_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    mistaken = ROOT / "tests" / "config" / "mistaken.toml"
    assert main(["config", "show", str(mistaken)]) == 1
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", mistaken.with_suffix(".txt").read_text(encoding="utf-8"))


def test_the_schema_is_printed_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "schema"]) == 0
    assert json.loads(capsys.readouterr().out) == schema()


def test_a_schema_for_one_file_has_its_names_also_while_it_has_mistakes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "doorctl.toml"
    file.write_text('[door.front]\negress = "sliding"\n[door.back]\n[schedule.night]\n')
    assert main(["config", "schema", "--names", str(file)]) == 0
    assert json.loads(capsys.readouterr().out) == schema(doors=["front", "back"], schedules=["night"])
    file.write_text("[door.front]\negress = sliding\n[schedule]\nday = 5\n")
    assert main(["config", "schema", "--names", str(file)]) == 0
    assert json.loads(capsys.readouterr().out) == schema(doors=["front"], schedules=["day"])


def test_reading_a_configuration_loads_nothing_that_only_commands_need() -> None:
    told = (
        "import sys, doorctl.config.reading; print(*sorted(n for n in sys.modules if n.startswith('doorctl.config.')))"
    )
    done = subprocess.run([sys.executable, "-c", told], check=True, capture_output=True, text=True)
    names = {name.removeprefix("doorctl.config.") for name in done.stdout.split()}
    assert names == {
        "door_keys", "door_reading", "input_reading", "key", "keys", "lines", "mending", "osdp_reading", "pins",
        "reader_reading", "reading", "schedule_reading", "section", "site_keys", "site_reading", "types",
    }  # fmt: skip
