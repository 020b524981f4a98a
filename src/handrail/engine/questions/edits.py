"""Edits: a person changes what a held action will do. The new action is judged afresh, as the same agent's.

The old action and its question end in the transaction that makes the new one; answers to the old one do not
count for it. It takes over the key, so that the agent's repeat finds what became of its call.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from handrail.engine import record
from handrail.engine.blocking import walk
from handrail.engine.claim import Stale, live, new_action, still, still_open
from handrail.engine.context import About, Session
from handrail.engine.effects import Do, Road, Write
from handrail.engine.ids import new_secret
from handrail.engine.judge import Judged, judge
from handrail.engine.loops import SessionOver
from handrail.engine.outcomes import sentences
from handrail.engine.questions.approvals import action_of, close, found, question
from handrail.engine.questions.votes import (
    Asked,
    approve_when_complete,
    count,
    may,
    runs_until,
    taken,
    too_late,
    why_not,
)
from handrail.engine.sessions import lineage_of
from handrail.engine.texts import LONGEST_NAME, reason_of
from handrail.ports import Commit
from handrail.words.approval import ApprovalState, Choice, Vote
from handrail.words.entry import Kind
from handrail.words.errors import BadArguments, Conflict, NotFound, Refused
from handrail.words.lifecycle import State
from handrail.words.payload import Payload
from handrail.words.verdict import Decision

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from handrail.engine.core import Engine
    from handrail.ports import Transaction
    from handrail.words.action import Action, Proposal
    from handrail.words.approval import Approval

TRIES = 16
"""How often an edit is judged anew because what its verdict rests on changed meanwhile."""
_text = msgspec.json.Encoder(order="sorted", decimal_format="number", enc_hook=repr).encode


def edit(
    engine: Engine,
    approval_id: str,
    person: str,
    args: Mapping[str, object],
    reason: str,
    *,
    verified: bool,
    seen: str | None = None,
) -> Action:
    """Replace a held action by one with these arguments; as it then stands: held, or approved to run.

    Where it would still be asked, the editor's own yes is recorded at once. Where it would run alone, it may:
    whoever can run it does. Nothing is run here.

    Raises:
        NotFound: there is no such question.
        Conflict: it has ended, this person has answered, what was seen has changed, or nothing is changed.
        Refused: this person may not answer it, the gate refuses the new arguments, or its tool is not known
            in this process.
        BadArguments: the arguments are not what the tool takes, or a text can't be stored.
    """
    reason_of(person, "the person", LONGEST_NAME)
    reason_of(reason, "the reason")
    given = Vote(approval_id, person, Choice.EDIT, reason, verified, 0)
    made: Action = walk(engine, editing(engine, given, args, seen))
    return made


def editing(engine: Engine, given: Vote, args: Mapping[str, object], seen: str | None) -> Road:
    """The road of an edit. Who may not edit is told so before any fact is asked for."""
    for _ in range(TRIES):
        yield Do(engine.refresh)
        old, lineage = yield Do(lambda: engine.store.read(lambda tx: _editable(engine, tx, given)))
        proposal = _proposal(engine, old, lineage, args)
        judged = yield from judge(engine, proposal)
        judged = replace(judged, verdict=live(judged.verdict))
        if judged.verdict.enforced is Decision.DENY:
            raise Refused(f"the edited action would be refused: {sentences(judged.verdict.reasons)}")
        try:
            made = yield Write(Commit.EDIT, _edit(engine, old, given, seen, proposal, judged))
        except Stale:
            continue
        except SessionOver as over:
            raise Refused(f"it can't be edited any more: {over}") from over
        engine.stir()
        if isinstance(made, Conflict):
            raise made
        return made
    raise Conflict("policy and halts kept changing; nothing was edited, try again")


def _editable(engine: Engine, tx: Transaction, given: Vote) -> tuple[Action, tuple[str, ...]]:
    """The action, if this person may edit it, and the sessions around its own."""
    approval = found(tx, given.approval)
    action = action_of(tx, approval)
    if approval.state is not ApprovalState.OPEN:
        raise Conflict(too_late(tx, approval))
    may(engine, tx, Asked.of(tx, approval, action), given.person, tx.now())
    return action, lineage_of(tx, action.session)


def _proposal(engine: Engine, old: Action, lineage: tuple[str, ...], args: Mapping[str, object]) -> Proposal:
    """The call as its agent would have made it, with other arguments."""
    tool = engine.tools.get(old.tool)
    if tool is None:
        raise Refused(
            f"this process does not know the tool {old.tool}: edit it on the server, or where the tool runs"
        )
    try:
        values = tool.signature.collect((), dict(args))
    except TypeError as error:
        raise BadArguments(f"{old.tool} does not take these arguments: {error}") from error
    session = Session(old.session, old.agent, old.task, lineage=lineage)
    proposal = engine.proposal(old.tool, values, session, About(old.confidence, old.rationale, old.key))
    if proposal.refusal is not None:
        raise BadArguments(f"{old.tool} does not take these arguments: {proposal.refusal}")
    if proposal.digest == old.digest:
        raise Conflict("these are the arguments that it has: approve it, or change something")
    return proposal


def _edit(
    engine: Engine, old: Action, given: Vote, seen: str | None, proposal: Proposal, judged: Judged
) -> Callable[[Transaction], Action | Conflict]:
    """The transaction that ends the old action and writes the new one."""
    salt = new_secret()
    raw = bytes.fromhex(salt)
    said = engine.recorder.proposed(proposal, raw, supersedes=old.id, edited_by=given.person)
    decided = engine.recorder.decided(judged.verdict, judged.facts, raw)
    facts = _text(judged.facts).decode() if judged.facts else None
    payload = Payload(proposal.payload.decode(), facts, salt)

    def work(tx: Transaction) -> Action | Conflict:
        still(tx, judged)
        vote = replace(given, at=tx.now())
        asked = taken(engine, tx, vote, seen)
        if isinstance(asked, Conflict):
            return asked
        at = vote.at
        still_open(tx, old.session, at)
        origin = {"supersedes": old.id, "edited_by": vote.person}
        new = new_action(proposal, judged.verdict, State.HELD, at, **origin)
        _end(tx, asked, vote, new)
        if not tx.actions.add(new, payload):
            raise Conflict(f"the key of action {old.id} was used meanwhile; nothing was edited")
        tx.journal.append(
            [
                record.of(new, Kind.PROPOSED, at, said),
                record.of(new, Kind.DECIDED, at, decided),
            ]
        )
        _go_on(engine, tx, asked.approval, new, vote)
        return tx.actions.get(new.id) or new

    return work


def _end(tx: Transaction, asked: Asked, vote: Vote, new: Action) -> None:
    old = asked.action
    count(tx, asked, vote)
    if not close(tx, asked.approval, old, ApprovalState.SUPERSEDED, vote.at, vote.reason):
        raise Conflict(too_late(tx, asked.approval))
    if not tx.actions.supersede(old.id, new.id, vote.at):
        raise Conflict(f"action {old.id} is no longer held")
    body = {"approval": asked.approval.id, "person": vote.person, "verified": vote.verified}
    told = record.about(old, Kind.EDITED, vote.at, **body, reason=vote.reason, superseded_by=new.id)
    tx.journal.append([told])


def _go_on(engine: Engine, tx: Transaction, before: Approval, new: Action, vote: Vote) -> None:
    """Ask anew, with the editor's own yes; or let it be run, when nobody needs to be asked any more."""
    if new.verdict.enforced is Decision.ALLOW:
        until = runs_until(engine, before, vote.at)
        if not tx.actions.approve(new.id, frozenset(), vote.at, until):
            raise Conflict(f"action {new.id} is no longer held")
        body = {"approval": before.id, "runs_until": until}
        tx.journal.append([record.about(new, Kind.APPROVED, vote.at, **body)])
        return
    tx.journal.append([question(engine, tx, new, new.verdict.asks, vote.at)])
    approval = tx.approvals.of(new.id)
    if approval is None:
        raise NotFound(f"the question about action {new.id} is not in the store")
    asked = Asked.of(tx, approval, new)
    if why_not(engine, tx, asked, vote.person, vote.at) is None:
        yes = replace(vote, approval=approval.id, choice=Choice.APPROVE)
        count(tx, asked, yes)
        approve_when_complete(engine, tx, asked, yes)
