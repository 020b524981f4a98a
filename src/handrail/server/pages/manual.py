"""Manual control: an admin runs a tool of this server as themselves, also while agents are stopped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from handrail.engine.by_hand import run_by_hand
from handrail.engine.ids import new_id
from handrail.engine.outcomes import sentences
from handrail.server.auth.who import Caller, allow, state_of
from handrail.server.pages.doing import fresh
from handrail.server.pages.drawing import go, page
from handrail.server.pages.forms import fields, mistake, parse, typed_of
from handrail.words.errors import HandrailError, NotFound, NotRun, StoreError
from handrail.words.lifecycle import State

if TYPE_CHECKING:
    from handrail.engine.core import Tool

router = APIRouter(include_in_schema=False, prefix="/manual")
Admin = Annotated[Caller, Depends(allow("admin"))]
Form = Mapping[str, str]
LONGEST_KEY = 64
ENDED = {State.DONE: "It ran.", State.FAILED: "It failed, and may have done a part."}


async def sent(request: Request) -> Form:
    """What was typed."""
    form = await request.form()
    return {name: text for name, text in form.items() if isinstance(text, str)}


@router.get("")
def listed(request: Request, caller: Admin) -> Response:
    """The tools that this server has."""
    del caller
    return fresh(request, "manual.html", tools=[each.name for each in _tools(request)])


@router.get("/tool")
def ask(request: Request, caller: Admin, name: str) -> Response:
    """The form of a tool, made of its schema."""
    del caller
    return _drawn(request, _tool(request, name), {"once": new_id()})


@router.post("/tool")
def run(request: Request, caller: Admin, name: str, form: Annotated[Form, Depends(sent)]) -> Response:
    """Run it; its page then tells what became of it. A form that is sent twice runs it once."""
    tool = _tool(request, name)
    schema = tool.binding.schema
    args, wrong = parse(schema, form)
    found = None if wrong else mistake(schema, args)
    if found is not None and found[0] is not None:
        wrong = {found[0]: found[1]}
    if wrong or found is not None:
        told = "Nothing ran: some of it can't be used." if wrong else str(found and found[1])
        return _drawn(request, tool, form, wrong, told)
    if not form.get("reason", "").strip():
        return _drawn(request, tool, form, told="Nothing ran: a run by hand needs a reason, for the log.")
    try:
        done = run_by_hand(
            state_of(request).engine,
            name,
            args,
            caller.human().id,
            form["reason"],
            form.get("task", "").strip() or None,
            f"by hand {(form.get('once') or new_id())[:LONGEST_KEY]}",
        )
    except StoreError:
        raise
    except NotRun as error:
        # its own text tells an agent what to do then
        why = sentences(error.verdict.reasons) if error.verdict else ""
        return _drawn(request, tool, form, told=f"Nothing ran: {why}" if why else str(error))
    except HandrailError as error:
        return _drawn(request, tool, form, told=str(error))
    bad = done.state is not State.DONE
    return go(request, f"/actions/{done.id}", ENDED.get(done.state, f"It is {done.state}."), bad=bad)


def _drawn(
    request: Request,
    tool: Tool,
    form: Form,
    wrong: Mapping[str, str] | None = None,
    told: str | None = None,
) -> Response:
    typed: dict[str, Any] | None = typed_of(form) if told is not None else None
    return page(
        request,
        "manual_tool.html",
        200 if told is None else 422,
        tool=tool.name,
        fields=fields(tool.binding.schema, None, typed, wrong),
        told=told,
        once=form.get("once", ""),
        reason=form.get("reason", ""),
        task=form.get("task", ""),
    )


def _tools(request: Request) -> list[Tool]:
    """Those whose code this process has."""
    return [each for each in tuple(state_of(request).engine.tools.values()) if not each.elsewhere]


def _tool(request: Request, name: str) -> Tool:
    found = next((each for each in _tools(request) if each.name == name), None)
    if found is None:
        raise NotFound(f"this server does not have the tool {name[:60]}")
    return found
