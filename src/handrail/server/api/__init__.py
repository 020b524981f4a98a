"""The REST API, one file for each measure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import APIRouter

MEASURES = (
    *("actions", "approvals", "standings", "sessions", "model_calls"),
    *("tools", "agents", "manual", "halts", "grants"),
    *("budgets", "entries", "policies", "me", "people", "keys", "deliveries", "slack"),
)
"""The modules of the API, in the order of its document."""


def routers() -> list[APIRouter]:
    """Every measure's routes."""
    from importlib import import_module

    return [import_module(f"{__name__}.{measure}").router for measure in MEASURES]
