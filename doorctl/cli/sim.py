"""doorctl sim: all three daemons on the mock HAL with a demo site in a temporary folder. --tour tells the story."""

import argparse
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from doorctl.cli.parser import port
from doorctl.errors import OperatorError

_SABOTAGES = ("alarm", "record", "tell")


def add_parser(subparsers: Any) -> None:
    """What the command takes."""
    parser = subparsers.add_parser(
        "sim",
        help="try it: a door, its people and a monitor on this machine",
        description="Run a demo site on mock hardware: a page with a door to press and the alarms beside it, "
        "on loopback. Nothing outside a temporary folder is touched.",
        epilog="example: doorctl sim --config doorctl.toml",
    )
    parser.add_argument("--tour", action="store_true", help="tell the story here; non-zero if a promise breaks")
    parser.add_argument("--port", type=port, default=0, metavar="N", help="of the page (default: a free one)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="use this new folder and leave it there")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="your own doors, on made-up wires; the file is only read"
    )
    parser.add_argument("--sabotage", choices=_SABOTAGES, help="with --tour: break a promise, to see it fail")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """In a folder of its own, gone afterwards."""
    from doorctl.cli.sim_config import simulated
    from doorctl.cli.sim_page import ENDING, serve
    from doorctl.cli.sim_site import SimError, SimSite
    from doorctl.cli.sim_story import Story

    if args.home is not None:
        raise OperatorError("--home: sim makes a site of its own", hint="--keep DIR makes it there, and leaves it")
    if args.keep is not None and args.keep.exists():
        raise OperatorError(f"{args.keep}: is there already", hint="name a folder that is not")
    if args.tour and args.config is not None:
        raise OperatorError("--config: the tour has doors of its own", hint="leave out --tour, and play on the page")
    own = None if args.config is None else simulated(args.config)
    with tempfile.TemporaryDirectory(prefix="doorctl-sim-") as temporary:
        home = Path(temporary) if args.keep is None else args.keep.absolute()
        # these end like Ctrl-C: through the context managers, so that no daemon is left
        for number in ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                signal.signal(number, signal.default_int_handler)
        with SimSite(home) as site:
            if own is not None:
                site.configure(*own)
            if not args.tour:
                return serve(site, args.port)
            try:
                Story(site, home, _say, args.sabotage).tell()
            except SimError as error:
                _say("")
                print(error.told_by("doorctl sim"), file=sys.stderr)
                return 1
    return 0


def _say(line: str) -> None:
    print(line, flush=True)
