"""Many rules into one code object, which tells those that are not false.

Rules that need a path to be a certain text, or a number beyond a limit, stand behind an index on that path,
so that a thousand of them cost little more than the few that the value concerns.
"""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from handrail.policy.expressions import values
from handrail.policy.expressions.compiled import Expression
from handrail.policy.expressions.emit import Body, Constants, call, function, load, made, store
from handrail.policy.expressions.errors import EvaluationError
from handrail.policy.expressions.evaluate import evaluate
from handrail.policy.expressions.index import Path, Plan, Range, plan_of

Outcome = tuple[int, str | None]
Fused = Callable[[Mapping[str, object]], list[Outcome]]
Group = Callable[[Mapping[str, object], list[Outcome]], None]


def fuse(expressions: Sequence[Expression]) -> Fused:
    """Return what tells of many conditions those that are not false, in order.

    Each is given as `(index, None)` when it is true, and as `(index, why)` when it has no answer.
    """
    plan = plan_of([each.node for each in expressions])
    return _Fusion(expressions, plan).function()


class _Fusion:
    """The making of one code object: a main function, and one for each group of rules behind an index."""

    def __init__(self, expressions: Sequence[Expression], plan: Plan) -> None:
        self._expressions = expressions
        self._plan = plan
        self._constants = Constants()
        self._constants.namespace |= {"exact": self._exact, "left": bisect_left, "right": bisect_right}

    def function(self) -> Fused:
        """Return the main function."""
        groups = [self._group(places, f"g{number}") for number, places in enumerate(self._plan.groups)]
        namespace = made([*groups, self._main()], self._constants)
        # The functions exist only now, and find what follows when they are called.
        ready = [cast("Group", namespace[f"g{number}"]) for number in range(len(groups))]
        for number, texts in enumerate(self._plan.texts.values()):
            found = {text: tuple(ready[group] for group in of) for text, of in texts.items()}
            every = tuple(ready[group] for group in sorted({group for of in texts.values() for group in of}))
            namespace |= {f"found{number}": found, f"every{number}": every}
        for number, each in enumerate(self._plan.ranges):
            namespace[f"blocks{number}"] = tuple(ready[group] for group in each.groups)
            namespace[f"limits{number}"] = each.limits
        return cast("Fused", namespace["main"])

    def _exact(self, place: int, names: Mapping[str, object], out: list[Outcome]) -> None:
        """Work one condition out by the reference, which knows why there is no answer."""
        expression = self._expressions[place]
        try:
            if values.truth(evaluate(expression.node, expression.text, names)):
                out.append((place, None))
        except EvaluationError as error:
            out.append((place, error.why))

    def _main(self) -> ast.stmt:
        body = Body(self._constants)
        rules = [self._rule(body, place) for place in self._plan.always]
        texts = [_by_text(body, path, number) for number, path in enumerate(self._plan.texts)]
        ranges = [_by_limit(body, each, number) for number, each in enumerate(self._plan.ranges)]
        end: list[ast.stmt] = [ast.Return(load("out"))]
        if self._plan.groups:
            end.insert(0, ast.Expr(call(ast.Attribute(load("out"), "sort", ast.Load()))))
        start = [store("out", ast.List([], ast.Load())), _put()]
        return function("main", ["names"], [*start, *body.prologue, *rules, *texts, *ranges, *end])

    def _group(self, places: Sequence[int], name: str) -> ast.stmt:
        body = Body(self._constants)
        rules = [self._rule(body, place) for place in places]
        return function(name, ["names", "out"], [_put(), *body.prologue, *rules])

    def _rule(self, body: Body, place: int) -> ast.stmt:
        """Return `try: if condition: put((place, None))`, with the reference behind it."""
        expression = self._expressions[place]
        condition = body.condition(expression.node, expression.text)
        outcome = ast.Tuple([ast.Constant(place), ast.Constant(None)], ast.Load())
        asks = ast.Expr(call("exact", ast.Constant(place), load("names"), load("out")))
        handler = ast.ExceptHandler(load("Exception"), None, [asks])
        return ast.Try([ast.If(condition, [ast.Expr(call("put", outcome))], [])], [handler], [], [])


def _by_text(body: Body, path: Path, number: int) -> ast.stmt:
    """Return the running of the groups that a path's text concerns: none for null, all for anything else."""
    value = body.path(path)
    get = ast.Attribute(load(f"found{number}"), "get", ast.Load())
    some = _run_each(call(get, value, ast.Tuple([], ast.Load())))
    not_null = ast.Compare(value, [ast.IsNot()], [ast.Constant(None)])
    others = ast.If(not_null, [_run_each(load(f"every{number}"))], [])
    return ast.If(call("isinstance", value, load("str")), [some], [others])


def _by_limit(body: Body, each: Range, number: int) -> ast.stmt:
    """Return the running of the groups whose limits a path's number has passed: of all if it is no number."""
    blocks = load(f"blocks{number}")
    cut = call("right" if each.lower else "left", load(f"limits{number}"), body.path(each.path))
    part = ast.Slice(None, cut) if each.lower else ast.Slice(cut, None)
    some = _run_each(ast.Subscript(blocks, part, ast.Load()))
    return ast.If(body.is_number(each.path), [some], [_run_each(blocks)])


def _put() -> ast.stmt:
    return store("put", ast.Attribute(load("out"), "append", ast.Load()))


def _run_each(groups: ast.expr) -> ast.stmt:
    run = ast.Expr(call("group", load("names"), load("out")))
    return ast.For(ast.Name("group", ast.Store()), groups, [run], [])
