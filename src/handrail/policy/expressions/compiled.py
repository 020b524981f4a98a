"""One checked expression, and the working out of its value."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from handrail.policy.expressions.emit import Body, Constants, function, made
from handrail.policy.expressions.errors import EvaluationError
from handrail.policy.expressions.evaluate import evaluate
from handrail.policy.expressions.tree import Node
from handrail.policy.expressions.types import INT, Kind, Type, bare
from handrail.policy.expressions.values import kind_of


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed and checked expression. `names` are the root names it reads."""

    text: str
    node: Node
    type: Type
    names: frozenset[str]


def evaluator(expression: Expression) -> Callable[[Mapping[str, object]], object]:
    """Return what works out an expression's value from the root names' values, or raises EvaluationError."""
    constants, settle = Constants(), _settler(expression.type)
    body = Body(constants)
    result = ast.Return(body.value(expression.node, expression.text))
    code = function("fast", ["names"], [*body.prologue, result])
    fast = cast("Callable[[Mapping[str, object]], object]", made([code], constants)["fast"])

    def run(names: Mapping[str, object]) -> object:
        try:
            return settle(fast(names))
        except Exception:  # noqa: BLE001 - the fast road has no answer: the reference knows why
            return settle(evaluate(expression.node, expression.text, names))

    return run


def _settler(wanted: Type) -> Callable[[object], object]:
    """Return what passes a value of the promised type, and raises EvaluationError for another."""
    kinds, is_whole = wanted.kinds, bare(wanted) == INT

    def settle(value: object) -> object:
        kind = kind_of(value)
        if kind not in kinds:
            raise EvaluationError(f"it gives {kind.value} where {wanted} was promised")
        if is_whole and kind is Kind.NUMBER and not isinstance(value, int):
            raise EvaluationError("it gives a decimal where a whole number was promised")
        return value

    return settle
