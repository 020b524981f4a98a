"""A call of a model as people look at it: with what the agent did next, and what it had been told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from handrail.engine.models.prompts import Reading, Shown
from handrail.words.errors import NotFound
from handrail.words.model_call import CallFilter
from handrail.words.money import spoken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.engine.core import Engine
    from handrail.ports import Transaction
    from handrail.words.action import Action
    from handrail.words.model_call import ModelCall

MOST = 50
"""Actions that are told as following one call."""


@dataclass(frozen=True, slots=True)
class CallStory:
    """A call with what came of it."""

    call: ModelCall
    cost: str | None
    at_most: str
    followed: tuple[Action, ...]
    """What the agent asked for before it asked a model again, oldest first."""
    before: str | None
    """The call before it in its session."""
    after: str | None
    shown: Shown | None
    """What was asked and answered; None for people who may only look on."""


def call_story(engine: Engine, tx: Transaction, call_id: str, *, exact: bool) -> CallStory:
    """The story of a call; ``exact`` for people who may answer questions: they see what was said.

    Raises:
        NotFound: there is no such call.
    """
    call = tx.model_calls.get(call_id)
    if call is None:
        raise NotFound(f"there is no model call {call_id}")
    before, following = call_before(tx, call.session, call.id), _next(tx, call)
    shown = Reading(engine, tx).of([call])[0] if exact else None
    return CallStory(
        call=call,
        cost=cost_of(engine, call),
        at_most=spoken(call.bound_cost, engine.policy.policy.currency),
        followed=followed(tx, call, following),
        before=before.id if before else None,
        after=following.id if following else None,
        shown=shown,
    )


def cost_of(engine: Engine, call: ModelCall) -> str | None:
    """What a call cost, in words; None while it runs."""
    return None if call.cost is None else spoken(call.cost, engine.policy.policy.currency)


def call_before(tx: Transaction, session: str, moment: str) -> ModelCall | None:
    """The last call of a session before an action or another call, by its id."""
    if not session:
        return None
    found = tx.model_calls.listing(CallFilter(session=session, before=moment, limit=1))
    return found[0] if found else None


def followed(tx: Transaction, call: ModelCall, following: ModelCall | None) -> tuple[Action, ...]:
    """What was asked for between a call and the next one of its session: ids begin with their time."""
    if not call.session:
        return ()
    actions: Sequence[Action] = tx.actions.in_session(call.session, call.id, MOST)
    return tuple(each for each in actions if following is None or each.id < following.id)


def _next(tx: Transaction, call: ModelCall) -> ModelCall | None:
    found = tx.model_calls.in_session(call.session, call.id, 1) if call.session else ()
    return found[0] if found else None
