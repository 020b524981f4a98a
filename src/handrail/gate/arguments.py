"""Arguments: frozen, of the very tool that is bound, valid by its schema, and with a sane amount of money."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from handrail.gate.context import Context, Finding, denied, passed
from handrail.policy.compiled import BoundTool, Evaluate
from handrail.policy.expressions import EvaluationError
from handrail.words.money import to_nano, to_nano_up
from handrail.words.verdict import Measure, Outcome

PASSED = passed(Measure.ARGUMENTS)
LIMITS = "it is negative, larger than can be kept, or finer than a billionth"
STEPS = PASSED.steps


def arguments(context: Context) -> Finding:
    """Deny arguments that are not what the tool takes. Adds ``amount`` and ``cost`` to the names."""
    tool = context.tool
    if tool is None:
        return denied(Measure.ARGUMENTS, f"the tool {context.proposal.tool!r} is bound to nothing")
    why = _invalid(context, tool)
    if why is not None:
        return denied(Measure.ARGUMENTS, why)
    if tool.cost is not None:
        priced = _money(context, "cost", tool.cost, to_nano_up)
        if priced.outcome is Outcome.DENY:
            return priced
    return PASSED if tool.amount is None else _money(context, "amount", tool.amount, to_nano)


def _invalid(context: Context, tool: BoundTool) -> str | None:
    proposal = context.proposal
    if proposal.refusal is not None:
        return proposal.refusal
    if proposal.binding != tool.binding.digest:
        return "the tool has changed since these arguments were made for it"
    try:
        return tool.invalid(proposal.args)
    except EvaluationError as error:
        return error.why


def _money(
    context: Context, name: str, evaluate: Evaluate, nano_of: Callable[[Decimal | int], int]
) -> Finding:
    """Pass with the money in nano-units, which rules find under its name."""
    try:
        value = evaluate(context.names)
        if type(value) is not Decimal and type(value) is not int:
            return denied(Measure.ARGUMENTS, f"the {name} is not a number", name)
        nano = nano_of(value)
    except EvaluationError as error:
        return denied(Measure.ARGUMENTS, f"the {name} can't be used: {error}", name)
    except ValueError:
        # the error repeats the value, which the policy may hide
        return denied(Measure.ARGUMENTS, f"the {name} can't be used: {LIMITS}", name)
    context.names[name] = value if type(value) is Decimal else Decimal(value)
    return Finding(STEPS, Outcome.PASS, nano)
