"""Many rules in one code object: which are named, in which order, and that text never becomes code."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from handrail.policy.expressions import DYN, NUMBER, Environment, expression, fuse
from handrail.policy.expressions.compiled import Expression
from handrail.policy.expressions.index import bound_of, needs_of, plan_of
from handrail.words.fact import Failed

ENVIRONMENT = Environment({"args": DYN, "amount": NUMBER, "customer": DYN, "does": DYN})


def rules(*texts: str) -> list[Expression]:
    return [expression(text, ENVIRONMENT) for text in texts]


def test_only_what_is_not_false_is_named() -> None:
    """True, false and no answer: two of three are named, with the reason."""
    found = fuse(rules("amount > 1", "amount > 100", "customer.tier == 'vip'"))({"amount": Decimal(5)})
    assert found == [(0, None), (2, "customer is not known here")]


def test_nothing_to_say_is_an_empty_list() -> None:
    """Rules that are all false, and no rules at all."""
    assert fuse(rules("amount > 1", "amount < 0"))({"amount": 1}) == []
    assert fuse([])({}) == []


BY_TEXT = [f'args.region == "r{i % 8}" && amount > {i}' for i in range(40)] + ["amount > 5"]


@pytest.mark.parametrize(
    ("region", "named"),
    [
        ({"region": "r3"}, [3, 11, 19, 40]),
        ({"region": "r9"}, [40]),
        ({"region": None}, [40]),
        ({}, [*range(20), 40]),
        ({"region": 3}, [*range(20), 40]),
        ({"region": ["r3"]}, [*range(20), 40]),
        ({"region": {"r3": 1}}, [*range(20), 40]),
    ],
)
def test_rules_behind_a_text_fire_when_it_matches_or_cannot_be_told(
    region: dict[str, Any], named: list[int]
) -> None:
    """A missing or wrong text makes every rule of its group speak, unless the rest of it is false."""
    found = fuse(rules(*BY_TEXT))({"args": region, "amount": 20})
    assert [place for place, _ in found] == named
    assert all(why is None for place, why in found if place == 40 or region.get("region") == "r3")


def test_a_failed_root_makes_all_rules_behind_it_speak() -> None:
    """An index on a fact that could not be had hides none of its rules."""
    texts = [f'customer.tier == "t{i}"' for i in range(20)]
    found = fuse(rules(*texts))({"customer": Failed("down")})
    assert found == [(place, "customer could not be had: down") for place in range(20)]
    assert fuse(rules(*texts))({"customer": {"tier": "t7"}}) == [(7, None)]


BY_LIMIT = [f"amount > {i}" for i in range(100)] + [f"{i} >= amount" for i in range(100)]


@pytest.mark.parametrize("amount", [-1, 0, 50, Decimal("50.5"), 99, 100, 1000])
def test_rules_behind_a_limit_fire_exactly_beyond_it(amount: int | Decimal) -> None:
    """Each of two hundred limits counts, on both sides and at the limit itself."""
    expected = [i for i in range(100) if amount > i] + [100 + i for i in range(100) if i >= amount]
    assert fuse(rules(*BY_LIMIT))({"amount": amount}) == [(place, None) for place in expected]


@pytest.mark.parametrize("amount", [None, "50", True, Decimal("NaN"), 2**64, 1.5])
def test_rules_behind_a_limit_all_speak_when_there_is_no_number(amount: Any) -> None:
    """Null, text, NaN, a float: two hundred reasons, no silence."""
    found = fuse(rules(*BY_LIMIT))({"amount": amount})
    assert [place for place, _ in found] == list(range(200))
    assert all(found[place][1] for place in range(200))


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ('args.a == "x"', {("args", "a"): {"x"}}),
        ('"x" == args.a', {("args", "a"): {"x"}}),
        ('args.a in ["x", "y"]', {("args", "a"): {"x", "y"}}),
        ('args.a == "x" && amount > 1', {("args", "a"): {"x"}}),
        ('args.a == "x" || args.a == "y"', {("args", "a"): {"x", "y"}}),
        ('args.a in ["x", "y"] && args.a == "x"', {("args", "a"): {"x"}}),
        ('args.a == "x" && does == "pay"', {("args", "a"): {"x"}, ("does",): {"pay"}}),
        ('args.a == "x" || amount > 1', {}),
        ('args.a == "x" || args.b == "x"', {}),
        ('!(args.a == "x")', {}),
        ('args.a != "x"', {}),
        ("args.a == 1", {}),
        ("args.a in [null]", {}),
        ('args.a == "x" ? true : false', {}),
        ('[1].exists(v, args.a == "x")', {}),
    ],
)
def test_what_a_rule_needs_is_read_off_its_tree(text: str, needs: dict[tuple[str, ...], set[str]]) -> None:
    """Only where another text makes the whole false."""
    assert needs_of(expression(text, ENVIRONMENT).node) == needs


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("amount > 5", (True, 5)),
        ("amount >= 5", (True, 5)),
        ("5 < amount", (True, 5)),
        ("amount < 5", (False, 5)),
        ("5 >= amount", (False, 5)),
        ("amount > 5 && args.b", (True, 5)),
        ("amount > 5 || amount > 3", (True, 3)),
        ("amount < 5 || amount < 3", (False, 5)),
        ("amount > 5 || amount < 3", None),
        ("amount > 5 || args.b", None),
        ("!(amount > 5)", None),
        ("amount != 5", None),
        ("amount + 1 > 5", None),
        ('args.a > "x"', None),
    ],
)
def test_the_limit_of_a_rule_is_read_off_its_tree(text: str, bound: tuple[bool, int] | None) -> None:
    """Only where a number on the wrong side makes the whole false."""
    found = bound_of(expression(text, ENVIRONMENT).node)
    assert (None if found is None else (found.lower, found.limit)) == bound


def test_every_rule_has_exactly_one_place_in_the_plan() -> None:
    """Always looked at, or in one group: none twice, none forgotten."""
    texts = [*BY_TEXT, *BY_LIMIT, 'does in ["a", "b"]', 'does in ["b", "c"]', 'does == "a"', 'does == "d"']
    plan = plan_of([each.node for each in rules(*texts)])
    placed = [*plan.always, *(place for group in plan.groups for place in group)]
    assert sorted(placed) == list(range(len(texts)))
    assert plan.texts
    assert len(plan.ranges) == 2


NASTY = [
    '"); import os; os.abort() #',
    "__import__('os')",
    "names",
    "{names}",
    "%s",
    "\\",
    "\n",
    "'''",
    "\x00",
    "ż",
]


@pytest.mark.parametrize("text", NASTY)
def test_no_text_of_an_expression_becomes_code(text: str) -> None:
    """Texts, field names and patterns that look like code are only compared."""
    written = "".join(f"\\U{ord(each):08x}" for each in text)
    found = rules(
        f'args["{written}"] == "{written}"', f'"{written}" in args', f'args["{written}"] in ["{written}"]'
    )
    many = fuse(found * 3)
    assert many({"args": {text: text}}) == [(place, None) for place in range(9)]
    assert not [place for place, why in many({"args": {"other": "x"}}) if why is None]


def test_names_of_python_are_only_names() -> None:
    """A fact called like a Python word, helper or generated variable is looked up among the values."""
    words = [
        "out",
        "get",
        "put",
        "names",
        "exact",
        "p0",
        "k0",
        "MISSING",
        "lambda",
        "type",
        "Exception",
        "class",
    ]
    environment = Environment(dict.fromkeys(words, DYN))
    found = fuse([expression(f"{word}.lambda == 1", environment) for word in words])
    assert found({word: {"lambda": 1} for word in words}) == [(place, None) for place in range(len(words))]
