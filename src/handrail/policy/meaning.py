"""Whether every expression of a policy means something: its types, its amounts, the trust its names carry.

The first of two phases: what a tool's arguments and a fact's columns are is known when they are bound.
"""

from __future__ import annotations

from handrail.policy.budgets.checks import check_budgets
from handrail.policy.claims import claim_in, switched_off
from handrail.policy.environment import SAID
from handrail.policy.expressions import Expression
from handrail.policy.model import CheckKind, Policy, Text
from handrail.policy.reader import Reader
from handrail.policy.typed import typed

_FACTS_MAY_USE = SAID - {"confidence"}
"""A fact is looked up by the task, and may then only restrict; how sure the agent is looks nothing up."""


def check_meaning(reader: Reader, policy: Policy) -> None:
    """Report every expression that can't be right."""
    found = typed(policy)
    said = {(one.line, one.column) for one in reader.problems}
    # what could not be read has a stand-in, whose own mistakes help nobody
    reader.problems.extend(one for one in found.problems if (one.line, one.column) not in said)
    for rule, parsed in found.rules:
        _check_guard(reader, rule.when, parsed)
    for check, parsed in found.checks:
        if check.kind is CheckKind.WHEN and check.when is not None:
            _no_claim(reader, check.when, parsed, "make a check pass", "a rule that asks")
    for budget, counted in found.budgets:
        if budget.each is not None and counted is not None:
            _no_claim(reader, budget.each, counted, "choose what is counted", "args, or per: task")
    for name, given in found.facts.items():
        for parameter, parsed in given.items():
            text = policy.facts[name].given[parameter]
            _no_claim(reader, text, parsed, "look a fact up", "args or task", SAID - _FACTS_MAY_USE)
    for text, parsed in found.money:
        _no_claim(reader, text, parsed, "say how much money it is", "args", SAID)
    check_budgets(reader, policy, found.budgets)


def _check_guard(reader: Reader, text: Text, parsed: Expression) -> None:
    """A rule that denies or asks must not be switched off by what the agent says of itself."""
    misuse = switched_off(parsed.node)
    if misuse is not None:
        claim, why = misuse
        message = f"{claim.id!r} is what the agent says: {why}"
        reader.report(text.at(claim.offset), message, "a rule that holds when the agent says it")


def _no_claim(
    reader: Reader,
    text: Text,
    parsed: Expression,
    what: str,
    instead: str,
    claims: frozenset[str] = SAID,
) -> None:
    claim = claim_in(parsed.node, claims)
    if claim is not None:
        reader.report(text.at(claim.offset), f"{claim.id!r} is what the agent says: it can't {what}", instead)
