"""The meaning of an expression: runs its tree, one node at a time, and says in words why there is no answer.

This is the reference. `compile` makes something faster that must agree with it, and asks it when in doubt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from handrail.policy.expressions import values
from handrail.policy.expressions.cost import is_costly, steps_of
from handrail.policy.expressions.errors import EvaluationError
from handrail.policy.expressions.functions import FUNCTIONS
from handrail.policy.expressions.limits import MAX_STEPS
from handrail.policy.expressions.tree import (
    And,
    Arithmetic,
    Call,
    Compare,
    Conditional,
    Has,
    Index,
    ListNode,
    Literal,
    Macro,
    MapNode,
    Name,
    Negate,
    Node,
    Not,
    Or,
    Select,
    Value,
    Variable,
)
from handrail.words.fact import Failed

_SHOWN = 60


class _Scope:
    """What one evaluation works on: the text, for reasons, the values, and the elements of running macros."""

    __slots__ = ("names", "steps", "text", "variables")

    def __init__(self, text: str, names: Mapping[str, object]) -> None:
        self.text = text
        self.names = names
        self.variables: dict[str, Value] = {}
        self.steps = MAX_STEPS

    def source(self, node: Node) -> str:
        """Return the text of a node, cut when it is long."""
        text = " ".join(self.text[node.offset : node.end].split())
        return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def evaluate(node: Node, text: str, names: Mapping[str, object]) -> Value:
    """Return the value of a checked tree. Raises EvaluationError."""
    try:
        return _run(node, _Scope(text, names))
    except EvaluationError:
        raise
    except Exception as error:
        # Whatever else goes wrong is no answer either: never a value, never a crash.
        raise EvaluationError(f"it could not be worked out ({type(error).__name__})") from error


def _run(node: Node, scope: _Scope) -> Value:
    return _METHODS[type(node)](node, scope)


def _explained(node: Node, scope: _Scope, operation: Callable[..., Value], *operands: Value) -> Value:
    """Run one operation, and name the place in its reason for failing."""
    try:
        return operation(*operands)
    except EvaluationError as error:
        raise EvaluationError(f"{error.why}, in `{scope.source(node)}`") from None
    except RecursionError:
        raise EvaluationError(f"the values are nested too deep, in `{scope.source(node)}`") from None


def _truth(node: Node, scope: _Scope) -> bool:
    value = _run(node, scope)
    return value if type(value) is bool else bool(_explained(node, scope, values.truth, value))


def _literal(node: Literal, scope: _Scope) -> Value:  # noqa: ARG001 - all nodes are run alike
    return node.value


def _name(node: Name, scope: _Scope) -> Value:
    value = scope.names.get(node.id, values.MISSING)
    if value is values.MISSING:
        raise EvaluationError(f"{node.id} is not known here")
    if isinstance(value, Failed):
        raise EvaluationError(f"{node.id} could not be had: {value.why}")
    return value


def _variable(node: Variable, scope: _Scope) -> Value:
    return scope.variables[node.id]


def _select(node: Select, scope: _Scope) -> Value:
    value = _run(node.operand, scope)
    if type(value) is dict and node.field in value:
        return value[node.field]
    if isinstance(value, dict) and node.field not in value:
        raise EvaluationError(f"{scope.source(node)} is missing")
    return _explained(node, scope, values.field, value, node.field)


def _has(node: Has, scope: _Scope) -> Value:
    return _explained(node, scope, values.has_field, _run(node.operand, scope), node.field)


def _index(node: Index, scope: _Scope) -> Value:
    return _explained(node, scope, values.item_of, _run(node.operand, scope), _run(node.index, scope))


def _list(node: ListNode, scope: _Scope) -> Value:
    return [_run(item, scope) for item in node.items]


def _map(node: MapNode, scope: _Scope) -> Value:
    return {key: _run(value, scope) for key, value in zip(node.keys, node.values, strict=True)}


def _not(node: Not, scope: _Scope) -> Value:
    return not _truth(node.operand, scope)


def _negate(node: Negate, scope: _Scope) -> Value:
    return _explained(node, scope, values.negate, _run(node.operand, scope))


def _row(node: And | Or, scope: _Scope) -> Value:
    """Run && or ||: the deciding value wins wherever it stands, also beside an error."""
    deciding = isinstance(node, Or)
    trouble: EvaluationError | None = None
    for operand in node.operands:
        try:
            if _truth(operand, scope) is deciding:
                return deciding
        except EvaluationError as error:
            trouble = trouble or error
    if trouble is not None:
        raise trouble
    return not deciding


def _conditional(node: Conditional, scope: _Scope) -> Value:
    return _run(node.then if _truth(node.test, scope) else node.otherwise, scope)


def _compare(node: Compare, scope: _Scope) -> Value:
    left, right = _run(node.left, scope), _run(node.right, scope)
    _charge(node, scope, left, right)
    return _explained(node, scope, _COMPARE[node.op], left, right)


def _arithmetic(node: Arithmetic, scope: _Scope) -> Value:
    left, right = _run(node.left, scope), _run(node.right, scope)
    _charge(node, scope, left, right)
    return _explained(node, scope, values.ARITHMETIC[node.op], left, right)


def _call(node: Call, scope: _Scope) -> Value:
    operands = [_run(operand, scope) for operand in node.operands]
    _charge(node, scope, *operands)
    if node.constant is not None:
        operands.append(node.constant)
    return _explained(node, scope, FUNCTIONS[node.function], *operands)


def _macro(node: Macro, scope: _Scope) -> Value:
    over = _run(node.over, scope)
    if not isinstance(over, list):
        kind = _explained(node, scope, values.kind_of, over)
        raise EvaluationError(f"{scope.source(node.over)} is {kind.value}, not a list")
    if not scope.variables:
        scope.steps = MAX_STEPS
    _spend(node, scope, len(over))
    try:
        return _MACROS[node.kind](node, scope, over)
    finally:
        scope.variables.pop(node.variable, None)


def _spend(node: Node, scope: _Scope, steps: int) -> None:
    scope.steps -= steps
    if scope.steps < 0:
        raise EvaluationError(f"it would look at more than {MAX_STEPS} elements, in `{scope.source(node)}`")


def _charge(node: Node, scope: _Scope, *operands: Value) -> None:
    """Make what a macro's condition does count as steps of the macro, where it is more than a look."""
    if scope.variables and is_costly(node):
        _spend(node, scope, sum(steps_of(operand, scope.steps) for operand in operands))


def _body(node: Macro, scope: _Scope, item: Value) -> bool:
    scope.variables[node.variable] = item
    return _truth(node.body, scope)


def _quantifier(*, deciding: bool) -> Callable[[Macro, _Scope, list[Value]], bool]:
    """Return the run of `all` (false decides) or `exists` (true decides)."""

    def run(node: Macro, scope: _Scope, over: list[Value]) -> bool:
        trouble: EvaluationError | None = None
        for item in over:
            try:
                if _body(node, scope, item) is deciding:
                    return deciding
            except EvaluationError as error:
                trouble = trouble or error
        if trouble is not None:
            raise trouble
        return not deciding

    return run


def _exists_one(node: Macro, scope: _Scope, over: list[Value]) -> bool:
    return sum(_body(node, scope, item) for item in over) == 1


_MACROS: dict[str, Callable[[Macro, _Scope, list[Value]], bool]] = {
    "all": _quantifier(deciding=False),
    "exists": _quantifier(deciding=True),
    "exists_one": _exists_one,
}
_COMPARE = {sign: values.compare(sign) for sign in ("==", "!=", "<", "<=", ">", ">=", "in")}
_METHODS: dict[type[Node], Callable[[Any, _Scope], Value]] = {
    Literal: _literal,
    Name: _name,
    Variable: _variable,
    Select: _select,
    Has: _has,
    Index: _index,
    ListNode: _list,
    MapNode: _map,
    Not: _not,
    And: _row,
    Or: _row,
    Negate: _negate,
    Conditional: _conditional,
    Compare: _compare,
    Arithmetic: _arithmetic,
    Call: _call,
    Macro: _macro,
}
