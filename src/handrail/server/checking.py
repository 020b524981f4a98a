"""Checking a policy as if it were to run here, with the tools that are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.app import runnable
from handrail.policy.load import load_stored
from handrail.words.errors import NotFound, PolicyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handrail.engine.core import Engine
    from handrail.policy.model import Policy
    from handrail.words.problem import Problem


def loaded(engine: Engine, name: str, files: Mapping[str, str]) -> Policy:
    """The policy, if it could run with the tools that are known here; nothing is changed.

    Raises:
        NotFound: the main file is missing.
        PolicyError: it could not, with every problem found.
    """
    if name not in files:
        raise NotFound(f"the files have no {name!r}, which is the policy's main one")
    wanted = load_stored(name, files)
    compiled = runnable(wanted)
    problems: list[Problem] = []
    for tool in tuple(engine.tools.values()):
        try:
            compiled = compiled.bind(tool.binding)
        except PolicyError as error:
            problems += error.problems
    if problems:
        raise PolicyError(tuple(problems))
    return wanted
