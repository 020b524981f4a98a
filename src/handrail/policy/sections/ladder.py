"""`ladder:` which evidence moves a tool up or down. Shares are kept in percent, times in milliseconds."""

from __future__ import annotations

from collections.abc import Mapping

from handrail.policy.reader import Reader
from handrail.policy.units import RATE, rate
from handrail.policy.yaml import Node
from handrail.words.level import WORDS, Rung

_LIVE = {word: rung for word, rung in WORDS.items() if rung is not Rung.SHADOW}


def ladder(reader: Reader, node: Node) -> Mapping[str, object]:
    """The steps that are described, each with its conditions."""
    fields = reader.fields(node, "ladder", optional=("leave_shadow", "rise", "fall", "review"))
    reader.remember("ladder", fields)
    steps = {"leave_shadow": _leave_shadow, "rise": _rise, "fall": _fall, "review": _review}
    return {word: steps[word](reader, step) for word, step in fields.nodes.items()}


def _leave_shadow(reader: Reader, node: Node) -> Mapping[str, object]:
    fields = reader.fields(node, "leave_shadow", required=("accuracy", "certainty", "after", "to"))
    return {
        "accuracy": fields.get("accuracy", reader.percent, None),
        "certainty": fields.get("certainty", reader.percent, None),
        "after": fields.get("after", reader.duration, None),
        "to": fields.get("to", lambda word: reader.choice(word, _LIVE), None),
    }


def _rise(reader: Reader, node: Node) -> Mapping[str, object]:
    fields = reader.fields(
        node,
        "rise",
        required=("errors_surely_below", "certainty", "after"),
        optional=("harmful", "time_saved"),
    )
    return {
        "errors_surely_below": fields.get("errors_surely_below", reader.percent, None),
        "harmful": fields.get("harmful", reader.whole, 0),
        "time_saved": fields.get("time_saved", reader.flag, False),
        "certainty": fields.get("certainty", reader.percent, None),
        "after": fields.get("after", reader.duration, None),
    }


def _fall(reader: Reader, node: Node) -> Mapping[str, object]:
    fields = reader.fields(node, "fall", required=("errors_surely_above",))
    return {"errors_surely_above": fields.get("errors_surely_above", reader.percent, None)}


def _review(reader: Reader, node: Node) -> Mapping[str, object]:
    fields = reader.fields(node, "review", required=("first", "then"), optional=("at_least",))
    return {
        "first": fields.get("first", reader.duration, None),
        "then": fields.get("then", reader.percent, None),
        "at_least": fields.get("at_least", lambda text: reader.spelled(text, rate, RATE, (0, "week")), None),
    }
