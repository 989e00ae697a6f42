"""What the courier needs of etc/monitor.toml: where the monitor is, and the one certificate it will speak to.

The file's keys are checked by doord, which owns what is sealed to them. The courier reads the two values that are its
business, strictly, and cannot reach the code that reads the rest. So too with two lines of doorctl.toml.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import tomli

from doorctl.core.types import SECOND, Duration
from doorctl.errors import OperatorError

MOST_ADDRESSES: Final = 2
FASTEST_SUPERVISION_S: Final = 10
SLOWEST_SUPERVISION_S: Final = 60
"""design.md, Cryptography: on demand every 10 to 60 s."""
_CHECK: Final = "`doorctl check` finds every mistake"
_LARGEST_FILE: Final = 64 * 1024
_LARGEST_PORT: Final = 65535
_DER_SEQUENCE: Final = b"\x30"
"""What every certificate begins with: X.690, 8.9."""
_PAIR_AGAIN: Final = "copy the monitor's file here again (doorctl monitor init wrote it)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the monitor listens."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """`host:port`, IPv6 in brackets; ValueError says what is wrong."""
        host, colon, port = text.rpartition(":")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        elif ":" in host:
            raise ValueError(f'expected "[IPv6]:port", got "{text}"')
        if not colon or not host or any(mark.isspace() for mark in host):
            raise ValueError(f'expected "host:port", got "{text}"')
        if not (port.isascii() and port.isdecimal() and len(port) <= len("65535") and 1 <= int(port) <= _LARGEST_PORT):
            raise ValueError(f'expected a port from 1 to {_LARGEST_PORT}, got "{text}"')
        return cls(host=host, port=int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """One monitor at one or two addresses."""

    addresses: tuple[Address, ...]
    certificate_der: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """doorctl.toml's [monitor], as far as the courier is concerned."""

    file: str = "monitor.toml"
    """Relative to the configuration's folder."""
    supervision: Duration = Duration(30 * SECOND)  # noqa: RUF009  a whole number is immutable
    """10 to 60 s between two words that all is well."""


def read_link(path: Path) -> Link:
    """The installer's two lines; without the file or the table, what they would be anyway."""
    try:
        table = tomli.loads(path.read_text(encoding="utf-8-sig")).get("monitor", {})
    except FileNotFoundError:
        return Link()
    except OSError as error:
        raise OperatorError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    except (ValueError, RecursionError) as error:
        raise OperatorError(f"{path}: expected TOML", hint=_CHECK) from error
    if not isinstance(table, dict):
        raise OperatorError(f"{path}: monitor: expected a table", hint=_CHECK)
    file, supervision_s = table.get("file", "monitor.toml"), table.get("supervision_s", 30)
    if not isinstance(file, str) or not file.isprintable() or not file:
        raise OperatorError(f"{path}: monitor.file: expected a path", hint=_CHECK)
    number = isinstance(supervision_s, int | float) and not isinstance(supervision_s, bool)
    if not number or not FASTEST_SUPERVISION_S <= supervision_s <= SLOWEST_SUPERVISION_S:
        expected = f"{FASTEST_SUPERVISION_S} to {SLOWEST_SUPERVISION_S} seconds"
        raise OperatorError(f"{path}: monitor.supervision_s: expected {expected}", hint=_CHECK)
    return Link(file=file, supervision=Duration(round(supervision_s * SECOND)))


def read_monitor(path: Path) -> Monitor:
    """The addresses and the certificate of monitor.toml; OperatorError names the file, the key and what is expected."""
    try:
        text = path.read_bytes()
        if len(text) > _LARGEST_FILE:
            raise OperatorError(f"{path}: more than {_LARGEST_FILE} bytes", hint=_PAIR_AGAIN)
        table = tomli.loads(text.decode())
    except FileNotFoundError as error:
        raise OperatorError(f"{path}: no such file", hint="this board is not paired with a monitor yet") from error
    except OSError as error:
        raise OperatorError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    except ValueError as error:
        raise OperatorError(f"{path}: {error}", hint=_PAIR_AGAIN) from error
    return Monitor(
        addresses=_addresses(path, table.get("addresses")), certificate_der=_certificate(path, table.get("certificate"))
    )


def _addresses(path: Path, untrusted: object) -> tuple[Address, ...]:
    if not isinstance(untrusted, list) or not 1 <= len(untrusted) <= MOST_ADDRESSES:
        raise OperatorError(f'{path}: addresses: expected one or two of "host:port"', hint=_PAIR_AGAIN)
    try:
        addresses = tuple(Address.parse(text) if isinstance(text, str) else _not_text(text) for text in untrusted)
    except ValueError as error:
        raise OperatorError(f"{path}: addresses: {error}") from error
    if len(set(addresses)) != len(addresses):
        raise OperatorError(f"{path}: addresses: the same twice")
    return addresses


def _not_text(untrusted: object) -> Address:
    raise ValueError(f'expected "host:port", got {untrusted!r}')


def _certificate(path: Path, untrusted: object) -> bytes:
    if not isinstance(untrusted, str):
        raise OperatorError(f"{path}: certificate: expected the monitor's certificate as PEM text", hint=_PAIR_AGAIN)
    try:
        der = ssl.PEM_cert_to_DER_cert(untrusted)
    except ValueError as error:
        raise OperatorError(f"{path}: certificate: not a certificate in PEM", hint=_PAIR_AGAIN) from error
    # the decoder passes over what is not base64, two certificates in a row among it
    if der[:1] != _DER_SEQUENCE or ssl.DER_cert_to_PEM_cert(der).split() != untrusted.split():
        raise OperatorError(f"{path}: certificate: not exactly one certificate in PEM", hint=_PAIR_AGAIN)
    return der
