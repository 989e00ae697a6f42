"""Tells systemd how a daemon is: one datagram each, nothing where no NOTIFY_SOCKET is set. sd_notify(3).

It never raises and never blocks: a daemon that cannot tell goes on.
"""

import os
import socket

from doorctl.core.types import Duration

_MICROSECOND = 1_000


def notify(state: str) -> bool:
    """Send `READY=1`, `RELOADING=1`, `WATCHDOG=1`, `STATUS=…`, `STOPPING=1`; whether systemd was there to hear it."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as channel:
            channel.sendto(state.encode(), address)
    except OSError:
        return False
    return True


def watchdog_period() -> Duration | None:
    """How often to send `WATCHDOG=1` (half of what the unit demands), None where no watchdog is set for us."""
    interval, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not interval.isdecimal() or int(interval) == 0 or (pid and pid != str(os.getpid())):
        return None
    return Duration(int(interval) * _MICROSECOND // 2)


class StatusTeller:
    """The line of `systemctl status`: told when it changes. Whoever calls keeps the pace."""

    def __init__(self) -> None:
        self._told: str | None = None

    def tell(self, line: str) -> None:
        """Nothing where it was told already; what would end the line is shown as a space."""
        if line != self._told and notify("STATUS=" + "".join(one if one.isprintable() else " " for one in line)):
            self._told = line
