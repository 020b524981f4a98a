"""`models:` which language models agents may call, and what those cost that no list prices."""

from __future__ import annotations

from decimal import Decimal

from handrail.policy.model import ModelPolicy
from handrail.policy.model_patterns import MODEL, SPELLED, matcher
from handrail.policy.reader import Reader
from handrail.policy.sections.agents import agents_of
from handrail.policy.yaml import Node, Pairs, Scalar
from handrail.words.model_price import ModelPrice
from handrail.words.money import to_nano

SESSIONS = "sessions"
"""The one key of the section that is no pattern: it has no colon."""
PRICES = ("input", "output", "cached_input", "cache_write", "image", "call")


def models(reader: Reader, node: Node) -> tuple[ModelPolicy, ...]:
    """Every pattern, in the order of the file: the first that matches a model decides."""
    found: list[ModelPolicy] = []
    for pattern, place, value in reader.entries(node, "models by pattern"):
        if pattern == SESSIONS:
            continue
        reader.check_name(pattern, place, MODEL, "a model", SPELLED)
        before = next((one for one in found if matcher(one.pattern)(pattern)), None)
        if before is not None:
            message = (
                f"{pattern!r} is never reached: {before.pattern!r} in line {before.place.line} covers it"
            )
            reader.report(place, message, "the narrower pattern first")
        fields = reader.fields(value, "a model", optional=("agents", "price"))
        reader.remember(f"models.{pattern}", fields)
        agents = fields.get("agents", lambda names: agents_of(reader, names), ())
        price = fields.get("price", lambda prices: _price(reader, prices), None)
        found.append(ModelPolicy(pattern, agents, price, place))
    return tuple(found)


def sessions_required(reader: Reader, node: Node) -> bool:
    """Whether no model is called outside a session."""
    given = (value for word, _, value in reader.entries(node, "models by pattern") if word == SESSIONS)
    return any(reader.choice(value, {"required": True, "optional": False}) for value in given)


def dollar(reader: Reader, node: Node) -> Decimal:
    """What one US dollar costs in the policy's currency."""
    rate = _money(reader, node)
    if isinstance(node, Scalar) and rate == 0:
        reader.report(node.place, "a dollar for nothing would make every model free", "more than zero")
    return rate


def _price(reader: Reader, node: Node) -> ModelPrice:
    fields = reader.fields(node, "a price", optional=PRICES)
    if isinstance(node, Pairs) and not node.entries:
        reader.report(node.place, "a price without numbers", f"at least one of {', '.join(PRICES)}")
    return ModelPrice(**{word: _money(reader, value) for word, value in fields.nodes.items()})


def _money(reader: Reader, node: Node) -> Decimal:
    amount = reader.number(node)
    try:
        to_nano(amount)
    except ValueError as error:
        reader.report(node.place, str(error), "an amount of money")
        return Decimal(1)
    return amount
