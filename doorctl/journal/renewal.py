"""The journal of a board that gets another identity: the access log stays, the records go.

They are signed by a key that the board has no longer: its monitor would take them for a stranger's. What the roster
announced is told anew, from its first generation.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from doorctl.journal.entries import SET_GENERATION
from doorctl.journal.faults import journal_error
from doorctl.journal.file import connect, settle


def renew(path: Path) -> None:
    """Of a file that nobody has open; on the disk when this returns."""
    try:
        with closing(connect(path, check=True)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("DELETE FROM record")
            connection.execute(SET_GENERATION, (0,))
            connection.execute("COMMIT")
            connection.execute("VACUUM")
            settle(connection)
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except (sqlite3.Error, OSError) as error:
        raise journal_error(error, path) from error
