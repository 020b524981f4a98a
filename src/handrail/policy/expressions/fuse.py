"""Many rules into one code object, which tells those that are not false.

Rules that need a path to be a certain text stand behind an index on that path, so that a thousand of them
cost little more than the few that the text concerns.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from handrail.policy.expressions import values
from handrail.policy.expressions.emit import Body, Constants, call, load, store
from handrail.policy.expressions.errors import EvaluationError
from handrail.policy.expressions.evaluate import evaluate
from handrail.policy.expressions.index import Key, Path, keys_of
from handrail.policy.expressions.tree import Node
from handrail.policy.expressions.types import INT, Kind, Type, bare

Outcome = tuple[int, str | None]
Fused = Callable[[Mapping[str, object]], list[Outcome]]


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
    code = _function("fast", ["names"], [*body.prologue, result])
    fast = cast("Callable[[Mapping[str, object]], object]", _made([code], constants)["fast"])

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
        kind = values.kind_of(value)
        if kind not in kinds:
            raise EvaluationError(f"it gives {kind.value} where {wanted} was promised")
        if is_whole and kind is Kind.NUMBER and not isinstance(value, int):
            raise EvaluationError("it gives a decimal where a whole number was promised")
        return value

    return settle


def fuse(expressions: Sequence[Expression]) -> Fused:
    """Return what tells of many conditions those that are not false, in order.

    Each is given as `(index, None)` when it is true, and as `(index, why)` when it has no answer.
    """
    return _Fusion(expressions).function()


class _Fusion:
    """The making of one code object: a main function, and one for each group of rules behind an index."""

    def __init__(self, expressions: Sequence[Expression]) -> None:
        self._expressions = expressions
        self._constants = Constants()
        self._constants.namespace["exact"] = self._exact
        self._groups: dict[Key | None, list[int]] = {None: []}
        for place, key in enumerate(keys_of([each.node for each in expressions])):
            self._groups.setdefault(key, []).append(place)

    def function(self) -> Fused:
        """Return the main function."""
        keys = [key for key in self._groups if key is not None]
        groups = [self._group(key, f"g{number}") for number, key in enumerate(keys)]
        namespace = _made([*groups, self._main(sorted({path for path, _ in keys}))], self._constants)
        self._fill_indexes(keys, namespace)
        return cast("Fused", namespace["main"])

    def _exact(self, place: int, names: Mapping[str, object], out: list[Outcome]) -> None:
        """Work one condition out by the reference, which knows why there is no answer."""
        expression = self._expressions[place]
        try:
            if values.truth(evaluate(expression.node, expression.text, names)):
                out.append((place, None))
        except EvaluationError as error:
            out.append((place, error.why))

    def _main(self, paths: Sequence[Path]) -> ast.stmt:
        body = Body(self._constants)
        rules = [self._rule(body, place) for place in self._groups[None]]
        lookups = [statement for path in paths for statement in self._lookup(body, path)]
        end: list[ast.stmt] = [ast.Return(load("out"))]
        if paths:
            end.insert(0, ast.Expr(call(ast.Attribute(load("out"), "sort", ast.Load()))))
        start = [store("out", ast.List([], ast.Load())), _put()]
        return _function("main", ["names"], [*start, *body.prologue, *rules, *lookups, *end])

    def _group(self, key: Key, name: str) -> ast.stmt:
        body = Body(self._constants)
        rules = [self._rule(body, place) for place in self._groups[key]]
        return _function(name, ["names", "out"], [_put(), *body.prologue, *rules])

    def _rule(self, body: Body, place: int) -> ast.stmt:
        """Return `try: if condition: put((place, None))`, with the reference behind it."""
        expression = self._expressions[place]
        condition = body.condition(expression.node, expression.text)
        fires = ast.Expr(call("put", ast.Tuple([ast.Constant(place), ast.Constant(None)], ast.Load())))
        asks = ast.Expr(call("exact", ast.Constant(place), load("names"), load("out")))
        handler = ast.ExceptHandler(load("Exception"), None, [asks])
        return ast.Try([ast.If(condition, [fires], [])], [handler], [], [])

    def _lookup(self, body: Body, path: Path) -> list[ast.stmt]:
        """Return the running of the groups that a path's value concerns: of all where it is odd."""
        value = body.path(path)
        found, every = _index_names(path)
        some = call(ast.Attribute(load(found), "get", ast.Load()), value, ast.Tuple([], ast.Load()))
        not_null = ast.Compare(value, [ast.IsNot()], [ast.Constant(None)])
        others = ast.If(not_null, [_run_each(load(every))], [])
        return [ast.If(call("isinstance", value, load("str")), [_run_each(some)], [others])]

    def _fill_indexes(self, keys: Sequence[Key], namespace: dict[str, object]) -> None:
        for path in {path for path, _ in keys}:
            by_text: dict[str, tuple[object, ...]] = {}
            every: list[object] = []
            for number, (of, texts) in enumerate(keys):
                if of == path:
                    group = namespace[f"g{number}"]
                    every.append(group)
                    by_text.update({text: (*by_text.get(text, ()), group) for text in texts})
            found, all_groups = _index_names(path)
            namespace[found], namespace[all_groups] = by_text, tuple(every)


def _index_names(path: Path) -> tuple[str, str]:
    """Return the generated names of a path's index: hexadecimal, since no text of a policy becomes code."""
    mark = "_".join(part.encode().hex() for part in path)
    return f"found_{mark}", f"every_{mark}"


def _put() -> ast.stmt:
    return store("put", ast.Attribute(load("out"), "append", ast.Load()))


def _run_each(groups: ast.expr) -> ast.stmt:
    run = ast.Expr(call("group", load("names"), load("out")))
    return ast.For(ast.Name("group", ast.Store()), groups, [run], [])


def _function(name: str, parameters: Sequence[str], statements: Sequence[ast.stmt]) -> ast.stmt:
    arguments = ast.arguments([], [ast.arg(each) for each in parameters], None, [], [], None, [])
    return ast.FunctionDef(name, arguments, list(statements), [])


def _made(functions: Sequence[ast.stmt], constants: Constants) -> dict[str, object]:
    """Compile functions to one code object and run it: their definitions, nothing else."""
    module = ast.fix_missing_locations(ast.Module(list(functions), []))
    exec(compile(module, "<expressions>", "exec"), constants.namespace)  # noqa: S102 - our own tree, no text in it
    return constants.namespace
