"""`doorctl sim` as a process: the page over the real daemons, and nothing left of it whenever it is told to end."""

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.system

UP_WITHIN_S = 40.0
END_WITHIN_S = 15.0
SECRET_WORDS = ("duress", "panic", "coercion")


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A short one: the simulator makes a folder in it, and a socket's path has 107 bytes at most."""
    with tempfile.TemporaryDirectory(prefix="dc-") as folder:
        yield Path(folder)


class Simulation:
    """The process, and a browser without eyes."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.address = ""

    def wait_for_line(self, begin: str) -> str:
        assert self.process.stdout is not None
        said = []
        for line in self.process.stdout:
            said.append(line)
            if line.startswith(begin):
                return line
        raise AssertionError(f"ended before saying {begin!r}: {''.join(said)}")

    def ask(self, path: str, body: object = None) -> Any:
        where = urlsplit(self.address)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
        try:
            given = None if body is None else json.dumps(body)
            method = "GET" if body is None else "POST"
            connection.request(method, f"{where.path}{path}", given, {"content-type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode()
            assert answer.status == 200, (path, answer.status, text)
            return json.loads(text) if path.startswith("api/") else text
        finally:
            connection.close()

    def first_events(self, path: str, count: int) -> list[str]:
        """Names of the first events of a stream."""
        where = urlsplit(self.address)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
        try:
            connection.request("GET", f"{where.path}{path}")
            answer = connection.getresponse()
            assert answer.headers["content-type"].startswith("text/event-stream")
            names: list[str] = []
            while len(names) < count:
                line = answer.readline().decode()
                assert line, "the stream ended"
                names += [line.removeprefix("event: ").strip()] if line.startswith("event: ") else []
            return names
        finally:
            connection.close()

    def end(self, number: signal.Signals) -> tuple[int, float]:
        """Exit code, and how long it took."""
        began = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(30)
        return code, time.monotonic() - began


@contextmanager
def simulation(folder: Path) -> Iterator[Simulation]:
    """Everything it makes is under the folder, so that its processes can be told by it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "doorctl.cli.main", "sim"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=os.environ | {"TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"}, start_new_session=True,
    )  # fmt: skip
    try:
        yield Simulation(process)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(30)
        if process.stdout is not None:
            process.stdout.close()


def of_folder(folder: Path) -> list[str]:
    """Command lines of the processes that were told a home under it."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = place.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in words:
            found.append(words)
    return found


def wait_for(happened: Callable[[], Any], within_s: float = 10.0) -> Any:
    end = time.monotonic() + within_s
    while not (found := happened()):
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)
    return found


def visit(sim: Simulation, code: str) -> dict[str, Any]:
    """Ana's card and a code at the front door, through it, and the door as it was when it had opened."""
    sim.ask("api/door/front/card", {"card": "ana-lopez"})
    for key in code:
        sim.ask("api/door/front/keys", {"keys": key})
    opened: dict[str, Any] = wait_for(
        lambda: next((d for d in doors(sim) if d["name"] == "front" and d["released"]), None)
    )
    sim.ask("api/door/front/leaf", {"move": "open"})
    time.sleep(0.3)  # a leaf that is open for less is a bounce
    sim.ask("api/door/front/leaf", {"move": "close"})
    wait_for(lambda: doors(sim)[0]["state"] == "secured")
    return opened


def doors(sim: Simulation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sim.ask("api/door")["doors"]
    return found


def granted(sim: Simulation) -> list[dict[str, Any]]:
    return [{**line, "id": 0, "time": ""} for line in sim.ask("api/door")["log"] if line["what"] == "granted"]


def kinds(sim: Simulation) -> list[str]:
    """Of the visits at the front door that were laid under each other."""
    return [visit["kind"] for visit in sim.ask("api/compare")["compare"][0]["visits"]]


def calls(sim: Simulation) -> list[dict[str, Any]]:
    return [alarm for alarm in sim.ask("api/monitor")["alarms"] if alarm["kind"] == "duress"]


def test_a_visitor_plays_both_codes_breaks_things_and_leaves_nothing(tmp_path: Path) -> None:
    with simulation(tmp_path) as sim:
        sim.address = sim.wait_for_line("open this:").split()[-1]
        assert "At the monitor" in sim.ask("")
        wait_for(lambda: sim.ask("api/door")["board"]["running"] and sim.ask("api/monitor")["answering"])
        ana = sim.ask("api/people")["people"][0]
        assert sim.first_events("api/events", 1) == ["everything"]

        normal = visit(sim, ana["code"])
        wait_for(lambda: sim.ask("api/monitor")["records"] >= 4)
        assert calls(sim) == []
        forced = visit(sim, ana["duress_code"])
        (alarm,) = wait_for(lambda: calls(sim))
        assert (alarm["door"], alarm["person"], alarm["state"]) == ("front", "Ana Lopez", "new")
        lines = wait_for(lambda: len(granted(sim)) == 2 and granted(sim))
        assert (normal | {"state": "", "lamp": 0, "beep": 0}) == (forced | {"state": "", "lamp": 0, "beep": 0})
        assert lines[0] == lines[1]
        told = json.dumps(sim.ask("api/door"))
        assert not any(word in told for word in (*SECRET_WORDS, ana["code"], ana["duress_code"]))

        sim.ask(f"api/alarms/{alarm['id']}/ack", {"who": "the test"})
        assert wait_for(lambda: calls(sim)[0]["state"] == "acknowledged")
        assert wait_for(lambda: kinds(sim) == ["normal", "duress"])
        eva = sim.ask("api/people", {"label": "Eva Sand"})
        assert sim.ask("api/people")["people"][2] == eva | {"code": None, "duress_code": None}
        sim.ask("api/disk", {"stalled": True})
        sim.ask("api/door/office/visit", {"person": eva["holder"], "code": "normal"})
        wait_for(lambda: any("disk" in fault for fault in sim.ask("api/door")["board"]["faults"]))
        assert "eva-sand" not in json.dumps(sim.ask("api/door")["log"])
        sim.ask("api/disk", {"stalled": False})
        wait_for(lambda: "eva-sand" in json.dumps(sim.ask("api/door")["log"]))
        sim.ask(f"api/people/{eva['holder']}/remove", {})

        sim.ask("api/door/office/leaf", {"move": "force"})
        sim.ask("api/power", {"cut": True})
        assert wait_for(lambda: not sim.ask("api/door")["board"]["running"])
        sim.ask("api/power", {"cut": False})
        assert wait_for(lambda: sim.ask("api/door")["rig"]["power"] == "on", 30)
        assert wait_for(lambda: doors(sim)[1]["state"] == "open")  # as the board found it
        sim.ask("api/line", {"cut": True})
        sim.ask("api/doord/kill", {})
        assert wait_for(lambda: not sim.ask("api/door")["board"]["running"])
        sim.ask("api/line", {"cut": False})
        assert wait_for(lambda: sim.ask("api/door")["board"]["path"] == "connected", 20)

        assert len(of_folder(tmp_path)) >= 3
        code, took = sim.end(signal.SIGINT)
        assert code == 0
        assert took < END_WITHIN_S
        assert of_folder(tmp_path) == []
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("line", "number"),
    [("making a site", signal.SIGINT), ("starting doord", signal.SIGHUP)],
)
def test_told_to_end_while_it_starts_it_ends_and_leaves_nothing(
    tmp_path: Path, line: str, number: signal.Signals
) -> None:
    with simulation(tmp_path) as sim:
        sim.wait_for_line(line)
        code, took = sim.end(number)
        assert code == 0
        assert took < END_WITHIN_S
        assert of_folder(tmp_path) == []
        assert list(tmp_path.iterdir()) == []


def test_a_taken_port_is_said_before_anything_is_made(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "doorctl.cli.main", "sim", "--port", str(port)],
            capture_output=True, text=True, check=False, timeout=30, env=os.environ | {"TMPDIR": str(tmp_path)},
        )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"doorctl: error: --port {port}: cannot be had")
    assert list(tmp_path.iterdir()) == []
