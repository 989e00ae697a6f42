"""Files with secrets: created 0600 and new, read only where nobody else could have.

Never changes a mode, never overwrites, never deletes, never follows a link; a message names the file, never its text.
"""

import os
import pwd
import stat
from pathlib import Path
from typing import Final

from doorctl.errors import OperatorError, StorageError

CREDENTIALS_VARIABLE: Final = "CREDENTIALS_DIRECTORY"
"""Set by systemd for a unit with LoadCredential= or LoadCredentialEncrypted=."""
CREDENTIAL: Final = "systemd credential"
_DAEMONS: Final = frozenset({"doorctl", "doorctl-courier", "doorctl-monitor"})
"""systemd/sysusers.d: who owns a folder for keys that root fills."""
LARGEST: Final = 65_536
"""Bytes; no key file comes near."""


def create_folder(folder: Path) -> None:
    """Make a folder for secrets, 0700, or accept one that is; refuses one that others may look into."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            pass
        else:
            _give_to_owner_of(folder.parent, folder)
        mode = folder.stat().st_mode
    except OSError as error:
        raise StorageError(f"{folder}: cannot be made: {error.strerror}") from error
    if mode & 0o077:
        raise OperatorError(
            f"{folder}: expected mode 0700, found {stat.S_IMODE(mode):04o}", hint=f"chmod 700 {folder}"
        )  # fmt: skip


def create_file(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """A new file, on the disk when this returns; OperatorError where there is one already."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, mode)
        with open(descriptor, "wb") as file:  # noqa: PTH123  a descriptor, not a path
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        _give_to_owner_of(path.parent, path)
        sync_folder(path.parent)
    except FileExistsError as error:
        raise OperatorError(
            f"{path}: is there already and is never overwritten",
            hint="to begin anew, move the old file away by hand and keep it",
        ) from error
    except OSError as error:
        raise StorageError(f"{path}: cannot be written: {error.strerror}") from error


def read_file(path: Path) -> bytes:
    """A secret's bytes; OperatorError where it is missing, not a plain file, or open to others."""
    return _read(path, forbidden=0o077)


def read_credential(path: Path) -> bytes:
    """The same from systemd's folder, where an ACL for the unit's user shows as group bits."""
    return _read(path, forbidden=0o007)


def credentials_folder(name: str) -> Path | None:
    """systemd's credentials folder where it holds `name`, else None."""
    given = os.environ.get(CREDENTIALS_VARIABLE)
    if not given:
        return None
    folder = Path(given)
    return folder if os.path.lexists(folder / name) else None


def _read(path: Path, *, forbidden: int) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise OperatorError(f"{path}: there is no such file") from error
    except OSError as error:
        raise OperatorError(f"{path}: cannot be opened: {error.strerror}") from error
    with open(descriptor, "rb") as file:  # noqa: PTH123  a descriptor, not a path
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OperatorError(f"{path}: not a plain file")
        if status.st_mode & forbidden:
            mode = stat.S_IMODE(status.st_mode)
            raise OperatorError(
                f"{path}: expected mode 0600, found {mode:04o}",
                hint="others may have read this key: make new ones, or chmod 600 if you know that nobody did",
            )
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise OperatorError(f"{path}: too long for a key file")
    return content


def _give_to_owner_of(folder: Path, path: Path) -> None:
    """Root makes keys for a daemon's user, or for who called sudo; in anybody else's folder they stay root's."""
    if os.geteuid() == 0:
        owner = folder.stat()
        if may_have_keys(owner.st_uid):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def may_have_keys(uid: int) -> bool:
    """Whether root leaves secrets to this user: a daemon's, or who called sudo."""
    if str(uid) == os.environ.get("SUDO_UID"):
        return True
    try:
        return pwd.getpwuid(uid).pw_name in _DAEMONS
    except KeyError:  # a uid without a name is no daemon's
        return False


def sync_folder(folder: Path) -> None:
    """What was made, renamed or removed in it is on the disk when this returns."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
