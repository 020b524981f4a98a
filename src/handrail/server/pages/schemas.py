"""Schemas of tools that run elsewhere: a changed one waits until an admin has compared and accepted it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from handrail.engine.toolbox import accept
from handrail.server.auth.who import Caller, allow, state_of
from handrail.server.pages.doing import fresh, tried
from handrail.server.pages.lines import differences
from handrail.server.pages.listing import laid_out
from handrail.words.errors import NotFound

if TYPE_CHECKING:
    from handrail.ports import Transaction
    from handrail.words.toolbox import ToolSchema

router = APIRouter(include_in_schema=False, prefix="/agents/schema")
Viewer = Annotated[Caller, Depends(allow("viewer"))]
Admin = Annotated[Caller, Depends(allow("admin"))]
Text = Annotated[str, Form()]


@router.get("")
def shown(request: Request, caller: Viewer, tool: str, binding: str) -> Response:
    """One version of a tool beside the accepted one."""

    def work(tx: Transaction) -> tuple[ToolSchema | None, ToolSchema | None]:
        pinned = next((each for each in tx.toolbox.pinned() if each.tool == tool), None)
        return tx.toolbox.get(tool, binding), pinned

    wanted, pinned = state_of(request).store.read(work)
    if wanted is None:
        raise NotFound(f"no host has registered this version of {tool[:60]}")
    before = {} if pinned is None else {"schema": laid_out(pinned.schema)}
    after = {"schema": laid_out(wanted.schema)}
    return fresh(
        request,
        "schema.html",
        wanted=wanted,
        pinned=pinned,
        lines=differences(before, after).get("schema", []),
        counts=pinned is not None and pinned.binding == wanted.binding,
        manages=caller.role == "admin",
    )


@router.post("/accept")
def take(request: Request, caller: Admin, tool: Text, binding: Text) -> Response:
    """Let this version count from now on."""

    def act() -> str:
        accept(state_of(request).engine, tool, binding, caller.human().id)
        return f"Accepted. From now on only this version of {tool} counts."

    return tried(request, "/agents", act)
