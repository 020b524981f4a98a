"""Questions: what waits for people, one question in full, and the ways to answer it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from handrail.engine.door import parse, thaw
from handrail.engine.questions.batches import vote_many
from handrail.engine.questions.edits import edit
from handrail.engine.questions.lookers import look, look_away, others
from handrail.engine.questions.seats import Bench
from handrail.engine.questions.sheet import sheet, sheets
from handrail.engine.questions.votes import answer, vote
from handrail.server.auth.who import Caller, allow, state_of
from handrail.server.pages import forms
from handrail.server.pages.drawing import go, page, part
from handrail.server.pages.standings import standing_of
from handrail.words.approval import Approval, ApprovalState, Choice
from handrail.words.errors import BadArguments, HandrailError, NotFound, StoreError
from handrail.words.lifecycle import State

if TYPE_CHECKING:
    from handrail.engine.core import Engine
    from handrail.ports import Transaction
    from handrail.words.sheet import Sheet

router = APIRouter(include_in_schema=False)
Viewer = Annotated[Caller, Depends(allow("viewer"))]
Reviewer = Annotated[Caller, Depends(allow("reviewer"))]
Text = Annotated[str, Form()]
Items = Annotated[list[str], Form()]
Id = Annotated[str, Query(max_length=100)]
MOST = 30
"""Questions on one page."""
START = "all"
"""Where the questions for others begin, when those for this person filled a page."""
BATCH = 100
"""Questions that are answered at once."""
LONGEST = 20_000
"""Characters of arguments that a list shows; a question with more is opened to be answered."""
NO_REASON = "a rejection needs a reason: the agent is told it"
UNTOUCHED: Mapping[str, Any] = {
    "typed": None,
    "wrong": None,
    "reason": "",
    "errors": {},
    "standing": {},
    "wrong_standing": None,
}
"""What a page says of forms that nobody sent yet."""


async def sent_fields(request: Request) -> Mapping[str, str]:
    """The texts of a form whose fields are not known beforehand."""
    return {name: text for name, text in (await request.form()).items() if isinstance(text, str)}


Sent = Annotated[Mapping[str, str], Depends(sent_fields)]


@router.get("/questions")
def listed(request: Request, caller: Viewer, after: Id = "", rest: Id = "") -> Response:
    """What waits: all that this person may answer before what others may, alike ones together.

    ``after`` goes on with this person's own, ``rest`` with the others'.
    """
    return page(request, "questions.html", **_waiting(request, caller, after, rest))


@router.get("/questions/rows")
def again(request: Request, caller: Viewer) -> Response:
    """What of the list changes."""
    return part(request, "_questions.html", **_waiting(request, caller, "", ""))


@router.get("/questions/{approval_id}")
def shown(request: Request, caller: Viewer, approval_id: str) -> Response:
    """One question in full."""
    return _drawn(request, caller, approval_id)


@router.get("/questions/{approval_id}/now")
def now(request: Request, caller: Viewer, approval_id: str) -> Response:
    """What of a question changes."""
    return part(request, "_question.html", **_values(request, caller, approval_id))


@router.post("/questions/{approval_id}/look")
def looking(request: Request, caller: Viewer, approval_id: str) -> Response:
    """This person has it open; who else has."""
    found = look(state_of(request).engine, approval_id, caller.human().id)
    return part(request, "_lookers.html", lookers=found)


@router.post("/questions/{approval_id}/look-away")
def left(request: Request, caller: Viewer, approval_id: str) -> Response:
    """This person closed it."""
    look_away(state_of(request).engine, approval_id, caller.human().id)
    return Response(status_code=204)


@router.post("/questions/approve")
def approve_many(request: Request, caller: Reviewer, item: Items = []) -> Response:  # noqa: B006 - a form's default
    """Approve every ticked question, each for itself."""
    return _vote_many(request, caller, item, Choice.APPROVE, None)


@router.post("/questions/reject")
def reject_many(
    request: Request,
    caller: Reviewer,
    item: Items = [],  # noqa: B006 - a form's default
    reason: Text = "",
) -> Response:
    """Reject every ticked question, each for itself, with one reason."""
    if not reason.strip():
        return go(request, "/questions", f"Nothing was answered: {NO_REASON}.", bad=True)
    return _vote_many(request, caller, item, Choice.REJECT, reason.strip())


@router.post("/questions/{approval_id}/approve")
def approve(request: Request, caller: Reviewer, approval_id: str, seen: Text, reason: Text = "") -> Response:
    """Say yes."""
    return _vote(request, caller, approval_id, Choice.APPROVE, seen, reason)


@router.post("/questions/{approval_id}/reject")
def reject(request: Request, caller: Reviewer, approval_id: str, seen: Text, reason: Text = "") -> Response:
    """Say no, with a reason."""
    if not reason.strip():
        return _refused(request, approval_id, BadArguments(NO_REASON))
    return _vote(request, caller, approval_id, Choice.REJECT, seen, reason)


@router.post("/questions/{approval_id}/answer")
def tell(request: Request, caller: Reviewer, approval_id: str, seen: Text, text: Text = "") -> Response:
    """Tell the agent something instead."""
    engine, me = state_of(request).engine, caller.human()
    try:
        if not text.strip():
            raise BadArguments("there is nothing to tell the agent")
        answer(engine, approval_id, me.id, text, verified=True, seen=seen)
    except StoreError:
        raise
    except HandrailError as error:
        return _refused(request, approval_id, error)
    return go(request, f"/questions/{approval_id}", "The agent is told. It does not run.")


@router.post("/questions/{approval_id}/edit")
def change(request: Request, caller: Reviewer, approval_id: str, sent: Sent) -> Response:
    """Let something else run instead: typed field by field, or all of it as JSON."""
    if "args" not in sent:
        return _change_fields(request, caller, approval_id, sent)
    typed: dict[str, Any] = {"typed": sent["args"], "reason": sent.get("reason", "")}
    try:
        return _change(request, caller, approval_id, sent, parse(sent["args"]))
    except StoreError:
        raise
    except (HandrailError, TypeError, ValueError) as error:
        return _drawn(request, caller, approval_id, wrong=str(error), **typed)


@router.post("/questions/{approval_id}/standing")
def stand(request: Request, caller: Reviewer, approval_id: str, sent: Sent) -> Response:
    """Answer the next ones like this, too, within limits."""
    try:
        made = standing_of(request, approval_id, sent, caller.human().id)
    except StoreError:
        raise
    except HandrailError as error:
        return _drawn(request, caller, approval_id, wrong_standing=str(error), standing=sent)
    told = f"The next {made.left:,} like this may run. You can end that at any time."
    return go(request, "/standings", told)


def _change_fields(request: Request, caller: Caller, approval_id: str, sent: Mapping[str, str]) -> Response:
    asked = _sheet(state_of(request).engine, approval_id)
    if asked.schema is None or asked.args is None:
        return _refused(request, approval_id, BadArguments("its arguments can't be edited here"))
    found, errors = forms.parse(asked.schema, sent, thaw(asked.args.encode()))
    wrong = None
    if not errors:
        where, wrong = forms.mistake(asked.schema, found) or (None, None)
        if where is not None and wrong is not None:
            errors, wrong = {where: wrong}, None
    if not errors and wrong is None:
        try:
            return _change(request, caller, approval_id, sent, found)
        except StoreError:
            raise
        except HandrailError as error:
            wrong = str(error)
    kept = {"sent": forms.typed_of(sent), "errors": errors, "reason": sent.get("reason", "")}
    return _drawn(request, caller, approval_id, wrong=wrong, **kept)


def _change(
    request: Request, caller: Caller, approval_id: str, sent: Mapping[str, str], args: Mapping[str, object]
) -> Response:
    engine, me = state_of(request).engine, caller.human()
    why, seen = sent.get("reason", "").strip() or "edited on the page", sent.get("seen", "")
    made = edit(engine, approval_id, me.id, args, why, verified=True, seen=seen)
    asked = engine.store.read(lambda tx: tx.approvals.of(made.id))
    told = "Edited. It waits for more answers." if made.state is State.HELD else "Edited. It may run now."
    return go(request, f"/questions/{asked.id if asked else approval_id}", told)


def _vote(
    request: Request, caller: Caller, approval_id: str, choice: Choice, seen: str, reason: str
) -> Response:
    engine, me = state_of(request).engine, caller.human()
    try:
        after = vote(engine, approval_id, me.id, choice, reason.strip() or None, verified=True, seen=seen)
    except StoreError:
        raise
    except HandrailError as error:
        return _refused(request, approval_id, error)
    waiting = after.state is ApprovalState.OPEN
    told = "Your answer counts; others are still needed." if waiting else f"This question is {after.state}."
    return go(request, f"/questions/{approval_id}", told)


def _vote_many(
    request: Request, caller: Caller, items: list[str], choice: Choice, reason: str | None
) -> Response:
    if not items:
        return go(request, "/questions", "Nothing was ticked, so nothing was answered.", bad=True)
    asked = [(each.partition(":")[0], each.partition(":")[2]) for each in items[:BATCH]]
    engine, me = state_of(request).engine, caller.human()
    done = [each for _, each in vote_many(engine, asked, me.id, choice, reason, verified=True)]
    wrong = [str(each) for each in done if isinstance(each, HandrailError)]
    waiting = sum(isinstance(each, Approval) and each.state is ApprovalState.OPEN for each in done)
    ended = len(done) - len(wrong) - waiting
    told = [f"{ended} of {len(done)} {'approved' if choice is Choice.APPROVE else 'rejected'}."]
    if waiting:
        told.append(f"{waiting} still wait{'s' if waiting == 1 else ''} for somebody else.")
    return go(request, "/questions", " ".join([*told, *dict.fromkeys(wrong)]), bad=bool(wrong))


def _refused(request: Request, approval_id: str, error: HandrailError) -> Response:
    if isinstance(error, NotFound):
        raise error
    return go(request, f"/questions/{approval_id}", str(error), bad=True)


def _drawn(request: Request, caller: Caller, approval_id: str, **typed: Any) -> Response:
    """The page with what was typed and could not be used; it stays as it is until it is sent again."""
    values = {**_values(request, caller, approval_id, typed.get("sent"), typed.get("errors")), **typed}
    return page(request, "question.html", 422 if typed else 200, kept=not typed, **values)


def _values(
    request: Request,
    caller: Caller,
    approval_id: str,
    sent: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    engine, me = state_of(request).engine, caller.human()
    found = _sheet(engine, approval_id)
    before, after, lookers = engine.store.read(lambda tx: _around(engine, tx, caller, found.approval))
    is_open = found.approval.state is ApprovalState.OPEN
    answered = _answered(found, me.id)
    may = is_open and not answered and caller.role != "viewer" and found.asks(me.id)
    return {
        "sheet": found,
        "is_open": is_open,
        "may": may,
        "exact": caller.role != "viewer",
        "answered": answered,
        "before": before,
        "after": after,
        "lookers": lookers,
        "currency": engine.policy.policy.currency,
        "fields": _fields(found, sent, errors) if may else (),
        **UNTOUCHED,
    }


def _fields(
    asked: Sheet, sent: Mapping[str, str] | None, errors: Mapping[str, str] | None
) -> tuple[forms.Field, ...]:
    if asked.schema is None or asked.args is None:
        return ()
    return forms.fields(asked.schema, thaw(asked.args.encode()), sent, errors)


def _around(
    engine: Engine, tx: Transaction, caller: Caller, approval: Approval
) -> tuple[str | None, str | None, Sequence[str]]:
    """The questions before and after this one, of those for this person where some are; who else looks."""
    me = caller.human().id
    mine = _groups(engine, tx, caller)
    if mine:
        before, after = tx.approvals.waiting_beside(approval, mine, me)
    else:
        before, after = tx.approvals.neighbours(approval)
    return before, after, others(tx, approval.id, me)


def _groups(engine: Engine, tx: Transaction, caller: Caller) -> tuple[str, ...]:
    """In which groups this person may answer now."""
    return Bench(tx, engine.policy.policy.approvers).groups(caller.human().id, tx.now())


def _waiting(request: Request, caller: Caller, after: str, rest: str) -> dict[str, Any]:
    engine, me = state_of(request).engine, caller.human()
    engine.catch_up()

    def work(tx: Transaction) -> tuple[list[Sheet], dict[str, str]]:
        groups = _groups(engine, tx, caller)
        own = [] if rest else tx.approvals.waiting(groups, me.id, MOST + 1, after or None, asked=True)
        if len(own) > MOST:
            return sheets(engine, tx, own[:MOST]), {"after": own[MOST - 1].id}
        room = MOST - len(own)
        found = tx.approvals.waiting(
            groups, me.id, room + 1, None if rest == START else rest or None, asked=False
        )
        more = {"rest": found[room - 1].id if room else START} if len(found) > room else {}
        return sheets(engine, tx, [*own, *found[:room]]), more

    found, more = engine.store.read(work)
    may = caller.role != "viewer"
    mine = [each for each in found if may and each.asks(me.id) and not _answered(each, me.id)]
    return {
        "mine": _alike(mine),
        "others": _alike([each for each in found if each not in mine]),
        "more": urlencode(more),
        "first": not after and not rest,
        "longest": LONGEST,
    }


def _sheet(engine: Engine, approval_id: str) -> Sheet:
    engine.catch_up()

    def work(tx: Transaction) -> Sheet:
        found: Approval | None = tx.approvals.get(approval_id)
        if found is None:
            raise NotFound(f"there is no question {approval_id}")
        return sheet(engine, tx, found)

    return engine.store.read(work)


def _answered(sheet: Sheet, person: str) -> bool:
    return any(each.person == person for each in sheet.votes)


def _alike(sheets: list[Sheet]) -> list[list[Sheet]]:
    """Questions of the same agent, tool and reasons together, in the order in which they were asked."""
    groups: dict[object, list[Sheet]] = {}
    for each in sheets:
        groups.setdefault((each.agent, each.tool, each.approval.asks), []).append(each)
    return list(groups.values())
