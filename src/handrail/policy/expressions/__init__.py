"""Expressions: a typed, loop-free subset of CEL, which never takes an error for a no.

A text is parsed, checked against the types of the names it may use, and compiled with others to one code
object.
"""

from __future__ import annotations

from handrail.policy.expressions.checker import Environment, check, conform
from handrail.policy.expressions.compiled import Expression, evaluator
from handrail.policy.expressions.errors import EvaluationError, ExpressionError
from handrail.policy.expressions.fuse import fuse
from handrail.policy.expressions.parser import parse
from handrail.policy.expressions.schema import type_of_schema
from handrail.policy.expressions.tree import Node, names_of
from handrail.policy.expressions.types import (
    BOOL,
    DECIMAL,
    DURATION,
    DYN,
    INT,
    NULL,
    NUMBER,
    STRING,
    TIMESTAMP,
    ListOf,
    Nullable,
    Object,
    OneOf,
    Type,
    nullable,
)

__all__ = [
    "BOOL",
    "DECIMAL",
    "DURATION",
    "DYN",
    "INT",
    "NULL",
    "NUMBER",
    "STRING",
    "TIMESTAMP",
    "Environment",
    "EvaluationError",
    "Expression",
    "ExpressionError",
    "ListOf",
    "Node",
    "Nullable",
    "Object",
    "OneOf",
    "Type",
    "evaluator",
    "expression",
    "fuse",
    "nullable",
    "type_of_schema",
]


def expression(text: str, environment: Environment, *, expect: Type | None = BOOL) -> Expression:
    """Return the checked expression of a text. Raises ExpressionError.

    `expect` is the type it must give; None takes any. What is known only at run time (`dyn`, a null) is taken
    here and tested there.
    """
    node = check(parse(text), environment)
    found = node.type if expect is None else conform(node, expect)
    return Expression(text, node, found, names_of(node))
