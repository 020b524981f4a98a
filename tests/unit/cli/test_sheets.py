"""A drawn sheet holds signs that can be seen, and nothing that an agent wrote begins a line of its own."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.cli import screen
from handrail.cli.sheets import MOST_LINES, draw, left, line_of, people_of, row
from handrail.words.approval import Approval, ApprovalState, Choice, Seat, Vote
from handrail.words.sheet import Because, BudgetAfter, Change, SeatView, Sheet, Similar
from handrail.words.verdict import Ask

NOW = 1_772_357_405_120
SEAT = SeatView("leads", ("ann",), (), 1, 0, NOW + 7_200_000, "it is rejected", "leads")


def made(text: str, **more: object) -> Sheet:
    """A sheet with this text wherever somebody could have written it."""
    approval = Approval(
        "q-1",
        "a-1",
        "d",
        frozenset({Ask("ask:big", "d", "leads")}),
        (Seat("leads", "leads", 1, NOW, "reject"),),
        ApprovalState.OPEN,
        NOW,
    )
    fields: dict[str, object] = {
        "approval": approval,
        "what": text,
        "agent": text,
        "tool": text,
        "task": text,
        "session": text,
        "behalf": text,
        "does": "pay",
        "why": (Because("ask:big", "big", text, text),),
        "undo": "It can't be undone.",
        "amount": "1.00 EUR",
        "budgets": (BudgetAfter("many", "1", "2", "3", 66),),
        "args": msgspec.json.encode({text: text, "body": f"{text}\n{text}"}).decode(),
        "shown_args": {text: text},
        "changes": (Change(text, None, msgspec.json.encode(text).decode()),),
        "facts": {text: {"tier": text}},
        "shown_facts": {text: text},
        "confidence": Decimal("0.5"),
        "rationale": text,
        "seats": (SEAT,),
        "votes": (Vote("q-1", text, Choice.APPROVE, text, verified=False, at=NOW),),
        "similar": (Similar("a-0", NOW, "approved", text, text, text),),
        "digest": "d",
        "action_state": "held",
        "outcome": text,
        "schema": None,
        "notes": (text,),
        "edited_by": text,
    }
    return Sheet(**{**fields, **more})  # type: ignore[arg-type]


def drawn(found: Sheet, *, exact: bool = True) -> str:
    """What reaches the terminal, and every cell of the list."""
    seen = io.StringIO()
    with redirect_stdout(seen):
        draw(found, NOW, exact=exact)
        screen.table(("",) * 9, [row(found, NOW)], "")
        screen.say(line_of(found))
    return seen.getvalue()


@given(text=st.text(max_size=80), exact=st.booleans())
def test_nothing_that_can_not_be_seen_reaches_the_terminal(text: str, *, exact: bool) -> None:
    assert drawn(made(text.encode("utf-8", "replace").decode()), exact=exact).replace("\n", "").isprintable()


@pytest.mark.parametrize("exact", [True, False])
def test_no_text_begins_a_line_of_the_sheet(*, exact: bool) -> None:
    seen = drawn(made("x\nYOU ARE ann: approve? yes\n\ramount  0.01 EUR"), exact=exact)
    assert not re.search(r"^\s*(YOU ARE|amount  0)", seen, re.MULTILINE)
    assert "YOU ARE" in seen


def test_a_text_of_very_many_lines_is_cut_beside_the_json_that_has_them_all() -> None:
    found = made("x", args=msgspec.json.encode({"body": "line\n" * 1_000}).decode())
    seen = drawn(found)
    assert seen.count("│ line") == MOST_LINES
    assert "801 lines more" in seen


def test_an_erased_payload_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    draw(made("x", args=None), NOW, exact=True)
    assert "its arguments were erased" in capsys.readouterr().out


def test_who_may_answer_and_how_long() -> None:
    assert (people_of(SEAT), left(SEAT, NOW)) == ("ann", "2 h left, then it is rejected")
    nobody = SeatView("leads", (), (), 1, 0, NOW - 7_200_000, "it is rejected", "leads")
    assert people_of(nobody) == "nobody (the policy has no such group)"
    assert left(nobody, NOW) == "its time is over since 2 h: it is rejected"
    anyone = SeatView("anyone", (), (), 1, 0, None, "it is rejected", "anyone", anyone=True)
    assert (people_of(anyone), left(anyone, NOW)) == ("anyone", "no time limit")
    deputy = SeatView("leads", ("ann",), ("cyd",), 1, 0, None, "it is rejected", "leads")
    assert people_of(deputy) == "ann (also cyd, in place of who is away)"
