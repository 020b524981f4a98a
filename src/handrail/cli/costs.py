"""``handrail costs``: what was spent, by agent, tool, model, task or session, in any time."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from handrail.cli import screen
from handrail.cli.opened import opened_engine
from handrail.cli.options import AsCsv, AsJson, Database, Limit, PolicyPath, Since, Until
from handrail.cli.times import moment

if TYPE_CHECKING:
    from handrail.words.budget import Spent

DAYS = 30 * 86_400_000
COLUMNS = ("name", "unit", "quantity", "spent", "count")


class By(StrEnum):
    """What spending is put together by."""

    AGENT = "agent"
    TOOL = "tool"
    MODEL = "model"
    TASK = "task"
    SESSION = "session"


OfBudget = Annotated[
    str | None, typer.Option("--budget", metavar="BUDGET", help="Only what this budget counts.")
]
ByWhat = Annotated[By, typer.Option("--by", help="What it is put together by.")]


def costs(  # noqa: PLR0913 - each is one option of the command
    *,
    by: ByWhat = By.AGENT,
    budget: OfBudget = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    policy: PolicyPath = None,
    database: Database = None,
    csv: AsCsv = False,
    json: AsJson = False,
) -> None:
    """List what was spent or is set aside, the most first: money moved, cost, tokens and actions, each apart.

    The last 30 days when no time is given. What budgets count is listed, and what models cost also where none
    does; trials and what was given back are not.
    """
    from handrail.words.budget import SpendingFilter

    with opened_engine(policy, database) as engine:
        engine.refresh()
        now, currency = engine.clock(), engine.policy.policy.currency
        begin = moment(since, now)
        end = moment(until, now)
        wanted = SpendingFilter(
            str(by),
            now - DAYS if begin is None else begin,
            now + 1 if end is None else end,
            budget,
            limit=limit,
        )
        found = engine.store.read(lambda tx: tx.budgets.spending(wanted))
    told = [_document(each, currency) for each in found]
    if csv:
        screen.table_file(told, COLUMNS)
    elif json:
        for each in told:
            screen.line(each)
    else:
        rows = [(each.name or "none", each.unit, _words(each, currency), each.count) for each in found]
        screen.table((str(by), "what", "spent", "actions and calls"), rows, "Nothing was spent in this time.")
    if len(told) == limit:
        # beside the output, which a program may add up
        screen.say(f"Only the {limit:,} largest sums are listed; --limit lists more.", error=True)


def _words(each: Spent, currency: str) -> str:
    from handrail.words.money import spoken

    return spoken(each.quantity, currency) if each.unit in {"cost", "amount"} else f"{each.quantity:,}"


def _document(each: Spent, currency: str) -> dict[str, object]:
    return {
        "name": each.name,
        "unit": each.unit,
        "quantity": each.quantity,
        "spent": _words(each, currency),
        "count": each.count,
    }
