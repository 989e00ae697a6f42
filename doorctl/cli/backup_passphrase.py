"""A backup's passphrase: typed on the terminal, or from a file that only its owner can read; never in argv."""

import getpass
import os
from pathlib import Path
from typing import Final

from doorctl.errors import OperatorError
from doorctl.seal import private_files

SHORTEST: Final = 12
"""Characters. Argon2id makes each guess dear, not short ones many."""
_TERMINAL: Final = "/dev/tty"


def new_passphrase(file: Path | None) -> bytes:
    """Twice the same, and not a short one."""
    if file is not None:
        return _long(_from_file(file))
    first = _long(_asked("passphrase for the backup: "))
    if _asked("again: ") != first:
        raise OperatorError("the two passphrases differ", hint="nothing was made; try again")
    return first


def passphrase(file: Path | None) -> bytes:
    """Of a backup that is there."""
    return _from_file(file) if file is not None else _asked("passphrase of the backup: ")


def _from_file(file: Path) -> bytes:
    return private_files.read_file(file).removesuffix(b"\n")


def _asked(question: str) -> bytes:
    try:
        os.close(os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError as error:
        raise OperatorError(
            "the passphrase is asked for on the terminal, and there is none",
            hint="--passphrase-file FILE (0600); or --plain when making one, and then keep it like the keys in it",
        ) from error
    return getpass.getpass(question).encode()


def _long(given: bytes) -> bytes:
    if len(given.decode(errors="replace")) < SHORTEST:
        raise OperatorError(
            f"expected a passphrase of at least {SHORTEST} characters, found fewer", hint="five words drawn at random"
        )
    return given
