"""Makes a backup: copies what must be of one moment, measures everything, and only then writes the one file.

The copies lie for a while in the data's own folder, which is as private as the data. The backup is written under a name
beside its own and gets its name when it is whole and on the disk.
"""

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from doorctl.backup.archive import Sink, write_archive
from doorctl.backup.contents import KEYS, Contents, Part, read_part
from doorctl.backup.copies import copies
from doorctl.backup.envelope import SealedWriter
from doorctl.backup.manifest import LARGEST_MEMBER, VERSION, Manifest, Member, MemberName
from doorctl.backup.plain_files import open_plain
from doorctl.backup.snapshot import copy_database
from doorctl.core.types import WallTime
from doorctl.errors import OperatorError, StorageError

Told = Callable[[str, int, int], None]
"""(what, done, of how much)"""
_CHUNK: Final = 1 << 16
_NO_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES, errno.EMLINK})
"""What a file system without hard links says: FAT, on most sticks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a manifest says of the whole."""

    doorctl: str
    name: str
    identity: str
    simulated: bool
    created: WallTime
    monitor_file: str = "monitor.toml"
    token_keys: tuple[str, ...] = ()


def make_backup(
    file: Path,
    contents: Contents,
    label: Label,
    *,
    passphrase: bytes | None,
    without: frozenset[MemberName],
    told: Told,
) -> Manifest:
    """One new file, 0600, sealed where there is a passphrase; OperatorError where something is there already."""
    if os.path.lexists(file):
        raise OperatorError(
            f"{file}: is there already and is never overwritten", hint="give a new name, such as one with the date"
        )
    parts = [part for part in contents.parts() if part.name not in without and _is_there(part)]
    with copies(contents.home) as folder:
        sources = {part.name: _steady(part, folder, told) for part in parts}
        manifest = Manifest(
            version=VERSION, doorctl=label.doorctl, role=contents.role, name=label.name, identity=label.identity,
            simulated=label.simulated, created=label.created, monitor_file=label.monitor_file,
            token_keys=label.token_keys, members=tuple(_measured(name, path) for name, path in sources.items()),
        )  # fmt: skip
        with _new_file(file) as sink:
            written = _Counted(manifest, told)

            def content_of(member: Member) -> Iterator[bytes]:
                return written.pass_on(_chunks(sources[member.name]))

            _write(sink, manifest, content_of, passphrase)
    return manifest


def _is_there(part: Part) -> bool:
    """False where a machine may be without it; OperatorError where it may not."""
    if not part.needed or part.path.exists():
        return part.path.exists()
    hint = (
        "are its keys systemd credentials? then --without-keys"
        if part.name in KEYS
        else "`doorctl doctor` says what is wrong"
    )
    raise OperatorError(f"{part.path}: is not there, and a backup without it could not be used", hint=hint)


def _write(
    sink: Sink, manifest: Manifest, content_of: Callable[[Member], Iterator[bytes]], passphrase: bytes | None
) -> None:
    if passphrase is None:
        write_archive(sink, manifest, content_of)
        return
    sealed = SealedWriter(sink, passphrase)
    write_archive(sealed, manifest, content_of)
    sealed.finish()


def _steady(part: Part, folder: Path, told: Told) -> Path:
    """A file with this part's bytes that nobody changes while it is measured and written."""
    copy = folder / part.name.replace("/", "_")
    if part.database:
        copy_database(part.path, copy, lambda done, all_: told(f"copying pages of {part.path.name}", done, all_))
        return copy
    content = read_part(part)
    with open(copy, "xb", opener=_private) as file:
        file.write(content)
    return copy


def _measured(name: MemberName, path: Path) -> Member:
    digest, size = hashlib.sha256(), 0
    for chunk in _chunks(path):
        digest.update(chunk)
        size += len(chunk)
    if size > LARGEST_MEMBER:
        raise OperatorError(
            f"{name}: has {size:,} bytes, and a backup holds files of at most {LARGEST_MEMBER:,}",
            hint="copy it with its daemon stopped, by other means",
        )
    return Member(name=name, size=size, sha256=digest.hexdigest())


def _chunks(path: Path) -> Iterator[bytes]:
    with open(open_plain(path), "rb") as file:  # noqa: PTH123  a descriptor, not a path
        while chunk := file.read(_CHUNK):
            yield chunk


class _Counted:
    """Tells how much of a backup is written."""

    def __init__(self, manifest: Manifest, told: Told) -> None:
        self._all, self._done, self._told = manifest.size, 0, told

    def pass_on(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            yield chunk
            self._done += len(chunk)
            self._told("writing bytes", self._done, self._all)


@contextmanager
def _new_file(file: Path) -> Iterator[IO[bytes]]:
    """Written beside, synced, then given its name; nothing is left of it where anything fails."""
    draft = file.with_name(f"{file.name}.partial")
    stream = _draft(draft)
    try:
        with stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        _name(draft, file)
        _sync_folder(file.parent)
    except FileExistsError as error:
        raise OperatorError(f"{file}: is there already and is never overwritten") from error
    except OSError as error:
        raise StorageError(f"{file}: cannot be written: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)


def _draft(draft: Path) -> IO[bytes]:
    try:
        return open(draft, "xb", opener=_private)
    except FileExistsError as error:
        raise OperatorError(
            f"{draft}: left by a backup that was interrupted", hint=f"rm '{draft}', and begin again"
        ) from error
    except OSError as error:
        raise OperatorError(f"{draft}: cannot be made: {error.strerror}", hint="is the medium mounted?") from error


def _name(draft: Path, file: Path) -> None:
    """As a link it refuses where something has come meanwhile; where there are none, a look before must do."""
    try:
        os.link(draft, file)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(file):
            raise FileExistsError(errno.EEXIST, "is there already", str(file)) from error
        draft.rename(file)
    else:
        draft.unlink()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
