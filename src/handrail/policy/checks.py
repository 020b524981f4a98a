"""Coded checks, made ready: what looks at a value and says why it is not ok."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import re2

from handrail.policy import digests
from handrail.policy.compiled import Check, Evaluate, Names, Why
from handrail.policy.expressions import EvaluationError
from handrail.policy.model import CheckKind, CheckPolicy
from handrail.policy.phrases import finder
from handrail.policy.schemas import validator
from handrail.words.verdict import ANYONE, Measure, Outcome, Step


def test_of(check: CheckPolicy) -> Why:
    """What looks at the value that ``check`` is about; it raises EvaluationError when it can't tell.

    Raises:
        ValueError: the phrases, pattern or schema can't be used.
    """
    if check.kind is CheckKind.PHRASES:
        return _phrases(check.phrases)
    if check.kind is CheckKind.REGEX:
        return _regex(check.regex.value if check.regex else "")
    if check.kind is CheckKind.SCHEMA:
        return validator(check.schema or {})
    return _holds if check.kind is CheckKind.WHEN else _not_alive(check.kind)


def check_of(check: CheckPolicy, test: Why, looks_at: Evaluate) -> Check:
    """The check of one tool: ``looks_at`` gives the value for ``test``."""
    digest = digests.of_check(check)
    step = Step(Measure.CHECK, Outcome.PASS, check.id, digest=digest)

    def verify(names: Names) -> str | None:
        return test(looks_at(names))

    audience = check.audience or ANYONE
    effects = {effect: Outcome(effect) for effect in (check.if_not_ok, check.on_error)}
    not_ok = replace(step, outcome=effects[check.if_not_ok], reason=check.reason, audience=audience)
    return Check(verify, step, not_ok, replace(not_ok, outcome=effects[check.on_error]))


def _phrases(phrases: tuple[str, ...]) -> Why:
    find = finder(phrases)

    def test(value: object) -> str | None:
        found = find(_text(value))
        return None if found is None else f"it has the phrase {found!r}"

    return test


def _regex(pattern: str) -> Why:
    options = re2.Options()
    options.log_errors = False
    try:
        search: Callable[[str], object] = re2.compile(pattern, options).search
    except re2.error as error:
        raise ValueError(f"{pattern!r} is no RE2 pattern") from error
    return lambda value: None if search(_text(value)) is None else "it has what the pattern looks for"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise EvaluationError("the value looked at is not text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise EvaluationError("the value looked at is not valid text") from None
    return value


def _holds(value: object) -> str | None:
    if not isinstance(value, bool):
        raise EvaluationError("the condition is neither true nor false")
    return None if value else ""


def _not_alive(kind: CheckKind) -> Why:
    def test(_value: object) -> str | None:
        raise EvaluationError(f"checks of the kind {kind} can't run in this version")

    return test
