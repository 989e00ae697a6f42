"""The commands' end of the control socket: one line asked, one line answered."""

import json
import socket
from typing import Any, Final

from doorctl.errors import OperatorError, PeerError
from doorctl.paths import Paths

ANSWER_WITHIN_S: Final = 10.0
_LARGEST_ANSWER: Final = 1 << 20


def ask(paths: Paths, operation: str, *, within_s: float = ANSWER_WITHIN_S, **request: Any) -> dict[str, Any]:
    """The daemon's answer; OperatorError where it is not running or says no."""
    line = json.dumps({"op": operation, **request}).encode() + b"\n"
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(within_s)
            connection.connect(str(paths.control_socket))
            connection.sendall(line)
            answer = json.loads(_line(connection))
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise OperatorError(
            f"{paths.control_socket}: doord is not running here",
            hint="systemctl status doorctl; on a laptop start `doorctl sim`, and give the same --home",
        ) from error
    except TimeoutError as error:
        raise OperatorError(f"{operation}: no answer within {within_s:g} s") from error
    except PermissionError as error:
        raise OperatorError(f"{paths.control_socket}: no right to connect") from error
    except (OSError, ValueError) as error:
        raise PeerError(f"{paths.control_socket}: {error}") from error
    if not isinstance(answer, dict) or not answer.get("ok"):
        raise OperatorError(str(answer.get("error", "refused")), hint=answer.get("hint"))
    return answer


def _line(connection: socket.socket) -> bytes:
    buffer = bytearray()
    while not buffer.endswith(b"\n"):
        piece = connection.recv(65536)
        if not piece:
            raise ValueError("the daemon closed the connection")
        buffer += piece
        if len(buffer) > _LARGEST_ANSWER:
            raise ValueError("the answer has no end")
    return bytes(buffer)
