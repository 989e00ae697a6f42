"""Pins the wheels of the Debian package: `make pins` writes wheels.txt, with the newest that pyproject.toml allows.

One file for every release and architecture: one version each, and a hash for each target's wheel of it.
"""  # noqa: INP001  a script beside the package's parts, in no Python package

import hashlib
import sys
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from build_deb import HERE, MACHINES, NOT_OURS, SUITES, Target, requirements, run_pip


def main() -> None:
    """Ask for the newest of one target, and for the same versions of the others."""
    hashes: dict[str, set[str]] = {}
    with TemporaryDirectory() as name:
        for suite, machine in product(SUITES, MACHINES):
            print(f"{suite} on {machine} …", file=sys.stderr)  # noqa: T201  progress
            target = Target(suite=suite, machine=machine)
            wanted = ["--no-deps", *filter(target.release.wheel, hashes)] if hashes else requirements()
            for wheel in run_pip("download", *wanted, *target.wheels, into=Path(name) / suite / machine):
                project, version = wheel.name.split("-")[:2]
                if project not in NOT_OURS:
                    pin = f"{project.replace('_', '-')}=={version}"
                    hashes.setdefault(pin, set()).add(hashlib.sha256(wheel.read_bytes()).hexdigest())
    lines = [
        " \\\n    ".join([pin, *(f"--hash=sha256:{one}" for one in sorted(hashes[pin]))]) for pin in sorted(hashes)
    ]  # fmt: skip
    (HERE / "wheels.txt").write_text("# Written by pin.py: `make pins`\n" + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
