"""Where things live: /etc, /var/lib and /run as a service, one folder with --home elsewhere."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from doorctl.errors import OperatorError

HOME_VARIABLE = "DOORCTL_HOME"
_LONGEST_SOCKET = 107
_ANOTHER = {
    "--home": "give the folder that `doorctl init` has filled, or is to fill",
    HOME_VARIABLE: f"set it to a folder, or `unset {HOME_VARIABLE}` for /etc, /var/lib and /run",
}
_NO_RIGHT = "run it with sudo, as the folder's owner, or with a folder of your own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """The folders of one installation; every file is a property so that no name is written twice."""

    etc: Path
    var: Path
    run: Path
    monitor_etc: Path
    monitor_var: Path
    monitor_run: Path

    @classmethod
    def service(cls) -> Self:
        """The system's own places."""
        return cls(
            etc=Path("/etc/doorctl"),
            var=Path("/var/lib/doorctl"),
            run=Path("/run/doorctl"),
            monitor_etc=Path("/etc/doorctl-monitor"),
            monitor_var=Path("/var/lib/doorctl-monitor"),
            monitor_run=Path("/run/doorctl-monitor"),
        )

    @classmethod
    def under(cls, home: Path) -> Self:
        """Everything in one folder, for a laptop and for tests."""
        return cls(
            etc=home / "etc",
            var=home / "var",
            run=home / "run",
            monitor_etc=home / "monitor" / "etc",
            monitor_var=home / "monitor" / "var",
            monitor_run=home / "monitor" / "run",
        )

    @classmethod
    def chosen(cls, home: str | None) -> Self:
        """`--home`, else DOORCTL_HOME, else the service's places; OperatorError where that can be no folder of ours."""
        place = home or os.environ.get(HOME_VARIABLE)
        if not place:
            return cls.service()
        _check_home(Path(place).absolute(), named="--home" if home else HOME_VARIABLE)
        return cls.under(Path(place).absolute())

    def check_sockets(self) -> None:
        """OperatorError where a socket's path is longer than the kernel takes: 107 bytes, unix(7)."""
        longest = max((self.control_socket, self.courier_socket, self.mock_socket), key=lambda p: len(os.fsencode(p)))
        if len(os.fsencode(longest)) > _LONGEST_SOCKET:
            raise OperatorError(
                f"{longest}: a socket's path has at most {_LONGEST_SOCKET} bytes",
                hint="use a --home with a shorter path",
            )

    # The board

    @property
    def config(self) -> Path:
        """The installer's file."""
        return self.etc / "doorctl.toml"

    @property
    def monitor_public(self) -> Path:
        """The monitor's addresses, public keys and certificate, carried here at pairing."""
        return self.etc / "monitor.toml"

    @property
    def controller_public(self) -> Path:
        """This board's public half, carried to the monitor at pairing."""
        return self.etc / "controller.toml"

    @property
    def keys(self) -> Path:
        """0700: identity.key (Ed25519), lookup.key (32 bytes)."""
        return self.var / "keys"

    @property
    def courier_keys(self) -> Path:
        """0700: tls.key and tls.crt (P-256), all that the courier has."""
        return self.var / "courier"

    @property
    def reader_keys(self) -> Path:
        """0700: one file an OSDP reader, its key wrapped; doord makes them."""
        return self.var / "osdp"

    @property
    def roster(self) -> Path:
        """Who may open what; in a setgid folder of its own."""
        return self.var / "roster" / "roster.db"

    @property
    def journal(self) -> Path:
        """Access log and spool."""
        return self.var / "journal" / "journal.db"

    @property
    def control_socket(self) -> Path:
        """Status, unlock, enrol; peer credentials decide."""
        return self.run / "control.sock"

    @property
    def courier_socket(self) -> Path:
        """doord listens, courierd connects."""
        return self.run / "courier.sock"

    @property
    def strikes(self) -> Path:
        """0600: which lines of which chip secure the doors, for when doord is dead; see doord/strike_record.py."""
        return self.run / "strikes"

    @property
    def mock_socket(self) -> Path:
        """Drives the mock HAL; exists only with backend = "mock"."""
        return self.run / "mock.sock"

    # The monitor

    @property
    def monitor_config(self) -> Path:
        """The monitor's own file."""
        return self.monitor_etc / "monitord.toml"

    @property
    def monitor_export(self) -> Path:
        """The monitor's public half, to be carried to boards."""
        return self.monitor_etc / "monitor.toml"

    @property
    def monitor_keys(self) -> Path:
        """0700: token.key, record.key, receipt.key, tls.key, tls.crt, console.token."""
        return self.monitor_var / "keys"

    @property
    def controllers(self) -> Path:
        """One file a trusted controller."""
        return self.monitor_var / "controllers"

    @property
    def ledger(self) -> Path:
        """Every record received; written by ingest only, so that alarms never hold its lock."""
        return self.monitor_var / "ledger.db"

    @property
    def alarms(self) -> Path:
        """Alarms and acknowledgements; written by the alarms part only."""
        return self.monitor_var / "alarms.db"


def _check_home(home: Path, *, named: str) -> None:
    """Said here of the folder, not later of whatever file below is wanted first. One that is missing is made."""
    try:
        if not stat.S_ISDIR(home.stat().st_mode):
            raise OperatorError(f"{named}: {home}: is a file, not a folder", hint=_ANOTHER[named])
        if not os.access(home, os.X_OK, effective_ids=True):
            raise OperatorError(f"{named}: {home}: no right to enter this folder", hint=_NO_RIGHT)
    except FileNotFoundError:
        return
    except PermissionError as error:
        raise OperatorError(f"{named}: {home}: no right to enter a folder above it", hint=_NO_RIGHT) from error
    except OSError as error:
        below = "is below a file" if isinstance(error, NotADirectoryError) else (error.strerror or str(error)).lower()
        raise OperatorError(f"{named}: {home}: {below}", hint=_ANOTHER[named]) from error
