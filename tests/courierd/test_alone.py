"""Two couriers on one board: the second ends with an error, and the first carries on as if nothing had been."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from doorctl.courierd.alone import only_courier
from doorctl.courierd.config import Address
from doorctl.errors import OperatorError
from doorctl.paths import Paths
from doorctl.wire.handoff import PathState
from tests.courierd.lying_monitor import LyingMonitor, listening
from tests.courierd.process import ended, furnish, point, running
from tests.courierd.site import all_receipted, open_door, path_is

NOWHERE = Address(host="127.0.0.1", port=1)
NOBODY = 65534
HINT = "stop the other one first: systemctl stop doorctl-courier; on a laptop: the one with the same --home"


def test_a_second_one_ends_and_the_first_notices_nothing(tmp_path: Path) -> None:
    async def run() -> tuple[int, list[str]]:
        monitor = LyingMonitor(furnish(tmp_path, NOWHERE))
        async with open_door(Paths.under(tmp_path).run) as door, listening(monitor):
            point(tmp_path, monitor.address, monitor.certificates.monitor_der)
            async with running(tmp_path) as first:
                await door.until(path_is(PathState.CONNECTED))
                async with running(tmp_path) as second:
                    refused = await ended(second)
                door.commit(1)
                await door.until(all_receipted)
                assert (door.link.counters.connections, first.returncode) == (1, None)
                first.terminate()
                assert (await ended(first))[0] == 0
        return refused

    told = f"doorctl-courier: error: {Paths.under(tmp_path).courier_keys}: in use by another courierd"
    assert asyncio.run(run()) == (1, [told, f"  hint: {HINT}"])


def test_kill_9_of_the_first_makes_room_at_once(tmp_path: Path) -> None:
    async def run() -> None:
        monitor = LyingMonitor(furnish(tmp_path, NOWHERE))
        async with open_door(Paths.under(tmp_path).run) as door, listening(monitor):
            point(tmp_path, monitor.address, monitor.certificates.monitor_der)
            async with running(tmp_path) as first:
                await door.until(path_is(PathState.CONNECTED))
                first.kill()
                assert (await ended(first))[0] == -9
            async with running(tmp_path) as second:
                door.commit(1)
                await door.until(all_receipted)
                second.terminate()
                assert (await ended(second))[0] == 0

    asyncio.run(run())


def test_the_lock_ends_with_the_block_and_leaves_nothing_in_the_folder(tmp_path: Path) -> None:
    for _ in range(2):
        with only_courier(tmp_path), pytest.raises(OperatorError, match="in use by another courierd"):
            only_courier(tmp_path).__enter__()
    assert list(tmp_path.iterdir()) == []


def test_a_board_of_its_own_is_none_of_ours(tmp_path: Path) -> None:
    for name in ("one", "another"):
        (tmp_path / name).mkdir()
    with only_courier(tmp_path / "one"), only_courier(tmp_path / "another"):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
def test_a_file_system_that_it_may_only_read_is_enough(tmp_path: Path) -> None:
    """As under the unit's ProtectSystem=strict."""
    program = (
        f"import pathlib; from doorctl.courierd.alone import only_courier; place = pathlib.Path({str(tmp_path)!r})\n"
        "with only_courier(place):\n"
        "    try:\n        (place / 'x').touch()\n"
        "    except OSError as error:\n        print('locked,', error.strerror)"
    )
    mount = f'mount --bind "{tmp_path}" "{tmp_path}" && mount -o remount,bind,ro "{tmp_path}" && exec "$@"'
    read_only = ["unshare", "--mount", "sh", "-ec", mount, "sh"]
    probe = subprocess.run([*read_only, "true"], check=False, capture_output=True, text=True)
    if probe.returncode != 0:
        pytest.skip(f"this machine does not mount: {probe.stderr.strip()}")
    shown = subprocess.run([*read_only, sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert (shown.stdout, shown.stderr) == ("locked, Read-only file system\n", "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
def test_who_may_not_have_the_key_cannot_keep_the_courier_out(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    program = (
        "import os, pathlib; from doorctl.courierd.alone import only_courier\n"
        f"os.setgid({NOBODY}); os.setuid({NOBODY})\n"
        f"only_courier(pathlib.Path({str(tmp_path)!r})).__enter__()"
    )
    shown = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert shown.stderr.endswith(f"OperatorError: {tmp_path}: cannot be locked: permission denied\n")
