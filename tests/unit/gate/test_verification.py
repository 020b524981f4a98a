"""Coded checks: what each kind finds, what it does when it can't tell, and what it says."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from handrail.policy.binding import binding
from handrail.policy.compile import compile_policy
from handrail.policy.load import load
from handrail.words.verdict import Decision, Outcome, Verdict
from tests.unit.gate.cases import facts_of, proposal_of, verdict

HEAD = """
handrail: 1
agents: {support: {may: [mail]}}
tools: {mail: {does: send, starts: bounded, at_most: bounded}}
approvers: {leads: {people: [lead@example.com], need: 1, answer_within: 4 h, if_no_answer: reject}}
"""
TERMS = '{"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]}'


def checked(check: str, args: Mapping[str, object]) -> Verdict:
    text = f"{HEAD}checks: {{c: {{tools: mail, {check}}}}}\n"
    policy = compile_policy(load(text, resolve=lambda _: TERMS)).bind(binding("mail", {"type": "object"}))
    return verdict(policy, proposal_of(policy, "mail", **args), facts_of())


PHRASES = 'in: args.body, phrases: ["limited time", "100% guarantee", "za darmo!"], if_not_ok: deny'
REGEX = r"in: args.body, regex: '\b[0-9]{16}\b', if_not_ok: deny"
SCHEMA = "in: args.terms, schema: terms.json, if_not_ok: deny"
WHEN = "when: 'args.to.endsWith(\"@example.com\")', if_not_ok: deny"


@pytest.mark.parametrize(
    ("check", "args", "says"),
    [
        (PHRASES, {"body": "A limited time offer"}, "'limited time'"),
        (PHRASES, {"body": "A LIMITED-TIME offer"}, "'limited time'"),
        (PHRASES, {"body": "lіmited\u00a0tіme"}, "'limited time'"),
        (PHRASES, {"body": "100% Guarantee"}, "'100% guarantee'"),
        (PHRASES, {"body": "Teraz ZA DARMO!"}, "'za darmo!'"),
        (REGEX, {"body": "card 4111111111111111 ok"}, "pattern"),
        (SCHEMA, {"terms": {"days": "ten"}}, "days: the value is not of type"),
        (SCHEMA, {"terms": {}}, "days"),
        (SCHEMA, {"terms": None}, "object"),
        (WHEN, {"to": "eve@evil.com"}, 'not (args.to.endsWith("@example.com"))'),
    ],
)
def test_what_is_not_ok_is_denied_with_what_was_found(
    check: str, args: Mapping[str, object], says: str
) -> None:
    found = checked(check, args)
    assert found.decision is Decision.DENY
    assert found.steps[-1].name == "check:c"
    assert says in found.reasons[0]


@pytest.mark.parametrize(
    ("check", "args"),
    [
        (PHRASES, {"body": "An offer of unlimited timeliness, guaranteed"}),
        (REGEX, {"body": "order 41111111111111112"}),
        (SCHEMA, {"terms": {"days": 10}}),
        (WHEN, {"to": "ann@example.com"}),
    ],
)
def test_what_is_ok_passes_and_the_check_is_named(check: str, args: Mapping[str, object]) -> None:
    found = checked(check, args)
    assert found.decision is Decision.ALLOW
    assert ("check:c", Outcome.PASS) in {(step.name, step.outcome) for step in found.steps}


@pytest.mark.parametrize("check", [PHRASES, REGEX, SCHEMA, WHEN])
@pytest.mark.parametrize(
    ("on_error", "decision"), [("", "ask"), (", on_error: ask", "ask"), (", on_error: deny", "deny")]
)
def test_a_check_that_can_not_tell_does_what_on_error_says(check: str, on_error: str, decision: str) -> None:
    found = checked(check + on_error, {})
    assert found.decision == decision
    assert "can't tell" in found.reasons[0]


@pytest.mark.parametrize("check", [PHRASES, REGEX])
@pytest.mark.parametrize("body", [None, 7, ["limited time"], {"text": "limited time"}, "limited \ud800 time"])
def test_what_is_not_text_can_not_be_told(check: str, body: object) -> None:
    assert checked(check, {"body": body}).decision is Decision.ASK
    assert checked(f"{check}, on_error: deny", {"body": body}).decision is Decision.DENY
    assert checked(check, {"body": "fine"}).decision is Decision.ALLOW


def test_a_check_that_asks_asks_its_group() -> None:
    found = checked(PHRASES.replace("deny", "{ask: leads}"), {"body": "limited time"})
    assert {ask.audience for ask in found.asks} == {"leads"}
    anyone = checked(PHRASES.replace("deny", "ask"), {"body": "limited time"})
    assert {ask.audience for ask in anyone.asks} == {"anyone"}


@pytest.mark.parametrize(
    "check",
    [
        'in: args.body, judge: "Polite?", model: "a:b", if_not_ok: ask',
        "in: args.body, sql: sqlite, if_not_ok: deny",
    ],
)
def test_a_check_that_is_not_alive_yet_never_passes(check: str) -> None:
    assert checked(check, {"body": "select 1"}).decision is Decision.ASK
    assert checked(f"{check}, on_error: deny", {"body": "select 1"}).decision is Decision.DENY


def test_all_checks_speak_even_after_one_denied() -> None:
    text = f"{HEAD}checks:\n  a: {{tools: mail, {PHRASES}}}\n  b: {{tools: '*', {REGEX}}}\n"
    policy = compile_policy(load(text)).bind(binding("mail", {"type": "object"}))
    args = {"body": "limited time 4111111111111111"}
    found = verdict(policy, proposal_of(policy, "mail", **args), facts_of())
    assert [step.name for step in found.steps if step.outcome is Outcome.DENY] == ["check:a", "check:b"]
