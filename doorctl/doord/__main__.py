"""`python -m doorctl.doord`: read the files, start, run until told to stop or until something breaks."""

import argparse
import asyncio
import gc
import logging
import os
import resource
import signal
import sys
from collections.abc import Sequence

from doorctl.doord.assembly import read_site
from doorctl.doord.runtime import Doord
from doorctl.doord.site_name import warnings_of_names
from doorctl.errors import DoorctlError
from doorctl.paths import Paths
from hal.loop import precise_loop


def main(arguments: Sequence[str] | None = None) -> int:
    """0 after a clean stop, 1 where it could not start; whatever breaks it is raised, and systemd starts it again."""
    parser = argparse.ArgumentParser(prog="doord", description="the door daemon of doorctl")
    parser.add_argument("--home", metavar="DIR", help="keep everything in DIR instead of /etc, /var/lib and /run")
    parser.add_argument("--debug", action="store_true", help="log more; never codes, cards or keys")
    args = parser.parse_args(arguments)
    level = logging.DEBUG if args.debug else logging.INFO
    logging.basicConfig(stream=sys.stderr, level=level, format="doord: %(levelname)s: %(message)s")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would hold codes and keys
    try:
        with asyncio.Runner(loop_factory=precise_loop) as runner:
            runner.run(_run(Paths.chosen(args.home)))
    except DoorctlError as error:
        sys.stderr.write(error.told_by("doord") + "\n")
        return 1
    return 0


async def _run(paths: Paths) -> None:
    site = read_site(paths)
    for warning in warnings_of_names(paths, site.config):
        logging.getLogger("doord").warning(warning)
    doord = Doord(site)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, doord.stop)
    if not _has_terminal():
        loop.add_signal_handler(signal.SIGHUP, doord.hang_up)
    try:
        await doord.start()
        gc.freeze()  # what is made at start stays: collections on a card's way have less to look at
        await doord.run_until_stopped()
    finally:
        await doord.close()


def _has_terminal() -> bool:
    """Whether somebody started it at a terminal: then SIGHUP says that this was closed, and ends it as ever."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
