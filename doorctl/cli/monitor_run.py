"""doorctl monitor run: supervises ingest and alarms until it is told to stop, and tells systemd when both are up."""

import argparse
import asyncio
import json
import logging
import sys

from doorctl.errors import DoorctlError, InternalError
from doorctl.monitord.alarms.access import load_token
from doorctl.monitord.inherited import flat
from doorctl.monitord.settings import read_settings
from doorctl.monitord.supervisor import Supervisor
from doorctl.paths import Paths
from doorctl.sdnotify import notify, watchdog_period


def run(args: argparse.Namespace) -> int:
    """Until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="doorctl-monitor: %(levelname)s: %(message)s")
    paths = Paths.chosen(args.home)
    settings = read_settings(paths.monitor_config)
    token = load_token(paths.monitor_keys)
    failures: list[BaseException] = []
    try:
        asyncio.run(_run(Supervisor(paths, args.home, settings), paths, token, as_json=args.json))
    except* DoorctlError as group:
        failures += flat(group)
    if failures:
        raise failures[0] if isinstance(failures[0], DoorctlError) else InternalError(str(failures[0]))
    return 0


async def _run(supervisor: Supervisor, paths: Paths, token: str, *, as_json: bool) -> None:
    watchdog = asyncio.ensure_future(_watchdog())
    try:
        await supervisor.run(lambda: _ready(supervisor, paths, token, as_json=as_json))
        notify("STOPPING=1")
    finally:
        watchdog.cancel()


def _ready(supervisor: Supervisor, paths: Paths, token: str, *, as_json: bool) -> None:
    """A terminal is shown the key in the address; a service's output is a log that more people read than may look."""
    address = f"http://{supervisor.console}/"
    if as_json:
        print(json.dumps({"console": address, "key_file": str(paths.monitor_keys / "console.token")}), flush=True)
    elif sys.stdout.isatty():
        print(f"alarms: {address}?token={token}", flush=True)
    else:
        print(
            f"alarms: {address} (opened with ?token= and the key in {paths.monitor_keys / 'console.token'})", flush=True
        )
    notify("READY=1")


async def _watchdog() -> None:
    period = watchdog_period()
    while period is not None:
        notify("WATCHDOG=1")
        await asyncio.sleep(period / 1e9)
