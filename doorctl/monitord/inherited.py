"""What the supervisor hands to its two children: command line, inherited descriptors, and the line that says it lives.

A child's standard input is a pipe that the supervisor never writes to: its end means that the supervisor is gone.
"""

import argparse
import asyncio
import logging
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from doorctl.paths import Paths

POKE = b"!"
"""The one byte ingest sends on each tick that stored something; it says nothing about what."""
READY = b"R"
_STANDARD_INPUT = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Inherited:
    """One child's arguments."""

    paths: Paths
    listener: int
    """A bound, listening TCP socket: a restarted child keeps its port."""
    poke: int
    """Ingest writes here, alarms reads."""
    ready: int
    """One byte, once."""


def parse_arguments(program: str, arguments: Sequence[str] | None) -> Inherited:
    """The command line that the supervisor writes; not meant for people."""
    parser = argparse.ArgumentParser(prog=program, description="started by `doorctl monitor run`")
    parser.add_argument("--home")
    for name in ("listener", "poke", "ready"):
        parser.add_argument(f"--{name}", type=int, required=True, metavar="FD")
    args = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format=f"{program}: %(levelname)s: %(message)s")
    os.set_blocking(args.poke, False)
    return Inherited(paths=Paths.chosen(args.home), listener=args.listener, poke=args.poke, ready=args.ready)


def say_ready(descriptor: int) -> None:
    """Tell the supervisor, once; a supervisor that is gone is noticed elsewhere."""
    with suppress(BrokenPipeError):
        os.write(descriptor, READY)
    os.close(descriptor)


def poke(descriptor: int) -> None:
    """Wake the alarms part without ever waiting for it: a full pipe has woken it already."""
    with suppress(BlockingIOError, BrokenPipeError):
        os.write(descriptor, POKE)


async def asked_to_stop() -> None:
    """Returns on SIGTERM, SIGINT, or when the supervisor is gone."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def on_life_line() -> None:
        if not os.read(_STANDARD_INPUT, 64):
            loop.remove_reader(_STANDARD_INPUT)
            stop.set()

    loop.add_reader(_STANDARD_INPUT, on_life_line)
    await stop.wait()
    loop.remove_reader(_STANDARD_INPUT)


def flat(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    """What really happened, without the task groups it happened in."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from flat(error)
        else:
            yield error
