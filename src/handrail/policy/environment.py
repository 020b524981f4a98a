"""What expressions may name, and of which type: trusted words, the agent's words, and facts."""

from __future__ import annotations

from handrail.policy.expressions import (
    DECIMAL,
    DYN,
    NUMBER,
    STRING,
    TIMESTAMP,
    Environment,
    Object,
    OneOf,
    Type,
    nullable,
)
from handrail.policy.model import Does, Policy, ToolPolicy

SAID = frozenset({"confidence", "task", "session"})
"""Names whose value is what the agent says: they may restrict, and never let anything run."""

SESSION = Object({"id": STRING}, required=frozenset({"id"}))


def of_arguments(policy: Policy, args: Type = DYN) -> Environment:
    """What ``amount:``, ``cost:`` and a fact's ``with:`` may name: the action as proposed, no facts."""
    return Environment(_proposed(policy, args))


def of_rules(policy: Policy, tool: ToolPolicy | None = None, args: Type = DYN) -> Environment:
    """What rules, checks and budgets may name. Without a ``tool``, what some tool's rule may name."""
    names = _proposed(policy, args)
    if tool is None or tool.amount is not None:
        names["amount"] = DECIMAL
    if tool is None or tool.cost is not None:
        names["cost"] = DECIMAL
    facts = {name: DYN if fact.sql is None else Object({}, open=True) for name, fact in policy.facts.items()}
    return Environment({**facts, **names, "now": TIMESTAMP})


def _proposed(policy: Policy, args: Type) -> dict[str, Type]:
    categories = frozenset(tool.category for tool in policy.tools.values() if tool.category)
    return {
        "args": args,
        "agent": OneOf(frozenset(policy.agents)) if policy.agents else STRING,
        "tool": STRING,
        "does": OneOf(frozenset(map(str, Does))),
        "undo": STRING,
        "category": nullable(OneOf(categories) if categories else STRING),
        "confidence": nullable(NUMBER),
        "task": nullable(STRING),
        "session": SESSION,
    }


def undo_word(tool: ToolPolicy) -> str:
    """What ``undo`` is in expressions: ``none``, ``sql``, ``compensate`` and so on."""
    return tool.undo if isinstance(tool.undo, str) else next(iter(tool.undo), "none")
