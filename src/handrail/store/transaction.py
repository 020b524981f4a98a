"""One transaction as the engine sees it: the parts, over one dialect's runner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.store.parts.actions import SqlActions
from handrail.store.parts.approvals import SqlApprovals
from handrail.store.parts.budgets import SqlBudgets
from handrail.store.parts.journal import SqlJournal
from handrail.store.parts.restrictions import SqlRestrictions

if TYPE_CHECKING:
    from collections.abc import Callable

    from handrail.store.parts.base import Runner


class SqlTransaction:
    """``ports.Transaction`` for every SQL store; made once a connection and used again."""

    __slots__ = ("actions", "approvals", "budgets", "journal", "now", "restrictions")

    def __init__(self, sql: Runner, now: Callable[[], int]) -> None:
        """Give every part the same runner; ``now`` is the database's clock, in milliseconds."""
        self.now = now
        self.actions = SqlActions(sql)
        self.approvals = SqlApprovals(sql)
        self.budgets = SqlBudgets(sql)
        self.journal = SqlJournal(sql)
        self.restrictions = SqlRestrictions(sql)
