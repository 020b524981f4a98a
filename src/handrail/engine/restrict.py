"""Restricting and freeing: halts, grants and policy versions, under the exclusive side of the lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.engine import record
from handrail.engine.core import logger
from handrail.engine.deliveries.planning import plan_halt
from handrail.engine.ids import new_id
from handrail.engine.texts import reason_of
from handrail.policy.nearest import nearest
from handrail.ports import Commit
from handrail.words.entry import Kind
from handrail.words.errors import Conflict, HandrailError, NotFound, Refused
from handrail.words.level import Rung

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.engine.core import Engine
    from handrail.policy.model import Policy
    from handrail.ports import Transaction
    from handrail.words.action import Action


def halt(
    engine: Engine, reason: str, person: str, agent: str | None = None, tool: str | None = None
) -> tuple[str, Sequence[Action]]:
    """Throw the kill switch; its id, and the actions that are still running.

    When this returns, nothing that it covers starts any more, in any process.

    Raises:
        Refused: there is no reason, or a name is given that is empty.
    """
    _needs(reason, "a halt")
    for what, name in (("agent", agent), ("tool", tool)):
        if name is not None and not name.strip():
            raise Refused(
                f"the halt's {what} is empty and would stop nothing; leave it out to stop every {what}"
            )
    halt_id = new_id()

    def work(tx: Transaction) -> Sequence[Action]:
        at = tx.now()
        tx.restrictions.halt(halt_id, agent, tool, reason, person, at)
        body = {"halt": halt_id, "agent": agent, "tool": tool, "reason": reason, "person": person}
        tx.journal.append([record.plain(Kind.HALTED, at, **body)])
        plan_halt(tx, engine.policy.policy, halt_id, at)
        covered = (agent, tool)
        return [each for each in tx.actions.running() if _covers(covered, each)]

    _know_whom_to_tell(engine)
    running = engine.store.restrict(Commit.HALT, work)
    engine.stir()
    return halt_id, running


def strangers(policy: Policy, agent: str | None, tool: str | None) -> list[str]:
    """What a halt names that the policy does not know: a mistyped name stops nothing."""
    told = []
    for what, name, names in (("agent", agent, policy.agents), ("tool", tool, policy.tools)):
        if name is not None and name not in names:
            near = nearest(name, names)
            hint = f"; did you mean {near!r}?" if near else "."
            told.append(f"The policy knows no {what} {name!r}{hint}")
    return told


def lift(engine: Engine, halt_id: str, reason: str, person: str) -> None:
    """End a halt.

    Raises:
        NotFound: it is not in force.
    """
    _needs(reason, "lifting a halt")

    def work(tx: Transaction) -> None:
        at = tx.now()
        if not tx.restrictions.lift(halt_id, reason, person, at):
            raise NotFound(f"there is no halt {halt_id} in force")
        tx.journal.append([record.plain(Kind.LIFTED, at, halt=halt_id, reason=reason, person=person)])
        plan_halt(tx, engine.policy.policy, halt_id, at, lifted=True)

    _know_whom_to_tell(engine)
    engine.store.restrict(Commit.LIFT, work)
    engine.stir()


def set_rung(
    engine: Engine, agent: str, tool: str, rung: Rung, reason: str, person: str
) -> tuple[Rung, Rung]:
    """Set a rung by hand, marked as an override; the rung before and after.

    Raises:
        Refused: the rung is above the policy's ceiling, or the agent may not use the tool.
    """
    _needs(reason, "a rung set by hand")
    engine.refresh()
    before = rung_of(engine, agent, tool)
    described = engine.policy.policy.tools.get(tool)
    ceiling = described.at_most if described else Rung.SUGGEST
    if rung > ceiling:
        raise Refused(f"the policy allows {tool} at most {ceiling.word}; change at_most to go higher")
    kind = Kind.PROMOTED if rung > before else Kind.DEMOTED

    def work(tx: Transaction) -> None:
        at = tx.now()
        tx.restrictions.grant(agent, tool, rung.word, reason, person, at)
        body = {"agent": agent, "tool": tool, "from": before.word, "to": rung.word, "reason": reason}
        tx.journal.append([record.plain(kind, at, **body, person=person, override=True)])

    engine.store.restrict(Commit.GRANT, work)
    engine.stir()
    return before, rung


def rung_of(engine: Engine, agent: str, tool: str) -> Rung:
    """Where a tool stands for an agent: its grant, capped by the policy, or where the policy starts it.

    Raises:
        Refused: the policy does not let this agent use this tool.
    """
    if tool not in engine.policy.permitted(agent):
        raise Refused(f"the policy does not let {agent} use {tool}")
    described = engine.policy.policy.tools.get(tool)
    starts, ceiling = (described.starts, described.at_most) if described else (Rung.SHADOW, Rung.SUGGEST)
    grant = engine.restrictions.grants.get((agent, tool))
    return min(grant.rung if grant else starts, ceiling)


def activate(engine: Engine, policy: Policy, person: str, reason: str, expected: str | None = None) -> None:
    """Make a policy version the running one, in every process. ``expected`` is the one that it follows.

    Raises:
        Conflict: another version than the expected one is running.
    """

    def work(tx: Transaction) -> None:
        running = tx.restrictions.read().policy if expected is not None else None
        if running != expected:
            raise Conflict(f"version {(running or 'none')[:12]} is running now; look at it before you go on")
        _activate(tx, policy, person, reason)

    engine.store.restrict(Commit.ACTIVATE, work)
    engine.refresh()
    engine.stir()


def activate_first(engine: Engine, policy: Policy, person: str, reason: str) -> bool:
    """Make a version the running one in a store that has none; False when somebody was faster.

    Which one is the first is decided in the transaction: of two files that are opened at the same moment the
    second must not take effect.
    """

    def work(tx: Transaction) -> bool:
        if tx.restrictions.read().policy is not None:
            return False
        _activate(tx, policy, person, reason)
        return True

    was_first = engine.store.restrict(Commit.ACTIVATE, work)
    engine.refresh()
    engine.stir()
    return was_first


def _activate(tx: Transaction, policy: Policy, person: str, reason: str) -> None:
    at = tx.now()
    name = next((name for name in policy.files), "handrail.yaml")
    tx.restrictions.add_policy(policy.digest, name, policy.files, at)
    tx.restrictions.activate(policy.digest, person, reason, at)
    body = {"policy": policy.digest, "person": person, "reason": reason}
    tx.journal.append([record.plain(Kind.POLICY_ACTIVATED, at, **body)])


def _know_whom_to_tell(engine: Engine) -> None:
    """Take the policy up that names whom to alert, where it is not known yet. The halt does not need it."""
    if engine.restrictions.generation:
        return
    try:
        engine.refresh()
    except HandrailError as error:
        logger.warning("the policy can't be read, so nobody is alerted: %s", error)


def _covers(covered: tuple[str | None, str | None], action: Action) -> bool:
    agent, tool = covered
    return agent in (None, action.agent) and tool in (None, action.tool)


def _needs(reason: str, what: str) -> None:
    if not reason_of(reason, "the reason").strip():
        raise Refused(f"{what} needs a reason: it stays in the journal")
