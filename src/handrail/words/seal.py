"""The seal of the journal: leaves in order, and heads that say what the whole log hashed to at some size."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Leaf:
    """One sealed entry: its index in the log, the entry's number, its leaf hash."""

    index: int
    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """The log at one size: root hash, the frontier to go on from, and through which entry it is sealed.

    ``through_xid`` is the writing transaction's number where the store has one (PostgreSQL), else 0.
    """

    size: int
    root: bytes
    frontier: bytes
    through_xid: int
    through_seq: int
    sealed_at: int
