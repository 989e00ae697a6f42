"""`python -m doorctl.courierd`: reads two files, connects to doord and the monitor, carries records."""

import argparse
import asyncio
import logging
import random
import signal
import sys

from doorctl.core.types import SECOND, Duration
from doorctl.courierd.alone import only_courier
from doorctl.courierd.config import FASTEST_SUPERVISION_S, SLOWEST_SUPERVISION_S, read_link, read_monitor
from doorctl.courierd.delivery import Delivery
from doorctl.courierd.runtime import Courier
from doorctl.courierd.tls import client_context
from doorctl.errors import DoorctlError
from doorctl.paths import Paths


def main(arguments: list[str] | None = None) -> int:
    """0 after a clean stop, 1 where something only people can mend is wrong."""
    chosen = _arguments(arguments)
    logging.basicConfig(level=logging.INFO, format="doorctl-courier: %(message)s", stream=sys.stderr)
    try:
        paths = Paths.chosen(chosen.home)
        courier = _courier(paths, chosen.supervision_s)
        with only_courier(paths.courier_keys):
            asyncio.run(_run(courier))
    except DoorctlError as error:
        sys.stderr.write(error.told_by("doorctl-courier") + "\n")
        return 1
    return 0


def _courier(paths: Paths, supervision_s: int | None) -> Courier:
    link = read_link(paths.config)
    supervision = link.supervision if supervision_s is None else Duration(supervision_s * SECOND)
    monitor = read_monitor(paths.etc / link.file)
    context = client_context(paths.courier_keys / "tls.crt", paths.courier_keys / "tls.key")
    # jitter spreads boards over time and protects nothing
    jitter = random.random
    delivery = Delivery(addresses=monitor.addresses, supervision=supervision, jitter=jitter)
    return Courier(delivery=delivery, door_socket=paths.courier_socket, monitor=monitor, context=context)


async def _run(courier: Courier) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await courier.run(stop)
    logging.getLogger("doorctl.courierd").info("stopped")


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="doorctl-courier", description="carries sealed records to the monitor")
    parser.add_argument("--home", metavar="DIR", help="everything in one folder, instead of /etc, /var/lib and /run")
    parser.add_argument("--supervision-s", metavar="N", type=_pace, help="10 to 60 (default: doorctl.toml's)")
    return parser.parse_args(arguments)


def _pace(text: str) -> int:
    if not text.isdecimal() or not FASTEST_SUPERVISION_S <= int(text) <= SLOWEST_SUPERVISION_S:
        raise argparse.ArgumentTypeError(
            f'expected {FASTEST_SUPERVISION_S} to {SLOWEST_SUPERVISION_S} seconds, got "{text}"'
        )
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
