"""The mock board's socket for a command: one request, one answer. Speaks hal/mock_commands.py, and knows no doors."""

import json
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Self

from doorctl.errors import OperatorError, PeerError

_ANSWER_WITHIN_S: Final = 20.0


class BoardGoneError(OperatorError):
    """doord, which is the mock board, does not run or ended just now."""


class Drive:
    """The mock board's socket: what hands at the door do. A context manager."""

    def __init__(self, path: Path) -> None:
        """BoardGoneError where nobody listens, OperatorError where it is another user's."""
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(_ANSWER_WITHIN_S)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            if isinstance(error, PermissionError):
                raise OperatorError(
                    f"{path}: no right to connect", hint="only the user that runs doord moves its made-up wires"
                ) from error
            raise BoardGoneError(f"{path}: doord is not running here", hint=_START_IT) from error
        self._lines = self._socket.makefile("rw", encoding="utf-8")

    def do(self, what: str, **more: Any) -> dict[str, Any]:
        """One command, one answer; PeerError where the board refuses it, BoardGoneError where it ended."""
        try:
            self._lines.write(json.dumps({"do": what, **more}) + "\n")
            self._lines.flush()
            line = self._lines.readline()
        except TimeoutError as error:
            raise PeerError(f"the mock board did not answer within {_ANSWER_WITHIN_S:g} s") from error
        except OSError as error:
            raise self._gone() from error
        if not line.endswith("\n"):
            raise self._gone()
        answer: dict[str, Any] = json.loads(line)
        if not answer.get("ok"):
            raise PeerError(f"the mock board refused {what}: {answer.get('error')}")
        return answer

    def close(self) -> None:
        """Hang up."""
        with suppress(OSError):  # what was not sent goes to a board that is gone
            self._lines.close()
        self._socket.close()

    def _gone(self) -> BoardGoneError:
        return BoardGoneError(f"{self._path}: doord ended", hint=_START_IT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_START_IT: Final = "python -m doorctl.doord, with the same --home, runs it; `doorctl doctor` says what it lacks"
