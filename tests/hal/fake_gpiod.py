"""A stand-in for libgpiod's Python bindings: the kernel's edge buffer of one request, its numbers and its overflow."""

import os
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from types import ModuleType, SimpleNamespace, TracebackType
from typing import Any, Self

import pytest


class Value(Enum):
    INACTIVE = 0
    ACTIVE = 1


class Edge(Enum):
    NONE = auto()
    FALLING = auto()
    BOTH = auto()


class Bias(Enum):
    PULL_UP = auto()


class Direction(Enum):
    INPUT = auto()


class Clock(Enum):
    MONOTONIC = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeEvent:
    line_offset: int
    timestamp_ns: int
    global_seqno: int
    line_seqno: int


@dataclass(slots=True)
class Request:
    """Keeps the newest `size` edges, as the kernel does: the oldest give way."""

    owner: "FakeGpiod"
    offsets: tuple[int, ...]
    settings: dict[str, Any]
    size: int
    kept: deque[EdgeEvent] = field(default_factory=deque)
    numbers: dict[int, int] = field(default_factory=dict)
    fd: int = field(default_factory=lambda: os.eventfd(0, os.EFD_NONBLOCK))

    def lose(self, offset: int) -> None:
        """An edge had no room: it has a number and nothing else."""
        self.numbers[offset] = self.numbers.get(offset, 0) + 1

    def fell(self, offset: int, at: int) -> None:
        self.numbers[offset] = self.numbers.get(offset, 0) + 1
        event = EdgeEvent(
            line_offset=offset,
            timestamp_ns=at,
            global_seqno=sum(self.numbers.values()),
            line_seqno=self.numbers[offset],
        )
        if len(self.kept) == self.size:
            self.kept.popleft()
        self.kept.append(event)
        os.eventfd_write(self.fd, 1)

    def wait_edge_events(self, timeout: float) -> bool:
        assert timeout == 0
        self.owner.touch()
        return bool(self.kept)

    def read_edge_events(self, most: int) -> list[EdgeEvent]:
        read = [self.kept.popleft() for _ in range(min(most, len(self.kept)))]
        if not self.kept:
            os.eventfd_read(self.fd)
        return read

    def get_value(self, offset: int) -> Value:
        self.owner.touch()
        return Value(self.owner.levels.get(offset, 1))

    def release(self) -> None:
        os.close(self.fd)
        self.owner.requests.remove(self)


class Chip:
    def __init__(self, owner: "FakeGpiod", device: str) -> None:
        self.owner, self.device = owner, device

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        pass

    def request_lines(
        self, config: dict[tuple[int, ...], dict[str, Any]], consumer: str, event_buffer_size: int
    ) -> Request:
        self.owner.touch()
        ((offsets, settings),) = config.items()
        if any(set(offsets) & set(other.offsets) for other in self.owner.requests):
            raise OSError(16, "Device or resource busy")
        self.owner.asked.append((self.device, offsets, consumer, settings))
        request = Request(self.owner, offsets, settings, event_buffer_size)
        self.owner.requests.append(request)
        return request


class FakeGpiod(ModuleType):
    line = SimpleNamespace(Value=Value, Edge=Edge, Bias=Bias, Direction=Direction, Clock=Clock)
    LineSettings = dict

    def __init__(self) -> None:
        super().__init__("gpiod")
        self.requests: list[Request] = []
        self.asked: list[tuple[str, tuple[int, ...], str, dict[str, Any]]] = []
        self.levels: dict[int, int] = {}
        self.gone = False

    def Chip(self, device: str) -> Chip:  # noqa: N802 - the library's name
        return Chip(self, device)

    def fell(self, offset: int, at: int) -> None:
        """A line fell; nobody hears of it who did not ask for the line."""
        for request in self.requests:
            if offset in request.offsets:
                request.fell(offset, at)

    def holds(self, offset: int) -> bool:
        """Whether a line is asked for."""
        return any(offset in request.offsets for request in self.requests)

    def touch(self) -> None:
        if self.gone:
            raise OSError(19, "No such device")


@contextmanager
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGpiod]:
    """The stand-in in place of gpiod; in the end nobody holds a line."""
    fake = FakeGpiod()
    monkeypatch.setitem(sys.modules, "gpiod", fake)
    yield fake
    assert fake.requests == []
