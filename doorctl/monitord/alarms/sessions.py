"""Who is signed in: one random session for each time somebody came with the printed address.

What is kept is a keyed hash of each session and when it was last used, so that neither the file nor a core of this
process lets anybody in, and so that another token ends all of them. The file only carries them over a restart of the
process: one that cannot be read or written costs a new sign-in, never the console.
"""

import hashlib
import hmac
import json
import logging
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from doorctl.core.types import SECOND, Duration, WallTime

MOST: Final = 64
"""As many as there are listeners; whoever used theirs least recently gives way."""
IDLE: Final = Duration(14 * 86_400 * SECOND)
"""Without a look for so long, a session is over. A wall display looks all day and stays."""
_NOTE_EVERY: Final = Duration(3_600 * SECOND)
"""How exactly the file knows the last use."""
_BYTES: Final = 32
_LARGEST_FILE: Final = 65_536
_log: Final = logging.getLogger("doorctl-monitor-alarms")


class Sessions:
    """Used on the console's loop alone."""

    def __init__(self, path: Path, token: str, clock: Callable[[], WallTime]) -> None:
        self._path, self._key, self._clock = path, token.encode(), clock
        self._used: dict[str, int] = _read(path)
        self._noted = dict(self._used)

    def begin(self) -> str:
        """A new session, to be given to a browser and to nobody else."""
        session = secrets.token_urlsafe(_BYTES)
        self._drop_stale()
        while len(self._used) >= MOST:
            del self._used[min(self._used, key=self._used.__getitem__)]
        self._used[self._name(session)] = self._clock()
        self._write()
        return session

    def knows(self, untrusted: str) -> bool:
        """Whether it is one of ours and not over; a look keeps it."""
        name, now = self._name(untrusted), self._clock()
        if not untrusted or name not in self._used or now - self._used[name] > IDLE:
            return False
        self._used[name] = now
        if now - self._noted.get(name, 0) > _NOTE_EVERY:
            self._write()
        return True

    def end(self, untrusted: str) -> None:
        """Signed out; nothing where it was none."""
        if self._used.pop(self._name(untrusted), None) is not None:
            self._write()

    def _name(self, untrusted: str) -> str:
        return hmac.new(
            self._key, b"doorctl console session " + untrusted.encode("utf-8", "replace"), hashlib.sha256
        ).hexdigest()

    def _drop_stale(self) -> None:
        now = self._clock()
        self._used = {name: used for name, used in self._used.items() if now - used <= IDLE}

    def _write(self) -> None:
        """Whole or not at all; no fsync: a power cut costs a sign-in."""
        draft = self._path.with_suffix(".draft")
        self._noted = dict(self._used)
        try:
            draft.unlink(missing_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with open(descriptor, "w", encoding="ascii") as file:  # noqa: PTH123  a descriptor, not a path
                json.dump(self._used, file)
            draft.replace(self._path)
        except OSError as error:
            _log.warning("%s: sessions are not kept over a restart: %s", self._path, error.strerror)


def _read(path: Path) -> dict[str, int]:
    """Name → last use; empty where there is no file or none of ours."""
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_LARGEST_FILE))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict) or not all(isinstance(used, int) for used in found.values()):
        return {}
    return dict(list(found.items())[-MOST:])
