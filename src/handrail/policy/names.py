"""The values of what expressions may name, for one action; ``environment`` has their types."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from handrail.policy.compiled import BoundTool
from handrail.policy.expressions import EvaluationError
from handrail.words.action import Proposal
from handrail.words.fact import Failed

_NONE: Mapping[str, object] = {}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def proposed(tool: BoundTool | None, proposal: Proposal) -> dict[str, object]:
    """What is known of an action before anything is worked out: no amount, no facts, no time."""
    return {
        **(tool.names if tool is not None else _NONE),
        "args": proposal.args,
        "agent": proposal.agent,
        "task": proposal.task,
        "session": {"id": proposal.session, "root": (*proposal.lineage, proposal.session)[0]},
        "confidence": proposal.confidence,
    }


def milliseconds(now: object) -> int:
    """The time that was supplied; it raises EvaluationError when it is none."""
    if isinstance(now, bool) or not isinstance(now, int):
        raise EvaluationError("the time can't be told")
    return now


def moment(now: object) -> object:
    """What ``now`` is in expressions: a timestamp, or Failed."""
    if isinstance(now, Failed):
        return now
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds(now))
    except (OverflowError, EvaluationError):
        return Failed("the time can't be told")
