"""What the units forbid, tried from inside each: not that a directive is written, but that it holds."""

import json
import re
from pathlib import Path

import pytest

from tests.board.conftest import Site
from tests.board.rig import Container

pytestmark = pytest.mark.board

ALL = {
    "a raw socket", "a netlink socket", "the kernel's log", "the memory", "a terminal's device", "the program",
    "somebody's home", "a kernel setting", "a control group", "another's process", "the host's name", "the clock",
    "a user name space", "a network name space", "a mount", "a module", "another process's memory",
    "another personality", "code that was written", "a set-uid file", "the fast lane",
}  # fmt: skip
FORBIDDEN = {
    "doorctl": ALL | {"a packet", "the network's interfaces", "the configuration", "the courier's keys"},
    "doorctl-courier": ALL | {"the configuration", "the door's keys", "the roster", "the journal"},
    "doorctl-monitor": ALL,
}
NEEDED = {
    "doorctl": {"the door's keys", "the roster", "the journal"},
    "doorctl-courier": {"a packet", "the courier's keys"},
    "doorctl-monitor": {"a packet"},
}
"""The probe does see what is there."""


@pytest.mark.parametrize("unit", FORBIDDEN)
def test_what_a_daemon_may_not(site: Site, unit: str) -> None:
    machine = site.monitor if unit == "doorctl-monitor" else site.board
    found = tried_inside(machine, unit)
    assert {name for name in FORBIDDEN[unit] if found[name] == "done"} == set(), found
    assert {name for name in NEEDED[unit] if found[name] != "done"} == set(), found


def tried_inside(machine: Container, unit: str) -> dict[str, str]:
    """The unit starts anew with the probe before it, and then without."""
    probe = machine.path("/usr/lib/doorctl/probe.py")
    probe.write_bytes(Path(__file__).with_name("probe.py").read_bytes())
    folder = f"/run/systemd/system/{unit}.service.d"
    machine.run(f"mkdir -p {folder}")
    line = "[Service]\nExecStartPre=/usr/lib/doorctl/bin/python -I /usr/lib/doorctl/probe.py\n"
    machine.path(f"{folder}/probe.conf").write_text(line, encoding="utf-8")
    machine.run(f"systemctl daemon-reload && systemctl restart {unit}")
    said = machine.run(f"journalctl -u {unit} -o cat")
    machine.run(f"rm -r {folder}; systemctl daemon-reload && systemctl restart {unit}")
    found: dict[str, str] = json.loads(re.findall(r"^probe (.*)$", said, re.MULTILINE)[-1])
    return found
