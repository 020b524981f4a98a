"""The pages with which people manage: who may come in, what agents may do, and by which rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.server.pages import agents, keys, manual, people, policy, schemas, settings

if TYPE_CHECKING:
    from fastapi import APIRouter

PAGES = (agents, keys, schemas, policy, people, manual, settings)


def routers() -> list[APIRouter]:
    """Their routes."""
    return [each.router for each in PAGES]
