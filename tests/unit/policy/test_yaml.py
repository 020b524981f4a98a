"""Text to nodes: exact values, exact places, and nothing that YAML could mean in two ways."""

from __future__ import annotations

from decimal import Decimal

import pytest

from handrail.policy.marks import text_of
from handrail.policy.yaml import (
    DEEPEST,
    LARGEST_TEXT,
    MOST_PROBLEMS,
    Items,
    Pairs,
    Scalar,
    Value,
    decoded,
    parsed,
    plain_value,
)
from handrail.words.errors import PolicyError


def problems(text: str) -> list[str]:
    try:
        _, found = parsed(text, "p.yaml")
    except PolicyError as error:
        found = list(error.problems)
    return [f"{one.line}:{one.column} {one.message}" for one in found]


def value(text: str) -> Scalar:
    node, found = parsed(f"key: {text}", "p.yaml")
    assert not found
    assert isinstance(node, Pairs)
    scalar = node.entries[0][1]
    assert isinstance(scalar, Scalar)
    return scalar


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 1),
        ("-7", -7),
        ("+7", 7),
        ("007", 7),
        ("0o17", 15),
        ("0x1F", 31),
        ("0.1", Decimal("0.1")),
        ("1.10", Decimal("1.10")),
        (".5", Decimal("0.5")),
        ("1e3", Decimal("1e3")),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("yes", "yes"),
        ("on", "on"),
        ("off", "off"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2026-11-22", "2026-11-22"),
        ("50%", "50%"),
        ("10 min", "10 min"),
    ],
)
def test_an_unquoted_scalar_means_what_yaml_1_2_says(text: str, expected: Value) -> None:
    """YAML 1.1's surprises (yes, on, sexagesimals, dates) are texts, and decimals are exact."""
    found = plain_value(text)
    assert found == expected
    assert type(found) is type(expected)
    assert str(found) == str(expected)


@pytest.mark.parametrize("text", [".inf", "-.INF", ".nan", "1e400", "1e-400", "9" * 41, "0." + "1" * 60])
def test_a_number_that_is_not_finite_or_absurd_is_refused(text: str) -> None:
    """No infinity, no NaN, and no number that would take memory to write out."""
    assert problems(f"a: {text}")[0].startswith("1:4 ")


def test_quoted_numbers_are_texts() -> None:
    """What stands in quotes is a text."""
    assert value('"1"').value == "1"
    assert value("'true'").value == "true"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3", "3:1 'a' stands here twice, first in line 1"),
        ("x: {a: 1, 'a': 2}", "1:11 'a' stands here twice, first in line 1"),
        ("a: &b 1", "1:4 an anchor (&b) is not allowed"),
        ("a: &b 1\nc: *b", "2:4 an alias (*b) is not allowed"),
        ("a: !!str 1", "1:4 a tag (tag:yaml.org,2002:str) is not allowed"),
        ("a: !x {}", "1:4 a tag (!x) is not allowed"),
        ("a: &b\n  c: 1", "1:4 an anchor (&b) is not allowed"),
        ("a:\n  <<: {b: 1}", "2:3 a merge key (<<) is not allowed"),
        ("a: 1\n---\nb: 2", "2:1 a second document begins here"),
        ("%YAML 1.1\n---\na: 1", "1:1 YAML directives (%) are not used here"),
        ("a:\n\t- b", "2:1 a tab"),
        ("a:\tb", "1:3 a tab"),
        ("1: a", "1:1 '1' can't be a key"),
        ("true: a", "1:1 'true' can't be a key"),
        (": a", "1:1 '' can't be a key"),
        ("? [a]\n: b", "1:3 a list or mapping can't be a key"),
        ("a: 'b", "1:6 found unexpected end of stream while scanning a quoted scalar"),
        ("a: b: c", "1:5 mapping values are not allowed here"),
        ("", "1:1 the file is empty"),
        ("# nothing", "1:1 the file is empty"),
        ("\ufeffa: 1", "1:1 the file begins with a byte order mark"),
        ("a: b\ufeff", "1:5 an invisible character (U+FEFF)"),
        ("a: 1\nb: x\u202ey", "2:5 an invisible character (U+202E)"),
        ("a: x\u200by", "1:5 an invisible character (U+200B)"),
        ("a: x\u2028y", "1:5 an invisible character (U+2028)"),
        ("a: x\x00y", "1:5 an invisible character (U+0000)"),
        ("a: x\ud800y", "1:5 an invisible character (U+D800)"),
        ("a: x\ry", "1:5 an invisible character (U+000D)"),
        ('a: "\\ud800"', "1:4 the text has the control character U+D800"),
        ('a: "\\0"', "1:4 the text has the control character U+0000"),
    ],
)
def test_what_could_mean_two_things_is_refused_with_its_place(text: str, expected: str) -> None:
    """Each trick of YAML or Unicode is one problem at the right line and column."""
    assert expected in problems(text)


def test_the_plain_twin_of_the_tricks_loads() -> None:
    """Equal keys in different mappings, quoted <<, `on:`, escapes, emoji and CRLF are all fine."""
    text = "on: {a: 1}\r\noff: {a: 2}\r\n'<<': \"\\u200b\"\r\n'1': 'é 🙂 „Żółć”'\r\n"
    node, found = parsed(text, "p.yaml")
    assert not found
    assert isinstance(node, Pairs)
    assert [key.text for key, _ in node.entries] == ["on", "off", "<<", "1"]


def test_all_problems_are_told_at_once() -> None:
    """A duplicate key, an anchor and a tag give three problems, not the first."""
    assert len(problems("a: &x 1\nb: !y 2\na: 3")) == 3


def test_problems_are_capped() -> None:
    """A file of a hundred thousand anchors is refused after the first hundred."""
    assert len(problems("- &a 1\n" * 10_000)) == MOST_PROBLEMS


def test_nesting_is_capped() -> None:
    """The deepest nesting that is allowed loads, one more does not, and a million brackets fail fast."""
    assert not problems("[" * DEEPEST + "]" * DEEPEST)
    assert problems("[" * (DEEPEST + 1)) == [f"1:{DEEPEST + 1} nested too deeply"]
    assert problems("[" * 900_000) == [f"1:{DEEPEST + 1} nested too deeply"]


def test_size_is_capped_in_bytes() -> None:
    """A text of exactly the largest size loads; one byte more is refused, also when letters have two."""
    assert not problems("a: " + "b" * (LARGEST_TEXT - 3))
    assert problems("a: " + "b" * (LARGEST_TEXT - 2)) == ["1:1 the file is too large"]
    assert problems("é" * (LARGEST_TEXT // 2 + 1)) == ["1:1 the file is too large"]


def test_bytes_that_are_no_utf8_are_refused_with_their_place() -> None:
    """The problem names the line and the column of the first bad byte; good bytes are the text."""
    with pytest.raises(PolicyError) as caught:
        decoded("a: 1\nb: é".encode() + b"\xff", "p.yaml")
    assert (caught.value.problems[0].line, caught.value.problems[0].column) == (2, 5)
    assert decoded("é".encode(), "p.yaml") == "é"


@pytest.mark.parametrize("spelling", ["amount > 100", '"amount > 100"', "'amount > 100'"])
def test_a_place_inside_a_scalar_on_one_line_is_exact(spelling: str) -> None:
    """Offset 7 of the value, the >, stands where the file has the >."""
    place = text_of(value(spelling)).at(7)
    assert (place.line, place.column) == (1, 6 + spelling.index(">"))


def test_quotes_and_escapes_move_places() -> None:
    """A doubled quote and an escape take two columns or more, and places after them know it."""
    assert text_of(value("'a == ''x'' || b'")).at(12).column == 6 + "'a == ''x'' || b'".index("b")
    spelling = r'"a == \"x\" || \u0062 || c"'
    text = text_of(value(spelling))
    assert text.value == 'a == "x" || b || c'
    assert text.at(text.value.index("b")).column == 6 + spelling.index(r"\u0062")
    assert text.at(text.value.index("c")).column == 6 + spelling.index("c")


@pytest.mark.parametrize("header", ["|", ">", ">-", "|+", "| # why"])
def test_places_in_block_scalars_are_exact(header: str) -> None:
    """The second line of a block is found at its line and column, folded or not."""
    place = text_of(value(f"{header}\n  amount > 100 &&\n  confidnce < 1\n"))
    where = place.at(place.value.index("confidnce"))
    assert (where.line, where.column) == (3, 3)


def test_places_in_folded_quoted_scalars_are_exact() -> None:
    """A quoted text over two lines knows its second line."""
    text = text_of(value('"amount > 100 &&\n    confidnce < 1"'))
    where = text.at(text.value.index("confidnce"))
    assert (where.line, where.column) == (2, 5)


def test_the_end_of_a_text_has_a_place() -> None:
    """An expression that ends too early is marked just after its last character."""
    assert text_of(value('"amount >"')).at(8).column == 6 + len('"amount >')
    assert text_of(value('""')).at(0).column == 7


def test_lists_keep_their_order_and_places() -> None:
    """Nodes of a list stand in the order of the file, each with its own place."""
    node, _ = parsed("- a\n- [b, c]\n", "p.yaml")
    assert isinstance(node, Items)
    assert [(one.place.line, one.place.column) for one in node.nodes] == [(1, 3), (2, 3)]
