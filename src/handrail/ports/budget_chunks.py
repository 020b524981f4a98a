"""Chunks of hot budgets in the store: parts of a window that processes charge without the window's row.

A window's ``used`` holds all of its chunks, so nobody can exceed a limit. What nobody took of a chunk comes
back when it is closed, by whoever closes it. Locks are taken in one order: chunks, holds, windows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.words.budget import Chunk, Drawn
    from handrail.words.verdict import Charge


class BudgetChunks(Protocol):
    """Chunks. Quantities are in the budget's unit, times in milliseconds since the epoch, UTC."""

    def lease(
        self, chunk: str, owner: str, charge: Charge, most: int, least: int, milliseconds: int
    ) -> Chunk | None:
        """Take ``most`` of the charge's window for some time, but only a small part of what is left.

        What is left ends at the limit, or at the first percentage that nobody was told of. None when the part
        would be smaller than ``least``, or nobody has charged the window yet: then everybody charges its row.
        """

    def draw(self, holder: str, attempt: int, drawn: Sequence[Drawn]) -> Sequence[Drawn]:
        """Set aside from chunks; what could not be taken, because its chunk was closed or is too old.

        Whoever draws knows that there is enough in the chunk: it is its own. Draw before anything is reserved
        in windows.
        """

    def close(self, chunk: str) -> Chunk | None:
        """End a chunk and give back what nobody took of it; None when it was closed before.

        It waits for who is drawing from it. What is still held counts in the window from now on.
        """

    def open(self, budget: str, scope: str, window: int) -> Sequence[str]:
        """The ids of the chunks of one window, of all processes."""

    def lapsed(self, before: int, limit: int) -> Sequence[str]:
        """The ids of chunks from which nothing can be drawn since ``before``: their owners may be lost."""
