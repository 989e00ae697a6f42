"""Doctor's check of the way to the monitor, step by step: name, connection, TLS, the certificate of the pairing.

Sends nothing but a TLS handshake, with the courier's certificate where this user may read its key. No record, no
request; the monitor sees a connection that ends.
"""

import contextlib
import socket
import ssl
from collections.abc import Iterator
from typing import Final

from doorctl.cli.doctor_finding import Check, Finding, ok, wrong
from doorctl.cli.doctor_subject import Board
from doorctl.courierd.config import Address
from doorctl.courierd.tls import client_context, is_pinned
from doorctl.errors import DoorctlError

WITHIN_S: Final = 5.0
"""For each step at each address."""


def way_to_monitor(board: Board) -> Iterator[Finding]:
    """Each address of monitor.toml."""
    context = _context(board)
    for text in board.monitor.addresses:
        yield reach(Address.parse(text), context, board.monitor.certificate_der)


def reach(address: Address, context: ssl.SSLContext, pinned: bytes) -> Finding:
    """How far a connection comes."""
    try:
        socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # the latter: no name at all, as a..b
        return wrong(f"{address}: the name does not resolve", "look at DNS, or write an address into monitor.toml")
    try:
        connection = socket.create_connection((address.host, address.port), timeout=WITHIN_S)
    except OSError as error:
        why = "no answer" if isinstance(error, TimeoutError) else (error.strerror or str(error)).lower()
        return wrong(f"{address}: {why}", "does the monitor run; does a firewall let the board through")
    with connection:
        return _shake_hands(address, connection, context, pinned)


def _shake_hands(address: Address, connection: socket.socket, context: ssl.SSLContext, pinned: bytes) -> Finding:
    try:
        with context.wrap_socket(connection, server_hostname=None) as line:
            presented = line.getpeercert(binary_form=True)
    except (OSError, ValueError) as error:
        reason = (getattr(error, "reason", None) or "the connection ended").lower().replace("_", " ")
        return wrong(
            f"{address}: no TLS 1.3: {reason}", "is that the monitor's port for boards, and nothing in between"
        )
    if not is_pinned(presented, pinned):
        return wrong(
            f"{address}: shows another certificate than monitor.toml has",
            "the monitor was made anew (compare fingerprints, pair again), or somebody is in between",
        )
    return ok(f"{address}: answers, with the certificate of the pairing")


def _context(board: Board) -> ssl.SSLContext:
    """The courier's own, or one without our certificate: the monitor shows its own before it asks for ours."""
    with contextlib.suppress(DoorctlError):  # the check of the courier's key says what is wrong with it
        return client_context(board.paths.courier_keys / "tls.crt", board.paths.courier_keys / "tls.key")
    return plain_context()


def plain_context() -> ssl.SSLContext:
    """TLS as the courier speaks it, without a certificate of ours."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


LINE: Final[tuple[Check[Board], ...]] = (
    Check(name="way to monitor", looks_at="name, port, TLS, certificate", look=way_to_monitor),
)
