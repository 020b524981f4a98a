"""One verdict in CPU time, beside a plain closure (floor) and peers with the same rules.

Ours is ``handrail.gate.decide`` on a bound policy with every fact supplied. Contestants are first asked about
actions that pass and actions that are caught, and must agree; only then are they timed.
"""

from __future__ import annotations

from dataclasses import replace

from benchmarks import contestants
from benchmarks.harness import US, Row, interleaved, row_of
from benchmarks.rules import ASKS, PASSES, SHAPES, Case, Kind, Shape, shape
from handrail.gate import decide
from handrail.words.restriction import Restrictions

FLOOR, OURS, ALONE = "a plain closure", "handrail", "handrail's rules alone"
CEL = "cel-expr-python"
"""The peer that evaluates rules and nothing else, so that its fair match is our rules without the gate."""


def run() -> list[Row]:
    """All shapes of rules beside all contestants, then what else a verdict may take."""
    rows = [row for make in SHAPES for row in _beside_all(make())]
    return [*rows, *_other_verdicts()]


def _beside_all(rules: Shape) -> list[Row]:
    ready = {OURS: contestants.handrail(rules), FLOOR: contestants.closure(rules)}
    ready[ALONE] = contestants.rules_alone(rules)
    ready |= {name: make(rules) for name, make in contestants.PEERS.items()}
    _must_agree(rules, ready)
    found = interleaved({name: each(PASSES)[0] for name, each in ready.items()})
    ours, floor = found[OURS].per(US), found[FLOOR].per(US).p50
    rows = [row_of(f"{rules.name}; beside {FLOOR}", ours, "µs", floor=floor, goal=rules.goal)]
    for peer in contestants.PEERS:
        theirs = found[peer].per(US).p50
        rows.append(row_of(f"{rules.name}; beside {peer}", ours, "µs", peer=theirs, floor=floor))
    alone, cel = found[ALONE].per(US), found[CEL].per(US).p50
    rows.append(row_of(f"{rules.name}, the rules alone; beside {CEL}", alone, "µs", peer=cel, floor=floor))
    return rows


def _must_agree(rules: Shape, ready: dict[str, contestants.Ready]) -> None:
    for case in _cases(rules):
        answers = {}
        for name, each in ready.items():
            call, caught = each(case)
            answers[name] = caught(call())
        if len(set(answers.values())) > 1:
            raise AssertionError(f"{rules.name}: the contestants disagree about {case}: {answers}")


def _cases(rules: Shape) -> list[Case]:
    """Actions that pass, and for each kind of rule there is one that it catches."""
    first = {rule.kind: rule for rule in reversed(rules.rules) if rule.tool == PASSES.tool}
    cases = [PASSES]
    for kind, rule in first.items():
        case = replace(PASSES, region=rule.region or PASSES.region)
        cases.append(
            {
                Kind.AMOUNT: replace(case, amount=rule.limit + 0.25),
                Kind.FACT: replace(case, risk=rule.limit),
                Kind.FLAG: replace(case, express=True, amount=rule.limit + 0.25),
                Kind.UNLIKE: replace(case, express=True),
            }[kind]
        )
    return cases


def _other_verdicts() -> list[Row]:
    """The same ten rules when one of them asks, and when the customer's facts must first be asked for."""
    rules = shape("", 10)
    ready, floor = contestants.handrail(rules), contestants.closure(rules)
    policy = contestants.compiled(rules)
    proposal = contestants.proposal_of(policy, PASSES)
    begun: dict[str, object] = {"now": contestants.NOW, "restrictions": Restrictions(1, policy.digest)}
    facts = begun | {"customer": {"tier": PASSES.tier, "risk": PASSES.risk}}
    asks = interleaved({OURS: ready(ASKS)[0], FLOOR: floor(ASKS)[0]})
    twice = interleaved(
        {
            OURS: lambda: (decide(policy, proposal, begun), decide(policy, proposal, facts)),
            FLOOR: floor(PASSES)[0],
        }
    )
    return [
        row_of(f"{name}; beside {FLOOR}", found[OURS].per(US), "µs", floor=found[FLOOR].per(US).p50)
        for name, found in (
            ("10 rules, one of them asks", asks),
            ("10 rules, a first look asks for the facts", twice),
        )
    ]
