"""Reads a backup strictly and puts it in place; looks at one without changing anything.

Nothing of a backup gets its name before all of it was read, every digest fits and the end is the end.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from doorctl.backup.archive import Source, read_end, read_manifest, read_member
from doorctl.backup.contents import Contents, Part
from doorctl.backup.envelope import TITLE, SealedReader
from doorctl.backup.making import Told
from doorctl.backup.manifest import Manifest, Member, MemberName
from doorctl.backup.placing import Placement, finish_interrupted, interrupted
from doorctl.backup.quiet import nobody_running
from doorctl.errors import MalformedError, OperatorError, PeerError, StorageError

_NAMED: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A backup whose manifest was read; its members come next, once."""

    source: Source
    manifest: Manifest
    encoded: bytes
    sealed: bool

    @property
    def digest(self) -> str:
        """Which backup this is."""
        return hashlib.sha256(self.encoded).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Where what is restored differs from what was saved."""

    supplied: Mapping[MemberName, bytes] = field(default_factory=dict, repr=False)
    """In place of members, or beside them."""
    renewed: Mapping[MemberName, Callable[[Path], None]] = field(default_factory=dict)
    """What is done to a member before it gets its name."""
    new_identity: bool = False
    """The board goes on as another one."""
    left_out: frozenset[MemberName] = frozenset()
    """Members that nobody could use."""
    kept: frozenset[MemberName] = frozenset()
    """Files of this machine that stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What came of it."""

    aside: int | None
    """The number of what was put aside; None where nothing was there."""
    ended: bool
    """Only what an interrupted restore of the same backup had left to do was done."""


@contextmanager
def opened(file: Path, passphrase: Callable[[], bytes]) -> Iterator[Opened]:
    """`passphrase` is asked for where the file is sealed; what is wrong with the file is said with its name."""
    try:
        stream = file.open("rb")
    except OSError as error:
        raise OperatorError(f"{file}: cannot be read: {error.strerror}") from error
    with stream:
        try:
            sealed = stream.read(len(TITLE)) == TITLE
            source: Source = stream
            if sealed:
                source = SealedReader(stream, passphrase())
            else:
                stream.seek(0)
            manifest, encoded = read_manifest(source)
            yield Opened(source=source, manifest=manifest, encoded=encoded, sealed=sealed)
        except PeerError as error:
            raise type(error)(f"{file}: {error}", hint=error.hint) from error
        except OSError as error:
            if error.filename is not None:
                raise  # of another file, which it names
            raise StorageError(f"{file}: cannot be read: {error.strerror}", hint="take another copy") from error


def verify(backup: Opened, told: Told) -> None:
    """Reads all of it and keeps nothing."""
    for _member, content in _members(backup, told):
        deque(content, maxlen=0)
    read_end(backup.source, backup.encoded)


def restore(backup: Opened, contents: Contents, changes: Changes, *, replace: bool, told: Told) -> Restored:
    """All of it in place, or nothing changed."""
    with nobody_running(contents):
        _is_wished(backup, contents, changes)
        ended = finish_interrupted(contents)
        if ended is not None and ended.digest == backup.digest:
            return Restored(aside=None, ended=True)
    places = {member.name: contents.place_of(member.name) for member in backup.manifest.members}
    supplied = {name: contents.place_of(name) for name in changes.supplied}
    kept = [contents.place_of(name) for name in changes.kept]
    _is_whole(contents, {*places, *supplied, *changes.kept})
    _is_free(contents, kept, replace=replace)
    with nobody_running(contents), Placement(contents) as placement:
        _stage(backup, placement, places, changes, told)
        for name, part in supplied.items():
            placement.stage(part, [changes.supplied[name]])
        return Restored(
            aside=placement.decide(backup.digest, kept=kept, new_identity=changes.new_identity), ended=False
        )


def _is_wished(backup: Opened, contents: Contents, changes: Changes) -> None:
    """OperatorError where the same backup was begun to be restored as another board, or as itself."""
    begun = interrupted(contents)
    if begun is None or begun.digest != backup.digest or begun.new_identity == changes.new_identity:
        return
    way = "with" if begun.new_identity else "without"
    raise OperatorError(
        f"an interrupted restore of this backup was begun {way} --new-identity",
        hint=f"end it {way} --new-identity first; then, if you want the other, restore once more with --replace",
    )


def _is_whole(contents: Contents, names: AbstractSet[MemberName]) -> None:
    missing = [part.name for part in contents.needed() if part.name not in names]
    if missing:
        raise MalformedError(f"has no {missing[0]}", hint="take another copy of the backup")


def _is_free(contents: Contents, kept: list[Part], *, replace: bool) -> None:
    """Every file of the role counts, those too that would get no new one in their place."""
    staying = {part.path for part in kept}
    present = [str(part.path) for part in contents.present() if part.path not in staying]
    if present and not replace:
        named = ", ".join(present[:_NAMED]) + (" …" if len(present) > _NAMED else "")
        raise OperatorError(
            f"there is something already: {named}",
            hint="--replace puts it aside and deletes nothing; `doorctl backup --show FILE` says what the backup has",
        )


def _stage(
    backup: Opened, placement: Placement, places: Mapping[MemberName, Part], changes: Changes, told: Told
) -> None:
    staged: dict[MemberName, Path] = {}
    for member, content in _members(backup, told):
        if member.name in changes.left_out.union(changes.supplied):
            deque(content, maxlen=0)  # another takes its place or none, and it must fit all the same
        else:
            staged[member.name] = placement.stage(places[member.name], content)
    read_end(backup.source, backup.encoded)
    for name, renew in changes.renewed.items():
        if name in staged:
            renew(staged[name])


def _members(backup: Opened, told: Told) -> Iterator[tuple[Member, Iterator[bytes]]]:
    """One after the other; each must be read to its end before the next."""
    done = 0

    def counted(chunks: Iterator[bytes]) -> Iterator[bytes]:
        nonlocal done
        for chunk in chunks:
            yield chunk
            done += len(chunk)
            told("reading bytes", done, backup.manifest.size)

    for member in backup.manifest.members:
        yield member, counted(read_member(backup.source, member))
