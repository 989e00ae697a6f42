"""Tries what a daemon has no business with, from inside its unit; prints a JSON table: what was tried, what came of it.

Runs as ExecStartPre= of each unit, with that unit's own user, files, filters and devices. `done` is a promise broken.
"""

import ctypes
import errno
import json
import mmap
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

PERSONALITY_READ: Final = 0xFFFFFFFF
ADDR_NO_RANDOMIZE: Final = 0x0040000
NEW_USER, NEW_NET = 0x10000000, 0x40000000
SYSTEM: Final = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: object) -> None:
    """A C function; OSError as it says."""
    if getattr(SYSTEM, name)(*arguments) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def write(path: str) -> None:
    with Path(path).open("ab"):
        pass


def read(path: str) -> None:
    if Path(path).is_dir():
        list(Path(path).iterdir())
    else:
        Path(path).read_bytes()


def set_user_id() -> None:
    file = Path("probe")
    file.touch()
    try:
        file.chmod(0o4755)
    finally:
        file.unlink()


def written_code() -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def others_processes() -> None:
    if not Path("/proc/1/status").exists():
        raise PermissionError(errno.EPERM, "hidden")


def real_time() -> None:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def send() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.sendto(b"?", ("10.77.0.2", 9))


def interfaces() -> None:
    told = Path("/proc/self/net/dev").read_text(encoding="ascii").splitlines()[2:]
    if [line for line in told if not line.strip().startswith("lo:")] == []:
        raise PermissionError(errno.EPERM, "none")


TRIES: Final[dict[str, Callable[[], object]]] = {
    "a packet": send,
    "a raw socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close(),
    "a netlink socket": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close(),
    "the network's interfaces": interfaces,
    "the kernel's log": lambda: read("/dev/kmsg"),
    "the memory": lambda: read("/dev/mem"),
    "a terminal's device": lambda: write("/dev/tty1"),
    "a random device that others have": lambda: write("/dev/full"),
    "the program": lambda: write("/usr/lib/doorctl/pyvenv.cfg"),
    "the configuration": lambda: write("/etc/doorctl/doorctl.toml"),
    "somebody's home": lambda: read("/root"),
    "the door's keys": lambda: read("/var/lib/doorctl/keys"),
    "the roster": lambda: read("/var/lib/doorctl/roster"),
    "the journal": lambda: read("/var/lib/doorctl/journal"),
    "the courier's keys": lambda: read("/var/lib/doorctl/courier"),
    "a kernel setting": lambda: write("/proc/sys/kernel/domainname"),
    "a control group": lambda: Path("/sys/fs/cgroup/probe").mkdir(),
    "another's process": others_processes,
    "the host's name": lambda: call("sethostname", b"probe", 5),
    "the clock": lambda: call("clock_settime", 0, ctypes.byref((ctypes.c_long * 2)(0, 0))),
    "a user name space": lambda: call("unshare", NEW_USER),
    "a network name space": lambda: call("unshare", NEW_NET),
    "a mount": lambda: call("mount", b"none", b"/tmp", b"tmpfs", 0, None),
    "a module": lambda: call("syscall", 175, None, 0, b""),
    "another process's memory": lambda: call("ptrace", 16, 1, None, None),
    "another personality": lambda: call("personality", ADDR_NO_RANDOMIZE),
    "code that was written": written_code,
    "a set-uid file": set_user_id,
    "the fast lane": real_time,
}


def main() -> None:
    """Each in turn."""
    signal.signal(signal.SIGSYS, signal.SIG_DFL)
    found = {}
    for name, attempt in TRIES.items():
        try:
            attempt()
            found[name] = "done"
        except OSError as error:
            found[name] = errno.errorcode.get(error.errno or 0, "?")
    sys.stdout.write(f"probe {json.dumps(found)}\n")


main()
