"""What a running process costs, as the kernel accounts for it; and when a daemon says that it is ready."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

_TICKS = os.sysconf("SC_CLK_TCK")
READY_WITHIN_S = 30.0


def pss_mib(pid: int) -> float:
    """Proportional set size: what the process adds to the machine, shared pages divided among those who share."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no Pss of {pid}")


def cpu_s(pid: int) -> float:
    """User and system time so far, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def family(pid: int) -> list[int]:
    """The process and everything it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *(below for child in children for below in family(int(child)))]


def idle_percent(pids: Sequence[int], seconds: float = 10.0) -> list[float]:
    """Share of one core that each process uses while nothing happens."""
    before = [cpu_s(pid) for pid in pids]
    time.sleep(seconds)
    return [100 * (cpu_s(pid) - begun) / seconds for pid, begun in zip(pids, before, strict=True)]


def start_to_ready_ms(arguments: Sequence[str]) -> float:
    """From exec to READY=1 of one daemon, which is then stopped."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hears:
        hears.bind(f"{folder}/notify")
        hears.settimeout(READY_WITHIN_S)
        environment = {**os.environ, "NOTIFY_SOCKET": f"{folder}/notify"}
        begun = time.perf_counter()
        daemon = subprocess.Popen(
            [sys.executable, "-m", *arguments], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            while b"READY=1" not in hears.recv(4096):
                continue
            return 1000 * (time.perf_counter() - begun)
        finally:
            daemon.terminate()
            daemon.wait(READY_WITHIN_S)


def spread(values: Sequence[float], unit: str) -> str:
    """`p50 104.2 ms, p95 106.0, worst 111.8`."""
    ordered = sorted(values)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return f"p50 {median(ordered):8.1f} {unit}   p95 {p95:8.1f}   worst {ordered[-1]:8.1f}   of {len(ordered)}"
