"""The rules that the contestants of ``decide`` are given: the shapes are what their names say."""

from __future__ import annotations

from collections import Counter

from benchmarks.rules import ASKS, LEAST, MIX, PASSES, SHAPES, Kind, shape


def test_every_shape_has_as_many_rules_and_tools_as_its_name_says() -> None:
    for make in SHAPES:
        rules = make()
        count = int(rules.name.split()[0].replace(",", ""))
        tools = 100 if "100 tools" in rules.name else 1
        assert (len(rules.rules), len(rules.tools)) == (count, tools), rules.name


def test_the_mix_holds_every_kind_of_rule_about_equally_often() -> None:
    kinds = Counter(rule.kind for rule in shape("", 99).rules)
    assert kinds == dict.fromkeys(MIX, 33)


def test_rules_spread_over_tools_are_found_by_tool() -> None:
    rules = shape("", 1_000, tools=100)
    assert all(len(rules.of(tool)) == 10 for tool in rules.tools)


def test_ids_are_unique_so_that_each_contestant_can_name_its_rule() -> None:
    rules = shape("", 1_000, tools=100).rules
    assert len({rule.id for rule in rules}) == 1_000


def test_a_rule_with_an_equality_says_it_before_its_condition() -> None:
    rule = shape("", 10, kinds=(Kind.AMOUNT,), regions=True).rules[3]
    assert rule.expression == f'args.region == "r3" && amount >= {LEAST + 30}'


def test_one_action_is_below_every_limit_and_the_other_reaches_just_the_first() -> None:
    limits = [rule.limit for rule in shape("", 1_000).rules if rule.kind is not Kind.FACT]
    assert PASSES.amount < min(limits) == ASKS.amount
