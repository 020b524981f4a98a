"""A person runs a tool by hand, as that person: schema and claim hold, agents' halts and levels don't."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from handrail.engine import blocking
from handrail.engine.context import NOTHING, About, Session
from handrail.engine.core import logger
from handrail.engine.ids import new_id
from handrail.engine.road import act
from handrail.engine.texts import name_of, reason_of
from handrail.words.errors import BadArguments, Conflict, HandrailError, NotFound, NotRun, OutcomeUnrecorded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handrail.engine.core import Engine, Tool
    from handrail.ports import Transaction
    from handrail.words.action import Action, Proposal


def run_by_hand(
    engine: Engine,
    tool: str,
    args: Mapping[str, object],
    person: str,
    reason: str,
    task: str | None = None,
    key: str | None = None,
) -> Action:
    """Run a tool of this process now; the action as it then stands, done or failed.

    ``key`` makes it run once, however often it is asked for: a form that is sent twice has the same one.

    Raises:
        NotFound: this process has no such tool.
        BadArguments: the tool does not take these arguments, or the reason can't be stored.
        OutcomeUnrecorded: it ran, and its outcome could not be written.
    """
    known = engine.tools.get(tool)
    if known is None or known.elsewhere:
        has = ", ".join(each.name for each in engine.tools.values() if not each.elsewhere) or "none"
        raise NotFound(f"this server does not have the tool {tool}; it has {has}")
    proposal = proposed_by_hand(engine, known, args, person, task, About(key=key, rationale=_said(reason)))
    try:
        walk_by_hand(engine, known, proposal, person)
    except (NotRun, OutcomeUnrecorded):
        raise
    except HandrailError as error:
        logger.warning("action %s, run by hand, did not end well: %s", proposal.id, error)
    except Exception as error:  # noqa: BLE001 - the tool's own error: it is settled, and told with the action
        logger.info("action %s, run by hand, failed: %s", proposal.id, type(error).__name__)
    found = engine.store.read(lambda tx: tx.actions.get(proposal.id) or _twin(tx, proposal))
    if found is None:
        raise Conflict(f"{tool} was not run; try again")
    return found


def _said(reason: str) -> str:
    return reason_of(reason, "the reason")


def _twin(tx: Transaction, proposal: Proposal) -> Action | None:
    """The action that this one repeats, by its key."""
    found = tx.actions.twin(proposal, shadow=False)
    return None if found is None else tx.actions.get(found)


def proposed_by_hand(
    engine: Engine,
    tool: Tool,
    args: Mapping[str, object],
    person: str,
    task: str | None,
    about: About = NOTHING,
) -> Proposal:
    """The call, frozen, as this person in a session of its own: to be shown, then walked.

    Raises:
        BadArguments: the tool does not take these arguments, or the task can't be stored.
    """
    try:
        values = tool.signature.collect((), dict(args))
    except TypeError as error:
        raise BadArguments(f"{tool.name} does not take these arguments: {error}") from error
    session = Session(new_id(), person, None if task is None else name_of(task, "task"))
    proposal = engine.proposal(tool.name, values, session, about)
    if proposal.refusal is not None:
        raise BadArguments(f"{tool.name} does not take these arguments: {proposal.refusal}")
    return replace(proposal, agent=person)


def walk_by_hand(engine: Engine, tool: Tool, proposal: Proposal, person: str) -> object:
    """Run what was proposed, now, and give what the tool gave; its own errors come as they are.

    Raises:
        NotRun: nothing was run.
        OutcomeUnrecorded: it ran, and its outcome could not be written.
    """
    from handrail.engine import aio

    road = act(engine, proposal, person)
    return asyncio.run(aio.walk(engine, road)) if tool.is_async else blocking.walk(engine, road)
