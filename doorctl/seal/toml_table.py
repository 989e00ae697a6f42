"""Strict reading of a pairing file's TOML: each value is asked for once, and what nobody asked for is refused.

The installer's own file is read by doorctl.config, which reports all mistakes at once; these files are made by
a program, so the first mistake says that the file is damaged, and what to do.
"""

import base64
import binascii
import os
import secrets
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import tomli

from doorctl.errors import MalformedError, OperatorError, StorageError

LARGEST: Final = 65_536
"""Bytes; a pairing file has about 3,000."""
_LINE: Final = 76
_LONGEST_SHOWN: Final = 120
_HIGHEST_PORT: Final = 65_535
_LONGEST_HOST: Final = 253
"""RFC 1035's 255 octets as text."""
_HOST_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]%")
"""Names, IPv4, and [IPv6%zone]."""
_T = TypeVar("_T")


class Table:
    """One table of a file; remembers what was asked for."""

    def __init__(self, values: dict[str, object], *, file: Path, prefix: str, hint: str) -> None:
        self._values = dict(values)
        self._file = file
        self._prefix = prefix
        self._hint = hint

    def error(self, key: str, expected: str, found: str) -> OperatorError:
        """What to raise for this key."""
        place = f"{self._file.name}: {self._prefix}{_shown(key)}"
        return OperatorError(f"{place}: expected {expected}, found {_shown(found)}", hint=self._hint)

    def text(self, key: str) -> str:
        """A string."""
        return self._take(key, str, "a text")

    def has(self, key: str) -> bool:
        """Whether it is there: for what files of an earlier version lack."""
        return key in self._values

    def integer(self, key: str) -> int:
        """A whole number."""
        return self._take(key, int, "a whole number")

    def boolean(self, key: str) -> bool:
        """True or false."""
        return self._take(key, bool, "true or false")

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        values = self._take(key, list, "a list of texts")
        if not all(isinstance(value, str) for value in values):
            raise self.error(key, "a list of texts", "something else in the list")
        return tuple(values)

    def table(self, key: str) -> "Table":
        """A table inside this one; `finish` it as well."""
        values = self._take(key, dict, "a table")
        return Table(values, file=self._file, prefix=f"{self._prefix}{key}.", hint=self._hint)

    def hexadecimal(self, key: str) -> bytes:
        """Bytes written as lower-case hex without gaps."""
        text = self.text(key)
        try:
            decoded = bytes.fromhex(text)
        except ValueError:
            decoded = b""
        if decoded.hex() != text:
            raise self.error(key, "lower-case hex", "another text")
        return decoded

    def raw(self, key: str, expected: str, parse: Callable[[bytes], _T]) -> _T:
        """Base64, folded into lines or not, and then whatever `parse` lets through."""

        def decode(text: str) -> _T:
            try:
                return parse(base64.b64decode("".join(text.split()), validate=True))
            except (binascii.Error, ValueError) as error:
                raise MalformedError("not base64") from error

        return self.parsed(key, expected, decode)

    def parsed(self, key: str, expected: str, parse: Callable[[str], _T]) -> _T:
        """A string that `parse` lets through; its MalformedError becomes ours."""
        text = self.text(key)
        try:
            return parse(text)
        except MalformedError as error:
            raise self.error(key, expected, f"{error}") from error

    def finish(self) -> None:
        """Refuse keys that nobody asked for."""
        for key in self._values:
            raise self.error(key, "no such key", "it")

    def _take(self, key: str, kind: type[_T], expected: str) -> _T:
        if key not in self._values:
            raise self.error(key, expected, "none")
        value = self._values.pop(key)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.error(key, expected, "something else")
        return value


def _shown(untrusted: str) -> str:
    """A bit of a stranger's file for the operator's terminal: no control characters, not long."""
    printable = "".join(character if character.isprintable() else "?" for character in untrusted)
    return printable if len(printable) <= _LONGEST_SHOWN else printable[:_LONGEST_SHOWN] + "…"


def read_table(path: Path, *, hint: str) -> Table:
    """A whole file; OperatorError where it is missing, too long or no TOML."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise OperatorError(f"{path}: cannot be read: {error.strerror}", hint=hint) from error
    if len(content) > LARGEST:
        raise OperatorError(f"{path}: expected at most {LARGEST} bytes, found more", hint=hint)
    try:
        values = tomli.loads(content.decode())
    except (ValueError, RecursionError) as error:  # tomli's own, bad UTF-8, a number or a nesting without end
        raise OperatorError(f"{path}: not TOML: {_shown(str(error))}", hint=hint) from error
    return Table(values, file=path, prefix="", hint=hint)


def replace_file(path: Path, text: str) -> None:
    """Write a public file (0644) so that a reader and a power cut see the old one or the new one, whole."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        try:
            with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123  a descriptor, not a path
                file.write(text)
                file.flush()
                os.fsync(descriptor)
            beside.replace(path)
        except OSError:
            beside.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StorageError(f"{path}: cannot be written: {error.strerror}") from error


def base64_lines(raw: bytes) -> str:
    """Base64 in lines of 76."""
    return "\n".join(textwrap.wrap(base64.b64encode(raw).decode(), _LINE))


def is_address(text: str) -> bool:
    """`host:port`, with an IPv6 host in brackets."""
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    return (
        bool(colon and host)
        and len(host) <= _LONGEST_HOST
        and set(host) <= _HOST_CHARACTERS
        and (bracketed or not set(host) & set(":[]"))
        and port.isascii()
        and port.isdigit()
        and len(port) <= len(str(_HIGHEST_PORT))
        and 0 < int(port) <= _HIGHEST_PORT
    )
