"""Schemas of tools that run elsewhere, in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from handrail.store.parts.base import Runner, values_of
from handrail.words.toolbox import ToolSchema

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class SqlToolbox:
    """``ports.Toolbox`` over named queries."""

    sql: Runner

    def add(self, schema: ToolSchema) -> bool:
        """A version that is known is not touched: each write makes every copy of what restricts stale."""
        if self.get(schema.tool, schema.binding) is not None:
            return False
        self.sql.run("add_schema", values_of(schema))
        return True

    def get(self, tool: str, binding: str) -> ToolSchema | None:
        """One version."""
        row = self.sql.row("schema", {"tool": tool, "binding": binding})
        return None if row is None else ToolSchema(*row)

    def accept(self, tool: str, binding: str, person: str, at: int) -> bool:
        """The one before waits again: at most one version of a tool is pinned."""
        if self.get(tool, binding) is None:
            return False
        values = {"tool": tool, "binding": binding, "person": person, "at": at}
        self.sql.run("unpin_schema", values)
        return self.sql.changed("accept_schema", values)

    def pinned(self) -> Sequence[ToolSchema]:
        """By tool."""
        return [ToolSchema(*row) for row in self.sql.rows("pinned_schemas")]

    def listing(self) -> Sequence[ToolSchema]:
        """Newest first."""
        return [ToolSchema(*row) for row in self.sql.rows("schemas")]
