"""How soon the helper has secured the strikes of a killed doord: from its start, with all that Python takes for one.

Lines are files (tests/doord/stand_ins/lgpio.py): a chip's own time, some 10 µs a line, is not in it.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from doorctl.doord.strike_record import SecuredStrike, StrikeRecord
from hal.lgpio_levels import LineLevel
from tests.doord.metal import Metal

RUNS = 30
DOORS = 8
LABEL = "pinctrl-bcm2711"


def lines() -> Iterator[str]:
    """Start to the last door's level, and to the end."""
    with tempfile.TemporaryDirectory() as folder:
        metal = Metal(Path(folder), {0: LABEL})
        levels, ends = zip(*(_once(metal) for _ in range(RUNS)), strict=True)
    empty = [_python() for _ in range(RUNS)]
    for what, times in (("last of 8 strikes secured", levels), ("helper over", ends), ("an empty Python over", empty)):
        yield f"{what:36}{median(times):8.1f} ms p50   worst {max(times):8.1f}"


def _once(metal: Metal) -> tuple[float, float]:
    record = StrikeRecord.locked(metal.paths.strikes)
    record.write(
        [
            SecuredStrike(door=f"door-{line}", at=LineLevel(chip="gpiochip0", label=LABEL, line=line, level=0))
            for line in range(DOORS)
        ]
    )
    record.close()
    begun = time.monotonic_ns()
    done = metal.helper()
    ended = time.monotonic_ns()
    assert done.returncode == 0, done.stderr
    last = max(int((metal.chips / "gpiochip0" / f"{line}").read_text().split()[-2]) for line in range(DOORS))
    return (last - begun) / 1e6, (ended - begun) / 1e6


def _python() -> float:
    begun = time.monotonic_ns()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return (time.monotonic_ns() - begun) / 1e6
