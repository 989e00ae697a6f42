"""doorctl reader against a real doord whose mock board has an OSDP reader beside the Wiegand ones."""

import base64
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from doorctl.seal.keys import load_controller_keys
from doorctl.seal.reader_keys import ReaderKeyStore
from tests.cli.board import Board, OnTerminal, wait_until
from tests.cli.test_daemon import Running

pytestmark = pytest.mark.system
WHO: Final = "vendor d00c1e, model 1 version 1, serial 1, firmware 0.1.0"


@pytest.fixture(scope="module")
def running(made_board: Board) -> Iterator[Running]:
    folder = Path(tempfile.mkdtemp(prefix="doorctl-"))
    doord = Running(made_board.copied_to(folder / "board"))
    try:
        doord.start()
        yield doord
    finally:
        code = doord.stop()
        shutil.rmtree(folder)
    assert code == 0


def reset(running: Running) -> None:
    """The reader on the wall forgets its key, and the board has noticed."""
    running.hands.do("osdp", reader="vault", power="reset")
    wait_until(lambda: vault(running)["state"] != "reading", "the reader's absence")


def vault(running: Running) -> dict[str, Any]:
    status = running.status()
    (reader,) = [reader for door in status["doors"] for reader in door["readers"] if reader["name"] == "vault"]
    assert isinstance(reader, dict)
    return reader


def test_all_in_a_line_each_and_one_in_full(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    listed = running.board.run(capsys, "reader", "list")
    assert listed.out.splitlines()[0] == "front: reading, Wiegand"
    assert listed.out.splitlines()[-1] == "vault: reading, OSDP /dev/ttyAMA0 address 1, secured"
    shown = running.board.run(capsys, "reader", "show", "vault").out.splitlines()
    assert shown[:4] == [
        "vault: reading, OSDP /dev/ttyAMA0 address 1, secured",
        "  line: /dev/ttyAMA0 at 38400 baud, address 1",
        f"  reader: {WHO}",
        "  key: installed",
    ]
    assert "  TAMPER: its cover is off" not in shown
    as_json = json.loads(running.board.run(capsys, "reader", "--json", "show", "vault").out)
    assert (as_json["kind"], as_json["secure"], as_json["identity"]["words"]) == ("osdp", True, WHO)
    status = running.board.run(capsys, "status").out
    assert "  reader vault: reading, OSDP /dev/ttyAMA0 address 1, secured\n" in status
    assert running.board.run(capsys, "reader", "show", "cellar").code == 1


def test_who_is_there_is_agreed_to_on_a_terminal(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    reset(running)
    with OnTerminal(running.board, "reader", "install", "vault", errors_too=True) as command:
        command.wait_for(f"vault: {WHO} answers\nvault: is this the reader, and may it have its key? [y/N] ")
        command.type("n\n")
        ran = command.ended()
    assert (ran.code, ran.out) == (1, "")
    assert "no key went out" in command.seen
    with OnTerminal(running.board, "reader", "install", "vault", errors_too=True) as command:
        command.wait_for("[y/N] ")
        command.type("y\n")
        ran = command.ended()
    assert (ran.code, ran.out) == (0, "vault: installed, with a key of its own\n")
    wait_until(lambda: vault(running)["state"] == "reading", "the reader's return")
    lines = [line["detail"] for line in running.lines(capsys, "operator")]
    assert lines[-1].startswith("install reader vault, by uid ")


def test_a_script_names_the_serial_number_or_says_yes(running: Running) -> None:
    reset(running)
    for wrong, told in (
        ((), "vault: no key went out"),
        (("--serial", "7"), "vault: serial 1 answers, not 7; no key went out"),
    ):
        ran = running.board.process("reader", "install", "vault", *wrong)
        assert ran.code == 1
        assert told in ran.err
    ran = running.board.process("reader", "--json", "install", "vault", "--serial", "1")
    assert json.loads(ran.out)["identity"]["serial"] == 1
    again = running.board.process("reader", "install", "vault", "--yes")
    assert "hint: `doorctl reader rekey vault` changes its key" in again.err


def test_a_new_key(running: Running) -> None:
    ran = running.board.process("reader", "rekey", "vault")
    assert ran == (0, "vault: has a new key; the old one is gone\n", "")


def test_a_test_waits_for_a_card(running: Running) -> None:
    wait_until(lambda: vault(running)["state"] == "reading", "the reader")
    with OnTerminal(running.board, "reader", "test", "vault", errors_too=True) as command:
        command.wait_for("vault: blinks and beeps; hold a card to it …")
        wait_until(
            lambda: any(name == "vault buzzer" for _, name, _, _ in running.hands.do("history", since=0)["outputs"]),
            "the beep",
        )
        running.card("vault", 77)
        ran = command.ended()
    assert (ran.code, ran.out) == (0, "vault: read a card of 26 bits\n")


def test_a_line_at_another_speed_and_what_the_file_has_to_say(
    running: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    wait_until(lambda: vault(running)["state"] == "reading", "the reader")
    file = running.board.paths.config
    lines = file.read_text().splitlines()
    (number,) = [at for at, line in enumerate(lines, start=1) if line.startswith("baud ")]
    ran = running.board.process("reader", "speed", "/dev/ttyAMA0", "115200")
    assert (ran.code, ran.out.splitlines()) == (
        0,
        [
            "/dev/ttyAMA0: vault at 115200 baud, before at 38400",
            f"now write in {file}:",
            f"  line {number}: door.vault.reader.baud = 115200",
            "until then each start of doord begins at the file's speed and looks for the readers for up to three minutes",
        ],
    )
    assert vault(running)["state"] == "reading"
    shown = running.board.run(capsys, "reader", "show", "vault").out.splitlines()
    assert "  line: /dev/ttyAMA0 at 115200 baud, address 1" in shown
    assert [line for line in shown if "doorctl.toml has to say baud = 115200" in line] != []
    told = json.loads(running.board.process("reader", "--json", "speed", "/dev/ttyAMA0", "115200").out)
    assert told == {
        "line": "/dev/ttyAMA0", "was": 115_200, "baud": 115_200, "readers": ["vault"], "file": str(file),
        "to_write": [{"line": number, "key": "door.vault.reader.baud", "baud": 115_200}],
    }  # fmt: skip
    back = running.board.process("reader", "speed", "/dev/ttyAMA0", "38400").out.splitlines()
    assert back == ["/dev/ttyAMA0: vault at 38400 baud, before at 115200", f"{file} says so too"]
    details = [line["detail"].partition(",")[0] for line in running.lines(capsys, "operator")]
    assert details[-2:] == [
        "speed of /dev/ttyAMA0 from 38400 to 115200 baud", "speed of /dev/ttyAMA0 from 115200 to 38400 baud",
    ]  # fmt: skip


def test_a_line_that_is_not_there_or_not_whole_keeps_its_speed(running: Running) -> None:
    ran = running.board.process("reader", "speed", "/dev/ttyUSB0", "9600")
    assert (ran.code, ran.out) == (1, "")
    assert "there is no line '/dev/ttyUSB0' in doorctl.toml\n  hint: lines: /dev/ttyAMA0\n" in ran.err
    running.hands.do("osdp", reader="vault", line="cut")
    wait_until(lambda: vault(running)["state"] == "offline", "the reader's absence")
    ran = running.board.process("reader", "speed", "/dev/ttyAMA0", "9600")
    assert ran.code == 1
    assert "/dev/ttyAMA0: not online, and would stay behind: vault; the speed was not changed" in ran.err
    running.hands.do("osdp", reader="vault", line="mend")
    wait_until(lambda: vault(running)["state"] == "reading", "its return")
    assert vault(running)["baud"] == 38_400


def test_no_key_is_in_the_log_or_in_any_file(running: Running) -> None:
    """What doord says with --debug, and everything it keeps, wrapped keys among it."""
    paths = running.board.paths
    key = ReaderKeyStore(paths.reader_keys, load_controller_keys(paths)).load("/dev/ttyAMA0 address 1").current
    assert key is not None
    contents = [path.read_bytes() for path in running.board.home.rglob("*") if path.is_file()]
    spelled = (key, key.hex().encode(), base64.b64encode(key), repr(key).encode())
    assert not any(written in content for content in contents for written in spelled)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("install", "vault", "--seconds", "0"), 'expected whole seconds from 1 to 600, found "0"'),
        (("install", "vault", "--seconds", "601"), 'expected whole seconds from 1 to 600, found "601"'),
        (("speed", "/dev/ttyAMA0", "14400"), "invalid choice: 14400"),
        (("install",), "the following arguments are required: DOOR"),
    ],
)
def test_wrong_usage(board: Board, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str) -> None:
    with pytest.raises(SystemExit) as ended:
        board.run(capsys, "reader", *arguments)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err
