"""The roster's digest, a tree of hashes: one row changed among hundreds of thousands costs three small hashes.

Leaves are told apart by the first two bytes of an entry, nodes by the first. Board and monitor compute the same
(docs/wire-format.md); it must never depend on the order in which entries came.
"""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from doorctl.errors import InternalError
from doorctl.seal import domains
from doorctl.wire.sizes import REGISTRATION_SIZE

_NOTHING: Final = bytes(32)
"""Stands for a leaf or a node without entries."""
_WIDTH: Final = 256


def roster_digest(registrations: Iterable[bytes]) -> bytes:
    """32 bytes over all live registration entries (16 bytes each), in whatever order; keeps no tree.

    Sorted a node at a time: of 700,000 entries one sort would keep the interpreter's lock for half a second, in which
    no door could answer, and their objects would be four times their bytes.
    """
    below = [bytearray() for _ in range(_WIDTH)]
    for entry in registrations:
        below[_checked(entry)[0]] += entry
    return _root([_node_of(entries) if entries else _NOTHING for entries in below])


def _node_of(entries: bytearray) -> bytes:
    in_order = sorted(bytes(entries[at : at + REGISTRATION_SIZE]) for at in range(0, len(entries), REGISTRATION_SIZE))
    leaves = [_NOTHING] * _WIDTH
    for second, of_leaf in groupby(in_order, key=lambda entry: entry[1]):
        leaves[second] = _leaf(list(of_leaf))
    return _node(leaves)


class RosterTree:
    """The same digest for whoever follows a roster change by change."""

    def __init__(self) -> None:
        self._entries: dict[bytes, list[bytes]] = {}
        """By their first two bytes: a dozen each in a roster of a hundred thousand holders."""
        self._leaves: dict[int, list[bytes]] = {}
        """By the first byte: the hashes of its 256 leaves."""
        self._nodes = [_NOTHING] * _WIDTH
        self._changed: set[bytes] = set()

    def add(self, entry: bytes) -> None:
        """One more; InternalError where it is not of a registration's size. There already: nothing changes."""
        place = _checked(entry)[:2]
        entries = self._entries.setdefault(place, [])
        if entry not in entries:
            entries.append(entry)
            self._changed.add(place)

    def discard(self, entry: bytes) -> None:
        """One less, if it is there."""
        place = entry[:2]
        entries = self._entries.get(place, [])
        if entry in entries:
            entries.remove(entry)
            self._changed.add(place)

    def digest(self) -> bytes:
        """32 bytes over all that are there now; only what changed since the last call is hashed again."""
        for first, second in self._changed:
            leaves = self._leaves.setdefault(first, [_NOTHING] * _WIDTH)
            leaves[second] = _leaf(sorted(self._entries[bytes((first, second))]))
        for first in {place[0] for place in self._changed}:
            self._nodes[first] = _node(self._leaves[first])
        self._changed.clear()
        return _root(self._nodes)


def _checked(entry: bytes) -> bytes:
    if len(entry) != REGISTRATION_SIZE:
        raise InternalError("roster digest: an entry is not of a registration's size")
    return entry


def _leaf(in_order: Sequence[bytes]) -> bytes:
    return hashlib.sha256(domains.ROSTER_LEAF + b"".join(in_order)).digest() if in_order else _NOTHING


def _node(leaves: Sequence[bytes]) -> bytes:
    if all(leaf is _NOTHING for leaf in leaves):
        return _NOTHING
    return hashlib.sha256(domains.ROSTER_NODE + b"".join(leaves)).digest()


def _root(nodes: Sequence[bytes]) -> bytes:
    return hashlib.sha256(domains.ROSTER_DIGEST + b"".join(nodes)).digest()
