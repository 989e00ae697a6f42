"""What belongs to a board and what to a monitor: the one table of names in a backup and places on a machine.

A name finds its place here or nowhere. Not in any backup: a monitor's token key (its offline copy is shown instead; a
simulated monitor's is worth nothing and comes along), sockets, and the marks of a lockdown, which is the present's.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from doorctl.backup.manifest import MemberName, Role
from doorctl.backup.plain_files import open_plain
from doorctl.errors import MalformedError, OperatorError
from doorctl.paths import Paths
from doorctl.seal import private_files

_PUBLIC: Final = 0o644
_SECRET: Final = 0o600
_OF_DOORD: Final = 0o640
"""journal.file.MODE and roster.schema.FILE_MODE: the folder's group reads."""
_PLAIN: Final = re.compile(r"\w[\w.-]*", re.ASCII)
_WAL: Final = ("-wal", "-shm")

IDENTITY: Final = MemberName("keys/identity.key")
LOOKUP: Final = MemberName("keys/lookup.key")
CONTROLLER: Final = MemberName("etc/controller.toml")
JOURNAL: Final = MemberName("journal/journal.db")
ROSTER: Final = MemberName("roster/roster.db")
KEYS: Final = frozenset({IDENTITY, LOOKUP})
TLS: Final = (MemberName("courier/tls.key"), MemberName("courier/tls.crt"))
MONITOR: Final = MemberName("etc/monitor.toml")
TOKEN: Final = MemberName("keys/token.key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file that a role has."""

    name: MemberName
    path: Path
    mode: int
    folder_mode: int
    """Of a folder that has to be made; systemd's own are there already, with their owners."""
    database: bool = False
    needed: bool = True
    """False: a machine that never ran has none."""

    @property
    def companions(self) -> tuple[Path, ...]:
        """What SQLite keeps beside it."""
        return tuple(self.path.with_name(self.path.name + suffix) for suffix in _WAL) if self.database else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Family:
    """Files of which there may be any number."""

    folder: str
    name: re.Pattern[str]
    glob: str
    mode: int


_OLD_RECORD_KEYS: Final = _Family(
    folder="keys", name=re.compile(r"record-[\w.-]{1,60}\.key", re.ASCII), glob="record-*.key", mode=_SECRET
)
_OLD_TOKEN_KEYS: Final = _Family(
    folder="keys", name=re.compile(r"token-[\w.-]{1,60}\.key", re.ASCII), glob="token-*.key", mode=_SECRET
)
_READER_KEYS: Final = _Family(
    folder="osdp", name=re.compile(r"[A-Za-z0-9-]{1,60}-[0-9a-f]{8}\.key"), glob="[!.]*.key", mode=_SECRET
)
"""Wrapped: without the look-up key they are nothing, and without them every OSDP reader has to be installed again."""
_CONTROLLERS: Final = _Family(
    folder="controllers", name=re.compile(r"\w[\w.-]{0,80}\.toml", re.ASCII), glob="[!.]*.toml", mode=_PUBLIC
)


class Contents:
    """All files of one role on this machine."""

    def __init__(self, paths: Paths, role: Role, *, monitor_file: str = "monitor.toml") -> None:
        """`monitor_file`: what a board's configuration calls it; OperatorError where that is not in its folder."""
        others = (paths.config.name, paths.controller_public.name, paths.monitor_config.name)
        if not _PLAIN.fullmatch(monitor_file) or monitor_file in others:
            raise OperatorError(
                f'doorctl.toml: monitor.file: "{monitor_file}" is not in {paths.etc}',
                hint="a backup has the files of its own folders only: put it there",
            )
        self.role = role
        self.monitor_file = monitor_file
        self.paths = paths
        self.home = paths.var if role is Role.BOARD else paths.monitor_var
        """Where copies and notes may lie for a while: nobody looks in there who may not."""
        self.gate = paths.config if role is Role.BOARD else paths.monitor_config
        """Without it no daemon of this role starts."""
        fixed = _board(paths, monitor_file) if role is Role.BOARD else _monitor(paths)
        self._fixed = {part.name: part for part in fixed}
        self._families = (_READER_KEYS,) if role is Role.BOARD else (_OLD_RECORD_KEYS, _OLD_TOKEN_KEYS, _CONTROLLERS)

    def place_of(self, name: MemberName) -> Part:
        """Where a member belongs; MalformedError where this role has no such file."""
        if (part := self._fixed.get(name)) is not None:
            return part
        folder, _, file = name.partition("/")
        for family in self._families:
            if folder == family.folder and family.name.fullmatch(file):
                return self._of_family(family, file)
        raise MalformedError(f"{name}: no file of a {self.role}'s")

    def parts(self) -> list[Part]:
        """Every file there could be: those that stand once, in the order they must be copied in, and those found."""
        return [*self._fixed.values(), *(part for family in self._families for part in self._found(family))]

    def present(self) -> list[Part]:
        """Every file that is there."""
        return [part for part in self.parts() if part.path.exists()]

    def folders(self) -> Iterable[Path]:
        """Where they all lie."""
        found = {part.path.parent for part in self._fixed.values()} | {self._folder(f) for f in self._families}
        return sorted(found)

    def token_keys(self) -> frozenset[MemberName]:
        """What a monitor's backup leaves out."""
        return frozenset({TOKEN, *(part.name for part in self._found(_OLD_TOKEN_KEYS))})

    def needed(self) -> Iterator[Part]:
        """Without one of these there is nothing to restore."""
        return (part for part in self._fixed.values() if part.needed)

    def _found(self, family: _Family) -> Iterator[Part]:
        for path in sorted(self._folder(family).glob(family.glob)):
            if not family.name.fullmatch(path.name):
                raise OperatorError(
                    f"{path}: a name that no backup can hold", hint="letters, digits, dot, hyphen, underscore"
                )
            yield self._of_family(family, path.name)

    def _of_family(self, family: _Family, file: str) -> Part:
        return Part(
            name=MemberName(f"{family.folder}/{file}"), path=self._folder(family) / file, mode=family.mode,
            folder_mode=0o700, needed=False,
        )  # fmt: skip

    def _folder(self, family: _Family) -> Path:
        if family is _READER_KEYS:
            return self.paths.reader_keys
        return self.paths.controllers if family is _CONTROLLERS else self.paths.monitor_keys


def reader_keys(names: Iterable[MemberName]) -> frozenset[MemberName]:
    """Those of them that are OSDP readers' keys."""
    return frozenset(name for name in names if name.startswith(f"{_READER_KEYS.folder}/"))


def read_part(part: Part) -> bytes:
    """A small file's bytes; a secret one only where nobody else could have read it."""
    if part.mode & 0o077:
        with open(open_plain(part.path), "rb") as file:  # noqa: PTH123  a descriptor, not a path
            return file.read()
    return private_files.read_file(part.path)


def _board(paths: Paths, monitor_file: str) -> tuple[Part, ...]:
    """The journal before the roster: a roster older than the records about it would look like one put back."""
    etc, keys, courier = paths.etc, paths.keys, paths.courier_keys
    return (
        Part(name=MemberName("etc/doorctl.toml"), path=paths.config, mode=_PUBLIC, folder_mode=0o755),
        Part(name=MONITOR, path=etc / monitor_file, mode=_PUBLIC, folder_mode=0o755),
        Part(name=CONTROLLER, path=paths.controller_public, mode=_PUBLIC, folder_mode=0o755),
        Part(name=IDENTITY, path=keys / "identity.key", mode=_SECRET, folder_mode=0o700),
        Part(name=LOOKUP, path=keys / "lookup.key", mode=_SECRET, folder_mode=0o700),
        Part(name=TLS[0], path=courier / "tls.key", mode=_SECRET, folder_mode=0o700),
        Part(name=TLS[1], path=courier / "tls.crt", mode=_PUBLIC, folder_mode=0o700),
        Part(name=JOURNAL, path=paths.journal, mode=_OF_DOORD, folder_mode=0o2750, database=True, needed=False),
        Part(name=ROSTER, path=paths.roster, mode=_OF_DOORD, folder_mode=0o2770, database=True),
    )


def _monitor(paths: Paths) -> tuple[Part, ...]:
    """The alarms before the ledger: they may be behind it, which is every day's, and never ahead."""
    keys = paths.monitor_keys
    secrets = ("record.key", "receipt.key", "tls.key", "console.token")
    return (
        Part(name=MemberName("etc/monitord.toml"), path=paths.monitor_config, mode=_PUBLIC, folder_mode=0o755),
        Part(name=MONITOR, path=paths.monitor_export, mode=_PUBLIC, folder_mode=0o755),
        *(Part(name=MemberName(f"keys/{name}"), path=keys / name, mode=_SECRET, folder_mode=0o700) for name in secrets),
        Part(name=TOKEN, path=keys / "token.key", mode=_SECRET, folder_mode=0o700, needed=False),
        Part(name=MemberName("keys/tls.crt"), path=keys / "tls.crt", mode=_PUBLIC, folder_mode=0o700),
        *(
            Part(name=MemberName(path.name), path=path, mode=_SECRET, folder_mode=0o700, database=True, needed=False)
            for path in (paths.alarms, paths.ledger)
        ),
    )  # fmt: skip
