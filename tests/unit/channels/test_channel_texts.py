"""Texts of channels: nothing hides in them, nothing is called by them, and what is too long says so."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.channels.texts import MORE, escaped, harmless, moment, one_line, pretty, shown, visible


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ("plain", "plain"),
        ("zażółć 日本", "zażółć 日本"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u200bb", "a\\u200bb"),
        ("a\x1b[31mb", "a\\u001b[31mb"),
        ("a\r\nb\tc", "a\nb    c"),
    ],
)
def test_what_can_not_be_seen_is_spelt_out(given: str, seen: str) -> None:
    assert visible(given) == seen


@given(st.text(), st.integers(20, 200))
def test_a_shown_text_is_never_longer_than_it_may_be(text: str, most: int) -> None:
    found = shown(text, most)
    assert len(found) <= most
    assert found == visible(text) or found.endswith(MORE)


@given(st.text())
def test_one_line_is_one_line(text: str) -> None:
    assert len(one_line(text, 200).splitlines()) <= 1


@given(st.text(alphabet="@<#!&>everyonhl U1"))
def test_a_harmless_text_calls_nobody(text: str) -> None:
    found = harmless(text)
    assert not any(call in found.lower() for call in ("@everyone", "@here", "<@", "<!", "<#"))
    assert found.replace("\u200b", "") == text


def test_an_address_stays_an_address() -> None:
    assert harmless("lead@example.com") == "lead@example.com"


def test_escaping_leaves_no_character_that_slack_reads() -> None:
    assert escaped("<!channel> & <@U1>") == "&lt;!channel&gt; &amp; &lt;@U1&gt;"


def test_arguments_keep_their_numbers() -> None:
    assert pretty({"a": Decimal("0.10"), "b": 2**70}) == '{\n  "a": 0.10,\n  "b": 1180591620717411303424\n}'


def test_a_time_says_its_zone() -> None:
    assert moment(0) == "1970-01-01 00:00 UTC"
