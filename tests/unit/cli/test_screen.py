"""What reaches a terminal: visible signs only, whole cells, exact numbers."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.cli import screen


@given(st.text())
def test_nothing_that_can_not_be_seen_gets_through(text: str) -> None:
    assert screen.plain(text).isprintable()
    assert screen.plain(text, lines=True).replace("\n", "").isprintable()


@given(st.text(alphabet=st.characters(categories=("L", "N", "P", "S"))))
def test_what_can_be_seen_stays_as_it_is(text: str) -> None:
    assert screen.plain(text) == text


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none(), max_size=5))
def test_json_shown_exactly_is_the_same_json_and_safe_to_show(value: dict[str, object]) -> None:
    shown = screen.exact(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode())
    assert json.loads(shown) == json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    assert shown.replace("\n", "").isprintable()


def test_json_shown_exactly_keeps_every_digit() -> None:
    assert '"amount": 500.2500' in screen.exact('{"amount":500.2500}')


def test_a_document_holds_exact_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    screen.document({"amount": Decimal("0.10")})
    assert '"amount": 0.10' in capsys.readouterr().out


def test_a_line_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    screen.line({"text": "a\nb\u2028c\x85d"})
    printed = capsys.readouterr().out
    assert len(printed.splitlines()) == 1
    assert json.loads(printed) == {"text": "a\nb\u2028c\x85d"}


def test_a_wide_table_has_headings_and_a_narrow_one_names_each_value(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [("issue_refund", "a reason that is long enough to need more than one line of it")]
    monkeypatch.setenv("COLUMNS", "100")
    screen.table(("tool", "why"), rows, "None.")
    wide = capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", "40")
    screen.table(("tool", "why"), rows, "None.")
    narrow = capsys.readouterr().out
    assert "─" in wide
    assert "─" not in narrow
    for shown in (wide, narrow):
        assert "issue_refund" in shown
        assert " ".join(shown.split()).count("more than one") == 1


def test_an_empty_table_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    screen.table(("tool",), [], "No such tools.")
    assert capsys.readouterr().out == "No such tools.\n"


def test_brackets_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    screen.say("[red]not a colour[/red]")
    screen.table(("a",), [("[bold]x[/bold]",)], "")
    printed = capsys.readouterr().out
    assert "[red]not a colour[/red]" in printed
    assert "[bold]x[/bold]" in printed


def test_errors_have_one_form_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    screen.complain("it did not work: \x1b[2J")
    found = capsys.readouterr()
    assert (found.out, found.err) == ("", "error: it did not work: \\u001b[2J\n")
