"""Puts restored files in their places, all of them or none, whatever kills it; what was there stays beside, never lost.

Theory of operation. Every file is first written and synced beside its place, as `.NAME.restoring`. Until the last one
is, nothing has changed, and the next restore sweeps them away. Then a note is written of what goes where: with it the
restore is decided. Now old files become `NAME.before-N` and new ones get their names; a restore that was killed here is
ended by the next one, from the note, before anything else. The gate, the file without which no daemon starts, goes
first and comes last: nothing ever runs on half of one board and half of another.

The note lies in a daemon's own folder. It is obeyed only where this user wrote it, and it names members, never paths:
each finds its place in the same table as a backup's, or the note is none.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Self

import msgspec
from msgspec import Meta

from doorctl.backup.contents import Contents, Part
from doorctl.backup.manifest import MemberName
from doorctl.backup.plain_files import open_plain
from doorctl.errors import MalformedError, OperatorError, StorageError
from doorctl.seal import private_files

_STAGED: Final = ".restoring"
_ASIDE: Final = ".before-"
_NOTE: Final = ".restore.json"
_PRIVATE: Final = 0o600


class Note(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that is left to do."""

    digest: str
    """SHA-256 of the manifest: which backup this is."""
    new_identity: bool
    """Which of the two restores of a board it is."""
    monitor_file: str
    """Which place a board's monitor.toml has."""
    aside: Annotated[int, Meta(ge=1)]
    names: Annotated[tuple[MemberName, ...], Meta(min_length=1)]
    """Of the files that are staged."""
    obsolete: tuple[MemberName, ...]
    """Files that the restored machine did not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """A note whose names have found their places."""

    path: Path
    aside: int
    moves: tuple[Part, ...]
    """The gate last."""
    obsolete: tuple[Part, ...]


def interrupted(contents: Contents) -> Note | None:
    """What was decided and is not done; StorageError where a note is there that no restore wrote."""
    found = _read_note(contents)
    return None if found is None else found[0]


def finish_interrupted(contents: Contents) -> Note | None:
    """Ends a restore that was decided, or sweeps away one that was not; what was ended."""
    found = _read_note(contents)
    if found is None:
        for staged in _staged_files(contents):
            staged.unlink()
        return None
    note, plan = found
    _carry_out(plan)
    return note


class Placement:
    """One restore's files; used with `with`, so that nothing is left of one that was not decided."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._staged: dict[Path, Part] = {}
        self._decided = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._decided:
            for staged in _staged_files(self._contents):
                staged.unlink()

    def stage(self, part: Part, content: Iterable[bytes]) -> Path:
        """A new file beside its place, with the mode and owner that it will have; on the disk when this returns."""
        _make_folder(part)
        staged = _staged(part.path)
        try:
            # open to others only while it is empty, and never one with a secret
            descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with open(descriptor, "wb") as file:  # noqa: PTH123  a descriptor, not a path
                _give_to_folder_owner(part, descriptor)
                if part.mode & 0o077:
                    os.fchmod(descriptor, part.mode)
                file.writelines(content)
                file.flush()
                os.fsync(descriptor)
        except OSError as error:
            raise StorageError(
                f"{part.path}: cannot be written: {error.strerror}", hint="nothing was changed"
            ) from error
        self._staged[staged] = part
        return staged

    def decide(self, digest: str, *, kept: Iterable[Part], new_identity: bool) -> int | None:
        """Everything is staged: make it so; the number of what was put aside, None where nothing was there.

        `kept` are present files that stay although nothing takes their place.
        """
        contents, staying = self._contents, {part.name for part in kept}
        names = tuple(part.name for part in self._staged.values())
        old = contents.present()
        obsolete = tuple(
            part.name
            for part in contents.parts()
            if part.name not in staying.union(names) and any(path.exists() for path in _files(part))
        )
        note = Note(
            digest=digest, new_identity=new_identity, monitor_file=contents.monitor_file,
            aside=_next_number(contents), names=names, obsolete=obsolete,
        )  # fmt: skip
        plan = _planned(contents, note)
        _write_note(plan, note)
        self._decided = True
        _carry_out(plan)
        return note.aside if old else None


def aside(path: Path, number: int) -> Path:
    """What an old file is called afterwards; a database's own companions follow its name."""
    for suffix in ("-wal", "-shm"):
        if path.name.endswith(suffix):
            return path.with_name(f"{path.name.removesuffix(suffix)}{_ASIDE}{number}{suffix}")
    return path.with_name(f"{path.name}{_ASIDE}{number}")


def _read_note(contents: Contents) -> tuple[Note, _Plan] | None:
    path = contents.home / _NOTE
    if not os.path.lexists(path):
        return None
    try:
        note = msgspec.json.decode(_own(path), type=Note)
        return note, _planned(contents, note)
    except (msgspec.DecodeError, MalformedError, OperatorError) as error:
        raise _no_note(path) from error


def _own(path: Path) -> bytes:
    """A note's bytes, where nobody but this user can have written it."""
    with open(open_plain(path), "rb") as file:  # noqa: PTH123  a descriptor, not a path
        status = os.fstat(file.fileno())
        if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) != _PRIVATE:
            raise _no_note(path)
        return file.read()


def _no_note(path: Path) -> StorageError:
    return StorageError(
        f"{path}: not what a restore wrote",
        hint="somebody planted it, or the disk is damaged: move it away, and look at who can write there",
    )


def _planned(contents: Contents, note: Note) -> _Plan:
    """MalformedError or OperatorError where a name has no place."""
    places = Contents(contents.paths, contents.role, monitor_file=note.monitor_file)
    moves = sorted(map(places.place_of, note.names), key=lambda part: part.path == contents.gate)
    return _Plan(
        path=contents.home / _NOTE, aside=note.aside, moves=tuple(moves),
        obsolete=tuple(map(places.place_of, note.obsolete)),
    )  # fmt: skip


def aside_in(folder: Path) -> list[Path]:
    """What restores have put aside there; PermissionError where we may not look."""
    there = sorted(folder.iterdir()) if folder.is_dir() else []  # a glob would hide that we may not look
    return [path for path in there if number_of(path)]


def number_of(path: Path) -> int:
    """Which restore put it aside; 0 where none did."""
    number = path.name.rpartition(_ASIDE)[2].partition("-")[0] if _ASIDE in path.name else ""
    return int(number) if number.isdecimal() else 0


def _carry_out(plan: _Plan) -> None:
    """Can be cut off anywhere and begun again: a file whose staged one is gone has been dealt with.

    With the gate's all of it was, and what lies there now is newer.
    """
    gate = plan.moves[-1]
    if _staged(gate.path).exists():
        for part in (gate, *plan.obsolete):
            _make_room(part, plan.aside)
        for part in plan.moves:
            if _staged(part.path).exists():
                _make_room(part, plan.aside)
                _rename(_staged(part.path), part.path)
    plan.path.unlink()
    _sync_folder(plan.path.parent)


def _make_room(part: Part, number: int) -> None:
    for old in _files(part):
        if old.exists():
            _rename(old, aside(old, number))


def _files(part: Part) -> tuple[Path, ...]:
    return (part.path, *part.companions)


def _staged(path: Path) -> Path:
    return path.with_name(f".{path.name}{_STAGED}")


def _staged_files(contents: Contents) -> Iterator[Path]:
    for folder in contents.folders():
        yield from sorted(folder.glob(f".*{_STAGED}*"))


def _next_number(contents: Contents) -> int:
    """One for all files of a restore, so that they are seen to belong together."""
    used = [0]
    for folder in contents.folders():
        used += map(number_of, aside_in(folder))
    return max(used) + 1


def _write_note(plan: _Plan, note: Note) -> None:
    """Whole or not there."""
    path = plan.path
    draft = path.with_name(f"{path.name}{_STAGED}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, _PRIVATE)
    with open(descriptor, "wb") as file:  # noqa: PTH123  a descriptor, not a path
        file.write(msgspec.json.encode(note))
        file.flush()
        os.fsync(descriptor)
    for folder in {part.path.parent for part in plan.moves}:
        _sync_folder(folder)
    _rename(draft, path)


def _make_folder(part: Part) -> None:
    """As a service the folders are there with their owners; elsewhere they are the user's own."""
    folder = part.path.parent
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True)
        if os.geteuid() == 0:
            owner = folder.parent.stat()
            if part.folder_mode & 0o077 or private_files.may_have_keys(owner.st_uid):
                os.chown(folder, owner.st_uid, owner.st_gid)
        folder.chmod(part.folder_mode)


def _give_to_folder_owner(part: Part, descriptor: int) -> None:
    """As init does: a file belongs to whoever owns its folder, a secret one only to who may have keys."""
    if os.geteuid() == 0:
        owner = part.path.parent.stat()
        if part.mode & 0o077 or private_files.may_have_keys(owner.st_uid):
            os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _rename(old: Path, new: Path) -> None:
    old.rename(new)
    _sync_folder(new.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
