"""Schemas of tools that run elsewhere, as their hosts registered them and as a person accepted them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ToolSchema:
    """One version of a tool's JSON Schema. The first is pinned as it comes; a changed one waits for a person.

    ``binding`` is the digest of name and schema; ``accepted_at`` is None while it waits.
    """

    tool: str
    binding: str
    schema: str
    """JSON text."""
    registered_at: int
    registered_by: str
    accepted_at: int | None = None
    accepted_by: str | None = None
