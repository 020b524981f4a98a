"""Helpers for your own tests: a rail in memory, and answers to its questions. Never for production.

Here a test may answer questions itself. So ``answer`` works only on a rail that ``rail`` made, whose store is
in memory and gone with it: it can approve nothing that is real.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from handrail.app import meter_of, open_app
from handrail.engine.questions.votes import vote
from handrail.engine.rail import Rail
from handrail.words.approval import Choice
from handrail.words.errors import NotFound, Refused
from handrail.words.query import EntryFilter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from handrail.engine.core import Engine
    from handrail.words.approval import Approval
    from handrail.words.entry import StoredEntry

__all__ = ["answer", "entries", "rail"]


class MemoryRail(Rail):
    """A rail whose store is in memory."""

    @property
    def engine(self) -> Engine:
        """The engine, for a test that wants to look inside."""
        return self._engine


@contextmanager
def rail(policy: str | Path, databases: Mapping[str, str] | None = None) -> Iterator[MemoryRail]:
    """A fresh rail in memory for a policy file, or for a policy's text.

    Raises:
        PolicyError: the policy has mistakes.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = policy if isinstance(policy, Path) else Path(folder) / "handrail.yaml"
        if isinstance(policy, str):
            path.write_text(policy, encoding="utf-8")
        app = open_app(path, database="memory:", databases=databases)
        try:
            yield MemoryRail(app.engine, app.close, meter_of(app.engine))
        finally:
            app.close()


def answer(rail: Rail, action: str, person: str, *, approve: bool, reason: str | None = None) -> Approval:
    """Answer the open question about a held action as ``person``.

    Raises:
        Refused: the rail is a real one, or this person may not answer.
        NotFound: there is no question about this action.
    """
    if not isinstance(rail, MemoryRail):
        raise Refused("only people answer for a real rail: use 'handrail approve' in a terminal")
    question = rail.engine.store.read(lambda tx: tx.approvals.of(action))
    if question is None:
        raise NotFound(f"there is no question about action {action}")
    choice = Choice.APPROVE if approve else Choice.REJECT
    return vote(rail.engine, question.id, person, choice, reason, verified=False)


def entries(rail: MemoryRail, limit: int = 1_000) -> Sequence[StoredEntry]:
    """What the journal tells, oldest first."""
    newest = rail.engine.store.read(lambda tx: tx.journal.newest(EntryFilter(limit=limit)))
    return list(reversed(newest))
