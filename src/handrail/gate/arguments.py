"""Arguments: frozen, of the very tool that is bound, valid by its schema, and with a sane amount of money."""

from __future__ import annotations

from decimal import Decimal

from handrail.gate.context import Context, Finding, denied, passed
from handrail.policy.compiled import BoundTool, Evaluate
from handrail.policy.expressions import EvaluationError
from handrail.words.money import to_nano
from handrail.words.verdict import Measure, Outcome

PASSED = passed(Measure.ARGUMENTS)
LIMITS = "it is negative, larger than can be kept, or finer than a billionth"
STEPS = PASSED.steps


def arguments(context: Context) -> Finding:
    """Deny arguments that are not what the tool takes. Adds ``amount`` to the names."""
    tool = context.tool
    if tool is None:
        return denied(Measure.ARGUMENTS, f"the tool {context.proposal.tool!r} is bound to nothing")
    why = _invalid(context, tool)
    if why is not None:
        return denied(Measure.ARGUMENTS, why)
    return PASSED if tool.amount is None else _amount(context, tool.amount)


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


def _amount(context: Context, evaluate: Evaluate) -> Finding:
    try:
        value = evaluate(context.names)
        if type(value) is not Decimal and type(value) is not int:
            return denied(Measure.ARGUMENTS, "the amount is not a number", "amount")
        nano = to_nano(value)
    except EvaluationError as error:
        return denied(Measure.ARGUMENTS, f"the amount can't be used: {error}", "amount")
    except ValueError:
        # the error repeats the value, which the policy may hide
        return denied(Measure.ARGUMENTS, f"the amount can't be used: {LIMITS}", "amount")
    context.names["amount"] = value if type(value) is Decimal else Decimal(value)
    return Finding(STEPS, Outcome.PASS, nano)
