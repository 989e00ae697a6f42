"""Makes a roster's file: whole under its name, or not at all, and never over another one."""

import os
import secrets
from pathlib import Path

from doorctl.errors import OperatorError, StorageError
from doorctl.roster.factors import SITE_SALT_SIZE, StretchParameters
from doorctl.roster.meta import RosterParameters, insert_meta
from doorctl.roster.schema import DIRECTORY_MODE, FILE_MODE, create_tables, translated
from doorctl.seal.roster_tree import roster_digest


def create_roster(
    path: Path, *, stretch: StretchParameters, code_length: int, codes_per_holder: int, site_salt: bytes | None
) -> None:
    """An empty roster at `path`; OperatorError where something is there already."""
    parameters = RosterParameters(
        stretch=stretch,
        site_salt=secrets.token_bytes(SITE_SALT_SIZE) if site_salt is None else site_salt,
        code_length=code_length,
        codes_per_holder=codes_per_holder,
    )
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _make_directory(path.parent)
        _make_file(draft)
        _fill(draft, parameters)
        os.link(draft, path)  # unlike a rename, it refuses where there is one
        _sync_directory(path.parent)
    except FileExistsError as error:
        raise OperatorError(f"{path}: there is a roster already", hint="it is never overwritten") from error
    except OSError as error:
        raise StorageError(f"{path}: the roster cannot be made: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)


def _make_directory(directory: Path) -> None:
    """As a service, systemd-tmpfiles makes it with its group; elsewhere it is the user's own."""
    if not directory.exists():
        directory.mkdir(parents=True)
        directory.chmod(DIRECTORY_MODE)


def _make_file(path: Path) -> None:
    """Opened to the group while it is still empty: whatever the umask, `doord` can read it."""
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        os.fchmod(descriptor, FILE_MODE)
    finally:
        os.close(descriptor)


def _fill(path: Path, parameters: RosterParameters) -> None:
    with translated(path):
        connection = create_tables(path)
        try:
            insert_meta(connection, parameters, roster_digest(()))
        finally:
            connection.close()


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
