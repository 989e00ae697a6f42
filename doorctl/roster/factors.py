"""What a person presents, as look-ups: HMAC-SHA256 under the board's look-up key, PINs through Argon2id first.

Nothing here is stored but the results: a card number or a PIN never leaves this file, not even in an exception.
Each kind of look-up has a domain of its own, so that no code is ever found where a card stands.
"""

import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Final, NewType

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from doorctl.core.types import Card

CardId = NewType("CardId", bytes)
"""HMAC of a card, 32 bytes: what the roster knows a card by."""
Stretched = NewType("Stretched", bytes)
"""A PIN after Argon2id, 32 bytes: as secret as the PIN."""
Lookup = NewType("Lookup", bytes)
"""Key of a row, 32 bytes."""

FACTOR_SIZE: Final = 32
"""Card ids, stretched PINs and look-ups: an HMAC-SHA256 or as long as one."""
SITE_SALT_SIZE: Final = 16
"""RFC 9106, 3.1: 16 bytes are recommended for password hashing."""

_LONGEST_CARD: Final = 0xFFFF
"""Bits; what the length's two bytes hold."""

_CARD: Final = b"doorctl v1 card\0"
_SALT_CODE: Final = b"doorctl v1 salt code\0"
_SALT_CARD_AND_CODE: Final = b"doorctl v1 salt card and code\0"
_LOOKUP_CARD: Final = b"doorctl v1 look-up card\0"
_LOOKUP_CODE: Final = b"doorctl v1 look-up code\0"
_LOOKUP_CARD_AND_CODE: Final = b"doorctl v1 look-up card and code\0"

_MEMORY_KIB: Final = (65_536, 47_104, 32_768, 19_456)
"""64, 46, 32 and 19 MiB; the most that leaves room for two passes is taken."""
_FLOOR_PASSES: Final = 2
MOST_PASSES: Final = 1_024
MOST_MEMORY_KIB: Final = _MEMORY_KIB[0]
"""More than this no roster was ever made with, and a board may not have."""
"""Where a clock that stands still would otherwise keep the search going."""
_RUNS: Final = 3
"""Measurements of one choice; their median counts, so that one interruption does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StretchParameters:
    """Argon2id's cost (RFC 9106): chosen once at `doorctl init`, kept in the roster."""

    memory_kib: int
    iterations: int
    lanes: int

    def __post_init__(self) -> None:
        if self.lanes < 1 or self.iterations < 1 or self.memory_kib < 8 * self.lanes:
            raise ValueError("argon2id: at least 1 lane, 1 iteration and 8 KiB of memory a lane")


FLOOR: Final = StretchParameters(memory_kib=_MEMORY_KIB[-1], iterations=_FLOOR_PASSES, lanes=1)
"""OWASP's least for Argon2id (19 MiB, two passes, one lane): no board is too slow for it."""


def card_id(key: bytes, card: Card) -> CardId:
    """32 bytes that stand for (bit length, raw value); a raw number alone would lose leading zeros."""
    if not 0 < card.length <= _LONGEST_CARD or not 0 <= card.raw < 1 << card.length:
        raise ValueError("card: its raw value does not fit its length")
    raw = card.raw.to_bytes((card.length + 7) // 8, "big")
    return CardId(_hmac(key, _CARD, card.length.to_bytes(2, "big") + raw))


def stretch(pin: str, *, site_salt: bytes, card: CardId | None, parameters: StretchParameters) -> Stretched:
    """Argon2id of a PIN: 32 bytes after about 100 ms of one core, without the interpreter's lock.

    The salt is the site's for a code alone (one run has to find anybody's row) and the site's and the card's
    where the door wants both. The same work whatever the PIN is.
    """
    if not pin.isascii() or not pin.isdigit():
        raise ValueError("a PIN is one or more digits")
    domain = _SALT_CODE if card is None else _SALT_CARD_AND_CODE
    of_card = b"" if card is None else _exactly(card)
    salt = hashlib.sha256(domain + _exactly(site_salt, SITE_SALT_SIZE) + of_card)
    argon2 = Argon2id(
        salt=salt.digest(),
        length=FACTOR_SIZE,
        iterations=parameters.iterations,
        lanes=parameters.lanes,
        memory_cost=parameters.memory_kib,
    )
    return Stretched(argon2.derive(pin.encode("ascii")))


def lookup_card(key: bytes, card: CardId) -> Lookup:
    """The row of a card alone."""
    return Lookup(_hmac(key, _LOOKUP_CARD, _exactly(card)))


def lookup_code(key: bytes, stretched: Stretched) -> Lookup:
    """The row of a code alone; `stretched` without a card."""
    return Lookup(_hmac(key, _LOOKUP_CODE, _exactly(stretched)))


def lookup_card_and_code(key: bytes, card: CardId, stretched: Stretched) -> Lookup:
    """The row of a card with a code; `stretched` with the same card."""
    return Lookup(_hmac(key, _LOOKUP_CARD_AND_CODE, _exactly(card) + _exactly(stretched)))


def measure(parameters: StretchParameters) -> int:
    """How long one PIN takes on this machine, in nanoseconds."""
    begin = time.perf_counter_ns()
    stretch("00000000", site_salt=bytes(SITE_SALT_SIZE), card=None, parameters=parameters)
    return time.perf_counter_ns() - begin


def calibrate(target_ns: int, *, measured: Callable[[StretchParameters], int] = measure) -> StretchParameters:
    """Parameters that take about `target_ns` on this machine: memory first, then passes; never below FLOOR.

    Memory first, because it is what a thief's graphics cards are short of. `measured` is replaced by tests.
    """
    for memory_kib in _MEMORY_KIB:
        least = StretchParameters(memory_kib=memory_kib, iterations=_FLOOR_PASSES, lanes=1)
        if _median(least, measured) <= target_ns:
            return _most_passes(least, target_ns, measured)
    return FLOOR


def _most_passes(
    chosen: StretchParameters, target_ns: int, measured: Callable[[StretchParameters], int]
) -> StretchParameters:
    """The most passes at this memory within the target, by halving the doubled range that holds the answer."""
    fits, too_many = chosen.iterations, chosen.iterations * 2
    while too_many <= MOST_PASSES and _median(_with_passes(chosen, too_many), measured) <= target_ns:
        fits, too_many = too_many, too_many * 2
    too_many = min(too_many, MOST_PASSES + 1)
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        if _median(_with_passes(chosen, middle), measured) <= target_ns:
            fits = middle
        else:
            too_many = middle
    return _with_passes(chosen, fits)


def _with_passes(chosen: StretchParameters, iterations: int) -> StretchParameters:
    return StretchParameters(memory_kib=chosen.memory_kib, iterations=iterations, lanes=chosen.lanes)


def _median(parameters: StretchParameters, measured: Callable[[StretchParameters], int]) -> float:
    return median(measured(parameters) for _ in range(_RUNS))


def _hmac(key: bytes, domain: bytes, message: bytes) -> bytes:
    return hmac.digest(_exactly(key), domain + message, "sha256")


def _exactly(value: bytes, size: int = FACTOR_SIZE) -> bytes:
    """The value itself; a wrong length is our fault and must not become a shorter key or an ambiguous message."""
    if len(value) != size:
        raise ValueError(f"a factor of {len(value)} bytes, expected {size}")
    return value
