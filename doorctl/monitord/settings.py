"""The monitor's own file, monitord.toml: where it listens, where its console is, whether it is a simulation."""

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from doorctl.errors import OperatorError

_HIGHEST_PORT = 65535
_HOST = re.compile(r"[A-Za-z0-9._:%-]+")
"""Names, IPv4, IPv6 with a zone: nothing that could end a string of the file it is written to."""
_TEMPLATE = """\
# The monitor's own file, made by `doorctl monitor init`. Boards get monitor.toml, which lies beside it.

[ingest]
# Boards connect here, with mutual TLS. Port 0 takes any free one; the real one is in ports.json of the run folder.
listen = "{listen}"

[console]
# People and `doorctl monitor alarms` look here. Keep it on loopback; a reverse proxy can bring it further.
listen = "{console}"

[monitor]
# A simulated monitor pairs with simulated boards only, and the other way round.
simulated = {simulated}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """host:port; the host is a name or an address, `[…]` around IPv6."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole file."""

    listen: Address
    console: Address
    simulated: bool


def parse_address(text: str, *, where: str, lowest: int = 0) -> Address:
    """Strict; `where` names the option or key in the message. Port 0 is any free one, for a listener."""
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        colon = ""
    expected = None
    if not colon or not _HOST.fullmatch(host):
        expected = "host:port"
    elif not _is_port(port, lowest=lowest):
        expected = f"host:port with a port from {lowest} to {_HIGHEST_PORT}"
    if expected is not None:
        shown = text if text.isprintable() else ascii(text)[1:-1]
        raise OperatorError(
            f'{where}: expected {expected}, got "{shown}"', hint="for example 0.0.0.0:7443 or [::]:7443"
        )
    return Address(host=host, port=int(port))


def read_settings(path: Path) -> Settings:
    """Every mistake names the file and the key."""
    try:
        untrusted = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise OperatorError(f"{path}: no such file", hint="`doorctl monitor init` makes it") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise OperatorError(f"{path}: {error}") from error
    _only(untrusted, {"ingest": {"listen"}, "console": {"listen"}, "monitor": {"simulated"}}, path)
    simulated = untrusted["monitor"]["simulated"]
    if not isinstance(simulated, bool):
        raise OperatorError(f"{path}: monitor.simulated: expected true or false, got {simulated!r}")
    return Settings(
        listen=_address(untrusted, "ingest", path), console=_address(untrusted, "console", path), simulated=simulated
    )


def write_settings(path: Path, settings: Settings) -> None:
    """A new commented file, 0644; never over an old one."""
    text = _TEMPLATE.format(
        listen=settings.listen, console=settings.console, simulated="true" if settings.simulated else "false"
    )
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError as error:
        raise OperatorError(f"{path}: is there already", hint="a monitor is made once") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _address(untrusted: dict[str, dict[str, object]], section: str, path: Path) -> Address:
    value = untrusted[section]["listen"]
    if not isinstance(value, str):
        raise OperatorError(f'{path}: {section}.listen: expected "host:port", got {value!r}')
    return parse_address(value, where=f"{path}: {section}.listen")


def _is_port(text: str, *, lowest: int) -> bool:
    """Whether it is a number in that range; never more digits than int() takes."""
    few = len(text) <= len(str(_HIGHEST_PORT))
    return few and text.isascii() and text.isdecimal() and lowest <= int(text) <= _HIGHEST_PORT


def _only(untrusted: dict[str, object], expected: dict[str, set[str]], path: Path) -> None:
    """Exactly these sections with exactly these keys."""
    for section in untrusted.keys() | expected.keys():
        if section not in expected:
            raise OperatorError(f"{path}: {section}: unknown section", hint=f"known are {', '.join(sorted(expected))}")
        keys = untrusted.get(section)
        if not isinstance(keys, dict):
            raise OperatorError(f"{path}: section [{section}] is missing")
        for key in keys.keys() ^ expected[section]:
            what = "is missing" if key in expected[section] else "is unknown"
            raise OperatorError(f"{path}: {section}.{key} {what}")
