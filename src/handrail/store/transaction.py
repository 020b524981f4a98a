"""One transaction as the engine sees it: the parts, over one dialect's runner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.store.parts.actions import SqlActions
from handrail.store.parts.approvals import SqlApprovals
from handrail.store.parts.budget_chunks import SqlBudgetChunks
from handrail.store.parts.budgets import SqlBudgets
from handrail.store.parts.deliveries import SqlDeliveries
from handrail.store.parts.journal import SqlJournal
from handrail.store.parts.keys import SqlKeys
from handrail.store.parts.models import SqlModelCalls, SqlPrompts
from handrail.store.parts.overview import SqlOverview
from handrail.store.parts.people import SqlPeople
from handrail.store.parts.restrictions import SqlRestrictions
from handrail.store.parts.sessions import SqlSessions
from handrail.store.parts.standings import SqlStandings
from handrail.store.parts.tables import SqlTables
from handrail.store.parts.toolbox import SqlToolbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from handrail.store.parts.base import Runner


class SqlTransaction:
    """``ports.Transaction`` for every SQL store; made once a connection and used again."""

    __slots__ = (
        "actions",
        "approvals",
        "budget_chunks",
        "budgets",
        "deliveries",
        "journal",
        "keys",
        "model_calls",
        "now",
        "overview",
        "people",
        "prompts",
        "restrictions",
        "sessions",
        "standings",
        "tables",
        "toolbox",
    )

    def __init__(self, sql: Runner, now: Callable[[], int], budgets: type[SqlBudgets] = SqlBudgets) -> None:
        """Give every part the same runner; ``now`` is the database's clock, in milliseconds.

        ``budgets`` is the dialect's own way to charge.
        """
        self.now = now
        self.actions = SqlActions(sql)
        self.approvals = SqlApprovals(sql)
        self.budgets = budgets(sql, now)
        self.budget_chunks = SqlBudgetChunks(sql, now)
        self.journal = SqlJournal(sql)
        self.restrictions = SqlRestrictions(sql)
        self.people = SqlPeople(sql)
        self.keys = SqlKeys(sql)
        self.sessions = SqlSessions(sql)
        self.standings = SqlStandings(sql)
        self.deliveries = SqlDeliveries(sql)
        self.toolbox = SqlToolbox(sql)
        self.model_calls = SqlModelCalls(sql)
        self.prompts = SqlPrompts(sql)
        self.overview = SqlOverview(sql)
        self.tables = SqlTables(sql, now)
