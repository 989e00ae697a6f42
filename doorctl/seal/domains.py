"""What each signature, seal and hash is for, as its first bytes; so that none can be used as another.

Each ends with a zero byte and has no other, so that none is the beginning of another.
They are on the wire (docs/wire-format.md): never change one, add a new one with a new version.
"""

from typing import Final

RECORD_SIGNATURE: Final = b"doorctl v1 record signature\0"
RECORD_SEAL: Final = b"doorctl v1 record seal\0"
TOKEN_SEAL: Final = b"doorctl v1 token seal\0"
RECEIPT_SIGNATURE: Final = b"doorctl v1 receipt signature\0"
ROW_TAG: Final = b"doorctl v1 row tag\0"
REGISTRATION: Final = b"doorctl v1 registration\0"
ROSTER_LEAF: Final = b"doorctl v1 roster leaf\0"
ROSTER_NODE: Final = b"doorctl v1 roster node\0"
ROSTER_DIGEST: Final = b"doorctl v1 roster digest\0"
HOLDER_NUMBER: Final = b"doorctl v1 holder number\0"
CONTROLLER_ID: Final = b"doorctl v1 controller id\0"
MONITOR_FINGERPRINT: Final = b"doorctl v1 monitor fingerprint\0"
CONTROLLER_FINGERPRINT: Final = b"doorctl v1 controller fingerprint\0"

ALL: Final = (
    RECORD_SIGNATURE, RECORD_SEAL, TOKEN_SEAL, RECEIPT_SIGNATURE, ROW_TAG, REGISTRATION, ROSTER_LEAF, ROSTER_NODE,
    ROSTER_DIGEST, HOLDER_NUMBER, CONTROLLER_ID, MONITOR_FINGERPRINT, CONTROLLER_FINGERPRINT,
)  # fmt: skip
