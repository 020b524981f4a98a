"""The demo's plain words: every tool has them, and amounts are exact."""

from __future__ import annotations

import io

from rich.console import Console

from handrail.demo.company import tickets
from handrail.demo.ledger import Fate, Row
from handrail.demo.phrases import PLAIN, done, euros, wanted
from handrail.demo.show import COLOURS, Show, tally
from handrail.demo.summary import MEANING, SHORT
from handrail.demo.tools import Desk

TICKET = tickets()[0]


def _row(fate: Fate, tool: str = "issue_refund", why: tuple[str, ...] = ()) -> Row:
    args = {"order_id": "o-1", "amount": 18}
    return Row("a-1", TICKET.id, "desk", tool, "bounded", args, fate, why, (), None, 1)


def _shown(*rows: Row) -> str:
    out = io.StringIO()
    Show(Console(file=out), headless=True).ticket(TICKET, rows, ())
    return " ".join(out.getvalue().split())


def test_every_tool_has_words_and_every_fate_has_a_meaning() -> None:
    assert set(PLAIN) == {name for name in vars(Desk) if not name.startswith("_") and name != "tools"}
    assert set(COLOURS) == set(MEANING) == set(SHORT) == set(Fate)


def test_what_was_done_and_what_was_wanted_are_told_apart() -> None:
    args = {"order_id": "o-17", "amount": 1234.5}
    assert done("issue_refund", args) == "paid back €1,234.50"
    assert wanted("issue_refund", args) == "pay back €1,234.50 for o-17"


def test_an_unusual_way_to_pay_is_told() -> None:
    args = {"order_id": "o-17", "amount": 4000, "method": "bank_transfer"}
    assert wanted("issue_refund", args) == "pay back €4,000.00 for o-17 by bank transfer"
    assert wanted("issue_refund", {**args, "method": "original"}) == "pay back €4,000.00 for o-17"


def test_a_missing_or_redacted_argument_does_not_stop_the_table() -> None:
    assert wanted("issue_refund", {}) == "pay back … for …"
    assert (
        wanted("issue_refund", {"amount": "[redacted]", "order_id": "{x}"}) == "pay back [redacted] for {x}"
    )


def test_a_tool_without_words_is_named() -> None:
    assert wanted("wire_money", {}) == "call wire_money"


def test_nano_units_are_told_in_cents() -> None:
    assert euros(882_600_000_000) == "€882.60"


def test_what_ran_alone_shares_a_line_and_what_did_not_has_its_own() -> None:
    shown = _shown(_row(Fate.ALONE, "find_order"), _row(Fate.ALONE), _row(Fate.REFUSED, why=("Too much.",)))
    assert "looked the order up, paid back €18.00 ran alone" in shown
    assert "pay back €18.00 for o-1 refused Too much." in shown


def test_the_same_thing_again_is_counted() -> None:
    shown = _shown(*[_row(Fate.REFUSED, why=("Enough.",))] * 3)
    assert "pay back €18.00 for o-1 (x3) refused Enough." in shown


def test_markup_in_a_text_is_only_text() -> None:
    """An agent's text can't colour the table or hide a line."""
    row = Row(
        "a-1",
        TICKET.id,
        "desk",
        "draft_offer",
        "bounded",
        {"title": "[red]x[/red]"},
        Fate.ASKED,
        (),
        (),
        None,
        1,
    )
    assert "draft [red]x[/red]" in _shown(row)


def test_the_tally_counts_each_fate() -> None:
    assert tally([_row(Fate.ALONE)] * 2 + [_row(Fate.REFUSED)]).plain.split() == (
        ["3", "actions:", "2", "ran", "alone", "1", "refused"]
    )
