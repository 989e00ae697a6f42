"""A whole site that runs, doors and monitor: doctor finds nothing wrong, and names what breaks while it runs."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorctl.cli.sim_site import SimSite, wait_for
from tests.cli.board import Board, as_nobody, make_monitor
from tests.cli.doctors import doctor, of
from tests.doord.house import short_folder

pytestmark = pytest.mark.system
TAMPER, DATA_LINE = "GPIO23", "GPIO8"
COLOCATED = "the monitor's keys are on this board, so the door can know"


@pytest.fixture(scope="module")
def site() -> Iterator[SimSite]:
    """Each test mends what it broke; the last ones break it for good. In memory: no disk is slow there."""
    with short_folder() as folder:
        folder.chmod(0o755)
        with SimSite(folder / "site") as running:
            running.make()
            running.enrol("Ana Lopez", 3456)
            running.start()
            # its port is bound before the part that writes this has come up
            wait_for("the alarms' database", running.paths.alarms.exists)
            yield running


@pytest.fixture
def board(site: SimSite) -> Board:
    return Board(home=site.paths.etc.parent)


def names(board: Board, capsys: pytest.CaptureFixture[str], check: str, words: str, side: str = "--board") -> bool:
    """Whether doctor says that it is wrong, and what to do."""
    found = of(doctor(board, capsys, side), "wrong", check)
    return any(words in said and hint for said, hint in found.items())


def test_a_site_that_is_well(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    found = doctor(board, capsys)
    assert of(found, "wrong") == {}
    assert [words.partition(": ")[2] for words in of(found, "warning")] == [COLOCATED]
    assert list(of(found, "ok", "look-up key")) == ["it is the roster's"]
    assert list(of(found, "ok", "in force")) == ["doord runs with these files"]
    (way,) = of(found, "ok", "way to monitor")
    assert way.endswith(": answers, with the certificate of the pairing")
    assert [words.partition(" ")[0] for words in of(found, "ok", "boards")] == ["demo-site"]
    assert set(of(found, "unseen")) == {
        "mock hardware: there is no chip", "not installed as a service: this is a folder of its own",
    }  # fmt: skip


def test_as_people_read_it(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    ran = board.run(capsys, "doctor", "--board")
    lines = ran.out.splitlines()
    assert ran.code == 0
    assert lines[-1] == "nothing is wrong, 1 warning, 2 not looked at"
    assert lines[1] == "ok       in force        doord runs with these files"


def test_a_configuration_that_doord_does_not_know_yet(
    site: SimSite, board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    was = site.paths.config.read_text()
    site.paths.config.write_text(f"# a comment counts for nothing\n{was}")
    assert of(doctor(board, capsys, "--board"), "wrong") == {}
    site.paths.config.write_text(was.replace("release_s = 5", "release_s = 6"))
    assert names(board, capsys, "in force", "doorctl.toml says something else than what doord runs with")
    site.paths.config.write_text(was)


def test_monitor_toml_of_another_monitor(
    site: SimSite, board: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    was = site.paths.monitor_public.read_bytes()
    other = make_monitor(tmp_path / "other", simulated=True).read_text()
    site.paths.monitor_public.write_text(other.replace("127.0.0.1:9", f"127.0.0.1:{site.network.port}"))
    found = of(doctor(board, capsys, "--board"), "wrong")
    assert any("is of another monitor, or has other keys" in words for words in found)
    assert any("shows another certificate than monitor.toml has" in words for words in found)
    site.paths.monitor_public.write_bytes(was)


def test_a_reader_that_is_opened(site: SimSite, board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    with site.drive() as hands:
        hands.do("input", pin=TAMPER, level=False)
        wait_for("the tamper fault", lambda: site.status()["faults"])
        assert names(board, capsys, "hardware", "tamper front: active")
        hands.do("input", pin=TAMPER, level=True)
        wait_for("its end", lambda: not site.status()["faults"])


def test_a_wire_that_is_cut(site: SimSite, board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    with site.drive() as hands:
        hands.do("input", pin=DATA_LINE, level=False)
        wait_for("the reader's fault", lambda: site.status()["faults"])
        assert names(board, capsys, "hardware", "reader office: line low")
        hands.do("input", pin=DATA_LINE, level=True)
        wait_for("its end", lambda: not site.status()["faults"])


def test_lockdown_is_worth_a_word(site: SimSite, board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    assert board.run(capsys, "lockdown", "on").code == 0
    assert "lockdown is on: every credential is refused" in of(doctor(board, capsys, "--board"), "warning", "doord")
    assert board.run(capsys, "lockdown", "off").code == 0


def test_who_may_not_ask_doord(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    with as_nobody():
        found = doctor(board, capsys, "--board")
    assert list(of(found, "unseen", "doord")) == ["doord runs, and does not tell you"]
    assert of(found, "wrong") == {}


def test_a_network_that_is_cut(site: SimSite, board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    site.network.cut()
    wait_for("the courier to notice", lambda: site.status()["path"]["state"] != "connected")
    assert of(doctor(board, capsys, "--board"), "ok", "courier") == {}, "refused, unreachable or trying again"
    assert names(board, capsys, "way to monitor", "no TLS 1.3")
    site.network.mend()
    wait_for("the courier to be back", lambda: site.status()["path"]["state"] == "connected")


def test_a_courier_that_does_not_run(site: SimSite, board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    site.courier.stop()
    wait_for("doord to notice", lambda: site.status()["path"]["state"] == "no courier")
    assert names(board, capsys, "courier", "courierd does not run")


def test_a_monitor_that_does_not_run(site: SimSite, board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    site.monitor.stop()
    assert names(board, capsys, "running", "nobody answers at the console's address", "--monitor")
    assert names(board, capsys, "running", "nobody answers at the ingest's address", "--monitor")


def test_a_doord_that_was_killed(site: SimSite, board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    site.doord.kill()
    assert names(board, capsys, "doord", "doord does not run")
    stale = of(doctor(board, capsys, "--board"), "warning", "sockets")
    assert sorted(words.partition(": ")[0].rpartition("/")[2] for words in stale) == [
        "control.sock", "courier.sock", "mock.sock",
    ]  # fmt: skip


def test_a_board_without_a_monitor_beside_it_is_only_a_board(
    site: SimSite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(site.paths.etc, tmp_path / "b" / "etc")
    assert {finding["side"] for finding in doctor(Board(home=tmp_path / "b"), capsys)} == {"board"}
