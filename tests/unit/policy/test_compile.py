"""The compiled policy: what the file alone must satisfy, and what a tool must satisfy when it is bound."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from handrail.policy.binding import binding
from handrail.policy.compile import CompiledPolicy, compile_policy
from handrail.policy.load import load
from handrail.policy.model import Text
from handrail.words.errors import PolicyError

DATA = Path(__file__).parents[2] / "data"
HEAD = """handrail: 1
agents: {support: {may: [pay, look]}, clerk: {may: [look]}}
tools:
  pay: {does: pay, amount: args.amount}
  look: {does: read}
facts: {customer: {python: "shop:customer", with: {id: args.customer}}}
approvers: {leads: {people: [a@example.com], need: 1, answer_within: 4 h, if_no_answer: reject}}
"""
PAY = {
    "type": "object",
    "properties": {
        "amount": {"type": "number"},
        "customer": {"type": "string"},
        "kind": {"enum": ["small", "large"]},
        "note": {"type": "string"},
    },
    "additionalProperties": False,
}


def compiled(body: str = "", head: str = HEAD) -> CompiledPolicy:
    return compile_policy(load(head + body))


def problems_of(body: str, schema: object = PAY, tool: str = "pay", head: str = HEAD) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        compiled(body, head).bind(binding(tool, schema))  # type: ignore[arg-type]
    return [str(problem) for problem in caught.value.problems]


def test_binding_gives_a_new_policy_and_leaves_the_old_one_alone() -> None:
    before = compiled()
    after = before.bind(binding("pay", PAY))
    assert (list(before.bound), list(after.bound)) == ([], ["pay"])
    assert (dict(before.access), list(after.access["support"])) == ({}, ["pay"])
    assert "clerk" not in after.access
    assert after.digest == before.digest == before.policy.digest


def test_binding_anew_replaces_the_tool() -> None:
    once = compiled().bind(binding("pay", PAY))
    twice = once.bind(binding("pay", {**PAY, "title": "new"}))
    assert once.bound["pay"].binding.digest != twice.bound["pay"].binding.digest
    assert twice.access["support"]["pay"].tool is twice.bound["pay"]


def test_a_binding_has_one_digest_however_its_keys_are_ordered() -> None:
    turned = dict(reversed(PAY.items()))
    assert binding("pay", PAY).digest == binding("pay", turned).digest
    assert binding("pay", PAY).digest != binding("pay2", PAY).digest
    assert binding("pay", PAY).digest != binding("pay", {**PAY, "minProperties": 1}).digest


@pytest.mark.parametrize("schema", [{"default": float("nan")}, {"default": object()}])
def test_a_schema_that_is_not_json_can_not_be_bound(schema: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="JSON"):
        binding("pay", schema)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("rules: [{id: r, tools: pay, when: args.nte == 'x', deny: no}]", "nte"),
        ("rules: [{id: r, tools: pay, when: args.note > 5, deny: no}]", "pay: "),
        ("rules: [{id: r, tools: pay, when: args.kind == 'huge', deny: no}]", "huge"),
        ("rules: [{id: r, tools: '*', when: args.nte == 'x', ask: leads}]", "nte"),
        ("preapproved: [{id: r, tools: pay, when: args.nte == 'x'}]", "nte"),
        ("checks: {c: {tools: pay, in: args.amount, phrases: [x], if_not_ok: ask}}", "string"),
        ("checks: {c: {tools: pay, when: args.nte == 'x', if_not_ok: ask}}", "nte"),
        ("budgets: [{id: b, tools: pay, actions: 5, per: day, each: args.customr}]", "customr"),
    ],
)
def test_a_mismatch_with_the_schema_is_found_when_the_tool_is_bound_with_its_place(
    body: str, says: str
) -> None:
    compiled(body)
    (problem,) = problems_of(body)
    assert problem.startswith("handrail.yaml:8:")
    assert says in problem
    assert "pay: " in problem


def test_an_amount_that_the_schema_does_not_have_is_found() -> None:
    (problem,) = problems_of("", {**PAY, "properties": {"sum": {"type": "number"}}})
    assert "amount" in problem
    (of_text,) = problems_of("", {**PAY, "properties": {"amount": {"type": "string"}}})
    assert "number" in of_text


def test_what_a_fact_is_given_is_checked_for_the_tools_that_use_it() -> None:
    schema = {**PAY, "properties": {"amount": {"type": "number"}}}
    body = "rules: [{id: r, tools: pay, when: customer.tier == 'vip', ask: leads}]"
    assert "customer" in problems_of(body, schema)[0]
    assert compiled().bind(binding("pay", schema)).bound["pay"].names["tool"] == "pay"


@pytest.mark.parametrize(
    ("allowed", "says"),
    [
        ("{nte: x}", "no argument 'nte'"),
        ("{amount: 'x*'}", "can never be 'x*'"),
        ("{amount: true}", "can never be True"),
        ("{kind: huge}", "can never be 'huge'"),
        ("{note: 7}", "can never be 7"),
    ],
)
def test_an_allowlist_must_fit_the_schema(allowed: str, says: str) -> None:
    head = HEAD.replace("[pay, look]", f"[{{pay: {allowed}}}, look]")
    assert says in problems_of("", head=head)[0]


@pytest.mark.parametrize("allowed", ["{kind: small}", "{note: 'x*'}", "{amount: 7}"])
def test_an_allowlist_that_fits_is_bound(allowed: str) -> None:
    head = HEAD.replace("[pay, look]", f"[{{pay: {allowed}}}, look]")
    assert len(compiled(head=head).bind(binding("pay", PAY)).access["support"]["pay"].allowed) == 1


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array"},
        {"type": "object", "properties": {"amount": {"type": "nmber"}}},
        {"type": "object", "properties": {"amount": {"$ref": "https://example.com/amount.json"}}},
        {"type": "object", "properties": {"amount": {"type": "number"}, "note": {"pattern": "("}}},
    ],
)
def test_a_schema_that_can_not_be_used_is_refused(schema: object) -> None:
    assert any("pay: the schema of its arguments" in problem for problem in problems_of("", schema))


def test_all_problems_of_a_tool_are_told_at_once() -> None:
    body = """rules:
  - {id: a, tools: pay, when: args.x == 'x', deny: no}
  - {id: b, tools: pay, when: args.y == 'y', deny: no}
"""
    assert [problem.split(": ")[0] for problem in problems_of(body)] == [
        "handrail.yaml:9:36",
        "handrail.yaml:10:36",
    ]


@pytest.mark.parametrize(
    ("when", "says"),
    [
        ("confidence > 0.9", "'confidence' is what the agent says"),
        ("task == 'ticket-1'", "'task' is what the agent says"),
        ("session.id == 's'", "'session' is what the agent says"),
        ("ticket.kind == 'small'", "the fact 'ticket' is chosen by what the agent says"),
    ],
)
def test_what_the_agent_says_can_not_preapprove(when: str, says: str) -> None:
    head = HEAD.replace("facts: {", "facts: {ticket: {python: 'desk:ticket', with: {id: task}}, ")
    body = f'preapproved: [{{id: p, tools: pay, when: "{when}"}}]'
    with pytest.raises(PolicyError, match=says):
        compiled(body, head)
    compiled("preapproved: [{id: p, tools: pay, when: customer.tier == 'vip'}]", head)


def test_a_rule_on_an_amount_is_only_for_tools_that_have_one() -> None:
    with pytest.raises(PolicyError, match="look has no amount"):
        compiled("rules: [{id: r, tools: '*', when: amount > 5, ask: leads}]")
    compiled("rules: [{id: r, tools: pay, when: amount > 5, ask: leads}]")


def test_a_policy_that_was_changed_after_it_was_loaded_is_checked_again() -> None:
    policy = load(HEAD + "rules: [{id: r, tools: pay, when: amount > 5, deny: no}]")
    (rule,) = policy.rules
    broken = replace(rule, when=Text("amont > 5", rule.when.place))
    with pytest.raises(PolicyError, match="amont"):
        compile_policy(replace(policy, rules=(broken,)))
    with pytest.raises(PolicyError, match="no time zone"):
        compile_policy(replace(policy, timezone="Europe/Nowhere"))
    assert compile_policy(policy).digest == policy.digest


def test_checks_that_can_not_be_made_are_problems_of_the_file() -> None:
    with pytest.raises(PolicyError, match="nothing to look for"):
        compiled('checks: {c: {tools: pay, in: args.note, phrases: ["\\u0301"], if_not_ok: ask}}')
    compiled("checks: {c: {tools: pay, in: args.note, phrases: [x], if_not_ok: ask}}")


def test_a_glob_that_can_never_match_is_a_problem_of_the_file() -> None:
    head = HEAD.replace("[pay, look]", "[{pay: {note: 'a//*'}}, look]")
    with pytest.raises(PolicyError, match="can never match"):
        compiled(head=head)


def test_the_designs_policy_compiles_and_its_tools_bind() -> None:
    text = (DATA / "design-policy.yaml").read_text("utf-8")
    policy = compile_policy(load(text, resolve=lambda name: (DATA / name).read_text("utf-8")))
    offer = {"to": {"type": "string"}, "body": {"type": "string"}, "deal_value": {"type": "number"}}
    schema = {"type": "object", "properties": {**offer, "customer_id": {"type": "integer"}, "terms": {}}}
    bound = policy.bind(binding("send_offer", schema)).access["support"]["send_offer"]
    assert {fact.name for fact in bound.facts} == {"customer", "ticket"}
    assert {budget.id for budget in bound.budgets} == {"mails"}
    assert len(bound.tool.checks) == 3
