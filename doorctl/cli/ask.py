"""The commands' end of the control socket: one line asked, one line answered."""

import json
import socket
from contextlib import suppress
from typing import Any, Final

from doorctl.errors import OperatorError, PeerError
from doorctl.paths import Paths

ANSWER_WITHIN_S: Final = 10.0
_LARGEST_ANSWER: Final = 1 << 20
_NOT_RUNNING: Final = "systemctl status doorctl; on a laptop: python -m doorctl.doord, with the same --home"


def ask(paths: Paths, operation: str, *, within_s: float = ANSWER_WITHIN_S, **request: Any) -> dict[str, Any]:
    """The daemon's answer; OperatorError where it is not running or says no, PeerError where it talks nonsense."""
    path = paths.control_socket
    line = json.dumps({"op": operation, **request}).encode() + b"\n"
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(within_s)
            connection.connect(str(path))
            with suppress(BrokenPipeError):  # who may do nothing is told so and let go before it has asked
                connection.sendall(line)
            answer = json.loads(_line(connection))
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise OperatorError(f"{path}: doord is not running here", hint=_NOT_RUNNING) from error
    except TimeoutError as error:
        raise OperatorError(
            f"{operation}: no answer within {within_s:g} s", hint="journalctl -u doorctl may say what it waits for"
        ) from error
    except PermissionError as error:
        raise OperatorError(f"{path}: no right to connect", hint="may this user enter the folder?") from error
    except (OSError, ValueError, RecursionError) as error:
        raise PeerError(f"{path}: {error}") from error
    if not isinstance(answer, dict):
        raise PeerError(f"{path}: the answer is no object")
    if answer.get("ok") is not True:
        raise OperatorError(str(answer.get("error", "refused")), hint=answer.get("hint"))
    return answer


def _line(connection: socket.socket) -> bytes:
    buffer = bytearray()
    while not buffer.endswith(b"\n"):
        piece = connection.recv(65536)
        if not piece:
            raise ValueError("the daemon closed the connection without an answer")
        buffer += piece
        if len(buffer) > _LARGEST_ANSWER:
            raise ValueError("the answer has no end")
    return bytes(buffer)
