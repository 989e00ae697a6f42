"""The courier is killed at any point and started again: nothing journaled is lost, and nothing wrong is believed."""

import asyncio
import random
from pathlib import Path

import pytest

from doorctl.courierd.config import Address
from doorctl.paths import Paths
from doorctl.wire.handoff import PathState
from tests.courierd.lying_monitor import LyingMonitor, listening, record
from tests.courierd.process import ended, furnish, point, started
from tests.courierd.site import all_receipted, open_door, path_is, receipted


@pytest.mark.parametrize("seed", [1, 2])
def test_kill_9_under_load_loses_nothing(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)

    async def run() -> None:
        monitor = LyingMonitor(furnish(tmp_path, Address(host="127.0.0.1", port=1)))
        async with open_door(Paths.under(tmp_path).run) as door, listening(monitor):
            point(tmp_path, monitor.address, monitor.certificates.monitor_der)
            number = 0
            for _ in range(5):
                process = await started(tmp_path)
                await door.until(path_is(PathState.CONNECTED))
                for _ in range(40):
                    door.commit(number)
                    number += 1
                # killed after so many more receipts: in the middle of requests, answers and batches
                await door.until(receipted(min(number, len(door.receipted) + draw.randrange(40))))
                process.kill()
                assert (await ended(process))[0] == -9
                await door.until(lambda door: not door.link.connected)
                door.commit(number)
                number += 1
            process = await started(tmp_path)
            await door.until(all_receipted)
            process.terminate()
            assert (await ended(process))[0] == 0
        assert sorted(door.receipted) == [record(one) for one in range(number)]

    asyncio.run(run())
