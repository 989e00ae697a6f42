"""`python -m doorctl.doord` as systemd starts it: a real process, from its files to its end."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from doorctl.cli.ask import ask
from doorctl.config.digest import config_digest
from doorctl.config.reading import read_config
from doorctl.doord.__main__ import main
from doorctl.journal.journal import Journal
from doorctl.journal.reader import JournalReader
from doorctl.paths import Paths
from doorctl.roster.enrolment import RosterWriter
from doorctl.seal.keys import ControllerFile, create_tls, load_controller_keys, write_controller_file
from tests.doord.site import CHEAP
from tests.doord.test_assembly import make_board

PATIENCE_S = 20
pytestmark = pytest.mark.system


@pytest.fixture
def home(folder: Path) -> Path:
    """All that a start reads."""
    paths = make_board(folder / "home", simulated=True)
    RosterWriter.create(paths.roster, today=date(2027, 1, 1), stretch=CHEAP, code_length=8, codes_per_holder=2).close()
    return folder / "home"


@contextlib.contextmanager
def started(home: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """The daemon, once it has told systemd that it is ready."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        home.with_name("notify").unlink(missing_ok=True)
        ear.bind(str(home.with_name("notify")))
        ear.settimeout(0.1)
        with subprocess.Popen(
            [sys.executable, "-m", "doorctl.doord", "--home", str(home), *arguments],
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # no terminal, as under systemd, wherever the suite was started
            env={**os.environ, "NOTIFY_SOCKET": str(home.with_name("notify"))},
        ) as process:
            try:
                assert ready(ear, process), process.stderr.read() if process.stderr else ""
                yield process
            finally:
                process.kill()


def ready(ear: socket.socket, process: "subprocess.Popen[str]") -> bool:
    """Whether it said so before it ended or patience did."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(TimeoutError):
            return ear.recv(100) == b"READY=1"
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_clean_stop_ends_with_0_and_leaves_nothing(home: Path, number: signal.Signals) -> None:
    paths = Paths.under(home)
    with started(home, "--debug") as process:
        assert ask(paths, "status")["doors"][0]["name"] == "front"
        core = Path(f"/proc/{process.pid}/limits").read_text().partition("Max core file size")[2].split()[0]
        assert core == "0", "a core would hold codes and keys"
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == 0
        assert process.stderr is not None
        said = process.stderr.read()
    assert "doord: INFO: ready: 3 doors, mock chip" in said
    assert "Traceback" not in said
    assert list(paths.run.iterdir()) == []


def test_a_signal_has_the_file_read_again_and_ends_nothing(home: Path) -> None:
    paths = Paths.under(home)
    with started(home) as process:
        was = ask(paths, "status")["configuration"]
        text = paths.config.read_text()
        paths.config.write_text(text.replace("release_s = 5", "release_s = 6", 1))
        process.send_signal(signal.SIGHUP)
        end = time.monotonic() + PATIENCE_S
        while (status := ask(paths, "status"))["configuration"] == was and time.monotonic() < end:
            time.sleep(0.02)
        assert status["configuration"] == config_digest(read_config(paths.config)) != was
        paths.config.write_text("[site]\n")
        answer = ask(paths, "reload")
        assert (answer["applied"], answer["configuration"]) == (False, status["configuration"])
        assert process.poll() is None
        process.terminate()
        assert process.wait(PATIENCE_S) == 0
        assert process.stderr is not None
        said = process.stderr.read()
    assert "changed: door.front.strike.release_s" in said
    assert "doord: ERROR: configuration: doorctl.toml:1: site.id: expected" in said


_AT_A_TERMINAL = "import sys; from doorctl.doord.__main__ import _has_terminal; sys.exit(7 if _has_terminal() else 8)"
_IN_A_TERMINAL = f"""
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn([sys.executable, "-c", {_AT_A_TERMINAL!r}])))
"""


@pytest.mark.parametrize(("program", "code"), [(_AT_A_TERMINAL, 8), (_IN_A_TERMINAL, 7)])
def test_at_a_terminal_a_hang_up_is_left_to_end_it(program: str, code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == code


def test_a_killed_one_starts_again_and_says_where_it_was(home: Path) -> None:
    paths = Paths.under(home)
    for _ in range(2):
        with started(home) as process:
            assert ask(paths, "unlock", door="office")["ok"]
            process.kill()
            process.wait(PATIENCE_S)
    rows = [row.row.event for row in JournalReader(paths.journal).log(100)]
    assert rows == ["start", "operator", "start", "operator"]
    with Journal.open(paths.journal) as journal:
        assert journal.recovered is None
        assert journal.status().pending == 4


def test_a_second_one_on_the_same_board_does_not_start(home: Path) -> None:
    with started(home):
        second = subprocess.run(
            [sys.executable, "-m", "doorctl.doord", "--home", str(home)],
            capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        assert second.returncode == 1
        assert second.stderr.startswith("doord: error: ")
        assert "in use by another doord" in second.stderr
        assert "Traceback" not in second.stderr
        assert ask(Paths.under(home), "status")["ok"], "and the first goes on"


def test_a_name_that_the_monitor_does_not_know_is_said_and_keeps_no_door_shut(home: Path) -> None:
    paths = Paths.under(home)
    keys = load_controller_keys(paths)
    write_controller_file(
        paths.controller_public,
        ControllerFile(
            controller=keys.controller,
            identity=keys.identity.public_key(),
            certificate_der=create_tls(paths.courier_keys / "tls.key", paths.courier_keys / "tls.crt", name="before"),
            site="before",
            timezone="UTC",
            simulated=True,
        ),
    )
    with started(home) as process:
        assert ask(paths, "unlock", door="office")["ok"]
        process.terminate()
        assert process.wait(PATIENCE_S) == 0
        assert process.stderr is not None
        said = process.stderr.read()
    assert (
        f'doord: WARNING: {paths.controller_public}: site: expected "demo-site" as in doorctl.toml, found "before", '
        "which is what the monitor shows; where doorctl.toml is right: `doorctl init`, then "
        "`doorctl monitor trust controller.toml` at the monitor again\n" in said
    )


def test_what_cannot_start_says_so_and_ends_with_1(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resource.setrlimit", lambda *_: None)
    monkeypatch.setattr("logging.basicConfig", lambda **_: None)
    assert main(["--home", str(folder / "nowhere")]) == 1
    said = capsys.readouterr().err
    assert said.startswith("doord: error: ")
    assert "there is no configuration" in said
    assert "hint: " in said
