"""What must hold of the gate for every policy, every fact and every rung."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handrail.gate import decide
from handrail.policy.compile import CompiledPolicy
from handrail.words.action import Proposal
from handrail.words.budget import Room
from handrail.words.fact import Failed
from handrail.words.level import Rung
from handrail.words.restriction import Halt, Restrictions
from handrail.words.verdict import Decision, Verdict
from tests.unit.gate.cases import NOW, facts_of, policy_of, proposal_of, restrictions

STRICTNESS = {Decision.ALLOW: 0, Decision.ASK: 1, Decision.DENY: 2}
FACTS = """
facts:
  customer: {python: "shop:customer", with: {id: args.order_id}}
  ticket: {python: "desk:ticket", with: {id: args.order_id}}
"""
CONDITIONS = st.sampled_from(
    [
        "amount > 30",
        "amount > 100 || customer.tier == 'vip'",
        "customer.tier == 'vip'",
        "customer.tier in ['vip', 'gold'] && amount > 20",
        "!(customer.score >= 5)",
        "customer.score < ticket.limit",
        "ticket.kind != 'plain'",
        "args.reason.contains('x')",
        "confidence < 0.5",
    ]
)
TRUSTED = CONDITIONS.filter(lambda text: "confidence" not in text)
EFFECTS = st.sampled_from(["deny: no", "ask: leads", "ask: leads, lifted_at: autonomous"])
CHECKED = st.sampled_from(["if_not_ok: ask", "if_not_ok: deny", "if_not_ok: ask, on_error: deny"])
SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class Parts:
    """A policy in parts, each a line of its section."""

    rules: tuple[str, ...] = ()
    preapproved: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    budget: bool = False

    def compiled(self) -> CompiledPolicy:
        rules = [f"  - {{id: r{n}, tools: pay, {text}}}" for n, text in enumerate(self.rules)]
        patterns = [f"  - {{id: p{n}, tools: pay, {text}}}" for n, text in enumerate(self.preapproved)]
        checks = [f"  c{n}: {{tools: pay, {text}}}" for n, text in enumerate(self.checks)]
        budget = ["  - {id: b, tools: pay, actions: 5, per: day, each: customer.tier}"] if self.budget else []
        sections = {"rules": rules, "preapproved": patterns, "checks": checks, "budgets": budget}
        lines = [line for name, found in sections.items() if found for line in (f"{name}:", *found)]
        return policy_of(FACTS + "\n".join(lines))


def _when(condition: str) -> str:
    return f'when: "{condition}"'


RULES = st.builds(lambda condition, effect: f"{_when(condition)}, {effect}", CONDITIONS, EFFECTS)
CHECKS = st.builds(lambda condition, effect: f"{_when(condition)}, {effect}", TRUSTED, CHECKED)
PARTS = st.builds(
    Parts,
    st.lists(RULES, max_size=5).map(tuple),
    st.lists(TRUSTED.map(_when), max_size=2).map(tuple),
    st.lists(CHECKS, max_size=2).map(tuple),
    st.booleans(),
)
VALUES = st.one_of(
    st.builds(
        lambda tier, score: {"tier": tier, "score": score},
        st.sampled_from(["vip", "gold", "plain", None, 7]),
        st.sampled_from([3, 5, Decimal("5.5"), None, "5"]),
    ),
    st.sampled_from([{}, None, "plain", Failed("down")]),
)
TICKETS = st.sampled_from([{"kind": "plain", "limit": 4}, {"kind": "legal", "limit": 6}, {}, Failed("down")])


@st.composite
def known(draw: st.DrawFn) -> dict[str, object]:
    """Every fact that these policies can ask for."""
    return {
        "customer": draw(VALUES),
        "ticket": draw(TICKETS),
        "budget:b": draw(st.sampled_from([Room(0), Room(4), Room(5), Failed("down")])),
    }


AMOUNTS = st.sampled_from([0, 20, 25, Decimal("30.01"), 200])
CONFIDENCE = st.sampled_from([None, Decimal("0.2"), Decimal("0.9")])


def proposed(policy: CompiledPolicy, amount: object, confidence: Decimal | None) -> Proposal:
    proposal = proposal_of(policy, "pay", amount=amount, reason="broken")
    return replace(proposal, confidence=confidence)


def found(policy: CompiledPolicy, proposal: Proposal, facts: dict[str, object]) -> Verdict:
    verdict = decide(policy, proposal, facts)
    assert isinstance(verdict, Verdict), verdict
    return verdict


@SETTINGS
@given(PARTS, RULES, known(), AMOUNTS, CONFIDENCE, st.sampled_from(Rung))
def test_adding_a_rule_is_never_less_strict(
    parts: Parts, rule: str, facts: dict[str, object], amount: object, confidence: Decimal | None, rung: Rung
) -> None:
    fewer = parts.compiled()
    more = replace(parts, rules=(*parts.rules, rule)).compiled()
    proposal, given_facts = proposed(fewer, amount, confidence), facts_of(rung, **facts)
    before, after = found(fewer, proposal, given_facts), found(more, proposal, given_facts)
    assert STRICTNESS[after.decision] >= STRICTNESS[before.decision]


@SETTINGS
@given(
    PARTS, known(), st.sampled_from(["customer", "ticket", "budget:b", "now"]), AMOUNTS, st.sampled_from(Rung)
)
def test_a_fact_that_fails_never_lets_more_run(
    parts: Parts, facts: dict[str, object], name: str, amount: object, rung: Rung
) -> None:
    policy = parts.compiled()
    proposal = proposed(policy, amount, Decimal("0.9"))
    before = found(policy, proposal, facts_of(rung, **facts))
    after = found(policy, proposal, facts_of(rung, **facts) | {name: Failed("down")})
    if before.decision is not Decision.ALLOW:
        assert after.decision is not Decision.ALLOW
    # a check may ask where it can't tell and deny where it can: its on_error says so
    if not parts.checks:
        assert STRICTNESS[after.decision] >= STRICTNESS[before.decision]


@SETTINGS
@given(PARTS, known(), AMOUNTS, CONFIDENCE)
def test_lowering_a_rung_never_lets_more_run(
    parts: Parts, facts: dict[str, object], amount: object, confidence: Decimal | None
) -> None:
    policy = parts.compiled()
    proposal = proposed(policy, amount, confidence)
    verdicts = [found(policy, proposal, facts_of(rung, **facts)) for rung in Rung]
    assert verdicts[0].enforced in (Decision.SHADOW, Decision.DENY)
    strict = [STRICTNESS[verdict.enforced] for verdict in verdicts[1:]]
    assert strict == sorted(strict, reverse=True)


@SETTINGS
@given(
    PARTS,
    known(),
    st.sampled_from([(None, None), ("support", None), (None, "pay"), ("support", "pay")]),
    st.sampled_from(Rung),
)
def test_halted_means_that_nothing_passes_whatever_was_approved(
    parts: Parts, facts: dict[str, object], covers: tuple[str | None, str | None], rung: Rung
) -> None:
    policy = parts.compiled()
    proposal = proposed(policy, 20, None)
    running = found(policy, proposal, facts_of(rung, **facts))
    halt = Halt("h", *covers, "stop", "admin", NOW)
    halted = facts_of(rung, **facts) | {"restrictions": restrictions(rung, halt)}
    verdict = decide(policy, proposal, halted, approved=running.asks)
    assert isinstance(verdict, Verdict)
    assert (verdict.decision, verdict.enforced) == (Decision.DENY, Decision.DENY)


@SETTINGS
@given(PARTS, known(), AMOUNTS, CONFIDENCE, st.sampled_from(Rung))
def test_the_same_inputs_always_give_the_same_answer(
    parts: Parts, facts: dict[str, object], amount: object, confidence: Decimal | None, rung: Rung
) -> None:
    one, other = parts.compiled(), parts.compiled()
    proposal, given_facts = proposed(one, amount, confidence), facts_of(rung, **facts)
    assert found(one, proposal, given_facts) == found(one, proposal, given_facts)
    assert found(one, proposal, given_facts) == found(other, proposal, given_facts)


@SETTINGS
@given(PARTS, known(), AMOUNTS, CONFIDENCE, st.sampled_from(Rung))
def test_an_approval_answers_all_questions_and_no_refusal(
    parts: Parts, facts: dict[str, object], amount: object, confidence: Decimal | None, rung: Rung
) -> None:
    policy = parts.compiled()
    proposal, given_facts = proposed(policy, amount, confidence), facts_of(rung, **facts)
    before = found(policy, proposal, given_facts)
    after = decide(policy, proposal, given_facts, approved=before.asks)
    assert isinstance(after, Verdict)
    expected = {Decision.ASK: Decision.ALLOW}.get(before.decision, before.decision)
    assert after.decision is expected


@SETTINGS
@given(PARTS, known(), AMOUNTS)
def test_supplying_what_is_needed_ends_within_three_rounds(
    parts: Parts, facts: dict[str, object], amount: object
) -> None:
    policy = parts.compiled()
    proposal = proposed(policy, amount, None)
    everything: dict[str, object] = {"now": NOW, "restrictions": Restrictions(1, None), **facts}
    supplied: dict[str, object] = {}
    for _ in range(4):
        answer = decide(policy, proposal, supplied)
        if isinstance(answer, Verdict):
            break
        asked = {query.name for query in answer.queries}
        assert asked.isdisjoint(supplied)
        supplied |= {name: everything[name] for name in asked}
    else:
        raise AssertionError("the gate still needs something")
    assert answer == found(policy, proposal, everything)
