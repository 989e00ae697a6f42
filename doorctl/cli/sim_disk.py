"""The simulated board's disk, as a visitor may stall it: from then on no write to the journal ends.

Done by holding the journal's write lock, which to doord is a disk that takes nothing. Reads go on, as `doorctl log`
does them. Nothing is written here and nothing is damaged; mended, everything that waited is written.
"""

import sqlite3
import threading
from pathlib import Path
from typing import Final

from doorctl.cli.sim_site import SimError

_LOCK_WITHIN_S: Final = 5.0
"""doord's own writes take milliseconds."""


class Disk:
    """Under one journal; both calls block for a moment, may come from any thread, and may be repeated."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._turn = threading.Lock()
        self._holding: sqlite3.Connection | None = None

    def stall(self) -> None:
        """From now on no write ends; SimError where that cannot be had."""
        with self._turn:
            if self._holding is not None:
                return
            try:
                connection = sqlite3.connect(
                    f"{self._journal.absolute().as_uri()}?mode=rw",
                    uri=True, isolation_level=None, timeout=_LOCK_WITHIN_S, check_same_thread=False,
                )  # fmt: skip
            except sqlite3.Error as error:
                raise SimError("the disk cannot be stalled: there is no journal on it") from error
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.Error as error:
                connection.close()
                raise SimError(f"the disk cannot be stalled: {error}", hint="try again in a moment") from error
            self._holding = connection

    def mend(self) -> None:
        """Writes end again."""
        with self._turn:
            if self._holding is not None:
                self._holding.close()
                self._holding = None
