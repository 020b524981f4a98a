"""Standing approvals: which are in force, what is left of each, and ending one."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from handrail.engine.questions.standings import make_standing, revoke_standing
from handrail.server.auth.who import Caller, allow, state_of
from handrail.server.pages.doing import fresh, tried
from handrail.words.errors import BadArguments, NotFound
from handrail.words.money import shown, to_nano

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handrail.ports import Transaction
    from handrail.words.action import Action
    from handrail.words.approval import Approval
    from handrail.words.standing import Standing

router = APIRouter(include_in_schema=False, prefix="/standings")
Viewer = Annotated[Caller, Depends(allow("viewer"))]
Reviewer = Annotated[Caller, Depends(allow("reviewer"))]
MOST = 100
HOUR = 3_600_000
DIGITS = 30
HOW_MANY = "say how many at most, as a whole number such as 10"


@router.get("")
def listed(request: Request, caller: Viewer) -> Response:
    """Those in force, newest first."""
    engine = state_of(request).engine
    engine.catch_up()
    found = engine.store.read(lambda tx: tx.standings.listing(ended=False, limit=MOST))
    currency = engine.policy.policy.currency
    money = {each.id: shown(each.amount_left, currency) for each in found if each.amount_left is not None}
    return fresh(request, "standings.html", standings=found, money=money, may_end=caller.role != "viewer")


@router.post("/{standing_id}/end")
def end(request: Request, caller: Reviewer, standing_id: str) -> Response:
    """End one: nothing that starts from now on is let by it."""

    def act() -> str:
        revoke_standing(state_of(request).engine, standing_id, caller.human().id)
        return "It has ended: people are asked again."

    return tried(request, "/standings", act)


def standing_of(request: Request, approval_id: str, sent: Mapping[str, str], person: str) -> Standing:
    """Make a standing approval for what is like the action of a question.

    Raises:
        NotFound: there is no such question.
        BadArguments: a number is none.
        Refused: its author may not, or a limit is too wide.
    """
    engine = state_of(request).engine

    def work(tx: Transaction) -> tuple[Approval | None, Action | None]:
        asked = tx.approvals.get(approval_id)
        return asked, None if asked is None else tx.actions.get(asked.action)

    asked, action = engine.store.read(work)
    if asked is None or action is None:
        raise NotFound(f"there is no question {approval_id}")
    actions = _number(sent, "actions", HOW_MANY)
    if actions is None or actions != int(actions):
        raise BadArguments(HOW_MANY)
    amount = _number(sent, "amount", "say up to how much in all, as a number such as 12.50")
    hours = _number(sent, "hours", "say for how many hours, as a number such as 24") or Decimal(0)
    return make_standing(
        engine,
        agent=action.agent,
        tool=action.tool,
        asks=asked.asks,
        when=sent.get("when", "").strip() or None,
        actions=int(actions),
        amount=None if amount is None else _nano(amount),
        expires_at=engine.clock() + int(hours * HOUR),
        person=person,
        reason=sent.get("reason", ""),
        verified=True,
    )


def _number(sent: Mapping[str, str], name: str, wanted: str) -> Decimal | None:
    text = sent.get(name, "").strip()
    if not text:
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or abs(found.adjusted()) > DIGITS or not text.isascii():
        raise BadArguments(f"{text[:40]!r} is no number: {wanted}")
    return found


def _nano(amount: Decimal) -> int:
    try:
        return to_nano(amount)
    except ValueError as error:
        raise BadArguments(f"the amount can't be used: {error}") from error
