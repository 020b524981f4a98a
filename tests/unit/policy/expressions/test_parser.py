"""Text into a tree: what stands for what, and what is said about a text that is none."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from handrail.policy.expressions import ExpressionError
from handrail.policy.expressions.parser import parse
from handrail.policy.expressions.tree import (
    And,
    Arithmetic,
    Call,
    Compare,
    Conditional,
    Has,
    Index,
    ListNode,
    Literal,
    Macro,
    MapNode,
    Name,
    Negate,
    Node,
    Not,
    Or,
    Select,
    names_of,
    path_of,
    walk,
)


def shape(node: Node) -> Any:
    """A node without its places, short enough to be written in a test."""
    signs = {And: "&&", Or: "||", Not: "!", Negate: "neg", Conditional: "?", Index: "[]", ListNode: "list"}
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Name):
        return f"${node.id}"
    if isinstance(node, Select):
        return (".", shape(node.operand), node.field)
    if isinstance(node, Has):
        return ("has", shape(node.operand), node.field)
    if isinstance(node, MapNode):
        return ("map", *zip(node.keys, map(shape, node.values), strict=True))
    if isinstance(node, Macro):
        return (node.kind, node.variable, shape(node.over), shape(node.body))
    if isinstance(node, Compare | Arithmetic):
        return (node.op, shape(node.left), shape(node.right))
    sign = node.function if isinstance(node, Call) else signs[type(node)]
    return (sign, *map(shape, node.children))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a || b && c", ("||", "$a", ("&&", "$b", "$c"))),
        ("a && b && c", ("&&", "$a", "$b", "$c")),
        ("(a || b) && c", ("&&", ("||", "$a", "$b"), "$c")),
        ("1 + 2 * 3 == 7", ("==", ("+", 1, ("*", 2, 3)), 7)),
        ("1 - 2 - 3", ("-", ("-", 1, 2), 3)),
        ("8 / 4 % 3", ("%", ("/", 8, 4), 3)),
        ("!a.b", ("!", (".", "$a", "b"))),
        ("-a.b + 1", ("+", ("neg", (".", "$a", "b")), 1)),
        ("a -1", ("-", "$a", 1)),
        ("a ? b : c ? d : e", ("?", "$a", "$b", ("?", "$c", "$d", "$e"))),
        ("a in [1, 2,]", ("in", "$a", ("list", 1, 2))),
        ('{"a": 1, "b": c}["a"]', ("[]", ("map", ("a", 1), ("b", "$c")), "a")),
        ("a.b[0].c", (".", ("[]", (".", "$a", "b"), 0), "c")),
        ("has(a.b.c)", ("has", (".", "$a", "b"), "c")),
        ("a.all(x, x > 1)", ("all", "x", "$a", (">", "$x", 1))),
        ("size(a) + a.size()", ("+", ("size", "$a"), ("size", "$a"))),
        ("a.package // the rest is a remark", (".", "$a", "package")),
        ("a\n  .b", (".", "$a", "b")),
    ],
)
def test_a_text_becomes_the_tree_that_cel_makes_of_it(text: str, expected: Any) -> None:
    """Strength and direction of the operators are CEL's; a row of && or || is one node."""
    assert shape(parse(text)) == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("0x1F", 31),
        ("-9223372036854775808", -(2**63)),
        ("9223372036854775807", 2**63 - 1),
        ("0.10", Decimal("0.10")),
        (".5", Decimal("0.5")),
        ("1e3", Decimal(1000)),
        ("-1.5E-2", Decimal("-0.015")),
        ("1234567890.123456789012345678901234", Decimal("1234567890.123456789012345678901234")),
        ("-1234567890.123456789012345678901234", Decimal("-1234567890.123456789012345678901234")),
        ("true", True),
        ("false", False),
        ("null", None),
        ("'a\"b'", 'a"b'),
        (r'"\n\t\\\"\x41\u017c\U0001F600\101\?\`"', '\n\t\\"Aż😀A?`'),
        (r"r'\d+\n'", r"\d+\n"),
        ('R"\\"', "\\"),
        ('"""a\n"b" c"""', 'a\n"b" c'),
        ("'''it's'''", "it's"),
        ('""', ""),
    ],
)
def test_a_literal_has_exactly_the_value_that_is_written(text: str, value: Any) -> None:
    """No digit is lost, and a whole number is no decimal."""
    node = parse(text)
    assert isinstance(node, Literal)
    assert (node.value, type(node.value)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "offset", "said"),
    [
        ("", 0, "empty"),
        ("  // nothing", 0, "empty"),
        ("amount >", 8, "ends too early"),
        ("amount > 1 and b", 11, "did you mean &&?"),
        ("not a", 0, "did you mean !?"),
        ("!(a or b)", 4, "did you mean ||?"),
        ("a == True", 5, "did you mean true?"),
        ("a = 1", 2, "did you mean ==?"),
        ("a & b", 2, "did you mean &&?"),
        ("a == \u2018x\u2019", 5, "straight quote"),
        ("a \u2265 1", 2, "did you mean >=?"),
        ("1 < a < 3", 6, "cannot be chained"),
        ("a == b == c", 7, "cannot be chained"),
        ("(a", 2, "expected )"),
        ("a)", 1, "an operator or the end"),
        ("a.", 2, "name of a field"),
        ("a.1", 1, "unexpected '.1'"),
        ("a.in", 2, "name of a field"),
        ("[1, 2", 5, "expected ]"),
        ("size(a,)", 7, "one more operand"),
        ("a ? b", 5, "expected :"),
        ("has(a)", 0, "has() takes one field"),
        ("a.all(1, b)", 2, "a variable and a condition"),
        ("a.exists(x)", 2, "a variable and a condition"),
        ("{1: 2}", 1, "must be a text"),
        ('{"a": 1, "a": 2}', 9, "stands twice"),
        ("if(a)", 0, "unexpected 'if'"),
        ("'abc", 0, "not closed"),
        ("'a\nb'", 0, "not closed"),
        (r"'\q'", 1, "unknown escape"),
        (r"'\ud800'", 1, "no character"),
        (r"'\U00110000'", 1, "no character"),
        ("b'a'", 0, "bytes are not in the subset"),
        ("5u", 0, "unsigned"),
        ("10k", 2, "cannot be followed"),
        ("9223372036854775808", 0, "64 bits"),
        ("-9223372036854775809", 1, "64 bits"),
        ("9" * 100, 0, "64 bits"),
        ("0." + "1" * 40, 0, "34 digits"),
        ("1e7000", 0, "34 digits"),
        ("a\x00", 1, "unexpected character"),
        ("żółw > 1", 0, "unexpected character"),
        ("a; b", 1, "unexpected character"),
        (".a", 0, "a value, a name or ("),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_was_expected(text: str, offset: int, said: str) -> None:
    """The error points at the character and says something that helps."""
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert caught.value.offset == offset
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 33 + "a" + ")" * 33,
        "!" * 40 + "a",
        "-" * 40 + "a",
        "a" + ".b" * 40,
        "+".join("a" * 40),
        "[" * 2000,
        "a ? b : " * 40 + "c",
        " || ".join(["a"] * 700) + " || " + " || ".join(["b"] * 298) + " || c.d",
        "a" * 4001,
        "a.all(x," * 33 + "x" + ")" * 33,
    ],
)
def test_what_is_too_large_is_refused_before_it_is_worked_on(text: str) -> None:
    """Depth, size and length have caps, and going beyond them is an ordinary error."""
    with pytest.raises(ExpressionError, match=r"nested more than|more than 1000 parts|characters long"):
        parse(text)


@pytest.mark.parametrize(
    "text",
    ["(" * 31 + "a" + ")" * 31, "a" + ".b" * 30, "||".join(["a"] * 990), "'" + "a" * 3998 + "'"],
)
def test_what_is_just_small_enough_is_taken(text: str) -> None:
    """The twin of the test above."""
    assert isinstance(parse(text), Node)


def test_every_node_knows_its_place_in_the_text() -> None:
    """The text between a node's places is that node's."""
    text = 'size(args.items) > 3 && !(amount in [1, 2]) || args.to.startsWith("a")'
    found = {text[node.offset : node.end] for node, _ in walk(parse(text))}
    assert {"size(args.items)", "args.items", "amount in [1, 2]", 'args.to.startsWith("a")', text} <= found


def test_a_tree_tells_its_names_and_paths() -> None:
    """The root names are those read from outside; a path is names from the root."""
    root = parse("args.to.x == customer.email || size(args.to) > 1")
    assert names_of(root) == {"args", "customer"}
    paths = {path_of(node) for node, _ in walk(root)} - {None}
    assert {("args",), ("args", "to", "x"), ("customer", "email")} <= paths
