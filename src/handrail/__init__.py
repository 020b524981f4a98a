"""Handrail lets AI agents act on real systems with exactly the autonomy they have earned."""

from __future__ import annotations

from handrail.app import connect
from handrail.engine.rail import Rail
from handrail.words.action import Action
from handrail.words.errors import (
    BadArguments,
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

__all__ = [
    "Action",
    "BadArguments",
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
