"""Standing approvals: one answer to the next few questions of a kind. Made and revoked by people only.

It answers exactly the asks that it names, of one agent's tool, while its condition holds; each use is counted
down in the claim that starts the action. It is never wider than its author may approve alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.engine import record
from handrail.engine.effects import Do, Road
from handrail.engine.ids import new_id
from handrail.engine.judge import Judged, judge_again
from handrail.engine.questions.seats import Bench, behalf_of, proposes
from handrail.engine.questions.votes import answering
from handrail.engine.texts import LONGEST_NAME, reason_of
from handrail.gate.level import ASKS
from handrail.policy import digests
from handrail.policy.bind import counts
from handrail.policy.budgets.scope import ask_of
from handrail.policy.model import Effect
from handrail.policy.standing import condition
from handrail.policy.typed import covers
from handrail.ports import Commit
from handrail.words.entry import Kind
from handrail.words.errors import Conflict, NotFound, PolicyError, Refused
from handrail.words.standing import Standing
from handrail.words.verdict import ANYONE, Ask, Decision, Measure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from handrail.engine.core import Engine
    from handrail.policy.model import Policy
    from handrail.ports import Transaction
    from handrail.words.action import Proposal

DAY = 86_400_000
LONGEST = 90 * DAY
"""Milliseconds for which one may be in force."""
MOST = 10_000
"""Actions that one may let run."""


def make_standing(  # noqa: PLR0913 - every limit by its name
    engine: Engine,
    *,
    agent: str,
    tool: str,
    asks: frozenset[Ask],
    when: str | None,
    actions: int,
    amount: int | None,
    expires_at: int,
    person: str,
    reason: str,
    verified: bool,
) -> Standing:
    """Answer the next ``actions`` questions of a kind, until then, up to ``amount`` nano-units in all.

    Raises:
        Refused: the author could not approve this alone, or a limit is missing or too wide.
        PolicyError: the condition has a mistake, or trusts what the agent says of itself.
        BadArguments: a text can't be stored.
    """
    reason_of(person, "the person", LONGEST_NAME)
    if not reason_of(reason, "the reason").strip():
        raise Refused("a standing approval needs a reason: it stays in the journal")

    def work(tx: Transaction) -> Standing:
        at = tx.now()
        made = Standing(
            new_id(), agent, tool, asks, when, actions, amount, expires_at, person, verified, reason, at
        )
        for why in _refusals(engine, tx, made):
            raise Refused(why)
        condition(engine.policy, tool, when)
        tx.standings.add(made)
        tx.journal.append([record.plain(Kind.STANDING_MADE, at, **_told(made))])
        return made

    return answering(engine, Commit.STANDING, work)


def revoke_standing(engine: Engine, standing_id: str, person: str) -> None:
    """End a standing approval: nothing that starts after this returned was let by it.

    It only restricts: it needs no policy, so that one that can't be loaded does not keep it in force.

    Raises:
        NotFound: there is none with this id.
        Conflict: it has ended already.
        BadArguments: the person can't be stored.
    """
    reason_of(person, "the person", LONGEST_NAME)

    def work(tx: Transaction) -> None:
        at = tx.now()
        known = tx.standings.get(standing_id)
        if known is None:
            raise NotFound(f"there is no standing approval {standing_id}")
        if not tx.standings.revoke(standing_id, person, at):
            raise Conflict(f"the standing approval {standing_id} has ended already")
        body = {"agent": known.agent, "tool": known.tool, "standing": standing_id, "person": person}
        tx.journal.append([record.plain(Kind.STANDING_REVOKED, at, **body)])

    engine.store.write(Commit.STANDING, work)
    engine.stir()


def asks_of(policy: Policy, tool: str) -> dict[str, Ask]:
    """Everything that people can be asked about a tool under a policy, by the step that asks.

    Rules are ``ask:ID``, checks ``check:ID``, budgets that may be exceeded ``budget:ID``, and levels
    ``level:suggest`` and ``level:preapproved``.
    """
    described = policy.tools.get(tool)
    if described is None:
        return {}
    found = [
        Ask(f"{Measure.ASK}:{rule.id}", digests.of_rule(rule), rule.audience or ANYONE)
        for rule in policy.rules
        if rule.effect is Effect.ASK and covers(rule.tools, described)
    ]
    found += [
        Ask(f"{Measure.CHECK}:{check.id}", digests.of_check(check), check.audience or ANYONE)
        for check in policy.checks
        if Effect.ASK in (check.if_not_ok, check.on_error) and covers(check.tools, described)
    ]
    found += [
        step.ask
        for budget in policy.budgets
        if (step := ask_of(budget)) is not None
        and counts(budget, described)
        and (budget.tools is None or covers(budget.tools, described))
    ]
    found += [step.ask for level in ASKS.values() for step in level.steps]
    return {ask.step: ask for ask in found}


def covered(engine: Engine, proposal: Proposal, judged: Judged) -> Road:
    """The judgement with what a standing approval answers, and that one; as it was, and None, without one.

    The claim counts it down: when somebody else used it up meanwhile, the action is judged anew.
    """
    if judged.verdict.enforced is not Decision.ASK:
        return judged, None
    usable = yield Do(lambda: engine.store.read(lambda tx: _usable(engine, tx, proposal, judged)))
    for standing in usable:
        allowed = judge_again(engine.policy, proposal, judged, standing.asks)
        if (
            allowed is not None
            and allowed.verdict.enforced is Decision.ALLOW
            and _holds(engine, standing, proposal, allowed)
        ):
            return allowed, standing
    return judged, None


def _usable(engine: Engine, tx: Transaction, proposal: Proposal, judged: Judged) -> Sequence[Standing]:
    """Those that answer all that is asked, have enough left, and whose author might still say yes alone."""
    found = tx.standings.usable(proposal.agent, proposal.tool, tx.now())
    fitting = [each for each in found if _fits(each, judged)]
    if not fitting:
        return ()
    behalf = behalf_of(tx, proposal.session)
    return [
        each
        for each in fitting
        if not proposes(proposal.agent, behalf, each.person) and _may_alone(engine, tx, each) is None
    ]


def _fits(standing: Standing, judged: Judged) -> bool:
    verdict = judged.verdict
    if not verdict.asks <= standing.asks or standing.left < 1:
        return False
    if verdict.amount is None:
        return standing.amount_left is None
    return standing.amount_left is not None and verdict.amount <= standing.amount_left


def _holds(engine: Engine, standing: Standing, proposal: Proposal, judged: Judged) -> bool:
    try:
        return condition(engine.policy, standing.tool, standing.when).holds(proposal, judged.supplied)
    except PolicyError:
        # the policy has changed so that the condition makes no sense any more: people are asked
        return False


def _refusals(engine: Engine, tx: Transaction, made: Standing) -> Iterator[str]:
    """Why this can't stand: the first of them is told."""
    policy = engine.policy.policy
    if made.tool not in engine.policy.permitted(made.agent):
        yield f"the policy does not let {made.agent} use {made.tool}"
    if not made.asks:
        yield "a standing approval must name what it answers: a rule, a check or a level that asks"
    known = asks_of(policy, made.tool)
    for ask in sorted(made.asks):
        if known.get(ask.step) != ask:
            yield f"nothing asks {ask.step} of {made.tool} so; it is one of {', '.join(sorted(known))}"
    if proposes(made.agent, None, made.person):
        yield f"{made.person} can't approve what they propose"
    if (why := _may_alone(engine, tx, made)) is not None:
        yield why
    yield from _limits(made, has_amount=policy.tools[made.tool].amount is not None)


def _limits(made: Standing, *, has_amount: bool) -> Iterator[str]:
    if not 1 <= made.left <= MOST:
        yield f"{made.left} actions can't be approved at once; expected 1 to {MOST:,}"
    if has_amount and (made.amount_left is None or made.amount_left <= 0):
        yield f"{made.tool} moves money: say how much it may move in all"
    if not has_amount and made.amount_left is not None:
        yield f"{made.tool} moves no money: leave the amount out"
    if not made.made_at < made.expires_at <= made.made_at + LONGEST:
        yield f"it must end in the future, within {LONGEST // DAY} days"


def _may_alone(engine: Engine, tx: Transaction, standing: Standing) -> str | None:
    """Why its author can't answer all of this alone under the running policy, or None."""
    groups = engine.policy.policy.approvers
    bench = Bench(tx, groups)
    silent = bench.silent(standing.person)
    if silent is not None:
        return silent
    for audience in sorted({ask.audience for ask in standing.asks}):
        if not standing.person.strip() or not bench.is_member(audience, standing.person):
            return f"{standing.person} is not in {audience} and could not answer for it"
        if audience in groups and groups[audience].need != 1:
            return f"{audience} answers with {groups[audience].need} people: nobody can alone"
    return None


def _told(made: Standing) -> dict[str, object]:
    return {
        "standing": made.id,
        "agent": made.agent,
        "tool": made.tool,
        "asks": [(ask.step, ask.digest, ask.audience) for ask in sorted(made.asks)],
        "when": made.when,
        "actions": made.left,
        "amount": made.amount_left,
        "expires_at": made.expires_at,
        "person": made.person,
        "verified": made.verified,
        "reason": made.reason,
    }
