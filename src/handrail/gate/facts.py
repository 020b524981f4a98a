"""Facts: asks for everything that this tool's rules could use now, and names what has been supplied.

A fact whose ``with`` can't be worked out has failed without being asked for; what failed never passes a rule.
"""

from __future__ import annotations

from handrail.gate.context import NOTHING, Context, Finding
from handrail.policy.compiled import Budget, Fact
from handrail.policy.expressions import EvaluationError
from handrail.policy.names import milliseconds, moment
from handrail.words.fact import Failed
from handrail.words.level import Rung
from handrail.words.verdict import Need, Query

PREAPPROVED = Rung.PREAPPROVED


def facts(context: Context) -> Finding | Need:
    """Need what is missing, all of it at once. Adds the facts, and ``now``, to the names."""
    access = context.access
    if access is None:
        return NOTHING
    if access.tool.uses_now:
        context.names["now"] = moment(context.facts.get("now"))
    preapproves = context.as_if is PREAPPROVED
    wanted = access.preapproved_facts if preapproves else access.facts
    names, given = context.names, context.facts
    queries: list[Query | None] = []
    for fact in wanted:
        if fact.name in given:
            names[fact.name] = given[fact.name]
        else:
            queries.append(_fact(context, fact))
    queries += [_budget(context, budget) for budget in access.budgets if budget.fact not in given]
    needed = tuple(query for query in queries if query is not None) if queries else ()
    return Need(needed) if needed else NOTHING


def _fact(context: Context, fact: Fact) -> Query | None:
    try:
        given = {name: evaluate(context.names) for name, evaluate in fact.given.items()}
    except EvaluationError as error:
        context.names[fact.name] = Failed(error.why)
        return None
    return Query(fact.name, given)


def _budget(context: Context, budget: Budget) -> Query | None:
    """The question for a budget's use; None while a fact that it counts by is itself asked for."""
    if not budget.needs <= context.names.keys():
        return None
    try:
        given: dict[str, object] = {
            "scope": budget.scope(context.names, context.shadow),
            "window": budget.begins(milliseconds(context.facts.get("now"))),
        }
        if budget.rolling:
            given["rolling"] = budget.rolling
    except (EvaluationError, ValueError):
        return None  # the budget's own room says why
    return Query(budget.fact, given)
