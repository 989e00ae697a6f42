"""Puts restored files in their places, all of them or none, whatever kills it; what was there stays beside, never lost.

Theory of operation. Every file is first written and synced beside its place, as `.NAME.restoring`. Until the last one
is, nothing has changed, and the next restore sweeps them away. Then a note is written of what goes where: with it the
restore is decided. Now old files become `NAME.before-N` and new ones get their names; a restore that was killed here is
ended by the next one, from the note, before anything else. The gate, the file without which no daemon starts, goes
first and comes last: nothing ever runs on half of one board and half of another.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Self

import msgspec

from doorctl.backup.contents import Contents, Part
from doorctl.errors import StorageError

_STAGED: Final = ".restoring"
_ASIDE: Final = ".before-"
_NOTE: Final = ".restore.json"


class _Move(msgspec.Struct, frozen=True, kw_only=True):
    """A new file, and what makes room for it."""

    staged: str
    target: str
    companions: tuple[str, ...]


class _Note(msgspec.Struct, frozen=True, kw_only=True):
    """All that is left to do."""

    digest: str
    """SHA-256 of the manifest: which backup this is."""
    aside: int
    moves: tuple[_Move, ...]
    """The gate last."""
    obsolete: tuple[str, ...]
    """Files that the restored machine did not have."""


def finish_interrupted(contents: Contents) -> str | None:
    """Ends a restore that was decided, or sweeps away one that was not; the digest of what was ended."""
    path = contents.home / _NOTE
    if not path.exists():
        for staged in _staged_files(contents):
            staged.unlink()
        return None
    try:
        note = msgspec.json.decode(path.read_bytes(), type=_Note)
    except msgspec.DecodeError as error:
        raise StorageError(
            f"{path}: not what a restore wrote", hint="the disk may be damaged; `doorctl doctor`"
        ) from error
    _carry_out(note, path)
    return note.digest


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
                _give_to_folder_owner(part.path.parent, descriptor)
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

    def decide(self, digest: str, *, kept: Iterable[Part]) -> int | None:
        """Everything is staged: make it so; the number of what was put aside, None where nothing was there.

        `kept` are present files that stay although nothing takes their place.
        """
        targets = {part.path for part in self._staged.values()} | {part.path for part in kept}
        old = [path for part in self._contents.present() for path in (part.path, *part.companions) if path.exists()]
        obsolete = [
            path
            for part in self._contents.parts()
            if part.path not in targets
            for path in (part.path, *part.companions)
            if path.exists()
        ]
        moves = sorted(map(_move, self._staged.items()), key=lambda move: move.target == str(self._contents.gate))
        note = _Note(
            digest=digest, aside=_next_number(self._contents),
            moves=tuple(moves), obsolete=tuple(map(str, obsolete)),
        )  # fmt: skip
        path = self._contents.home / _NOTE
        _write_note(path, note)
        self._decided = True
        _carry_out(note, path)
        return note.aside if old else None


def aside(path: Path, number: int) -> Path:
    """What an old file is called afterwards; a database's own companions follow its name."""
    for suffix in ("-wal", "-shm"):
        if path.name.endswith(suffix):
            return path.with_name(f"{path.name.removesuffix(suffix)}{_ASIDE}{number}{suffix}")
    return path.with_name(f"{path.name}{_ASIDE}{number}")


def _carry_out(note: _Note, path: Path) -> None:
    """Can be cut off anywhere and begun again: a file whose staged one is gone has been dealt with.

    With the gate's all of it was, and what lies there now is newer.
    """
    gate = note.moves[-1]
    if Path(gate.staged).exists():
        _make_room(gate, note.aside)
        for obsolete in map(Path, note.obsolete):
            if obsolete.exists():
                _rename(obsolete, aside(obsolete, note.aside))
        for move in note.moves:
            if Path(move.staged).exists():
                _make_room(move, note.aside)
                _rename(Path(move.staged), Path(move.target))
    path.unlink()
    _sync_folder(path.parent)


def _make_room(move: _Move, number: int) -> None:
    for old in (move.target, *move.companions):
        if Path(old).exists():
            _rename(Path(old), aside(Path(old), number))


def _move(staged_part: tuple[Path, Part]) -> _Move:
    staged, part = staged_part
    return _Move(staged=str(staged), target=str(part.path), companions=tuple(map(str, part.companions)))


def _staged(path: Path) -> Path:
    return path.with_name(f".{path.name}{_STAGED}")


def _staged_files(contents: Contents) -> Iterator[Path]:
    for folder in contents.folders():
        yield from sorted(folder.glob(f".*{_STAGED}*"))


def _next_number(contents: Contents) -> int:
    """One for all files of a restore, so that they are seen to belong together."""
    used = [0]
    for folder in contents.folders():
        for path in folder.glob(f"*{_ASIDE}*"):
            number = path.name.rpartition(_ASIDE)[2].partition("-")[0]
            used.append(int(number) if number.isdecimal() else 0)
    return max(used) + 1


def _write_note(path: Path, note: _Note) -> None:
    """Whole or not there."""
    draft = path.with_name(f"{path.name}{_STAGED}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123  a descriptor, not a path
        file.write(msgspec.json.encode(note))
        file.flush()
        os.fsync(descriptor)
    for folder in {Path(move.target).parent for move in note.moves}:
        _sync_folder(folder)
    _rename(draft, path)


def _make_folder(part: Part) -> None:
    """As a service the folders are there with their owners; elsewhere they are the user's own."""
    folder = part.path.parent
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True)
        if os.geteuid() == 0:
            owner = folder.parent.stat()
            os.chown(folder, owner.st_uid, owner.st_gid)
        folder.chmod(part.folder_mode)


def _give_to_folder_owner(folder: Path, descriptor: int) -> None:
    """As init does: a file belongs to whoever owns its folder."""
    if os.geteuid() == 0:
        owner = folder.stat()
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
