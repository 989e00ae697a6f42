"""A backup's first member: what it is of, when it was made, and size and SHA-256 of everything that follows. Pure.

Never says where anything lies on a machine: names are looked up in a table (contents.py), never joined to a folder.
"""

import re
from enum import StrEnum
from typing import Annotated, Final, NewType

import msgspec
from msgspec import Meta

from doorctl.core.types import WallTime
from doorctl.errors import MalformedError

VERSION: Final = 1
NAME: Final = "manifest.json"
DIGEST_NAME: Final = "manifest.sha256"
LARGEST: Final = 4 << 20
"""Bytes; some 25,000 trusted boards."""
LARGEST_MEMBER: Final = (1 << 40) - 1
"""Bytes: a ledger of a thousand million records."""
_LATEST: Final = (1 << 63) - 1
"""Nanoseconds: in the year 2262."""
_MEMBER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?")
_LONGEST_NAME: Final = 100
"""What a tar header holds without its prefix field."""

MemberName = NewType("MemberName", str)
_Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
_Line = Annotated[str, Meta(max_length=200)]


class Role(StrEnum):
    """Which side of the line a backup is of."""

    BOARD = "board"
    MONITOR = "monitor"


class Member(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of it."""

    name: MemberName
    size: Annotated[int, Meta(ge=0, le=LARGEST_MEMBER)]
    sha256: _Sha256


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of it."""

    version: int
    doorctl: _Line
    """The program that made it."""
    role: Role
    name: _Line
    """Of a board its site; of a monitor its first address."""
    identity: _Line
    """Of a board its controller id, of a monitor its fingerprint; both as people see them."""
    simulated: bool
    created: Annotated[WallTime, Meta(ge=0, le=_LATEST)]
    monitor_file: _Line
    """What a board's configuration calls its monitor.toml."""
    token_keys: tuple[_Sha256, ...]
    """Fingerprints of the token keys that are not in it and must be shown to restore it, the present one first."""
    members: tuple[Member, ...]

    @property
    def size(self) -> int:
        """Bytes of all members."""
        return sum(member.size for member in self.members)

    def encode(self) -> bytes:
        """As it stands in the file."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n"


def parse_manifest(untrusted: bytes) -> Manifest:
    """The manifest, or MalformedError; every name in it is a plain one and stands once."""
    try:
        manifest = msgspec.json.decode(untrusted, type=Manifest)
    except msgspec.ValidationError as error:
        raise MalformedError(f"{NAME}: {error}", hint="made by another version of doorctl?") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError(f"{NAME}: not JSON") from error
    if manifest.version != VERSION:
        raise MalformedError(f"{NAME}: version {manifest.version}, this doorctl reads {VERSION}", hint="update doorctl")
    for line in (manifest.doorctl, manifest.name, manifest.identity, manifest.monitor_file):
        if not line.isprintable():
            raise MalformedError(f"{NAME}: a line with characters that none has")
    names = [member.name for member in manifest.members]
    for name in names:
        if len(name) > _LONGEST_NAME or not _MEMBER.fullmatch(name) or name in (NAME, DIGEST_NAME):
            raise MalformedError(f"{NAME}: a member with a name that none has")
    if len(set(names)) != len(names):
        raise MalformedError(f"{NAME}: a member stands in it twice")
    return manifest
