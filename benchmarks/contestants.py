"""The contestants of ``decide``: each is given the same rules in its own language, and tells who is caught.

Each is set up as its documentation says is fastest: parsed and compiled once, handles reused, and
nothing left for a call but deciding.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import cedarpy
from cel_expr_python import cel

from benchmarks.rules import Case, Kind, Rule, Shape
from handrail.engine.door import digest, freeze, thaw
from handrail.gate import decide
from handrail.policy.binding import binding
from handrail.policy.compile import CompiledPolicy, compile_policy
from handrail.policy.load import load
from handrail.words.action import Proposal
from handrail.words.restriction import Restrictions
from handrail.words.verdict import Decision, Verdict

with warnings.catch_warnings():
    # the package says of itself that half of it is deprecated
    warnings.simplefilter("ignore")
    from agentmesh.governance.policy import PolicyEngine

Decide = Callable[[], object]
"""Decides about one action, made ready."""
Caught = Callable[[Any], bool]
"""Tells from a contestant's own answer whether a rule caught the action."""
Ready = Callable[[Case], tuple[Decide, Caught]]
"""Makes a case ready: the call to measure, and how to read its answer."""

NOW = 1_793_750_000_000
KEY = bytes(32)
AGENT = "support"
SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {
        "amount": {"type": "number"},
        "region": {"type": "string"},
        "express": {"type": "boolean"},
        "customer_id": {"type": "string"},
    },
    "required": ["amount", "region", "express", "customer_id"],
    "additionalProperties": False,
}


def compiled(shape: Shape) -> CompiledPolicy:
    """The shape as a policy file, loaded and bound."""
    policy = compile_policy(load(policy_text(shape)))
    for tool in shape.tools:
        policy = policy.bind(binding(tool, SCHEMA))
    return policy


def policy_text(shape: Shape) -> str:
    """The shape as a policy file."""
    lines = ["handrail: 1", "agents:", f"  {AGENT}: {{may: [{', '.join(shape.tools)}]}}", "tools:"]
    lines += [f"  {tool}: {{does: pay, amount: args.amount, starts: bounded}}" for tool in shape.tools]
    lines += ["facts:", "  customer: {python: 'shop:customer', with: {id: args.customer_id}}", "rules:"]
    for rule in shape.rules:
        effect = 'deny: "No."' if rule.denies else "ask: leads"
        lines.append(f"  - {{id: {rule.id}, tools: {rule.tool}, when: '{rule.expression}', {effect}}}")
    return "\n".join([*lines, "approvers:", "  leads: {people: [lead@example.com]}", ""])


def handrail(shape: Shape) -> Ready:
    """``handrail.gate.decide`` on the bound policy, with the customer's facts supplied."""
    policy = compiled(shape)
    restrictions = Restrictions(1, policy.digest)

    def ready(case: Case) -> tuple[Decide, Caught]:
        proposal = proposal_of(policy, case)
        facts: dict[str, object] = {"now": NOW, "restrictions": restrictions}
        facts["customer"] = {"tier": case.tier, "risk": case.risk}
        return lambda: decide(policy, proposal, facts), _stopped

    return ready


def rules_alone(shape: Shape) -> Ready:
    """Only the part of a verdict that an expression engine does: the tool's compiled rules on ready names."""
    policy = compiled(shape)

    def ready(case: Case) -> tuple[Decide, Caught]:
        tool, args = policy.bound[case.tool], proposal_of(policy, case).args
        names: dict[str, object] = {
            "args": args,
            "amount": args["amount"],
            "customer": {"tier": case.tier, "risk": case.risk},
        }
        return lambda: (tool.deny.matched(names), tool.ask.matched(names)), any

    return ready


def proposal_of(policy: CompiledPolicy, case: Case) -> Proposal:
    """The action as the door makes it: frozen, and decoded from its bytes."""
    args = {"amount": case.amount, "region": case.region, "express": case.express, "customer_id": "c-1"}
    frozen = freeze(args)
    bound = policy.bound[case.tool].binding.digest
    return Proposal(
        id="0" * 28,
        agent=AGENT,
        tool=case.tool,
        session="s-1",
        task="ticket-812",
        payload=frozen,
        args=thaw(frozen),
        digest=digest(KEY, case.tool, bound, frozen),
        binding=bound,
        confidence=Decimal("0.9"),
    )


def _stopped(verdict: Verdict) -> bool:
    return verdict.decision is not Decision.ALLOW


def closure(shape: Shape) -> Ready:
    """The floor: Python by hand, one function a rule, found by tool. It checks nothing, and fails open."""
    rules = {tool: tuple((rule.id, _function(rule)) for rule in shape.of(tool)) for tool in shape.tools}

    def ready(case: Case) -> tuple[Decide, Caught]:
        args: dict[str, object] = {"region": case.region, "express": case.express}
        customer: dict[str, object] = {"tier": case.tier, "risk": case.risk}
        amount, tool = case.amount, case.tool
        return lambda: [name for name, caught in rules[tool] if caught(amount, args, customer)], bool

    return ready


def _function(rule: Rule) -> Callable[[float, dict[str, object], dict[str, object]], object]:
    condition = {
        Kind.AMOUNT: f"amount >= {rule.limit}",
        Kind.FACT: f"customer['risk'] >= {rule.limit}",
        Kind.FLAG: f"args['express'] and amount >= {rule.limit}",
        Kind.UNLIKE: f"customer['tier'] != {rule.id!r} and args['express']",
    }[rule.kind]
    if rule.region is not None:
        condition = f"args['region'] == {rule.region!r} and {condition}"
    made: Callable[[float, dict[str, object], dict[str, object]], object] = eval(
        f"lambda amount, args, customer: {condition}", {}
    )
    return made


def cel_runtime(shape: Shape) -> Ready:
    """cel-expr-python: a tool's rules are one list expression, so that one call tells all that are true."""
    types = {"amount": cel.Type.DYN, "args": cel.Type.DYN, "customer": cel.Type.DYN}
    env = cel.NewEnv(variables=types)
    programs = {
        tool: env.compile(f"[{', '.join(rule.expression for rule in shape.of(tool))}]")
        for tool in shape.tools
    }

    def ready(case: Case) -> tuple[Decide, Caught]:
        data = {
            "amount": case.amount,
            "args": {"region": case.region, "express": case.express},
            "customer": {"tier": case.tier, "risk": case.risk},
        }
        tool = case.tool
        return lambda: programs[tool].eval(data=data).plain_value(), any

    return ready


def cedar(shape: Shape) -> Ready:
    """What cedarpy parsed, and a request; amounts in whole cents, the numbers that Cedar compares best."""
    rules = "\n".join(map(_cedar_rule, shape.rules))
    policies = cedarpy.PolicySet.from_str(f"permit(principal, action, resource);\n{rules}")
    entities = cedarpy.Entities.from_json_str("[]")

    def ready(case: Case) -> tuple[Decide, Caught]:
        request = {
            "principal": f'Agent::"{AGENT}"',
            "action": f'Action::"{case.tool}"',
            "resource": 'Shop::"shop"',
            "context": {
                "amount": round(case.amount * 100),
                "args": {"region": case.region, "express": case.express},
                "customer": {"tier": case.tier, "risk": case.risk},
            },
        }
        return (
            lambda: cedarpy.is_authorized(request, policies, entities),
            lambda found: not found.allowed,
        )

    return ready


def _cedar_rule(rule: Rule) -> str:
    condition = {
        Kind.AMOUNT: f"context.amount >= {rule.limit * 100}",
        Kind.FACT: f"context.customer.risk >= {rule.limit}",
        Kind.FLAG: f"context.args.express && context.amount >= {rule.limit * 100}",
        Kind.UNLIKE: f'context.customer.tier != "{rule.id}" && context.args.express',
    }[rule.kind]
    if rule.region is not None:
        condition = f'context.args.region == "{rule.region}" && {condition}'
    head = f'forbid(principal, action == Action::"{rule.tool}", resource)'
    return f'@id("{rule.id}") {head} when {{ {condition} }};'


def agt(shape: Shape) -> Ready:
    """The policy engine of agent-governance-toolkit-core. It catches what its expressions can't say, too."""
    logging.getLogger("agentmesh").setLevel(logging.ERROR)
    engine = PolicyEngine()
    lines = ["apiVersion: governance.toolkit/v1", "name: shop", "agents: ['*']", "default_action: allow"]
    engine.load_yaml("\n".join([*lines, "rules:", *(_agt_rule(shape, rule) for rule in shape.rules)]))

    def ready(case: Case) -> tuple[Decide, Caught]:
        context = {
            "tool": case.tool,
            "amount": case.amount,
            "args": {"region": case.region, "express": case.express},
            "customer": {"tier": case.tier, "risk": case.risk},
        }
        return (
            lambda: engine.evaluate(AGENT, context),
            lambda found: not found.allowed,
        )

    return ready


def _agt_rule(shape: Shape, rule: Rule) -> str:
    condition = {
        Kind.AMOUNT: f"amount >= {rule.limit}",
        Kind.FACT: f"customer.risk >= {rule.limit}",
        Kind.FLAG: f"args.express and amount >= {rule.limit}",
        Kind.UNLIKE: f"customer.tier != '{rule.id}' and args.express",
    }[rule.kind]
    if rule.region is not None:
        condition = f"args.region == '{rule.region}' and {condition}"
    if len(shape.tools) > 1:
        condition = f"tool == '{rule.tool}' and {condition}"
    action = "deny" if rule.denies else "require_approval"
    return f'  - {{name: {rule.id}, condition: "{condition}", action: {action}}}'


PEERS: dict[str, Callable[[Shape], Ready]] = {
    "cel-expr-python": cel_runtime,
    "cedarpy": cedar,
    "agent-governance-toolkit-core": agt,
}
