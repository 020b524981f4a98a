"""A budget made ready for a tool or for models: what is counted together, and in which window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo
from decimal import Decimal
from functools import partial
from json.encoder import encode_basestring_ascii as quoted

from handrail.policy import digests
from handrail.policy.budgets import window as budget_window
from handrail.policy.compiled import Budget, Evaluate, Names
from handrail.policy.expressions import EvaluationError
from handrail.policy.model import AtLimit, BudgetPolicy, Unit, Window
from handrail.words.money import to_nano
from handrail.words.verdict import ANYONE, Measure, Outcome, Step

FACT = "budget:"
"""A budget's use is asked for as a fact of this name, followed by the budget's id."""
MONEY = frozenset({Unit.AMOUNT, Unit.COST})
"""Units that are counted in nano-units of the policy's currency."""
_DIGITS = 40


def budget_of(
    budget: BudgetPolicy, place: tuple[tzinfo, str], each: Evaluate | None, needs: frozenset[str]
) -> Budget:
    """``budget`` made ready; ``each`` gives the value for which it counts, ``needs`` the facts it reads.

    ``place`` is the policy's time zone and currency.
    """
    zone, currency = place
    window = budget_window.of(budget.per, budget.rolling_ms or 0, zone)
    return Budget(
        id=budget.id,
        fact=f"{FACT}{budget.id}",
        unit=budget.unit,
        limit=to_nano(budget.limit) if budget.unit in MONEY else int(budget.limit),
        scope=partial(_scope, _OWNERS.get(budget.per), each),
        needs=needs,
        begins=window.begins,
        ends=window.ends,
        renews=window.renews,
        ask=ask_of(budget),
        pauses=budget.at_limit is AtLimit.PAUSE,
        alert_at=budget.alert_at,
        rolling=budget.rolling_ms or 0,
        currency=currency,
    )


def ask_of(budget: BudgetPolicy) -> Step | None:
    """The question that a budget without room asks, still without its reason; None for one that refuses."""
    if budget.at_limit is AtLimit.DENY:
        return None
    digest = digests.of_budget(budget)
    return Step(Measure.BUDGET, Outcome.ASK, budget.id, "", budget.audience or ANYONE, digest)


def counted_by(budget: BudgetPolicy) -> tuple[str, ...]:
    """The words in every scope of a budget, each of which a value follows."""
    owner = (str(budget.per),) if budget.per in _OWNERS else ()
    return (*owner, "each") if budget.each else owner


def scope_of(budget: BudgetPolicy, values: Sequence[object]) -> str:
    """The scope of these values, one for each word of ``counted_by``, as windows are kept by it.

    Raises:
        EvaluationError: a value is no text and no number.
    """
    words = zip(counted_by(budget), values, strict=True)
    return f"[{','.join(f'{quoted(word)},{_value(value)}' for word, value in words)}]"


def _task(names: Names) -> str:
    task = names["task"]
    if not isinstance(task, str) or not task:
        raise EvaluationError("it counts per task, and this action names none")
    return f'"task",{quoted(task)}'


def _session(names: Names) -> str:
    session = names["session"]
    # what a child session spends is its parent's
    found = session.get("root") or session.get("id") if isinstance(session, dict) else None
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
    # as its text: most tools take 17 and "17" for the same customer, who would have the limit twice
    if isinstance(value, int):
        return f'"{value}"'
    if isinstance(value, Decimal):
        return f'"{_plain(value)}"'
    raise EvaluationError("it counts for each value of something that is no text and no number")


def _plain(value: Decimal) -> str:
    """1.0, 1 and 10E-1 are one number, so they are one scope."""
    if not value.is_finite() or abs(value.adjusted()) > _DIGITS:
        raise EvaluationError("it counts for each value of a number that is too large or too small")
    text = f"{value:f}"
    short = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if short in {"-0", ""} else short
