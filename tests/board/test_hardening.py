"""What the units forbid, tried from inside each: not that a directive is written, but that it holds.

Each directive is named with the tries that it alone, or it with others, must refuse; one that nothing tries fails here.
The same tries by the same user without a unit show that they can succeed.
"""

import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.board.conftest import Site
from tests.board.rig import Container, until
from tests.system.wheelhouse import ROOT

pytestmark = pytest.mark.board

REFUSES: Final = {
    "User": {"the configuration"},
    "Group": {"the configuration"},
    "UMask": {"a file for others"},
    "ProtectSystem": {"the program", "a program that all may change"},
    "ProtectHome": {"the homes"},
    "PrivateTmp": {"a temporary file of others"},
    "InaccessiblePaths": {"the door's folders", "the door's keys", "the roster", "the journal"},
    "DevicePolicy": {"a device of others"},
    "PrivateDevices": {"a device of others"},
    "PrivateNetwork": {"the network's interfaces"},
    "RestrictAddressFamilies": {"a raw socket", "a netlink socket"},
    "NoNewPrivileges": {"root by a set-uid program"},
    "CapabilityBoundingSet": {"a capability", "a mount"},
    "AmbientCapabilities": {"a capability"},
    "ProtectKernelTunables": {"a kernel setting"},
    "ProtectKernelModules": {"the kernel's modules", "a module"},
    "ProtectKernelLogs": {"the kernel's log"},
    "ProtectControlGroups": {"a control group"},
    "ProtectClock": {"the clock"},
    "ProtectHostname": {"the host's name"},
    "ProtectProc": {"another's process"},
    "ProcSubset": {"the kernel's tables"},
    "LockPersonality": {"another personality"},
    "MemoryDenyWriteExecute": {"code that was written"},
    "RestrictNamespaces": {"a user name space", "a network name space"},
    "RestrictRealtime": {"the fast lane"},
    "RestrictSUIDSGID": {"a set-uid file"},
    "KeyringMode": {"the user's keyring"},
    "SystemCallArchitectures": {"a program of 32 bits"},
    "SystemCallFilter": {"a debugger's call"},
    "SystemCallErrorNumber": {"a debugger's call"},
    "LimitCORE": {"a core dump"},
}
OTHERWISE: Final = {
    "RemoveIPC": "tried_inside() sees what is left in memory go",
    "IPAddressDeny": "no packet gets as far: there is no AF_INET",
    "SocketBindDeny": "has no effect on Debian 12, as the unit says",
}
OPENS: Final = {
    "Type", "NotifyAccess", "ExecStart", "ExecReload", "ExecStopPost", "Restart", "RestartSec", "WatchdogSec",
    "TimeoutAbortSec", "TimeoutStartSec", "TimeoutStopSec", "OOMScoreAdjust", "SupplementaryGroups", "RuntimeDirectory",
    "RuntimeDirectoryMode", "StateDirectory", "StateDirectoryMode", "WorkingDirectory", "ReadWritePaths", "DeviceAllow",
    "LimitNOFILE", "MemoryMax", "TasksMax",
}  # fmt: skip
"""Forbids nothing of what is tried; the limits are not in effect in a container."""
NEEDED: Final = {
    "doorctl": {"the door's keys", "the roster", "the journal"},
    "doorctl-courier": {"a packet", "the courier's keys"},
    "doorctl-monitor": {"a packet"},
}
"""The probe does see what is there."""
WITHOUT_A_UNIT: Final = {
    "a packet", "a netlink socket", "the network's interfaces", "a device of others", "the homes",
    "a temporary file of others", "a file for others", "the kernel's tables", "another's process", "the host's name",
    "the clock", "a capability", "root by a set-uid program", "a user name space", "the kernel's modules",
    "a debugger's call", "a program of 32 bits", "another personality", "code that was written", "a set-uid file",
    "a core dump", "a program that all may change", "a kernel setting", "a control group",
}  # fmt: skip
"""What the daemons' users can do; all else needs root, and is refused in a unit as well."""
PLACE: Final = "/usr/lib/probe"
LEFT_BEHIND: Final = "0x646f6f72"
"""The probe's SHARED_KEY."""
COMMAND: Final = f"/usr/lib/doorctl/bin/python -I {PLACE}/probe.py"
ENDS_WITH_7: Final = bytes.fromhex("b801000000 bb07000000 cd80")
"""exit(7), as 32 bits do it."""
LOADED_AT: Final = 0x08048000


def directives(unit: str) -> list[str]:
    """Of the [Service] section."""
    text = (ROOT / "systemd" / f"{unit}.service").read_text(encoding="utf-8")
    return re.findall(r"^([A-Z]\w+)=", text.partition("[Service]")[2].partition("[Install]")[0], re.MULTILINE)


def program_of_32_bits() -> bytes:
    """An ELF file: the two headers, and the code behind them."""
    size = 52 + 32 + len(ENDS_WITH_7)
    head = struct.pack(
        "<16sHHIIIIIHHHHHH", b"\x7fELF\x01\x01\x01", 2, 3, 1, LOADED_AT + 84, 52, 0, 0, 52, 32, 1, 0, 0, 0
    )  # fmt: skip
    return head + struct.pack("<8I", 1, 0, LOADED_AT, LOADED_AT, size, size, 5, 0x1000) + ENDS_WITH_7


@pytest.fixture(scope="module", params=NEEDED)
def unit(site: Site, request: pytest.FixtureRequest) -> Iterator[tuple[Container, str]]:
    machine = site.monitor if request.param == "doorctl-monitor" else site.board
    machine.run(
        f"mkdir -p {PLACE} /usr/lib/modules /home; cp /usr/bin/id {PLACE}; chmod 4755 {PLACE}/id; touch /tmp/of-others; "
        f"touch {PLACE}/for-all; chmod 666 {PLACE}/for-all; "
        "test -e /dev/of-others || mknod -m 666 /dev/of-others c 10 237"
    )
    machine.path(f"{PLACE}/probe.py").write_bytes(Path(__file__).with_name("probe.py").read_bytes())
    machine.path(f"{PLACE}/i386").write_bytes(program_of_32_bits())
    machine.path(f"{PLACE}/i386").chmod(0o755)
    yield machine, request.param
    machine.run(f"rm -r {PLACE}")


def test_a_daemon_may_do_what_it_needs_and_nothing_else(unit: tuple[Container, str]) -> None:
    machine, name = unit
    written = set(directives(name))
    assert written - OPENS - OTHERWISE.keys() - REFUSES.keys() == set(), "nothing shows that it works"
    found = tried_inside(machine, name)
    forbidden = {one for directive in written & REFUSES.keys() for one in REFUSES[directive]}
    assert {one for one in forbidden if found[one] == "done"} == set(), found
    assert {one for one in NEEDED[name] if found[one] != "done"} == set(), found
    assert {found["a debugger's call"], found["the clock"]} == {"EPERM"}, found


def test_without_a_unit_its_user_may(unit: tuple[Container, str]) -> None:
    machine, name = unit
    user = f"setpriv --reuid {name} --regid {name} --clear-groups"
    uts = machine.run("readlink /proc/1/ns/uts").strip()
    said = machine.run(f"cd $(su -s /bin/sh {name} -c 'mktemp -d'); MACHINE_UTS={uts} {user} {COMMAND}")
    found = said_by_probe(said)
    assert WITHOUT_A_UNIT - {one for one in found if found[one] == "done"} == set(), found


def tried_inside(machine: Container, unit: str) -> dict[str, str]:
    """The unit starts anew with the probe before it, and then without; what the probe left in memory is gone by then."""
    machine.run(f"ipcrm -M {LEFT_BEHIND}", check=False)
    with_probe(machine, unit)
    said = machine.run(f"journalctl -u {unit} -o cat")
    assert in_memory(machine)
    machine.run(f"systemctl stop {unit}")
    # systemd ends the job first, and then the memory
    until(lambda: not in_memory(machine), 10, "the memory stays")
    without_probe(machine, unit)
    return said_by_probe(said)


def in_memory(machine: Container) -> bool:
    return LEFT_BEHIND in machine.run("ipcs -m")


def with_probe(machine: Container, unit: str) -> None:
    uts = machine.run("readlink /proc/1/ns/uts").strip()
    machine.path(f"/run/systemd/system/{unit}.service.d").mkdir(parents=True)
    line = f"[Service]\nEnvironment=MACHINE_UTS={uts}\nExecStartPre={COMMAND}\n"
    machine.path(f"/run/systemd/system/{unit}.service.d/probe.conf").write_text(line, encoding="utf-8")
    machine.run(f"systemctl daemon-reload && systemctl restart {unit}")


def without_probe(machine: Container, unit: str) -> None:
    machine.run(f"rm -r /run/systemd/system/{unit}.service.d; systemctl daemon-reload && systemctl restart {unit}")


def said_by_probe(output: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(re.findall(r"^probe (.*)$", output, re.MULTILINE)[-1])
    return found
