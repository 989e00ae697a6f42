"""AES-128 as OSDP's secure channel uses it: single blocks, and CBC over a handful of them. Pure.

A key's ECB context is made once and kept, since a new one for each of the four operations of an exchange costs more
than the exchange; CBC is then an XOR before it. ECB is the standard's choice for key derivation, not ours.
"""

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

BLOCK = 16


class Key:
    """One AES-128 key, for one thread."""

    def __init__(self, key: bytes) -> None:
        """`key`: 16 bytes; ValueError of other sizes."""
        if len(key) != BLOCK:
            raise ValueError(f"a key of {len(key)} bytes, expected {BLOCK}")
        cipher = Cipher(AES(key), ECB())  # noqa: S305  key derivation and single blocks, as OSDP has it
        self._encrypt = cipher.encryptor()
        self._decrypt = cipher.decryptor()

    def block(self, plain: bytes) -> bytes:
        """One block, encrypted by itself."""
        return self._encrypt.update(plain)

    def cbc(self, plain: bytes, iv: bytes) -> bytes:
        """Encrypt whole blocks."""
        out, last = [], iv
        for at in range(0, len(plain), BLOCK):
            last = self._encrypt.update(xor(plain[at : at + BLOCK], last))
            out.append(last)
        return b"".join(out)

    def cbc_opened(self, sealed: bytes, iv: bytes) -> bytes:
        """Decrypt whole blocks."""
        before = iv + sealed[:-BLOCK]
        return xor(self._decrypt.update(sealed), before)


def xor(this: bytes, that: bytes) -> bytes:
    """Of the same length."""
    return (int.from_bytes(this, "big") ^ int.from_bytes(that, "big")).to_bytes(len(this), "big")
