"""The machines of the documents: nothing of them stays, and what stands in for systemd is no easier to please than it."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.docs.blocks import ROOT
from tests.docs.machine import Machine, World
from tests.docs.needed import needed

pytestmark = pytest.mark.system
INSTALL = f"install -D -m 644 -t /etc/systemd/system {ROOT}/systemd/doorctl.service"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    for program in ("unshare", "nsenter", "setsid", "setpriv"):
        needed(program)
    with TemporaryDirectory(prefix="docs-") as folder, World(Path(folder), {}) as world:
        yield world


@pytest.fixture
def machine(world: World) -> Machine:
    return world.machine("board")


def test_what_a_document_changes_is_gone_with_its_machine(world: World) -> None:
    places = ["/etc", "/opt", "/usr/local", "/var/lib", "/media", "/run", str(ROOT)]
    if os.geteuid() == 0:
        places += ["/root", "/home"]
    for place in places:
        assert world.machine("board").run(f"touch {place}/doorctl-was-here", {}) == (0, "")
        assert not Path(place, "doorctl-was-here").exists()
        assert world.machine("monitor").run(f"test -e {place}/doorctl-was-here", {}) == (1, "")


def test_a_stick_is_carried_between_machines(world: World) -> None:
    assert world.machine("monitor").run("echo public > /media/stick/file", {}) == (0, "")
    assert world.machine("board").run("cat /media/stick/file", {}) == (0, "public\n")


def test_a_shell_remembers_and_tells_how_a_command_ended(machine: Machine) -> None:
    assert machine.run("cd /etc && here=there", {}) == (0, "")
    assert machine.run("pwd; echo $here; (exit 7)", {}) == (7, "/etc\nthere\n")
    code, seen = machine.run("echo up; sleep 600", {}, until="up")
    assert (code, seen.replace("^C", "")) == (130, "up\n")


def test_questions_are_answered_on_the_terminal(machine: Machine) -> None:
    def answer(asking: Machine, question: re.Match[str]) -> None:
        asking.type(f"{question[1]} it is\n")

    asked = 'read -p "which door? " said </dev/tty; echo "$said"'
    assert machine.run(asked, {r"which (\w+)\? ": answer}) == (0, "which door? door it is\ndoor it is\n")


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("systemctl start doorctl-nowhere", "could not be found"),
        ("systemctl frobnicate doorctl", "not known here: frobnicate"),
        ("systemctl --frobnicate start doorctl", "not known here: "),
        ("systemd-run --frobnicate true", "not known here: --frobnicate"),
        ("systemd-run -p User=ana true", "not known here: User=ana"),
        ("udevadm trigger", "not known here: "),
        ("udevadm control --reload", "no rules, or bad ones"),
        ("sudo -u ana true", "not known here: -u"),
        ("sudoedit /nowhere", "no such file"),
        (
            "sed -i s/^Restart=.*/Restart=alwayz/ /etc/systemd/system/doorctl.service; systemctl enable doorctl",
            "alwayz",
        ),
        ("systemctl start doorctl", "name not found: 'doorctl'"),
    ],
)
def test_what_systemd_would_refuse_is_refused(machine: Machine, command: str, complaint: str) -> None:
    assert machine.run(INSTALL, {}) == (0, "")
    code, said = machine.run(command, {})
    assert code != 0
    assert complaint in said


def test_a_unit_that_does_not_become_ready_has_failed(machine: Machine) -> None:
    unit = "[Service]\\nUser=ana\\nUMask=0077\\nWorkingDirectory=/\\nExecStart=/bin/echo no door here\\n"
    assert machine.run(f"printf '{unit}' > /etc/systemd/system/short.service", {}) == (0, "")
    code, said = machine.run("systemctl start short", {})
    assert (code, "Job for short.service failed" in said, "no door here" in said) == (1, True, True)
