"""`systemctl reload doorctl` on a real systemd: in force at once, or refused with the reason; the door works throughout."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.board.conftest import Site
from tests.board.rig import until
from tests.board.test_units import by_card
from tests.system.wheelhouse import ROOT

pytestmark = pytest.mark.board


@pytest.fixture
def file(site: Site) -> Iterator[Path]:
    """The board's configuration, as it was again afterwards, and in force."""
    path = site.board.path("/etc/doorctl/doorctl.toml")
    was = path.read_text(encoding="utf-8")
    yield path
    path.write_text(was, encoding="utf-8")
    site.board.run("systemctl reload doorctl")


def reload(site: Site) -> tuple[int, str]:
    """Its exit code, and what `systemctl status` says in its line then, at once."""
    code = site.board.run("systemctl reload doorctl >/dev/null 2>&1; echo $?")
    line = site.board.run("systemctl show --property=StatusText --value doorctl")
    assert site.board.run("systemctl is-active doorctl").strip() == "active"
    return int(code), line


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_another_time_counts_at_once(site: Site, file: Path) -> None:
    pid = site.board.main_pid("doorctl")
    change(file, "release_s = 2", "release_s = 1")
    assert "the file says something else" in site.board.run("doorctl status")
    code, line = reload(site)
    assert (code, "fault" in line) == (0, False)
    assert "the file says something else" not in site.board.run("doorctl status")
    assert "changed: door.front.strike.release_s" in site.board.run("journalctl -u doorctl -n 20")
    assert "configuration" in site.board.run("doorctl log")
    by_card(site)
    assert site.board.main_pid("doorctl") == pid


def test_ten_mistakes_are_ten_messages_and_the_door_works(site: Site, file: Path) -> None:
    pid, was = site.board.main_pid("doorctl"), file.read_text(encoding="utf-8")
    file.write_text((ROOT / "tests" / "config" / "mistaken.toml").read_text(encoding="utf-8"), encoding="utf-8")
    checked = [
        line for line in site.board.run("doorctl check", check=False).splitlines() if line[:13] == "doorctl.toml:"
    ]
    assert len(checked) >= 10
    code, line = reload(site)
    assert (code, "configuration: the file is not in force: doorctl.toml:3:" in line) == (1, True)
    told = site.board.run("journalctl -u doorctl -n 60")
    assert [message for message in checked if message not in told] == []
    status = site.board.run("doorctl status", check=False)
    assert checked[0] in status
    assert f"and {len(checked) - 3} more" in status
    file.write_text(was, encoding="utf-8")  # the hands at the mock need one as well; doord has not read it yet
    by_card(site)
    assert "FAULT configuration" in site.board.run("doorctl status", check=False)
    assert reload(site)[0] == 0
    assert "FAULT configuration" not in site.board.run("doorctl status", check=False)
    assert site.board.main_pid("doorctl") == pid


def test_another_pin_waits_for_a_restart(site: Site, file: Path) -> None:
    pid, was = site.board.main_pid("doorctl"), file.read_text(encoding="utf-8")
    change(file, '"GPIO17"', '"GPIO26"')
    assert reload(site)[0] == 1
    said = site.board.run("doorctl reload", check=False)
    assert "door.front.strike.pin: counts when doord is started again" in said
    assert "systemctl restart doorctl" in said
    file.write_text(was, encoding="utf-8")
    by_card(site)
    assert "door.front.strike.pin" in site.board.run("doorctl status", check=False)
    assert site.board.main_pid("doorctl") == pid


def test_a_signal_asks_as_well(site: Site, file: Path) -> None:
    pid = site.board.main_pid("doorctl")
    change(file, "[door.front]\n", "[door.front]\nheld_open_s = 48\n")
    site.board.kill("doorctl", "HUP")
    until(lambda: "by a signal" in site.board.run("doorctl log"), 30, "nobody heard the signal")
    assert site.board.run("systemctl is-active doorctl").strip() == "active"
    assert site.board.main_pid("doorctl") == pid
