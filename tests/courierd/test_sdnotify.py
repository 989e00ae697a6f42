import os
import socket
from pathlib import Path

import pytest

from doorctl.core.types import SECOND
from doorctl.sdnotify import StatusTeller, notify, watchdog_period


def test_one_datagram_a_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        assert notify("READY=1\nSTATUS=door connected")
        assert systemd.recv(1024) == b"READY=1\nSTATUS=door connected"


def test_an_abstract_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"doorctl-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0{name}")
        systemd.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        assert notify("WATCHDOG=1")
        assert systemd.recv(1024) == b"WATCHDOG=1"


def test_a_status_is_told_when_it_changes_and_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as systemd:
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        teller = StatusTeller()
        teller.tell("nobody hears")
        systemd.bind(str(tmp_path / "notify"))
        for line in ("nobody hears", "nobody hears", "two\nWATCHDOG=trigger", "front: secured · 1 fault: …"):
            teller.tell(line)
        assert [systemd.recv(1024).decode() for _ in range(3)] == [
            "STATUS=nobody hears",
            "STATUS=two WATCHDOG=trigger",
            "STATUS=front: secured · 1 fault: …",
        ]
        with pytest.raises(BlockingIOError):
            systemd.recv(1024)


@pytest.mark.parametrize("address", [None, "", "relative", "vsock:2:1234", "/nowhere/notify", "/" + "x" * 200])
def test_without_systemd_nothing_happens(monkeypatch: pytest.MonkeyPatch, address: str | None) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    if address is not None:
        monkeypatch.setenv("NOTIFY_SOCKET", address)
    assert notify("READY=1") is False


def test_a_systemd_that_does_not_read_does_not_hold_us_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        heard = [notify("WATCHDOG=1") for _ in range(2_000)]
    assert (heard[0], heard[-1]) == (True, False)


@pytest.mark.parametrize(
    ("usec", "pid", "period"),
    [
        ("30000000", None, 15 * SECOND),
        ("30000000", "ours", 15 * SECOND),
        ("30000000", "1", None),
        ("0", None, None),
        ("", None, None),
        ("-5", None, None),
        (None, None, None),
    ],
)
def test_the_watchdog_is_told_twice_as_often_as_it_asks(
    monkeypatch: pytest.MonkeyPatch, usec: str | None, pid: str | None, period: int | None
) -> None:
    pid = str(os.getpid()) if pid == "ours" else pid
    for name, value in (("WATCHDOG_USEC", usec), ("WATCHDOG_PID", pid)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert watchdog_period() == period
