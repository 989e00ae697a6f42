"""How much memory a process and everything it started take together, at the most, while it runs."""

import threading
from pathlib import Path
from typing import Self

from tests.bench.machine import family, pss_mib

_EVERY_S = 0.25


class Peak:
    """A context manager; afterwards `together_mib` (shared pages once) and `own_mib` (resident, the process alone)."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.together_mib = 0.0
        self.own_mib = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_EVERY_S):
            try:
                self.together_mib = max(self.together_mib, sum(pss_mib(pid) for pid in family(self._pid)))
                self.own_mib = max(self.own_mib, _resident_mib(self._pid))
            except (OSError, ValueError, RuntimeError, StopIteration):
                continue  # one of them ended meanwhile


def _resident_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
