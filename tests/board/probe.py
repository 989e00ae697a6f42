"""Tries what a daemon has no business with; prints a JSON table: what was tried, what came of it.

Runs as ExecStartPre= of each unit, with that unit's own user, files, filters and devices, and once as the same user
without a unit, which shows that a try can succeed. In a unit `done` is a promise broken.
"""

import ctypes
import errno
import json
import mmap
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

BESIDE: Final = Path(__file__).parent
"""What test_hardening.py lays there."""
ADDR_NO_RANDOMIZE: Final = 0x0040000
NEW_USER, NEW_NET = 0x10000000, 0x40000000
TRACE_ME: Final = 0
DONE: Final = 199
"""No errno."""
READ_BOUND: Final = 23
"""PR_CAPBSET_READ of linux/prctl.h."""
SHARED_KEY: Final = 0x646F6F72
"""Of a piece of System V memory that is left behind."""
CREATE: Final = 0o1600
KEYCTL, SEARCH, SESSION = 250, 10, -3
"""The syscall's number on x86-64, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING."""
INIT_MODULE, CLOCK_SETTIME = 175, 227
"""On x86-64; the C library's clock_settime looks at its arguments itself."""
SYSTEM: Final = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: object) -> int:
    """A C function; OSError as it says."""
    returned: int = getattr(SYSTEM, name)(*arguments)
    if returned == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return returned


def refused(when: bool, why: str) -> None:
    if when:
        raise PermissionError(errno.EPERM, why)


def write(path: str) -> None:
    with Path(path).open("ab"):
        pass


def read(path: str) -> None:
    if Path(path).is_dir():
        list(Path(path).iterdir())
    else:
        Path(path).read_bytes()


def mounted_writable(path: str) -> None:
    """Where only root may write: the mount would stop root as well."""
    refused(bool(os.statvfs(path).f_flag & os.ST_RDONLY), "read-only")


def set_user_id() -> None:
    file = Path("probe")
    file.touch()
    try:
        file.chmod(0o4755)
    finally:
        file.unlink()


def for_others() -> None:
    file = Path("probe")
    file.touch()
    try:
        refused(file.stat().st_mode & 0o077 == 0, "private")
    finally:
        file.unlink()


def of_the_door() -> None:
    """Its folders are covered, not only closed to this user."""
    refused(Path("/var/lib/doorctl/keys").stat().st_mode & 0o777 == 0, "covered")


def temporary_file() -> None:
    refused(not Path("/tmp/of-others").exists(), "hidden")


def become_root() -> None:
    """By a program whose set-uid bit says so."""
    said = subprocess.run([BESIDE / "id", "-u"], check=True, capture_output=True, text=True).stdout
    refused(said.strip() != "0", "the bit has no effect")


def thirty_two_bits() -> None:
    """A program of another architecture's system calls; it ends with 7."""
    refused(subprocess.run([BESIDE / "i386"], check=False).returncode != 7, "ended")


def written_code() -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def others_processes() -> None:
    refused(not Path("/proc/1/status").exists(), "hidden")


def traced() -> None:
    """A system call that only debuggers make, in a child: whoever is traced stops at signals."""
    child = os.fork()
    if child == 0:
        os._exit(DONE if SYSTEM.ptrace(TRACE_ME, 0, None, None) == 0 else ctypes.get_errno())
    raise_unless_done(child)


def raise_unless_done(child: int) -> None:
    """What the child's try came to."""
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code != DONE:
        raise OSError(code, os.strerror(code))


def real_time() -> None:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def set_clock() -> None:
    """To a time that there is not: a kernel that is reached says so before it asks who wants it."""
    try:
        call("syscall", CLOCK_SETTIME, 0, ctypes.byref((ctypes.c_long * 2)(0, -1)))
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise


def capability() -> None:
    refused(not any(SYSTEM.prctl(READ_BOUND, number, 0, 0, 0) == 1 for number in range(41)), "none is in reach")


def own_name_space() -> None:
    """In a child: who is in one has all capabilities there."""
    child = os.fork()
    if child == 0:
        os._exit(DONE if SYSTEM.unshare(NEW_USER) == 0 else ctypes.get_errno())
    raise_unless_done(child)


def core_dump() -> None:
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
    except ValueError as error:
        raise PermissionError(errno.EPERM, "no core") from error


def host_name() -> None:
    """Of the machine, not of a name space of its own."""
    here = Path("/proc/self/ns/uts").readlink()
    refused(str(here) != os.environ["MACHINE_UTS"], "another name space")


def keyring() -> None:
    """Of the user, which all its processes share; the number of the call is x86-64's."""
    call("syscall", KEYCTL, SEARCH, SESSION, b"keyring", f"_uid.{os.getuid()}".encode(), 0)


def leave_memory() -> None:
    call("shmget", SHARED_KEY, 4096, CREATE)


def send() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.sendto(b"?", ("10.77.0.2", 9))


def interfaces() -> None:
    told = Path("/proc/self/net/dev").read_text(encoding="ascii").splitlines()[2:]
    refused([line for line in told if not line.strip().startswith("lo:")] == [], "none")


TRIES: Final[dict[str, Callable[[], object]]] = {
    "a packet": send,
    "a raw socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close(),
    "a netlink socket": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close(),
    "the network's interfaces": interfaces,
    "the kernel's log": lambda: read("/dev/kmsg"),
    "a device of others": lambda: write("/dev/of-others"),
    "a program that all may change": lambda: write(str(BESIDE / "for-all")),
    "the program": lambda: write("/usr/lib/doorctl/pyvenv.cfg"),
    "the configuration": lambda: write("/etc/doorctl/doorctl.toml"),
    "the homes": lambda: read("/home"),
    "a temporary file of others": temporary_file,
    "a file for others": for_others,
    "the door's keys": lambda: read("/var/lib/doorctl/keys"),
    "the door's folders": of_the_door,
    "the roster": lambda: read("/var/lib/doorctl/roster"),
    "the journal": lambda: read("/var/lib/doorctl/journal"),
    "the courier's keys": lambda: read("/var/lib/doorctl/courier"),
    "a kernel setting": lambda: mounted_writable("/proc/sys/kernel/domainname"),
    "the kernel's tables": lambda: read("/proc/uptime"),
    "a control group": lambda: mounted_writable("/sys/fs/cgroup"),
    "another's process": others_processes,
    "the host's name": host_name,
    "the clock": set_clock,
    "a capability": capability,
    "root by a set-uid program": become_root,
    "a user name space": own_name_space,
    "a network name space": lambda: call("unshare", NEW_NET),
    "a mount": lambda: call("mount", b"none", b"/tmp", b"tmpfs", 0, None),
    "a module": lambda: call("syscall", INIT_MODULE, None, 0, b""),
    "the kernel's modules": lambda: read("/usr/lib/modules"),
    "a debugger's call": traced,
    "a program of 32 bits": thirty_two_bits,
    "another personality": lambda: call("personality", ADDR_NO_RANDOMIZE),
    "code that was written": written_code,
    "a set-uid file": set_user_id,
    "the fast lane": real_time,
    "a core dump": core_dump,
    "the user's keyring": keyring,
    "memory left behind": leave_memory,
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
