"""In which order the page of budgets shows them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from handrail.engine.budgets.balances import BudgetLine
from handrail.policy.model import BudgetPolicy, Place, Unit, Window
from handrail.server.pages.budgets import _place


def _budget(name: str, unit: Unit, per: Window, used: int) -> tuple[str, tuple[bool, bool, int]]:
    line = BudgetLine(
        budget=name,
        unit=str(unit),
        scope="[]",
        whose="",
        window=0,
        ends=None,
        used=used,
        held=0,
        limit=100,
        raised=0,
        alert_at=(),
        used_words="",
        limit_words="",
        renews="",
        used_up_at=None,
    )
    return name, _place(BudgetPolicy(name, unit, Decimal(100), per, Place("", 1, 1)), [line])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("money", Unit.COST, Window.DAY, 1), ("counts", Unit.ACTIONS, Window.DAY, 99)),
        (("moved", Unit.AMOUNT, Window.DAY, 1), ("tokens", Unit.TOKENS, Window.DAY, 99)),
        (("fuller", Unit.COST, Window.DAY, 60), ("emptier", Unit.AMOUNT, Window.DAY, 50)),
        (("shared", Unit.ACTIONS, Window.TOTAL, 0), ("a ticket's", Unit.COST, Window.TASK, 100)),
        (("shared", Unit.TOKENS, Window.ROLLING, 0), ("a session's", Unit.ACTIONS, Window.SESSION, 100)),
    ],
)
def test_shared_ones_come_first_then_money_then_the_fullest(
    first: tuple[str, Unit, Window, int], second: tuple[str, Unit, Window, int]
) -> None:
    found = sorted([_budget(*second), _budget(*first)], key=lambda each: each[1])
    assert [name for name, _ in found] == [first[0], second[0]]
