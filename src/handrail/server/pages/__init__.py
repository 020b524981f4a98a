"""Pages for people: plain HTML that works without a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Depends

from handrail.server.pages import (
    account,
    actions,
    banner,
    budgets,
    calls,
    halts,
    live,
    log,
    managing,
    oidc,
    overview,
    questions,
    sessions,
    set_up,
    sign_in,
    standings,
)
from handrail.server.pages.ahead import Ahead
from handrail.server.pages.drawing import begun, draw_problem
from handrail.server.pages.packed import LEVEL, Packed

if TYPE_CHECKING:
    from fastapi import APIRouter, FastAPI, params


def first() -> list[APIRouter]:
    """What everybody who looks on asks for at each change: routes are tried one after the other."""
    return [overview.router, live.router]


def routers() -> list[APIRouter]:
    """Every other page's routes."""
    found = (
        sign_in,
        set_up,
        oidc,
        questions,
        standings,
        actions,
        log,
        sessions,
        calls,
        budgets,
        halts,
        account,
        banner,
    )
    return [*(room.router for room in found), *managing.routers()]


def first_of_all() -> list[params.Depends]:
    """What each of these pages does before anything else: remember from where on its stream must tell."""
    return [Depends(begun)]


def install(app: FastAPI) -> None:
    """Let errors outside the API be drawn as pages, share what is drawn for everybody, and pack it."""
    app.state.draw_problem = draw_problem
    overview.install(app)
    banner.install()
    app.add_middleware(Packed, compresslevel=LEVEL)


def install_ahead(app: FastAPI) -> None:
    """Answer what everybody who looks on asks for ahead of the layers that were added before this call."""
    limits = app.state.server.limits
    app.add_middleware(Ahead, path=overview.PART, limits=limits, ask=overview.again)
