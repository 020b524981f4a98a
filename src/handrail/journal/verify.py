"""Whether the journal still says what was sealed: every entry against its leaf, every leaf against the heads.

Both are streams, joined by the entry's number in constant memory. Leaves follow the entries' order, but not
quite: a transaction may take a number early and commit late. So each side waits for the other, up to REACH.

What it can't see: whoever rewrites entries, leaves and heads alike, or cuts all three short, leaves a log
that is consistent. Only a root kept elsewhere shows that.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeAlias

from handrail.journal.entry import leaf_of
from handrail.journal.merkle import EMPTY_ROOT, HASH_SIZE, Frontier
from handrail.journal.report import Fault, Finding, Proof, Report, Standing, Unsealed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from handrail.words.entry import StoredEntry
    from handrail.words.seal import Head, Leaf

EntryRow: TypeAlias = "tuple[StoredEntry, bool]"
"""An entry, and whether it belongs to the part that the newest head says is sealed."""

REACH = 16_384
"""How many entries or leaves wait for their counterpart before the oldest is given up."""
KEEP = 1_000
_CHUNK = 4_096
_ZEROS = bytes(HASH_SIZE)


def verify(
    entries: Iterable[EntryRow],
    leaves: Callable[[], Iterable[Leaf]],
    heads: Iterable[Head],
    *,
    root: bytes | None = None,
    keep: int = KEEP,
) -> Report:
    """Compare ``entries`` (in order of their numbers), ``leaves()`` (by index) and ``heads`` (by size).

    All three must be of one snapshot. ``root`` is one that was kept elsewhere: it may be that of any size the
    log ever had; ``leaves`` is called a second time only when no head has it. ``keep`` limits the findings
    listed per fault. Raises ValueError when a stream is not in order.
    """
    notes = _Notes(keep)
    log, join = _Log(heads, notes, root), _Join(entries, notes)
    for leaf in leaves():
        if log.add(leaf):
            join.match(leaf)
    join.finish()
    log.finish()
    proof = log.proof
    if proof is None and root is not None:
        proof = find(leaves(), root)
    return Report(
        standing=_standing(notes.counts, root, proof, log.frontier.size),
        size=log.frontier.size,
        root=log.frontier.root(),
        through=log.through,
        entries=join.count,
        unsealed=join.unsealed,
        findings=notes.sorted(),
        counts=notes.counts,
        proof=proof,
    )


def find(leaves: Iterable[Leaf], root: bytes) -> Proof | None:
    """The size at which the log had ``root``, looked for at every size; None if it never had."""
    if root == EMPTY_ROOT:
        return Proof(0, None)
    frontier = Frontier()
    through: int | None = None
    for leaf in leaves:
        frontier = frontier.append(_hash_or_zeros(leaf.hash))
        through = _higher(through, leaf.seq)
        if frontier.root() == root:
            return Proof(frontier.size, through)
    return None


def _standing(counts: Counter[Fault], root: bytes | None, proof: Proof | None, size: int) -> Standing:
    """What follows from what was found; a root of the empty log proves nothing of a log that is not empty."""
    if counts:
        return Standing.TAMPERED
    if root is None:
        return Standing.CONSISTENT
    if proof is None:
        return Standing.NOT_MATCHING
    return Standing.PROVEN if proof.size or not size else Standing.CONSISTENT


class _Notes:
    """The findings so far."""

    def __init__(self, keep: int) -> None:
        self.counts: Counter[Fault] = Counter()
        self._keep = keep
        self._findings: list[Finding] = []

    def add(self, finding: Finding) -> None:
        self.counts[finding.fault] += 1
        if self.counts[finding.fault] <= self._keep:
            self._findings.append(finding)

    def sorted(self) -> tuple[Finding, ...]:
        """By the entry's number; what names no entry comes last, in the order it was found."""
        return tuple(sorted(self._findings, key=lambda found: (found.seq is None, found.seq or 0)))


class _Log:
    """The leaves in order, hashed up and compared with each head."""

    def __init__(self, heads: Iterable[Head], notes: _Notes, root: bytes | None) -> None:
        self.frontier = Frontier()
        self.through: int | None = None
        self.proof: Proof | None = None
        self._notes, self._root = notes, root
        self._heads = iter(heads)
        self._head = next(self._heads, None)
        self._next = 0
        self._good = 0
        self._good_through: int | None = None
        self._compared, self._broken = 0, False
        self._waiting: list[bytes] = []
        self._compare()

    def add(self, leaf: Leaf) -> bool:
        """Take the next leaf; False when it can't stand for an entry."""
        index = leaf.index
        if index != self._next and not self._in_place(index):
            return False
        digest = _hash_or_zeros(leaf.hash)
        sound = digest is leaf.hash and type(leaf.seq) is int
        if not sound:
            self._note(Fault.LEAF, index, index, "damaged: it does not hold an entry's number and a hash")
        self.through = _higher(self.through, leaf.seq)
        self._waiting.append(digest)
        self._next = index + 1
        if self._head is not None and self._head.size <= self._next:
            self._compare()
        elif len(self._waiting) >= _CHUNK:
            self._hash_up()
        return sound

    def finish(self) -> None:
        """What is left over: leaves beyond the last head, heads beyond the last leaf."""
        self._hash_up()
        if self._compared < self._next:
            self._note(
                Fault.HEAD,
                self._compared,
                self._next - 1,
                "beyond the last recorded root: that root was removed, or leaves were added",
            )
        while self._head is not None:
            size = self._head.size
            self._note(Fault.HEAD, self._next, size - 1, f"missing: a root is recorded for {size:,} leaves")
            self._head = next(self._heads, None)

    def _in_place(self, index: int) -> bool:
        """Note a gap, or a leaf too many, which is then left out."""
        if index > self._next:
            self._note(Fault.LEAF, self._next, index - 1, "missing")
            return True
        if 0 <= index < self._next - 1:
            raise ValueError(f"leaf {index} came after leaf {self._next - 1}; expected them by index")
        self._note(Fault.LEAF, index, index, "one too many at its index")
        return False

    def _compare(self) -> None:
        """Compare every head up to this size with the root as recomputed."""
        self._hash_up()
        root = self.frontier.root()
        while self._head is not None and self._head.size <= self._next:
            head = self._head
            self._judge(head.size, matches=head.root == root and head.size == self.frontier.size)
            self._head = next(self._heads, None)

    def _judge(self, size: int, *, matches: bool) -> None:
        """A root that does not match; those that follow it without a match in between tell nothing new."""
        if not matches and not self._broken:
            after = "" if self._good_through is None else f" after entry {self._good_through}"
            last = max(size - 1, self._good)
            what = f"not what was sealed{after}: they don't give the root recorded for {size:,} leaves"
            self._note(Fault.HEAD, self._good, last, what)
        if matches:
            self._good, self._good_through = size, self.through
        self._compared, self._broken = max(size, self._compared), not matches

    def _hash_up(self) -> None:
        """Append the waiting leaves; see whether this size has the root that was given."""
        self.frontier = self.frontier.extend(self._waiting)
        self._waiting.clear()
        if self._root is not None and self.frontier.size and self.frontier.root() == self._root:
            self.proof = Proof(self.frontier.size, self.through)

    def _note(self, fault: Fault, first: int, last: int, what: str) -> None:
        leaves = f"Leaf {first} is" if first == last else f"Leaves {first} to {last} are"
        self._notes.add(Finding(fault, f"{leaves} {what}.", leaves=(first, last)))


_Known: TypeAlias = "tuple[bytes, str, str | None, bool]"
"""What is kept of an entry that waits: its leaf hash, kind and action, and whether it should be sealed."""


class _Join:
    """Entries and leaves brought together by the entry's number."""

    def __init__(self, entries: Iterable[EntryRow], notes: _Notes) -> None:
        self.count = 0
        self.unsealed = Unsealed()
        self._entries = iter(entries)
        self._notes = notes
        self._at: int | None = None
        self._waiting: dict[int, _Known] = {}
        self._parked: dict[int, Leaf] = {}

    def match(self, leaf: Leaf) -> None:
        """Find the entry that a leaf stands for, reading on as far as needed."""
        seq = leaf.seq
        ahead = (self._at is None or seq > self._at) and self._read_to(seq)
        known = self._waiting.pop(seq, None)
        if known is not None:
            self._check(seq, known, leaf)
        elif ahead and seq not in self._parked:
            self._parked[seq] = leaf
        else:
            self._removed(leaf)

    def finish(self) -> None:
        """No leaf is left: what still waits has none, and so has what comes now."""
        self._give_up()
        for row in self._entries:
            self._take(row)
            self._give_up()
        for leaf in self._parked.values():
            self._removed(leaf)

    def _read_to(self, seq: int) -> bool:
        """Read entries through ``seq`` while there is room; whether it may still come."""
        while len(self._waiting) < REACH or len(self._parked) >= REACH:
            row = next(self._entries, None)
            if row is None:
                return False
            self._take(row)
            if row[0].seq >= seq:
                return False
        return True

    def _take(self, row: EntryRow) -> None:
        """Let one more entry wait, unless its leaf came first."""
        stored, sealed = row
        entry, seq = stored.entry, stored.seq
        self.count += 1
        if self._at is not None and seq <= self._at:
            self._double(stored)
            return
        self._at = seq
        known = (_leaf_or_nothing(stored), entry.kind, entry.action, sealed)
        if self._parked and seq in self._parked:
            self._check(seq, known, self._parked.pop(seq))
            return
        self._waiting[seq] = known
        if len(self._waiting) > REACH:
            oldest = next(iter(self._waiting))
            self._leafless(oldest, self._waiting.pop(oldest))

    def _give_up(self) -> None:
        """Whatever waits has no leaf."""
        for seq, known in self._waiting.items():
            self._leafless(seq, known)
        self._waiting.clear()

    def _check(self, seq: int, known: _Known, leaf: Leaf) -> None:
        if known[0] != leaf.hash:
            what = f"was changed: it is not what leaf {leaf.index} was sealed with"
            self._note(Fault.CHANGED, what, seq, known[1], known[2], leaf.index)

    def _leafless(self, seq: int, known: _Known) -> None:
        if known[3]:
            what = "was inserted: it stands in the sealed part, and no leaf stands for it"
            self._note(Fault.INSERTED, what, seq, known[1], known[2])
        else:
            self.unsealed = self.unsealed.more(seq)

    def _double(self, stored: StoredEntry) -> None:
        if self._at is not None and stored.seq < self._at:
            raise ValueError(f"entry {stored.seq} came after entry {self._at}; expected them by number")
        what = "was inserted: another entry has this number"
        self._note(Fault.DOUBLE, what, stored.seq, stored.entry.kind, stored.entry.action)

    def _removed(self, leaf: Leaf) -> None:
        sentence = f"Entry {leaf.seq} was removed: leaf {leaf.index} stands for it and finds none."
        self._notes.add(Finding(Fault.REMOVED, sentence, leaf.seq, leaves=(leaf.index, leaf.index)))

    def _note(
        self, fault: Fault, what: str, seq: int, kind: str, action: str | None, leaf: int | None = None
    ) -> None:
        told = f"{_shown(kind)}, action {_shown(action)}" if action is not None else _shown(kind)
        leaves = None if leaf is None else (leaf, leaf)
        self._notes.add(Finding(fault, f"Entry {seq} ({told}) {what}.", seq, str(kind), action, leaves))


def _leaf_or_nothing(stored: StoredEntry) -> bytes:
    """The entry's leaf hash; nothing for an entry that was altered into what no entry can be."""
    try:
        return leaf_of(stored)
    except (TypeError, ValueError, OverflowError):
        return b""


def _hash_or_zeros(value: bytes) -> bytes:
    """The leaf hash, or zeros for what is none: other lengths would let two leaves trade bytes."""
    return value if type(value) is bytes and len(value) == HASH_SIZE else _ZEROS


def _higher(through: int | None, seq: int) -> int | None:
    """The higher number; what is no number, in a damaged leaf, doesn't count."""
    return seq if type(seq) is int and (through is None or seq > through) else through


def _shown(text: object) -> str:
    """A text out of an altered log, safe to print."""
    shown = str(text)
    return shown if shown.isprintable() else repr(shown)
