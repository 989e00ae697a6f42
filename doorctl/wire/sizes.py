"""Every size on the wire, in one place. One size for each thing is what keeps meanings apart from lengths."""

HEADER_SIZE = 48
SIGNED_BODY_SIZE = 800
SIGNATURE_SIZE = 64
"""Ed25519, RFC 8032."""
BODY_SIZE = SIGNED_BODY_SIZE + SIGNATURE_SIZE
RECORD_SEAL_SIZE = 1136
"""HPKE overhead of ML-KEM-768 + X25519 with AES-256-GCM: 1120 encapsulated key + 16 tag (measured)."""
RECORD_SIZE = HEADER_SIZE + RECORD_SEAL_SIZE + BODY_SIZE

TOKEN_PLAIN_SIZE = 96
TOKEN_SIZE = TOKEN_PLAIN_SIZE + 48
"""HPKE overhead of X25519 with AES-256-GCM: 32 + 16."""

RECEIPT_SIGNED_SIZE = 128
RECEIPT_SIZE = RECEIPT_SIGNED_SIZE + SIGNATURE_SIZE

BATCH_RECORDS = 64
"""Records in a backlog request; unused places are filled with random bytes."""

HASH_SIZE = 32
KEY_ID_SIZE = 8
"""The first bytes of SHA-256 over a public key; the whole fingerprint goes into signatures and HPKE's info."""
CONTROLLER_ID_SIZE = 16
EPOCH_SIZE = 8
ROW_TAG_SIZE = 16
REGISTRATION_SIZE = 16
NAME_SIZE = 32
"""Door and reader names on the wire: UTF-8, zero padded."""
DETAIL_SIZE = 458
