"""Brings what hangs into an installed doord that knows nothing of it: Python imports this file, as sitecustomize.py.

At SIGUSR1 what THE_BREAK names gets stuck, in the process that systemd started; its times stay the unit's, nothing of
the product is replaced, and no hook in it is used. On the machine tests/doord/stuck_process.py is beside this file.
"""

import asyncio
import gc
import os
import signal
from typing import Any


def stuck(*_: object) -> None:
    """Between two steps of the loop's thread: doord is found as the collector knows it, and hangs from inside the loop."""
    from doorctl.doord.runtime import Doord
    from tests.doord.stuck_process import BREAKS

    gc.unfreeze()
    doord = next(one for one in gc.get_objects() if isinstance(one, Doord))
    breaks = BREAKS | {"spin": spin}
    asyncio.get_running_loop().call_soon_threadsafe(breaks[os.environ["THE_BREAK"]], doord)


def spin(_: Any) -> None:
    while True:
        pass


signal.signal(signal.SIGUSR1, stuck)
