"""Prompt boundaries: the lines that tell an agent what it may do. Advice to the model, never a defence."""

from __future__ import annotations

from handrail.policy.model import AgentPolicy, Permission, Policy
from handrail.words.errors import NotFound

_WHAT_HAPPENS = (
    "Each action is checked before it runs. You are told in one sentence what became of it:",
    "- refused: do not try it again or in another way; say what you could not do and why.",
    "- waits for a person: do not repeat it; go on with other work, or end and say what waits.",
    "- on trial: it was only recorded and did not happen; do not claim that it did.",
)


def boundaries(policy: Policy, agent: str) -> str:
    """The lines for ``agent``'s system prompt: its tools, their limits, what can happen, and what it is told.

    Raises:
        NotFound: the policy knows no such agent.
    """
    if agent not in policy.agents:
        raise NotFound(f"the policy knows no agent {agent!r}; it knows {', '.join(policy.agents) or 'none'}")
    known = policy.agents[agent]
    limits = [_limits(permission) for permission in known.may if permission.arguments]
    return "\n".join([_tools(known), *limits, *_WHAT_HAPPENS, *known.told]) + "\n"


def _tools(agent: AgentPolicy) -> str:
    if not agent.may:
        return "You may use no tools."
    names = ", ".join(permission.tool for permission in agent.may)
    return f"You may use these tools and no others: {names}."


def _limits(permission: Permission) -> str:
    parts = (f"{name}: {_values(values)}" for name, values in permission.arguments.items())
    return f"- {permission.tool} only with {'; '.join(parts)}."


def _values(values: tuple[str | int | bool, ...]) -> str:
    return " or ".join(str(value).lower() if isinstance(value, bool) else str(value) for value in values)
