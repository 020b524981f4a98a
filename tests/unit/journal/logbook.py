"""A small sealed journal for tests: entries, leaves and heads as the store keeps them, free to be altered."""

from __future__ import annotations

from dataclasses import dataclass, replace

from handrail.journal.entry import leaf_of
from handrail.journal.merkle import Frontier
from handrail.journal.report import Report
from handrail.journal.verify import verify
from handrail.words.entry import Entry, Kind, StoredEntry
from handrail.words.seal import Head, Leaf

LeafRow = tuple[int, int, bytes]
HeadRow = tuple[int, bytes]


@dataclass(slots=True)
class Logbook:
    """What three tables hold; ``sealed_through`` is what the newest head said before anybody altered them."""

    entries: list[StoredEntry]
    leaves: list[LeafRow]
    heads: list[HeadRow]
    sealed_through: int

    def verify(self, root: bytes | None = None) -> Report:
        """As the store would: entries by number, leaves by index, heads by size."""
        rows = ((stored, stored.seq <= self.sealed_through) for stored in sorted(self.entries, key=seq_of))
        return verify(rows, self.leaf_stream, self.head_stream(), root=root)

    def leaf_stream(self) -> list[Leaf]:
        """By index."""
        return [Leaf(*row) for row in sorted(self.leaves, key=index_of)]

    def head_stream(self) -> list[Head]:
        """By size; verification looks at size and root only."""
        return [
            Head(*row, frontier=b"", through_xid=0, through_seq=0, sealed_at=0) for row in sorted(self.heads)
        ]

    def root(self) -> bytes:
        """The newest head's."""
        return self.heads[-1][1]

    def reseal(self, batches: list[int]) -> None:
        """Seal every entry anew, as somebody would who rewrites everything."""
        fresh = seal(self.entries, batches)
        self.leaves, self.heads, self.sealed_through = fresh.leaves, fresh.heads, fresh.sealed_through


def seq_of(stored: StoredEntry) -> int:
    return stored.seq


def index_of(leaf: LeafRow) -> int:
    return leaf[0]


def entry(seq: int, **changes: object) -> StoredEntry:
    """A plausible entry with that number."""
    told = Entry(
        Kind.PROPOSED,
        1_700_000_000_000 + seq,
        b'{"n":%d}' % seq,
        f"act_{seq}",
        "support",
        "refund",
        "s1",
        "t1",
    )
    return StoredEntry(seq, replace(told, **changes))  # type: ignore[arg-type]  # each test names real fields


def seal(entries: list[StoredEntry], batches: list[int]) -> Logbook:
    """Seal the first ``sum(batches)`` entries, one head per batch; the others are not sealed yet."""
    leaves: list[LeafRow] = []
    heads: list[HeadRow] = []
    frontier = Frontier()
    for batch in batches:
        for stored in entries[frontier.size : frontier.size + batch]:
            leaves.append((len(leaves), stored.seq, leaf_of(stored)))
        frontier = frontier.extend(leaf[2] for leaf in leaves[frontier.size :])
        heads.append((frontier.size, frontier.root()))
    return Logbook(list(entries), leaves, heads, max((leaf[1] for leaf in leaves), default=0))


def book(sealed: int = 10, unsealed: int = 2, batch: int = 4) -> Logbook:
    """A clean log of ``sealed`` sealed entries in batches, and ``unsealed`` more."""
    sizes = [min(batch, sealed - at) for at in range(0, sealed, batch)]
    return seal([entry(seq) for seq in range(1, sealed + unsealed + 1)], sizes)
