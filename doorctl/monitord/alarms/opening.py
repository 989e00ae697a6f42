"""Opens the token of a record: the only place of the monitor where the token key is used."""

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from doorctl.errors import MalformedError
from doorctl.monitord.ledger import LedgerRecord
from doorctl.seal.meaning import TokenPlain
from doorctl.seal.opening import open_token
from doorctl.wire.record import Kind


def open_row(record: LedgerRecord, token_keys: Sequence[X25519PrivateKey]) -> TokenPlain | None:
    """What a record's row says, where it is an ACCESS record whose token opens; else None, which is no error.

    Matched or not, every ACCESS record's token is tried: a board that hides a match hides no meaning.
    """
    if record.body.kind is not Kind.ACCESS:
        return None
    plain = open_token(record.body.token, token_keys)
    if plain is None:
        return None
    try:
        return TokenPlain.parse(plain)
    except MalformedError:
        return None
