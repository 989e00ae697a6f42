"""TLS to the monitor: 1.3 only, our certificate shown, theirs compared byte for byte.

No name, date or chain is checked: a board has no clock to believe and no authority to ask, and the one certificate it
may speak to came at pairing. With `CERT_NONE` OpenSSL does not judge; `is_pinned` does, before a request is written.
In TLS 1.3 an impostor still sees our client certificate, which names this board's key and nothing else.
"""

import hmac
import ssl
import stat
from pathlib import Path

from doorctl.errors import OperatorError


def client_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """The courier's side; OperatorError where its own files are missing, readable by others, or not a pair."""
    try:
        if stat.S_IMODE(key.stat().st_mode) & 0o077:
            raise OperatorError(f"{key}: readable by others", hint=f"chmod 600 {key}, or make a new key")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        # a password that is none: OpenSSL would ask the terminal for one
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except ssl.SSLError as error:
        raise OperatorError(f"{key}: not the key of {certificate.name}", hint="were both copied?") from error
    except OSError as error:
        raise OperatorError(
            f"{key.parent}: {(error.strerror or str(error)).lower()}", hint="doorctl init makes the courier's key"
        ) from error
    return context


def is_pinned(presented: bytes | None, pinned: bytes) -> bool:
    """Whether the certificate a peer presented (DER) is the one from the pairing."""
    return presented is not None and hmac.compare_digest(presented, pinned)
