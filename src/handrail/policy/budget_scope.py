"""A budget for one tool, made ready: what is counted together, and in which window."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from decimal import Decimal
from functools import partial
from json.encoder import encode_basestring_ascii as quoted

from handrail.policy import budget_window
from handrail.policy.compiled import Budget, Evaluate, Names
from handrail.policy.expressions import EvaluationError
from handrail.policy.model import BudgetPolicy, Unit, Window

FACT = "budget:"
"""A budget's use is asked for as a fact of this name, followed by the budget's id."""
_DIGITS = 40


def budget_of(budget: BudgetPolicy, zone: tzinfo, each: Evaluate | None, needs: frozenset[str]) -> Budget:
    """``budget`` for one tool; ``each`` gives the value for which it counts, ``needs`` the facts it reads."""
    return Budget(
        id=budget.id,
        fact=f"{FACT}{budget.id}",
        limit=int(budget.limit),
        scope=partial(_scope, _OWNERS.get(budget.per), each),
        needs=needs,
        begins=budget_window.beginning(budget.per, zone),
        renews=partial(budget_window.renews, budget.per, zone),
        refusal=_refusal(budget),
    )


def _refusal(budget: BudgetPolicy) -> str | None:
    if budget.unit is not Unit.ACTIONS:
        return f"budgets in {budget.unit} can't be counted in this version"
    return "rolling windows can't be counted in this version" if budget.per is Window.ROLLING else None


def _task(names: Names) -> str:
    task = names["task"]
    if not isinstance(task, str) or not task:
        raise EvaluationError("it counts per task, and this action names none")
    return f'"task",{quoted(task)}'


def _session(names: Names) -> str:
    session = names["session"]
    found = session.get("id") if isinstance(session, dict) else None
    if not isinstance(found, str) or not found:
        raise EvaluationError("it counts per session, and this action has none")
    return f'"session",{quoted(found)}'


_OWNERS: dict[Window, Callable[[Names], str]] = {Window.TASK: _task, Window.SESSION: _session}


def _scope(
    owner: Callable[[Names], str] | None,
    each: Evaluate | None,
    names: Names,
    shadow: bool,  # noqa: FBT001 a position is faster than a name
) -> str:
    """A JSON list of tagged parts: two different scopes never have one text, and a shadow's are its own."""
    parts = ['"shadow"'] if shadow else []
    if owner is not None:
        parts.append(owner(names))
    if each is not None:
        parts.append(f'"each",{_value(each(names))}')
    return f"[{','.join(parts)}]"


def _value(value: object) -> str:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return _plain(value)
    raise EvaluationError("it counts for each value of something that is no text and no number")


def _plain(value: Decimal) -> str:
    """1.0, 1 and 10E-1 are one number, so they are one scope."""
    if not value.is_finite() or abs(value.adjusted()) > _DIGITS:
        raise EvaluationError("it counts for each value of a number that is too large or too small")
    text = f"{value:f}"
    short = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if short in {"-0", ""} else short
