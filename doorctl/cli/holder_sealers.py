"""Seals the rows of many people who get no codes, in as many processes as there are cores. Order is kept.

A token costs 0.1 ms (X25519), and a hundred thousand people have seven each. What goes to the processes: names and
HMACs of cards; never a code, never a key that opens anything. They end when their pipe does, so a killed import
leaves none behind.
"""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date
from itertools import cycle, islice
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

from doorctl.core.types import HolderId
from doorctl.errors import InternalError
from doorctl.roster.change import NewRow
from doorctl.roster.factors import Lookup
from doorctl.seal.keys import read_monitor_file
from doorctl.seal.meaning import seal_rows
from doorctl.seal.public import MonitorPublic
from doorctl.wire.record import Token

FEW: Final = 200
"""People whose rows are sealed sooner here than a process is started."""
_BATCH: Final = 50
_AHEAD: Final = 2
"""Batches a process has before it is asked for the first: 40 KiB at most, which its pipe holds while nobody reads."""
_NICE: Final = 5
"""doord decides first."""


class Job(NamedTuple):
    """A person without codes."""

    holder: HolderId
    label: str
    card: Lookup | None


class Sealers:
    """Processes that seal; a context manager, so that none outlives the work."""

    def __init__(self, monitor_file: Path, issued: date, *, people: int) -> None:
        """`people`: about how many, so that a few cost no process."""
        self._monitor = read_monitor_file(monitor_file).keys
        self._issued = issued
        count = 0 if people <= FEW else len(os.sched_getaffinity(0))
        self._sealers = [_Sealer(monitor_file, issued) for _ in range(count)]

    def sealed(self, jobs: Iterable[Job]) -> Iterator[list[NewRow]]:
        """Each person's seven rows, in the order of the jobs."""
        if not self._sealers:
            for job in jobs:
                yield _rows(_seal(job, self._issued, self._monitor))
            return
        source = iter(jobs)
        batches = iter(lambda: list(islice(source, _BATCH)), [])
        asked: deque[_Sealer] = deque()
        turns = cycle(self._sealers)
        for sealer in islice(turns, _AHEAD * len(self._sealers)):
            _ask(sealer, next(batches, None), asked)
        while asked:
            sealer = asked.popleft()
            answer = sealer.answer()
            _ask(sealer, next(batches, None), asked)
            for rows in answer:
                yield _rows(rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for sealer in self._sealers:
            sealer.end()


_Plain = list[tuple[bytes, Token]]
"""A person's rows as they come through the pipe."""


class _Sealer:
    """One process and our end of its pipe."""

    def __init__(self, monitor_file: Path, issued: date) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would copy codes and the look-up key
        self._pipe, theirs = context.Pipe()
        self._process: SpawnProcess = context.Process(
            target=_work, args=(theirs, monitor_file, issued), daemon=True, name="sealer"
        )
        self._process.start()
        theirs.close()

    def ask(self, batch: list[Job]) -> None:
        """Rows for these."""
        self._pipe.send(batch)

    def answer(self) -> list[_Plain]:
        """The rows of the batch asked for first."""
        try:
            answer: list[_Plain] = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise InternalError("a process that seals rows ended; nothing was changed") from error
        return answer

    def end(self) -> None:
        """Nothing more is asked."""
        self._pipe.close()
        self._process.terminate()
        self._process.join()
        self._process.close()


def _ask(sealer: _Sealer, batch: list[Job] | None, asked: deque[_Sealer]) -> None:
    if batch is not None:
        sealer.ask(batch)
        asked.append(sealer)


def _work(pipe: Connection, monitor_file: Path, issued: date) -> None:
    """A sealer's process: batches in, rows out, until the other end is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the importing process's to answer
    os.nice(_NICE)
    monitor = read_monitor_file(monitor_file).keys
    with pipe, suppress(EOFError, OSError):
        while True:
            batch: list[Job] = pipe.recv()
            pipe.send([_seal(job, issued, monitor) for job in batch])


def _seal(job: Job, issued: date, monitor: MonitorPublic) -> _Plain:
    return seal_rows(holder=job.holder, label=job.label, issued=issued, card=job.card, codes=(), monitor=monitor)


def _rows(plain: _Plain) -> list[NewRow]:
    return [NewRow(lookup=Lookup(lookup), token=token) for lookup, token in plain]
