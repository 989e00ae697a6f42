"""The ingest process: holds the record and receipt keys, writes ledger.db, and opens no token.

Started by `doorctl monitor run`. It ends, and is started again, when the ledger fails: no receipt is ever given for
what is not on the disk.
"""

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from doorctl.errors import DoorctlError
from doorctl.monitord import clocks
from doorctl.monitord.controllers import ControllersFolder
from doorctl.monitord.ingest.desk import Desk
from doorctl.monitord.ingest.server import Listener
from doorctl.monitord.ingest.tick import Pace, Queue
from doorctl.monitord.inherited import Inherited, asked_to_stop, flat, parse_arguments, poke, say_ready
from doorctl.monitord.ledger import LedgerWriter
from doorctl.seal.keys import load_record_and_receipt_keys

_FOLDER_LOOK_S = 1.0
_log = logging.getLogger("doorctl-monitor-ingest")


async def _watch_folder(controllers: ControllersFolder, listener: Listener) -> None:
    """A file copied into the folder, or taken out of it, counts within a second."""
    while True:
        await asyncio.sleep(_FOLDER_LOOK_S)
        if controllers.refresh():
            listener.reload()
            _log.info("%d controllers trusted", len(controllers.trusted))


async def _serve(inherited: Inherited, worker: ThreadPoolExecutor, desk: Desk, controllers: ControllersFolder) -> None:
    loop = asyncio.get_running_loop()
    queue = Queue()
    pace = Pace(
        queue, lambda requests: loop.run_in_executor(worker, desk.answer, requests),
        clock=clocks.monotonic, sleep=asyncio.sleep,
    )  # fmt: skip
    keys = inherited.paths.monitor_keys
    listener = Listener(
        listening=socket.socket(fileno=os.dup(inherited.listener)),
        certificate=keys / "tls.crt",
        key=keys / "tls.key",
        controllers=controllers,
        queue=queue,
    )
    async with asyncio.TaskGroup() as tasks:
        work = [
            tasks.create_task(pace.run(), name="pace"),
            tasks.create_task(listener.serve(), name="listener"),
            tasks.create_task(_watch_folder(controllers, listener), name="folder"),
        ]
        say_ready(inherited.ready)
        await asked_to_stop()
        for task in work:
            task.cancel()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until told to stop."""
    inherited = parse_arguments("doorctl-monitor-ingest", arguments)
    code = 0
    try:
        _run(inherited)
    except* DoorctlError as group:
        code = 1
        for error in flat(group):
            _log.error("%s", error)
    return code


def _run(inherited: Inherited) -> None:
    paths = inherited.paths
    keys = load_record_and_receipt_keys(paths.monitor_keys)
    controllers = ControllersFolder(paths.controllers)
    controllers.refresh()
    ledger = LedgerWriter(paths.ledger)
    desk = Desk(
        ledger=ledger, keys=keys, controllers=controllers, clock=clocks.wall, poke=partial(poke, inherited.poke)
    )  # fmt: skip
    try:
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger") as worker:
            asyncio.run(_serve(inherited, worker, desk, controllers))
    finally:
        ledger.close()


if __name__ == "__main__":
    sys.exit(main())
