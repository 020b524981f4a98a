"""`models:`, `dollar:` and `loops:`: which models may be called at which price, and what holds a session."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.policy.compile import CompiledPolicy, compile_policy
from handrail.policy.diff.changes import diff
from handrail.policy.load import load
from handrail.policy.model import LoopPolicy
from handrail.policy.model_patterns import matcher, overlap
from handrail.words.errors import PolicyError
from handrail.words.model_price import ModelPrice
from handrail.words.verdict import Charge
from tests.unit.policy.reading import problems, told

TOP = "handrail: 1\nagents: {support: {may: [x]}, clerk: {may: [x]}}\n"
NOON = 1_793_790_000_000
MIDNIGHT = 1_793_750_400_000
NAMES = {"agent": "support", "task": "t-1", "session": {"id": "s-2", "root": "s-1"}}


def compiled(body: str) -> CompiledPolicy:
    return compile_policy(load(TOP + body))


@pytest.mark.parametrize(
    ("agent", "model", "allowed"),
    [
        ("support", "gpt-5-mini", True),
        ("clerk", "gpt-5-mini", False),
        ("clerk", "gpt-4o", True),
        ("support", "gpt-4o", True),
        ("support", "o3", False),
        ("support", "GPT-4o", False),
    ],
)
def test_the_first_pattern_that_matches_decides_for_every_agent(
    agent: str, model: str, *, allowed: bool
) -> None:
    rules = compiled('models: {"openai:gpt-5*": {agents: support}, "openai:gpt-*": {}}').models
    assert (rules.permits(agent, "openai", model) is None) is allowed


def test_why_a_model_may_not_be_called_names_the_model_and_who_may() -> None:
    rules = compiled('models: {"openai:gpt-5*": {agents: [support]}}').models
    assert rules.permits("clerk", "openai", "gpt-5") == (
        "The policy does not let clerk call the model openai:gpt-5: only support."
    )
    assert rules.permits("support", "openai", "o3") == (
        "The policy lets no agent call the model openai:o3: no line of `models` names it."
    )


def test_an_agent_that_the_policy_does_not_know_may_call_no_model() -> None:
    rules = compiled('models: {"*:*": {}}').models
    assert rules.permits("ghost", "openai", "gpt-5") == (
        "The policy does not know the agent 'ghost': it may call no model."
    )
    assert rules.permits("clerk", "openai", "gpt-5") is None


def test_without_the_section_no_model_may_be_called() -> None:
    assert compiled("").models.permits("support", "openai", "gpt-5") is not None


def test_a_price_of_the_policy_goes_before_any_list_and_is_exact() -> None:
    rules = compiled('models: {"local:llama3.3:70b": {price: {input: 0.10, output: 0.40}}, "a:*": {}}').models
    assert rules.price("local", "llama3.3:70b") == ModelPrice(Decimal("0.10"), Decimal("0.40"))
    assert (rules.price("a", "x"), rules.price("b", "x")) == (None, None)


@pytest.mark.parametrize(
    ("text", "dollar"),
    [
        ("", Decimal(1)),
        ("currency: USD\n", Decimal(1)),
        ("currency: PLN\n", None),
        ("currency: EUR\ndollar: 0.93\n", Decimal("0.93")),
    ],
)
def test_what_a_dollar_costs_is_known_in_dollars_and_else_must_be_said(
    text: str, dollar: Decimal | None
) -> None:
    rules = compiled(text).models
    assert rules.dollar == dollar


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("models: [a]\n", "3:9 a list stands here"),
        ("models: {gpt-5: {}}\n", "3:10 'gpt-5' is not a model"),
        ('models: {"openai: gpt": {}}\n', "3:10 'openai: gpt' is not a model"),
        (
            'models: {"openai:*": {}, "openai:gpt-5*": {}}\n',
            "3:26 'openai:gpt-5*' is never reached: 'openai:*' in line 3 covers it",
        ),
        ('models: {"o:x": {agent: support}}\n', "3:18 unknown word 'agent' in a model"),
        ('models: {"o:x": {agents: suport}}\n', "3:26 no agent is named 'suport'"),
        ('models: {"o:x": {agents: []}}\n', "3:26 an empty list names no agent"),
        ('models: {"o:x": {price: {}}}\n', "3:25 a price without numbers"),
        ('models: {"o:x": {price: {input: -1}}}\n', "3:33 -1 is negative"),
        ('models: {"o:x": {price: {input: free}}}\n', "3:33 'free' stands here"),
        ('models: {"o:x": {price: {inputs: 1}}}\n', "3:26 unknown word 'inputs' in a price"),
        ("dollar: 0.93\n", "3:1 the policy counts in dollars already"),
        ("currency: EUR\ndollar: 0\n", "4:9 a dollar for nothing would make every model free"),
        ("loops: {same_call: 0}\n", "3:20 '0' stands here"),
        ("loops: {same_call: never}\n", "3:20 'never' stands here"),
        ("loops: {same_calls: 3}\n", "3:9 unknown word 'same_calls' in loops"),
        ("loops: {depth: 1.5}\n", "3:16 '1.5' stands here"),
        ("loops: {depth: 1000001}\n", "3:16 '1000001' stands here"),
        ("loops: {within: 10}\n", "3:17 '10' is no duration"),
        ("loops: {within: off}\n", "3:17 'off' is no duration"),
    ],
)
def test_a_mistake_is_told_at_its_place(body: str, expected: str) -> None:
    assert told(TOP + body) == [expected]


def test_a_mistyped_word_gets_the_nearest_one() -> None:
    assert problems(TOP + 'models: {"o:x": {price: {inputs: 1}}}\n')[0].nearest == "input"
    assert problems(TOP + "loops: {same_calls: 3}\n")[0].nearest == "same_call"
    assert problems(TOP + 'models: {"o:x": {agents: suport}}\n')[0].nearest == "support"


def test_the_loop_breaker_works_without_a_section_and_each_limit_can_be_off() -> None:
    usual = LoopPolicy()
    assert compiled("").loops == usual
    said = compiled("loops: {same_call: 3, same_error: off, depth: 1, within: 1 h}").loops
    assert said == LoopPolicy(3, None, usual.calls_per_minute, 1, 3_600_000)


@pytest.mark.parametrize(
    ("body", "agent", "model", "counted"),
    [
        ("{id: b, cost: 5, per: day}", "clerk", "openai:gpt-5", True),
        ("{id: b, tokens: 5, per: day}", "clerk", "openai:gpt-5", True),
        ("{id: b, actions: 5, per: day}", "clerk", "openai:gpt-5", False),
        ("{id: b, cost: 5, per: day, agents: support}", "clerk", "openai:gpt-5", False),
        ("{id: b, cost: 5, per: day, agents: support}", "support", "openai:gpt-5", True),
        ('{id: b, cost: 5, per: day, models: "openai:gpt-*"}', "support", "openai:gpt-5", True),
        ('{id: b, cost: 5, per: day, models: "openai:gpt-*"}', "support", "openai:o3", False),
        ("{id: b, cost: 5, per: day, tools: x}", "support", "openai:gpt-5", False),
        ('{id: b, cost: 5, per: day, tools: x, models: "openai:*"}', "support", "openai:gpt-5", True),
    ],
)
def test_a_call_counts_against_every_budget_that_covers_it(
    body: str, agent: str, model: str, *, counted: bool
) -> None:
    tool = "tools: {x: {cost: 0.5}}\n"
    rules = compiled(f'{tool}models: {{"openai:*": {{}}}}\nbudgets: [{body}]\n').models
    assert bool(rules.budgets(agent, *model.split(":"))) is counted


def test_a_call_is_charged_in_the_scope_that_its_names_give() -> None:
    text = "{id: b, cost: 5, per: %s, each: agent, alert_at: [50%%]}"
    head = 'models: {"openai:*": {}}\nbudgets: ['
    for per, scope, window in (
        ("day", '["each","support"]', MIDNIGHT),
        ("task", '["task","t-1","each","support"]', 0),
        ("session", '["session","s-1","each","support"]', 0),
    ):
        (budget,) = compiled(f"{head}{text % per}]\n").models.budgets("support", "openai", "gpt-5")
        assert budget.charge(NAMES, NOON, 7) == Charge(
            "b", scope, window, 7, 5_000_000_000, "cost", soft=False, alert_at=(50,)
        )


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("openai:gpt-5*", "openai:gpt-5-mini", True),
        ("openai:gpt-5*", "openai:gpt-5", True),
        ("openai:gpt-5", "openai:gpt-5-mini", False),
        ("openai:gpt.5", "openai:gpt-5", False),
        ("*:*", "local:a/b:c", True),
        ("openrouter:meta/*", "openrouter:meta/llama/3", True),
        ("openai:*", f"openai:{'x' * 300}", False),
    ],
)
def test_a_star_is_any_text_and_all_else_is_itself(pattern: str, name: str, *, fits: bool) -> None:
    assert matcher(pattern)(name) is fits


TEXTS = st.text("ab*", max_size=6)


@given(TEXTS, TEXTS, st.text("ab", max_size=6))
def test_patterns_that_share_a_name_overlap(one: str, other: str, name: str) -> None:
    if matcher(one)(name) and matcher(other)(name):
        assert overlap(one, other)
        assert overlap(other, one)


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [("a*", "*b", True), ("a*", "b*", False), ("a", "a", True), ("a", "ab", False), ("*a*", "b*c", True)],
)
def test_patterns_overlap_when_some_name_fits_both(one: str, other: str, *, meet: bool) -> None:
    assert overlap(one, other) is meet


def test_windows_of_model_budgets_are_those_of_the_policys_zone() -> None:
    text = 'timezone: Asia/Kathmandu\nmodels: {"o:*": {}}\nbudgets: [{id: b, cost: 1, per: day}]\n'
    (budget,) = compiled(text).models.budgets("support", "o", "x")
    assert "00:00 (Asia/Kathmandu)" in budget.renews(NOON)


@pytest.mark.parametrize(
    ("said", "required"), [("", False), ("sessions: optional, ", False), ("sessions: required, ", True)]
)
def test_sessions_are_required_where_the_policy_says_so(said: str, *, required: bool) -> None:
    rules = compiled(f'models: {{{said}"openai:gpt-5": {{}}}}').models
    assert rules.sessions_required is required
    assert rules.permits("support", "openai", "gpt-5") is None


@pytest.mark.parametrize("said", ["sessions: yes please", "sessions: {}", "session: required"])
def test_another_word_than_required_or_optional_is_an_error(said: str) -> None:
    with pytest.raises(PolicyError):
        load(TOP + f'models: {{{said}, "openai:gpt-5": {{}}}}')


def test_letting_sessions_be_left_out_widens() -> None:
    without, required = (
        load(TOP + f'models: {{{said}"a:b": {{}}}}') for said in ("", "sessions: required, ")
    )
    assert [each.widens for each in diff(required, without)] == [True]
    assert [each.widens for each in diff(without, required)] == [False]
