"""Handrail lets AI agents act on real systems with exactly the autonomy they have earned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.words.action import Action
from handrail.words.errors import (
    BadArguments,
    BudgetExhausted,
    Conflict,
    Denied,
    HandrailError,
    Held,
    InProgress,
    NoSession,
    NotDone,
    NotFound,
    NotRun,
    OutcomeUnrecorded,
    PolicyError,
    Refused,
    Shadowed,
    StoreError,
    ToolFailed,
)
from handrail.words.verdict import Decision, Outcome, Step, Verdict

if TYPE_CHECKING:
    from handrail.app import connect
    from handrail.engine.rail import Rail

__all__ = [
    "Action",
    "BadArguments",
    "BudgetExhausted",
    "Conflict",
    "Decision",
    "Denied",
    "HandrailError",
    "Held",
    "InProgress",
    "NoSession",
    "NotDone",
    "NotFound",
    "NotRun",
    "Outcome",
    "OutcomeUnrecorded",
    "PolicyError",
    "Rail",
    "Refused",
    "Shadowed",
    "Step",
    "StoreError",
    "ToolFailed",
    "Verdict",
    "connect",
]

LATER = {"connect": "handrail.app", "Rail": "handrail.engine.rail"}
"""Names whose modules are imported when they are first used: most programs that import us do not connect."""


def __getattr__(name: str) -> object:
    """A public name of ``LATER``."""
    if name not in LATER:
        raise AttributeError(f"module 'handrail' has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(LATER[name]), name)
    return found
