"""The sheet of a question: all that a person must know to answer it well, gathered in one read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast

import msgspec

from handrail.engine.budgets.views import view_of
from handrail.engine.door import thaw, thaw_any
from handrail.engine.questions.approvals import members
from handrail.engine.questions.seats import Bench, behalf_of
from handrail.engine.questions.sentences import (
    because,
    brief,
    changed_rules,
    changes,
    outcome_of,
    text_of,
    undo_of,
    used_in,
    what,
)
from handrail.policy.model import Does
from handrail.words.approval import ApprovalState, Choice
from handrail.words.errors import NotFound
from handrail.words.lifecycle import OPEN
from handrail.words.money import shown
from handrail.words.sheet import BudgetAfter, Change, SeatView, Sheet, Similar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from handrail.engine.core import Engine
    from handrail.policy.model import BudgetPolicy, Policy
    from handrail.ports import Transaction
    from handrail.words.action import Action
    from handrail.words.approval import Approval, Seat, Vote
    from handrail.words.verdict import Charge

SIMILAR = 5
"""How many past decisions stand beside a question."""
REJECT = "reject"
NOTHING: Mapping[str, Any] = {}
ANSWERS = {ApprovalState.SUPERSEDED: "edited"}
"""How a question's end is called where its state's own word says less."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was read of one question."""

    approval: Approval
    action: Action
    text: str | None
    """The exact arguments; None when they were erased."""
    args: Mapping[str, Any]
    facts: Mapping[str, Any]
    votes: tuple[Vote, ...]
    similar: tuple[Similar, ...]


class Common:
    """What questions of one transaction have in common: each is read once, however many are drawn."""

    def __init__(self, engine: Engine, tx: Transaction) -> None:
        """Nothing was read yet."""
        self.bench = Bench(tx, engine.policy.policy.approvers)
        self.halts = cache(lambda: tx.restrictions.read().halts)
        self.behalf = cache(partial(behalf_of, tx))
        self.kept = cache(tx.toolbox.get)


def sheets(engine: Engine, tx: Transaction, approvals: Sequence[Approval]) -> list[Sheet]:
    """Every question of a list, without past decisions.

    Raises:
        NotFound: a question's action is not in the store.
    """
    common = Common(engine, tx)
    return [_sheet(engine, tx, common, each, 0) for each in approvals]


def sheet(engine: Engine, tx: Transaction, approval: Approval, *, similar: int = SIMILAR) -> Sheet:
    """The question as people see it. ``similar`` is how many past decisions it has.

    What was erased, changed or is not known here is said in its ``notes``; it never raises for that.

    Raises:
        NotFound: the question's action is not in the store.
    """
    return _sheet(engine, tx, Common(engine, tx), approval, similar)


def _sheet(engine: Engine, tx: Transaction, common: Common, approval: Approval, similar: int) -> Sheet:
    action = tx.actions.get(approval.action)
    if action is None:
        raise NotFound(f"the action {approval.action} of question {approval.id} is not in the store")
    payload = tx.actions.payload(action.id)
    text = payload.args if payload else None
    return _drawn(
        engine,
        tx,
        common,
        Look(
            approval,
            action,
            text,
            thaw(text.encode()) if text is not None else NOTHING,
            thaw_any(payload.facts) if payload and payload.facts else NOTHING,
            tuple(tx.approvals.votes(approval.id)),
            _similar(engine, tx, action, similar) if similar else (),
        ),
    )


def _drawn(engine: Engine, tx: Transaction, common: Common, look: Look) -> Sheet:
    policy, action, approval = engine.policy.policy, look.action, look.approval
    bench, tool = common.bench, policy.tools.get(action.tool)
    shown_args = _redacted(engine, "args", look.args)
    before = _before(tx, action)
    changed = () if before is None else changes(before, look.args)
    return Sheet(
        approval=approval,
        what=what(policy, action, shown_args),
        agent=action.agent,
        tool=action.tool,
        task=action.task,
        session=action.session,
        behalf=common.behalf(action.session),
        does=tool.does if tool else Does.RUN,
        why=because(policy, action, approval),
        undo=undo_of(policy, action.tool),
        amount=None if action.amount is None else shown(action.amount, policy.currency),
        budgets=_budgets(tx, policy, action),
        args=look.text,
        shown_args=shown_args,
        changes=changed,
        facts=look.facts,
        shown_facts=_redacted(engine, "facts", look.facts),
        confidence=action.confidence,
        rationale=action.rationale,
        seats=tuple(_seat(engine, tx, bench, seat, look.votes) for seat in approval.seats),
        votes=look.votes,
        similar=look.similar,
        digest=approval.digest,
        action_state=action.state,
        outcome=outcome_of(action),
        schema=_schema(engine, common, action),
        shown_changes=_hidden(engine, before or NOTHING, shown_args, changed),
        notes=tuple(_notes(engine, common, action, approval, look.text)),
        edited_by=action.edited_by,
        supersedes=action.supersedes,
        superseded_by=action.superseded_by,
        money=action.amount,
        runs_until=action.expires_at,
    )


def _redacted(engine: Engine, root: str, values: Mapping[str, Any]) -> Mapping[str, object]:
    return cast("Mapping[str, object]", engine.recorder.shown(root, values))


def _budgets(tx: Transaction, policy: Policy, action: Action) -> tuple[BudgetAfter, ...]:
    known = {budget.id: budget for budget in policy.budgets}
    return tuple(
        _budget(tx, policy, known.get(charge.budget), charge, action) for charge in action.verdict.charges
    )


def _budget(
    tx: Transaction, policy: Policy, budget: BudgetPolicy | None, charge: Charge, action: Action
) -> BudgetAfter:
    # it may have been asked yesterday: it counts in the window in which it will run
    view = view_of(policy, budget) if budget else None
    window, rolling = (view.begins(tx.now()), view.rolling) if view else (charge.window, charge.rolling)
    room = tx.budgets.room(charge.budget, charge.scope, window, rolling)
    used, limit = room.used, (view.limit if view else charge.limit) + room.raised
    after = used + charge.quantity if action.state in OPEN else used
    charge = replace(charge, limit=limit)
    told, most = used_in(budget, policy.currency, charge, used)
    share = 100 if limit <= 0 else min(999, -(-100 * after // limit))
    return BudgetAfter(charge.budget, told, used_in(budget, policy.currency, charge, after)[0], most, share)


def _before(tx: Transaction, action: Action) -> Mapping[str, Any] | None:
    """The arguments of the action that this one replaces; None when it replaces none, or they were erased."""
    payload = None if action.supersedes is None else tx.actions.payload(action.supersedes)
    return None if payload is None or payload.args is None else thaw(payload.args.encode())


def _hidden(
    engine: Engine, before: Mapping[str, Any], after: Mapping[str, object], changed: Sequence[Change]
) -> tuple[Change, ...]:
    """The same changes with what the policy hides hidden; one that is hidden whole is still told."""
    shown_before = _redacted(engine, "args", before)
    return tuple(
        Change(one.name, text_of(shown_before, one.name), text_of(after, one.name)) for one in changed
    )


def _seat(engine: Engine, tx: Transaction, bench: Bench, seat: Seat, votes: Sequence[Vote]) -> SeatView:
    groups = engine.policy.policy.approvers
    group, people = groups.get(seat.group), members(groups, seat.group)
    named = tuple(group.people) if group else tuple(sorted(people or ()))
    said = [vote for vote in votes if vote.choice is Choice.APPROVE]
    rejected = seat.if_no_answer == REJECT or seat.if_no_answer not in groups
    return SeatView(
        audience=seat.audience,
        people=tuple(person for person in named if bench.is_active(person)),
        deputies=bench.deputies(seat, tx.now()),
        need=max(seat.need, group.need if group else 0),
        answered=bench.answered(seat, said),
        expires_at=seat.expires_at,
        then="it is rejected" if rejected else f"{seat.if_no_answer} are asked",
        group=seat.group,
        anyone=people is None,
    )


def _similar(engine: Engine, tx: Transaction, action: Action, limit: int) -> tuple[Similar, ...]:
    found = ((each, tx.approvals.of(each.id)) for each in tx.actions.similar(action, limit))
    return tuple(_answered(engine, tx, each, asked) for each, asked in found if asked)


def _answered(engine: Engine, tx: Transaction, action: Action, asked: Approval) -> Similar:
    payload = tx.actions.payload(action.id)
    args = thaw(payload.args.encode()) if payload and payload.args is not None else NOTHING
    people = ", ".join(dict.fromkeys(vote.person for vote in tx.approvals.votes(asked.id)))
    return Similar(
        action=action.id,
        at=asked.closed_at or action.updated_at,
        answer=ANSWERS.get(asked.state, asked.state),
        by=people or "nobody",
        what=brief(engine.policy.policy, action, _redacted(engine, "args", args)),
        reason=asked.reason,
    )


def _schema(engine: Engine, common: Common, action: Action) -> Mapping[str, object] | None:
    """The schema that the action was proposed with."""
    bound = engine.policy.bound.get(action.tool)
    if bound is not None and bound.binding.digest == action.binding:
        return bound.binding.schema
    kept = common.kept(action.tool, action.binding)
    return None if kept is None else msgspec.json.decode(kept.schema)


def _notes(
    engine: Engine, common: Common, action: Action, approval: Approval, text: str | None
) -> Iterator[str]:
    policy = engine.policy.policy
    if text is None:
        yield "Its arguments were erased: it can't run any more."
    if action.state not in OPEN:
        return
    groups = (policy.approvers.get(seat.group) for seat in approval.seats)
    if action.edited_by is not None and any(group and group.edits_need_another for group in groups):
        yield f"{action.edited_by} edited it, and can't be the only one who approves it."
    for halt in (each for each in common.halts() if each.covers(action.agent, action.tool)):
        yield f"{halt.scope} is stopped ({halt.reason}): it runs only once that is let go."
    if action.tool not in engine.policy.permitted(action.agent):
        yield f"The running policy does not let {action.agent} use {action.tool}: it would be refused."
    bound = engine.policy.bound.get(action.tool)
    if bound is not None and bound.binding.digest != action.binding:
        yield f"{action.tool} takes other arguments now than when this was proposed: it would be refused."
    gone = changed_rules(policy, approval)
    if gone:
        names = ", ".join(gone)
        yield f"The policy has changed {names} since it was asked: it is judged anew before it runs."
    elif action.policy != policy.digest:
        yield "The policy has changed since this was judged: it is judged anew before it runs."
