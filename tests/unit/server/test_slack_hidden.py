"""Editing in Slack: what the policy hides is never shown there, and keeps its value."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from handrail.server.slack.hidden import edited, to_edit
from handrail.words.errors import BadArguments, Refused
from handrail.words.sheet import Sheet
from tests.support.sheets import sheet

ARGS = '{"amount":0.10,"card":"4111","items":[{"code":"s1","name":"a"}]}'
SHOWN: dict[str, Any] = {
    "amount": Decimal("0.10"),
    "card": "[redacted]",
    "items": [{"code": "[redacted]", "name": "a"}],
}


def hidden() -> Sheet:
    return sheet(args=ARGS, shown_args=SHOWN)


def test_what_is_edited_shows_no_hidden_value() -> None:
    assert to_edit(hidden()) == SHOWN


def test_a_hidden_value_stays_what_it_was_and_numbers_stay_exact() -> None:
    text = '{"amount": 0.20, "card": "[redacted]", "items": [{"code": "[redacted]", "name": "b"}]}'
    assert edited(text, hidden()) == {
        "amount": Decimal("0.20"),
        "card": "4111",
        "items": [{"code": "s1", "name": "b"}],
    }


def test_a_hidden_value_can_be_replaced_or_left_out() -> None:
    assert edited('{"amount": 1, "card": "4222"}', hidden()) == {"amount": 1, "card": "4222"}


@pytest.mark.parametrize(
    "text", ['{"amount": "[redacted]"}', '{"items": [1, "[redacted]"]}', '{"new": {"card": "[redacted]"}}']
)
def test_a_hidden_value_can_not_be_moved(text: str) -> None:
    with pytest.raises(BadArguments, match="nothing is hidden"):
        edited(text, hidden())


TWO = '{"to":[{"card":"of ann","name":"ann"},{"card":"of bob","name":"bob"}]}'
ANN, BOB = ({"card": "[redacted]", "name": name} for name in ("ann", "bob"))


@pytest.mark.parametrize("written", [[BOB], [ANN], [BOB, ANN], [ANN, {**BOB, "name": "cy"}], [BOB, BOB]])
def test_a_hidden_value_in_a_list_never_becomes_anothers(written: list[object]) -> None:
    two = sheet(args=TWO, shown_args={"to": [ANN, BOB]})
    with pytest.raises(BadArguments, match="open the question"):
        edited(json.dumps({"to": written}), two)


def test_a_list_of_hidden_values_may_stay_or_be_written_anew() -> None:
    two = sheet(args=TWO, shown_args={"to": [ANN, BOB]})
    assert edited(json.dumps({"to": [ANN, BOB]}), two) == json.loads(TWO)
    mine = {"card": "of cy", "name": "cy"}
    assert edited(json.dumps({"to": [ANN, mine]}), two)["to"] == [{"card": "of ann", "name": "ann"}, mine]
    assert edited(json.dumps({"to": [mine]}), two)["to"] == [mine]
    assert edited('{"to": [1], "amount": [2]}', sheet(args='{"amount":1}', shown_args={"amount": 1})) == {
        "to": [1],
        "amount": [2],
    }


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1, "a": 2}', '{"a": NaN}'])
def test_what_are_no_arguments_is_refused(text: str) -> None:
    with pytest.raises(BadArguments):
        edited(text, hidden())


def test_what_is_shown_cut_off_or_was_erased_can_not_be_edited_here() -> None:
    with pytest.raises(Refused, match="open the question"):
        to_edit(sheet(args='{"text":"long"}', shown_args={"text": "lo[cut]"}))
    with pytest.raises(Refused, match="erased"):
        to_edit(sheet(args=None))
