"""A checked tree into Python's own syntax tree: the fast road of an evaluation.

One promise holds everything together: what is emitted either gives exactly what `evaluate` gives, or raises.
Whoever runs it asks `evaluate` after any exception. So the fast road may refuse whatever is unusual.

Nothing of an expression's text becomes code: names are generated, and values are constants.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from handrail.policy.expressions import values
from handrail.policy.expressions.cost import is_costly
from handrail.policy.expressions.errors import EvaluationError
from handrail.policy.expressions.evaluate import evaluate
from handrail.policy.expressions.functions import FUNCTIONS
from handrail.policy.expressions.limits import INT_MAX, INT_MIN, MAX_STEPS
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
    path_of,
    walk,
)
from handrail.policy.expressions.types import BOOL, Kind, solid
from handrail.words.fact import Failed


def _got(value: Value) -> Value:
    if value is values.MISSING or isinstance(value, Failed):
        raise EvaluationError("it is missing")
    return value


def _items(value: Value) -> list[Value]:
    if type(value) is not list or len(value) > MAX_STEPS:
        raise EvaluationError("not a list, or too long")
    return value


_COMPARE = {"==": "equal", "!=": "different", "<": "lt", "<=": "le", ">": "gt", ">=": "ge", "in": "member"}
_ARITHMETIC = {"+": "add", "-": "sub", "*": "mul", "/": "div", "//": "floor", "%": "rem"}
_PYTHON: dict[str, type[ast.cmpop]] = {
    "==": ast.Eq,
    "!=": ast.NotEq,
    "<": ast.Lt,
    "<=": ast.LtE,
    ">": ast.Gt,
    ">=": ast.GtE,
    "in": ast.In,
}
_QUANTIFIERS = {"all": "all", "exists": "any", "exists_one": "sum"}
_FAMILIES = {Kind.STRING: "text", Kind.NUMBER: "number", Kind.BOOL: "bool"}

HELPERS: dict[str, object] = {
    **{name: values.compare(sign) for sign, name in _COMPARE.items()},
    **{name: values.ARITHMETIC[sign] for sign, name in _ARITHMETIC.items()},
    "neg": values.negate,
    "field": values.field,
    "has_field": values.has_field,
    "item_of": values.item_of,
    "truth": values.truth,
    "got": _got,
    "items": _items,
    "MISSING": values.MISSING,
    "Decimal": Decimal,
}


class Constants:
    """The globals of the generated code: helpers, and what cannot stand in code as a constant."""

    def __init__(self) -> None:
        self.namespace: dict[str, object] = dict(HELPERS)
        self._count = 0

    def name(self, value: object) -> ast.expr:
        """Return the generated name of a value that generated code can use from now on."""
        name = f"k{self._count}"
        self._count += 1
        self.namespace[name] = value
        return load(name)


def load(name: str) -> ast.expr:
    """Return the reading of a generated name."""
    return ast.Name(name, ast.Load())


def store(name: str, value: ast.expr) -> ast.stmt:
    """Return `name = value`."""
    return ast.Assign([ast.Name(name, ast.Store())], value)


def call(name: str | ast.expr, *operands: ast.expr) -> ast.expr:
    """Return the call of a helper."""
    return ast.Call(load(name) if isinstance(name, str) else name, list(operands), [])


def type_is(value: ast.expr, kind: str) -> ast.expr:
    """Return `type(value) is kind`."""
    return ast.Compare(call("type", value), [ast.Is()], [load(kind)])


def _either(then: ast.expr, guards: Sequence[ast.expr], otherwise: ast.expr) -> ast.expr:
    """Return `then if all guards hold else otherwise`."""
    if not guards:
        return then
    test = guards[0] if len(guards) == 1 else ast.BoolOp(ast.And(), list(guards))
    return ast.IfExp(test, then, otherwise)


def function(name: str, parameters: Sequence[str], statements: Sequence[ast.stmt]) -> ast.stmt:
    """Return the definition of a generated function."""
    arguments = ast.arguments([], [ast.arg(each) for each in parameters], None, [], [], None, [])
    return ast.FunctionDef(name, arguments, list(statements), [])


def made(functions: Sequence[ast.stmt], constants: Constants) -> dict[str, object]:
    """Compile functions to one code object and run it: their definitions, nothing else."""
    module = ast.fix_missing_locations(ast.Module(list(functions), []))
    exec(compile(module, "<expressions>", "exec"), constants.namespace)  # noqa: S102 - our own tree, no text in it
    return constants.namespace


class Body:
    """The inside of one generated function: expressions, and before them what they share.

    Every path is looked up once, and every question about its kind is asked once.
    """

    def __init__(self, constants: Constants) -> None:
        self._constants = constants
        self._paths: dict[tuple[str, ...], str] = {}
        self._flags: dict[tuple[str, str], str] = {}
        self._variables: dict[str, str] = {}
        self._prologue: list[ast.stmt] = []
        self._text = ""

    @property
    def prologue(self) -> list[ast.stmt]:
        """The statements that must stand before the expressions."""
        return [store("get", ast.Attribute(load("names"), "get", ast.Load())), *self._prologue]

    def condition(self, node: Node, text: str) -> ast.expr:
        """Return the code of a rule's condition."""
        self._text = text
        return self._truth(node)

    def value(self, node: Node, text: str) -> ast.expr:
        """Return the code of an expression's value."""
        self._text = text
        return self._value(node)

    def path(self, path: tuple[str, ...]) -> ast.expr:
        """Return the name that holds what a path leads to, or MISSING."""
        if path not in self._paths:
            *parent, last = path
            above = self.path(tuple(parent)) if parent else load("names")
            get = ast.Attribute(above, "get", ast.Load()) if parent else load("get")
            found = call(get, ast.Constant(last), load("MISSING"))
            if parent:
                found = ast.IfExp(type_is(above, "dict"), found, load("MISSING"))
            self._paths[path] = f"p{len(self._paths)}"
            self._prologue.append(store(self._paths[path], found))
        return load(self._paths[path])

    def is_number(self, path: tuple[str, ...]) -> ast.expr:
        """Return the name that tells whether a path leads to a number fit to compare."""
        self.path(path)
        return self._flag(self._paths[path], "number")

    def _flag(self, name: str, family: str) -> ast.expr:
        """Return the name that tells whether a path's value is of a family."""
        if (name, family) not in self._flags:
            flag = f"f{len(self._flags)}"
            self._flags[name, family] = flag
            self._prologue.append(store(flag, _is_family(load(name), family)))
        return load(self._flags[name, family])

    def _constant(self, value: Value) -> ast.expr:
        written = value is None or isinstance(value, bool | int | str)
        return ast.Constant(value) if written else self._constants.name(value)

    def _simple(self, node: Node, family: str) -> tuple[ast.expr, list[ast.expr]] | None:
        """Return the code of a literal, path or variable, and the guards that make it one of a family."""
        if isinstance(node, Literal):
            return (self._constant(node.value), []) if _family_of(node) == family else None
        if isinstance(node, Variable):
            name = self._variables[node.id]
            return load(name), [_is_family(load(name), family)]
        path = path_of(node)
        if path is None:
            return None
        self.path(path)
        return load(self._paths[path]), [self._flag(self._paths[path], family)]

    def _truth(self, node: Node) -> ast.expr:
        """Return code that gives True or False, or raises."""
        if isinstance(node, Conditional):
            return ast.IfExp(self._truth(node.test), self._truth(node.then), self._truth(node.otherwise))
        if isinstance(node, _ALWAYS_BOOL) or (isinstance(node, Call) and node.type == BOOL):
            return self._value(node)
        simple = self._simple(node, "bool")
        if simple is None:
            return call("truth", self._value(node))
        code, guards = simple
        return _either(code, guards, call("truth", code))

    def _value(self, node: Node) -> ast.expr:
        method: Callable[[Body, Any], ast.expr] = _METHODS[type(node)]
        return method(self, node)

    def _literal(self, node: Literal) -> ast.expr:
        return self._constant(node.value)

    def _name(self, node: Name) -> ast.expr:
        return call("got", self.path((node.id,)))

    def _variable(self, node: Variable) -> ast.expr:
        return load(self._variables[node.id])

    def _select(self, node: Select) -> ast.expr:
        path = path_of(node)
        if path is not None:
            return call("got", self.path(path))
        return call("field", self._value(node.operand), ast.Constant(node.field))

    def _has(self, node: Has) -> ast.expr:
        name, path = ast.Constant(node.field), path_of(node.operand)
        if path is None:
            return call("has_field", self._value(node.operand), name)
        above = self.path(path)
        return ast.IfExp(
            type_is(above, "dict"),
            ast.Compare(name, [ast.In()], [above]),
            call("has_field", above, name),
        )

    def _index(self, node: Index) -> ast.expr:
        return call("item_of", self._value(node.operand), self._value(node.index))

    def _list(self, node: ListNode) -> ast.expr:
        return ast.List([self._value(item) for item in node.items], ast.Load())

    def _map(self, node: MapNode) -> ast.expr:
        return ast.Dict([ast.Constant(key) for key in node.keys], [self._value(each) for each in node.values])

    def _not(self, node: Not) -> ast.expr:
        return ast.UnaryOp(ast.Not(), self._truth(node.operand))

    def _negate(self, node: Negate) -> ast.expr:
        return call("neg", self._value(node.operand))

    def _row(self, node: And | Or) -> ast.expr:
        sign = ast.And() if isinstance(node, And) else ast.Or()
        return ast.BoolOp(sign, [self._truth(operand) for operand in node.operands])

    def _conditional(self, node: Conditional) -> ast.expr:
        return ast.IfExp(self._truth(node.test), self._value(node.then), self._value(node.otherwise))

    def _compare(self, node: Compare) -> ast.expr:
        if node.op == "in":
            return self._search(node)
        usual = "text" if node.op in ("==", "!=") else "number"
        family = _family_of(node.left) or _family_of(node.right) or usual
        left, right = self._simple(node.left, family), self._simple(node.right, family)
        if left is None or right is None or not left[1] + right[1]:
            return call(_COMPARE[node.op], self._value(node.left), self._value(node.right))
        quick = ast.Compare(left[0], [_PYTHON[node.op]()], [right[0]])
        return _either(quick, left[1] + right[1], call(_COMPARE[node.op], left[0], right[0]))

    def _search(self, node: Compare) -> ast.expr:
        """Return the code of `in`; a list of written texts or numbers becomes a set."""
        families = {_family_of(item) for item in node.right.children if isinstance(item, Literal)}
        written = isinstance(node.right, ListNode) and all(isinstance(i, Literal) for i in node.right.items)
        family = families.pop() if written and len(families) == 1 else None
        simple = self._simple(node.left, family) if family in ("text", "number") else None
        if simple is None or isinstance(node.left, Literal):
            return call("member", self._value(node.left), self._value(node.right))
        listed = [item.value for item in node.right.children if isinstance(item, Literal)]
        quick = ast.Compare(simple[0], [ast.In()], [self._constants.name(frozenset(listed))])
        return _either(quick, simple[1], call("member", simple[0], self._constants.name(listed)))

    def _arithmetic(self, node: Arithmetic) -> ast.expr:
        return call(_ARITHMETIC[node.op], self._value(node.left), self._value(node.right))

    def _call(self, node: Call) -> ast.expr:
        function = FUNCTIONS[node.function]
        constant = [] if node.constant is None else [self._constants.name(node.constant)]
        simple = [self._simple(operand, "text") for operand in node.operands]
        if all(kinds == {Kind.STRING} for kinds in function.takes) and None not in simple:
            found = [each for each in simple if each is not None]
            codes = [code for code, _ in found]
            guards = [guard for _, each in found for guard in each]
            slow = call(self._constants.name(function), *codes, *constant)
            return _either(call(self._constants.name(function.run), *codes, *constant), guards, slow)
        operands = [self._value(operand) for operand in node.operands]
        return call(self._constants.name(function), *operands, *constant)

    def _macro(self, node: Macro) -> ast.expr:
        if any(isinstance(below, Macro) or is_costly(below) for below, _ in walk(node.body)):
            # Only `evaluate` counts what a macro does beyond looking at each element once.
            return call(self._constants.name(partial(evaluate, node, self._text)), load("names"))
        over = call("items", self._value(node.over))
        self._variables[node.variable] = "v0"
        body = self._truth(node.body)
        del self._variables[node.variable]
        loop = ast.comprehension(ast.Name("v0", ast.Store()), over, [], 0)
        found = call(_QUANTIFIERS[node.kind], ast.GeneratorExp(body, [loop]))
        if node.kind == "exists_one":
            return ast.Compare(found, [ast.Eq()], [ast.Constant(1)])
        return found


_ALWAYS_BOOL = (Compare, Not, And, Or, Has, Macro)


def _family_of(node: Node) -> str | None:
    """Return the family of types that are compared quickly, if the node's type is one."""
    kinds = solid(node.type)
    return _FAMILIES.get(next(iter(kinds))) if len(kinds) == 1 else None


def _is_family(value: ast.expr, family: str) -> ast.expr:
    """Return code that tells whether a value is a text, true or false, or a number fit to compare."""
    if family == "text":
        return type_is(value, "str")
    if family == "bool":
        return type_is(value, "bool")
    in_range = ast.Compare(ast.Constant(INT_MIN), [ast.LtE(), ast.LtE()], [value, ast.Constant(INT_MAX)])
    finite = call(ast.Attribute(value, "is_finite", ast.Load()))
    whole = ast.BoolOp(ast.And(), [type_is(value, "int"), in_range])
    return ast.BoolOp(ast.Or(), [whole, ast.BoolOp(ast.And(), [type_is(value, "Decimal"), finite])])


_METHODS: dict[type[Node], Callable[[Body, Any], ast.expr]] = {
    Literal: Body._literal,  # noqa: SLF001
    Name: Body._name,  # noqa: SLF001
    Variable: Body._variable,  # noqa: SLF001
    Select: Body._select,  # noqa: SLF001
    Has: Body._has,  # noqa: SLF001
    Index: Body._index,  # noqa: SLF001
    ListNode: Body._list,  # noqa: SLF001
    MapNode: Body._map,  # noqa: SLF001
    Not: Body._not,  # noqa: SLF001
    And: Body._row,  # noqa: SLF001
    Or: Body._row,  # noqa: SLF001
    Negate: Body._negate,  # noqa: SLF001
    Conditional: Body._conditional,  # noqa: SLF001
    Compare: Body._compare,  # noqa: SLF001
    Arithmetic: Body._arithmetic,  # noqa: SLF001
    Call: Body._call,  # noqa: SLF001
    Macro: Body._macro,  # noqa: SLF001
}
