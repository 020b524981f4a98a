"""`loops:` the loop breaker: what repeats too often holds the session. It works without the section too."""

from __future__ import annotations

from handrail.policy.model import LoopPolicy
from handrail.policy.reader import Reader
from handrail.policy.yaml import Node, Scalar

OFF = "off"
LIMITS = ("same_call", "same_error", "calls_per_minute", "depth")
MOST = 1_000_000


def loops(reader: Reader, node: Node) -> LoopPolicy:
    """The limits; what is not said is as usual."""
    fields = reader.fields(node, "loops", optional=(*LIMITS, "within"))
    reader.remember("loops", fields)
    usual = LoopPolicy()
    limits = {word: _limit(reader, value) for word, value in fields.nodes.items() if word in LIMITS}
    return LoopPolicy(**limits, within=fields.get("within", reader.duration, usual.within))


def _limit(reader: Reader, node: Node) -> int | None:
    if isinstance(node, Scalar) and node.value == OFF:
        return None
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST:
        return value
    reader.wrong(node, f"a whole number from 1 to {MOST:,}, or {OFF}")
    return 1
