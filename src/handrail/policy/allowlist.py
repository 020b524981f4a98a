"""Argument allowlists: the exact values and the globs that one agent's argument may have."""

from __future__ import annotations

from handrail.policy.compiled import Why
from handrail.policy.globs import glob, is_glob
from handrail.policy.model import Permission


def allowed_of(permission: Permission) -> tuple[tuple[str, Why], ...]:
    """For each argument that is restricted, what says why a value is not allowed.

    Raises:
        ValueError: a glob that could never match.
    """
    return tuple((name, _one_of(values)) for name, values in permission.arguments.items())


def _one_of(values: tuple[str | int | bool, ...]) -> Why:
    globs = [glob(value) for value in values if isinstance(value, str) and is_glob(value)]
    # with their types: True is not 1, and 1 is not "1"
    exact = {(type(value), value) for value in values if not (isinstance(value, str) and is_glob(value))}

    def why(value: object) -> str | None:
        if isinstance(value, str | int) and (type(value), value) in exact:
            return None
        if not globs:
            return "it is not one of the allowed values"
        if not isinstance(value, str):
            return "it is not text"
        reasons = [reason for check in globs if (reason := check(value)) is not None]
        return None if len(reasons) < len(globs) else reasons[0]

    return why
