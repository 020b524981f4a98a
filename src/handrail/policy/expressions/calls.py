"""The checker's part for function calls: which function, how it is called, with what."""

from __future__ import annotations

from dataclasses import replace

from handrail.policy.expressions.errors import EvaluationError, ExpressionError
from handrail.policy.expressions.functions import ELSEWHERE, FUNCTIONS, Function
from handrail.policy.expressions.parser import MACROS
from handrail.policy.expressions.spelling import nearest_to
from handrail.policy.expressions.tree import Call, Literal, Node
from handrail.policy.expressions.types import DECIMAL, Kind, bare


def checked_call(node: Call, operands: tuple[Node, ...]) -> Node:
    """Return a call with its type, or the literal it always gives. Raises ExpressionError."""
    at = _place(node)
    function = known_function(node)
    _refuse_wrong_form(function, node, at)
    given, constant = _prepared(function, operands, at)
    for operand, kinds in zip(given, function.takes, strict=True):
        _refuse_wrong_kind(function, operand, kinds)
    if function.folds and isinstance(given[0], Literal):
        value = _run_at_load(function.run, given[0])
        return Literal(value, offset=node.offset, end=node.end, type=function.gives)
    return replace(node, operands=given, constant=constant, type=function.gives)


def known_function(node: Call) -> Function:
    """Return the function a call names. Raises ExpressionError."""
    name, at = node.function, _place(node)
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    words = [*FUNCTIONS, *MACROS, "has"]
    nearest = ELSEWHERE.get(name) or nearest_to(name, words)
    message = f"{name}() is not in the subset"
    raise ExpressionError(message, at, expected=f"one of {', '.join(sorted(words))}", nearest=nearest)


def _place(node: Call) -> int:
    """Return where the function's name stands."""
    return node.operands[0].end + 1 if node.method else node.offset


def _refuse_wrong_form(function: Function, node: Call, at: int) -> None:
    if node.method and not function.as_method:
        message = f"{function.name}() is a function, not a method"
        raise ExpressionError(message, at, expected=f"{function.name}(x)")
    if not node.method and not function.as_function:
        message = f"{function.name}() is a method"
        raise ExpressionError(message, at, expected=f"x.{function.name}(…)")


def _prepared(function: Function, operands: tuple[Node, ...], at: int) -> tuple[tuple[Node, ...], object]:
    """Return the operands that are worked out at run time, and the constant made of the last one."""
    count = len(function.takes)
    if len(operands) == count and (function.prepare is None or function.default is not None):
        return operands, function.default
    if function.prepare is None or len(operands) != count + 1:
        wanted = count + (function.prepare is not None and function.default is None)
        message = f"{function.name}() is given {len(operands)} values"
        raise ExpressionError(message, at, expected=f"{wanted}, the one before the dot included")
    last = operands[-1]
    if not isinstance(last, Literal) or not isinstance(last.value, str):
        message = f"{function.name}() takes only a written text there"
        raise ExpressionError(message, last.offset, expected='a text in quotes, as "..."')
    return operands[:-1], _run_at_load(function.prepare, last)


def _run_at_load(run: object, literal: Literal) -> object:
    try:
        return run(literal.value)  # type: ignore[operator]
    except EvaluationError as error:
        raise ExpressionError(error.why, literal.offset) from None


def _refuse_wrong_kind(function: Function, operand: Node, kinds: frozenset[Kind]) -> None:
    if not operand.type.kinds & kinds:
        message = f"{function.name}() does not take {operand.type}"
        wanted = " or ".join(sorted(kind.value for kind in kinds))
        raise ExpressionError(message, operand.offset, expected=wanted)
    if function.name == "string" and bare(operand.type) == DECIMAL:
        raise ExpressionError("string() does not take a decimal", operand.offset, expected="a whole number")
