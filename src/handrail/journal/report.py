"""What a verification of the journal found, in values and in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Standing(StrEnum):
    """What can be said of the log as a whole."""

    TAMPERED = "tampered"
    NOT_MATCHING = "not matching"
    CONSISTENT = "consistent, not proven"
    PROVEN = "proven"


class Fault(StrEnum):
    """One way in which a log can be wrong."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    DOUBLE = "double"
    """Two entries with one number."""
    LEAF = "leaf"
    """A leaf that is missing, double, or can't be one."""
    HEAD = "head"
    """A recorded root that the leaves don't give."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: the sentence that tells it, and what it names.

    ``leaves`` are the first and last index in the log that the fault touches.
    """

    fault: Fault
    sentence: str
    seq: int | None = None
    kind: str | None = None
    action: str | None = None
    leaves: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Unsealed:
    """Entries that no leaf stands for yet, by their numbers."""

    count: int = 0
    first: int | None = None
    last: int | None = None

    def more(self, seq: int) -> Unsealed:
        """With one entry more."""
        first = seq if self.first is None else min(self.first, seq)
        last = seq if self.last is None else max(self.last, seq)
        return Unsealed(self.count + 1, first, last)


@dataclass(frozen=True, slots=True)
class Proof:
    """Where the given root was found: it proves the first ``size`` leaves, through entry ``through``."""

    size: int
    through: int | None


@dataclass(frozen=True, slots=True)
class Report:
    """What ``verify`` found. ``size`` and ``root`` are the log's as recomputed from its leaves.

    ``counts`` has every fault; ``findings`` at most ``verify``'s ``keep`` of each, ordered by entry.
    """

    standing: Standing
    size: int
    root: bytes
    through: int | None
    """The highest number of a sealed entry."""
    entries: int
    unsealed: Unsealed
    findings: tuple[Finding, ...]
    counts: Mapping[Fault, int]
    proof: Proof | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing speaks against the log; for a log that is not proven, only nothing inside it."""
        return self.standing in (Standing.CONSISTENT, Standing.PROVEN)

    def sentences(self) -> Iterator[str]:
        """The whole report in plain words, most important first."""
        yield self._headline()
        yield from (finding.sentence for finding in self.findings)
        hidden = sum(self.counts.values()) - len(self.findings)
        if hidden:
            yield f"{hidden:,} further findings are counted, not listed."
        if self.unsealed.count:
            yield (
                f"Not sealed yet, so not verified: {_number(self.unsealed.count, 'entry', 'entries')}, "
                f"from {self.unsealed.first} to {self.unsealed.last}."
            )

    def _headline(self) -> str:
        sealed = f"{_number(self.size, 'sealed entry', 'sealed entries')}, root {self.root.hex()}"
        if self.standing is Standing.TAMPERED:
            wrong = _number(sum(self.counts.values()), "finding", "findings")
            return f"Tampered: {wrong} in a log of {sealed}.{self._anchor()}"
        if self.standing is Standing.NOT_MATCHING:
            return (
                f"Not matching: the log of {sealed} has no beginning with the given root. Either it was "
                "rewritten or cut short since that root was kept, or the root belongs to another log."
            )
        if self.standing is Standing.PROVEN:
            return f"Proven: a log of {sealed}.{self._anchor()}"
        return (
            f"Consistent, not proven: a log of {sealed}. Only a root that was kept elsewhere can show that "
            f"the log was not rewritten as a whole or cut short.{self._anchor()}"
        )

    def _anchor(self) -> str:
        """What the given root says of the leaves, if it was found."""
        if self.proof is None:
            return ""
        if not self.proof.size:
            return " The given root is that of an empty log; it proves nothing about what came after."
        after = _number(self.size - self.proof.size, "sealed entry", "sealed entries")
        return (
            f" The given root proves the first {_number(self.proof.size, 'leaf', 'leaves')}, "
            f"through entry {self.proof.through}; {after} came after."
        )


def _number(count: int, one: str, many: str) -> str:
    """``1 entry``, ``1,000 entries``."""
    return f"{count:,} {one if count == 1 else many}"
