"""The Merkle log of RFC 6962 and RFC 9162: append-only roots, and proofs that need only a few hashes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()
"""The root of a log without leaves."""
_SIZE = struct.Struct(">Q")


def leaf_hash(data: bytes) -> bytes:
    """The 32 bytes that stand for ``data`` in the log; the prefix keeps leaves and nodes apart."""
    return sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The 32 bytes that stand for two neighbouring subtrees."""
    return sha256(b"\1" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that appending needs: the roots of the perfect subtrees from the left, one per bit of ``size``."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def append(self, leaf: bytes) -> Frontier:
        """The frontier after one more leaf hash. Raises ValueError for what is not 32 bytes."""
        return self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> Frontier:
        """The frontier after these leaf hashes, in order. Raises ValueError for what is not 32 bytes."""
        peaks, size = list(self.peaks), self.size
        for leaf in leaves:
            if len(leaf) != HASH_SIZE:
                raise ValueError(f"leaf {size} has {len(leaf)} bytes; expected a hash of {HASH_SIZE} bytes")
            top, bits = leaf, size
            while bits & 1:
                top = sha256(b"\1" + peaks.pop() + top).digest()
                bits >>= 1
            peaks.append(top)
            size += 1
        return Frontier(size, tuple(peaks))

    def root(self) -> bytes:
        """The root of the log at this size."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in self.peaks[-2::-1]:
            root = sha256(b"\1" + peak + root).digest()
        return root

    def to_bytes(self) -> bytes:
        """Eight bytes of size, big-endian, then the peaks."""
        return _SIZE.pack(self.size) + b"".join(self.peaks)

    @classmethod
    def from_bytes(cls, data: bytes) -> Frontier:
        """What ``to_bytes`` wrote. Raises ValueError when the length does not fit the size it names."""
        size = _SIZE.unpack_from(data)[0] if len(data) >= _SIZE.size else 0
        expected = _SIZE.size + HASH_SIZE * size.bit_count()
        if len(data) != expected:
            raise ValueError(f"a frontier of {size} leaves has {expected} bytes; got {len(data)}")
        return cls(size, tuple(data[at : at + HASH_SIZE] for at in range(_SIZE.size, expected, HASH_SIZE)))


def inclusion_proof(index: int, size: int, leaf: Callable[[int], bytes]) -> tuple[bytes, ...]:
    """The hashes that prove leaf ``index`` to whoever holds the root at ``size``.

    ``leaf(i)`` gives the i-th leaf hash. Raises ValueError when there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a log of {size} leaves")
    proof, low, high = [], 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            proof.append(_subtree(middle, high, leaf))
            high = middle
        else:
            proof.append(_subtree(low, middle, leaf))
            low = middle
    return tuple(reversed(proof))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether ``proof`` shows that ``leaf`` is number ``index`` of the log that has ``root`` at ``size``."""
    if not 0 <= index < size or not _hashes(leaf, *proof):
        return False
    node, last, top = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            top = node_hash(step, top)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            top = node_hash(top, step)
        node, last = node >> 1, last >> 1
    return last == 0 and top == root


def consistency_proof(old: int, new: int, leaf: Callable[[int], bytes]) -> tuple[bytes, ...]:
    """The hashes that prove that the log of ``old`` leaves is the beginning of the log of ``new`` leaves.

    ``leaf(i)`` gives the i-th leaf hash. Raises ValueError unless ``0 < old <= new``.
    """
    if not 0 < old <= new:
        raise ValueError(f"a log of {old} leaves can't be the beginning of one of {new} leaves")
    proof, low, high = [], 0, new
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            proof.append(_subtree(middle, high, leaf))
            high = middle
        else:
            proof.append(_subtree(low, middle, leaf))
            low = middle
    if low:
        proof.append(_subtree(low, high, leaf))
    return tuple(reversed(proof))


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether ``proof`` shows that the log with ``new_root`` only appended to the one with ``old_root``."""
    if not 0 < old <= new or not _hashes(*proof):
        return False
    if old == new:
        return not proof and old_root == new_root
    steps = proof if old & (old - 1) else (old_root, *proof)
    if not steps:
        return False
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = node_hash(second, step)
        node, last = node >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def _split(size: int) -> int:
    """The largest power of two smaller than ``size``: where RFC 6962 divides a tree."""
    return 1 << (size - 1).bit_length() - 1


def _subtree(low: int, high: int, leaf: Callable[[int], bytes]) -> bytes:
    """The root over the leaves from ``low`` up to ``high``."""
    return Frontier().extend(map(leaf, range(low, high))).root()


def _hashes(*values: bytes) -> bool:
    """Whether each value is as long as a hash: without this, two nodes could be cut in another place."""
    return all(len(value) == HASH_SIZE for value in values)
