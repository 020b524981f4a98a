"""The demo's plain words: every tool has them, and amounts are exact."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from handrail.demo.company import tickets
from handrail.demo.ledger import Fate, Row, Said
from handrail.demo.phrases import PLAIN, done, euros, wanted
from handrail.demo.show import COLOURS, VERBS, Show, tally
from handrail.demo.summary import MEANING, SHORT, stands
from handrail.demo.tools import Desk
from handrail.words.approval import Choice

TICKET = tickets()[0]


def _row(fate: Fate, tool: str = "issue_refund", why: tuple[str, ...] = ()) -> Row:
    args = {"order_id": "o-1", "amount": 18}
    return Row("a-1", TICKET.id, "desk", tool, "bounded", args, fate, why, (), None, 1)


def _shown(*rows: Row) -> str:
    out = io.StringIO()
    Show(Console(file=out), moving=False).ticket(TICKET, rows)
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
    assert tally([Fate.ALONE] * 2 + [Fate.REFUSED]).plain.split() == (
        ["3", "actions:", "2", "ran", "alone", "1", "refused"]
    )


def _answered(said: Said | None, fate: Fate) -> str:
    out = io.StringIO()
    Show(Console(file=out, width=200), moving=False).answered(TICKET.id, said, _row(fate))
    return " ".join(out.getvalue().split())


def test_an_answer_is_told_with_its_reason_and_what_came_of_it() -> None:
    said = Said("maeve@copperandthyme.example", Choice.REJECT, "Used, and seen.")
    assert (
        _answered(said, Fate.NO)
        == f"{TICKET.id} Maeve says no to: pay back €18.00 for o-1 a person said no “Used, and seen.”"
    )


def test_a_question_that_nobody_answered_is_told_too() -> None:
    assert "Nobody answers any more: pay back €18.00" in _answered(None, Fate.NO)


def test_every_answer_that_a_person_can_give_has_a_verb() -> None:
    assert set(VERBS) == set(Choice)


def test_a_tool_that_nobody_who_asked_may_use_stands_nowhere() -> None:
    """Where one of two agents may use it, it stands where it stands for that one."""
    refused = replace(_row(Fate.REFUSED, "wire_money"), rules=("permission",), rung="shadow")
    shared = [_row(Fate.ALONE), replace(_row(Fate.REFUSED), rules=("permission",), rung="shadow")]
    assert stands([refused, *shared], {}) == {"wire_money": "may not use", "issue_refund": "within limits"}
