"""Permission: exact names of agents and tools, and the values that an agent's arguments may have."""

from __future__ import annotations

from handrail.gate.context import Context, Finding, denied, passed
from handrail.policy.compiled import Why
from handrail.words.action import Proposal
from handrail.words.verdict import Measure, Outcome, Step

PASSED = passed(Measure.PERMISSION)


def permission(context: Context) -> Finding:
    """Deny what the policy does not expressly let this agent ask for."""
    access = context.access
    if access is None:
        return denied(Measure.PERMISSION, _why(context))
    return _arguments(context.proposal, access.allowed) if access.allowed else PASSED


def _why(context: Context) -> str:
    agent, tool = context.proposal.agent, context.proposal.tool
    policy = context.policy
    if agent not in policy.policy.agents:
        return f"the policy knows no agent named {agent!r}"
    if tool in policy.permitted(agent):
        return f"the tool {tool!r} is in the policy, but bound to nothing"
    if tool in policy.policy.tools or tool in policy.bound:
        return f"the agent {agent!r} may not use the tool {tool!r}"
    return f"the policy knows no tool named {tool!r}"


def _arguments(proposal: Proposal, allowed: tuple[tuple[str, Why], ...]) -> Finding:
    if proposal.refusal is not None:
        return denied(Measure.PERMISSION, f"its arguments can't be read: {proposal.refusal}")
    steps = tuple(
        Step(Measure.PERMISSION, Outcome.DENY, name, f"the argument {name!r} is not allowed: {why}")
        for name, check in allowed
        if (why := _refused(proposal, name, check)) is not None
    )
    return Finding(steps, Outcome.DENY) if steps else PASSED


def _refused(proposal: Proposal, name: str, check: Why) -> str | None:
    return check(proposal.args[name]) if name in proposal.args else "it is missing"
