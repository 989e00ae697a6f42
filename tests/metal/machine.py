"""Boots rig 2's machine once, lets it run the guest's driver, and hands back what it wrote.

The machine counts instructions as time (-icount): one instruction is 2 ns on its one processor, and sleeping costs
nothing. So pulses are exact and latencies are those of a 500 MHz board, however busy the machine below is.
"""

import json
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any, Final

from tests.metal.build import CannotBuildError, Machine, cache_folder, digest
from tests.system.wheelhouse import PIP, ROOT, built

HERE: Final = Path(__file__).parent
PATIENCE_S: Final = 900
"""A hang guard on a slow machine; a run takes about a minute."""
PLATFORMS: Final = ("manylinux_2_17_x86_64", "manylinux_2_28_x86_64", "manylinux_2_34_x86_64")


def run(machine: Machine, share: Path, orders: dict[str, Any]) -> dict[str, Any]:
    """Boot, play, power off; raises AssertionError with the console's end where the guest did not come through."""
    _fill(share, orders)
    console = share / "console.log"
    done = subprocess.run(
        ["nice", "-n", "10", *_qemu(machine, share, console)],
        check=False, capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    code, results = share / "code", share / "results.json"
    end = "\n".join(console.read_text(errors="replace").splitlines()[-40:]) if console.exists() else ""
    assert done.returncode == 0, done.stderr
    assert code.exists(), end
    assert code.read_text().strip() == "0", end
    heard: dict[str, Any] = json.loads(results.read_text())
    return heard


def _qemu(machine: Machine, share: Path, console: Path) -> list[str]:
    return [
        "qemu-system-x86_64", "-accel", "tcg,thread=single,tb-size=512", "-icount", "shift=1,sleep=off",
        "-machine", "q35", "-cpu", "max", "-smp", "1", "-m", "1024",
        "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-kernel", str(machine.kernel), "-initrd", str(machine.initrd),
        "-append", "console=ttyS0 panic=-1 rw quiet lapic=notscdeadline net.ifnames=0 mitigations=off",
        "-drive", f"file={machine.root},if=virtio,format=raw,snapshot=on",
        "-virtfs", f"local,path={share},mount_tag=lab,security_model=none",
        "-device", "virtio-rng-pci",
        "-chardev", f"file,id=con,path={console}", "-serial", "chardev:con",
    ]  # fmt: skip


def _fill(share: Path, orders: dict[str, Any]) -> None:
    """What the guest finds in /lab: doorctl's wheel and those it needs, the driver, its orders."""
    wheel, _ = built(share)
    site = share / "site"
    for path in (wheel, *sorted(_wheels().glob("*.whl"))):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(site)
    shutil.copytree(HERE / "guest", share / "guest")
    (share / "orders.json").write_text(json.dumps(orders))
    (share / "run").write_text("cd /run && PYTHONPATH=/lab/site:/lab/guest exec python3 -u /lab/guest/drive.py\n")


def _wheels() -> Path:
    """The dependencies' wheels for the guest's Python 3.11, downloaded once."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*table["dependencies"], *table["optional-dependencies"]["board"]]
    folder = cache_folder() / f"wheels-cp311-{digest(*wanted)}"
    if folder.is_dir():
        return folder
    print("metal: fetching wheels", file=sys.stderr, flush=True)  # noqa: T201 - say what takes long
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    command = [*PIP, "download", "--dest", str(part), "--only-binary", ":all:", "--python-version", "3.11"]
    command += [f"--platform={one}" for one in PLATFORMS]
    done = subprocess.run([*command, *wanted], check=False, capture_output=True, text=True, timeout=PATIENCE_S)
    if done.returncode:
        raise CannotBuildError(done.stderr)
    part.rename(folder)
    return folder
