"""What doctor looks at: a board or a monitor by its files, asked once each and remembered. Writes nothing.

What several checks need and cannot be had is `Unseen` to each of them; one check alone says what is wrong with it.
"""

import os
import pwd
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doorctl.cli.ask import ask
from doorctl.cli.doctor_finding import Unseen
from doorctl.core.types import WallTime
from doorctl.errors import DoorctlError, OperatorError, PeerError
from doorctl.paths import Paths

if TYPE_CHECKING:
    from doorctl.config.types import Config
    from doorctl.monitord.settings import Settings
    from doorctl.seal.keys import ControllerKeys, MonitorFile

DOOR_USER = "doorctl"
COURIER_USER = "doorctl-courier"
MONITOR_USER = "doorctl-monitor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What is the machine's and not the installation's; tests give another one."""

    systemd: Path = Path("/run/systemd/system")
    """There while systemd runs: sd_booted(3)."""
    devices: Path = Path("/dev")
    systemctl: Sequence[str] = ("systemctl",)
    credentials: Path = Path("/etc/credstore.encrypted")
    """Where docs/operations.md puts keys that are to be systemd's credentials."""
    uid: int = field(default_factory=os.geteuid)
    user_id: Callable[[str], int | None] = lambda name: user_id(name)  # noqa: PLW0108  defined below


class Board:
    """The door side of an installation."""

    def __init__(self, paths: Paths, now: WallTime, machine: Machine) -> None:
        self.paths, self.now, self.machine = paths, now, machine
        self.service = paths == Paths.service()

    @cached_property
    def config(self) -> "Config":
        """Unseen where it has mistakes: the check of the configuration says which."""
        from doorctl.config.reading import read_config

        try:
            return read_config(self.paths.config)
        except DoorctlError as error:
            raise Unseen("needs a configuration without mistakes", "`doorctl check` finds them") from error

    @cached_property
    def answer(self) -> Mapping[str, Any] | DoorctlError:
        """doord's status, or why there is none."""
        try:
            return ask(self.paths, "status")
        except (OperatorError, PeerError) as error:
            return error

    @property
    def running(self) -> bool | None:
        """Whether doord runs; None where it can not be told."""
        if not isinstance(self.answer, DoorctlError):
            return True
        return False if isinstance(self.answer.__cause__, FileNotFoundError | ConnectionRefusedError) else None

    @property
    def status(self) -> Mapping[str, Any]:
        """doord's status; Unseen where there is none."""
        if isinstance(self.answer, DoorctlError):
            raise Unseen("only a running doord can say", "start it, or run doctor as root or in group doorctl-read")
        return self.answer

    def said(self, part: str | None = None) -> Mapping[str, Any]:
        """What doord's status says, or a part of it; empty where it does not run, which other checks tell."""
        status = {} if isinstance(self.answer, DoorctlError) else self.answer
        found: Mapping[str, Any] = status if part is None else status.get(part, {})
        return found

    @cached_property
    def keys(self) -> "ControllerKeys":
        """Unseen where they cannot be had: the check of the keys says why."""
        from doorctl.seal.keys import load_controller_keys

        try:
            return load_controller_keys(self.paths)
        except DoorctlError as error:
            raise Unseen("needs the board's keys", "run it with sudo, on a board whose keys are whole") from error

    @cached_property
    def monitor(self) -> "MonitorFile":
        """Unseen where monitor.toml is none: the check of the pairing says why."""
        from doorctl.seal.keys import read_monitor_file

        try:
            return read_monitor_file(self.monitor_path)
        except DoorctlError as error:
            raise Unseen("needs the monitor's public half", "`doorctl init --monitor FILE` pairs") from error

    @property
    def monitor_path(self) -> Path:
        """Where monitor.toml is."""
        return self.paths.etc / self.config.monitor.file


class Monitor:
    """The monitoring end of an installation."""

    def __init__(self, paths: Paths, now: WallTime, machine: Machine) -> None:
        self.paths, self.now, self.machine = paths, now, machine
        self.service = paths == Paths.service()

    @cached_property
    def settings(self) -> "Settings":
        """Unseen where monitord.toml has a mistake: its own check says which."""
        from doorctl.monitord.settings import read_settings

        try:
            return read_settings(self.paths.monitor_config)
        except DoorctlError as error:
            raise Unseen("needs a monitord.toml without mistakes", "see above") from error


def user_id(name: str) -> int | None:
    """Of a user by name; None where there is none."""
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def user_name(uid: int) -> str:
    """Of a user by number, the number where it has no name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def is_socket(path: Path) -> bool:
    """Whether a socket's name is there; who listens is not asked."""
    try:
        return path.is_socket()
    except PermissionError:
        return False


def is_loopback(host: str) -> bool:
    """Whether an address leads only to this machine."""
    import ipaddress

    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def can_connect(host: str, port: int, within_s: float) -> bool:
    """Whether somebody listens there."""
    try:
        with socket.create_connection((host, port), timeout=within_s):
            return True
    except OSError:
        return False
