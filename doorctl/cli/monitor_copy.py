"""Notes that a token key's offline copy was made or shown: which key and when, never where it lies or what it says.

Whether the copy is still in its safe nobody here can know; that none was ever made, the note's absence says.
"""

import json
import os
import secrets
from datetime import date
from pathlib import Path
from typing import Final

from doorctl.errors import StorageError
from doorctl.paths import Paths

_NAME: Final = "token-key-copies.json"


def note_copies(paths: Paths, fingerprints: list[str], today: date) -> None:
    """These keys' copies were seen today; whole or not at all, and StorageError where it cannot be written."""
    path = paths.monitor_var / _NAME
    noted = {key: day.isoformat() for key, day in noted_copies(paths).items()}
    noted |= dict.fromkeys(fingerprints, today.isoformat())
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(noted, file)
            file.flush()
            os.fsync(descriptor)
        draft.replace(path)
    except OSError as error:
        raise StorageError(f"{path}: cannot be written: {(error.strerror or str(error)).lower()}") from error
    finally:
        draft.unlink(missing_ok=True)


def noted_copies(paths: Paths) -> dict[str, date]:
    """Fingerprint of a token key → the day its copy was last seen; nothing where there is no note that could be one."""
    try:
        noted = json.loads((paths.monitor_var / _NAME).read_text(encoding="utf-8"))
        return {str(key): date.fromisoformat(day) for key, day in noted.items()}
    except (FileNotFoundError, ValueError, AttributeError, TypeError):
        return {}


def token_fingerprints(keys: Path) -> list[str]:
    """Of this monitor's token keys, the present one first."""
    from doorctl.seal.keys import fingerprint, load_token_keys

    return [fingerprint(key.public_key().public_bytes_raw()).hex() for key in load_token_keys(keys)]
