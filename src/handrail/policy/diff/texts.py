"""Each part of a policy as words with texts, much as the file has them, so that people can compare two."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal

from handrail.policy.model import (
    AgentPolicy,
    BudgetPolicy,
    CheckPolicy,
    Effect,
    FactPolicy,
    GroupPolicy,
    LoopPolicy,
    ModelPolicy,
    NeverPolicy,
    Permission,
    PreapprovedPolicy,
    RulePolicy,
    Selector,
    Text,
    ToolPolicy,
    Window,
)
from handrail.policy.sections.loops import LIMITS, OFF
from handrail.policy.sections.models import PRICES
from handrail.policy.units import spelled
from handrail.words.level import Rung

Said = dict[str, str]
"""What a part says, by the words of the file; what it does not say is not there."""
_PLAIN = re.compile(r"[^\W\d][^,;\"]*|[/@*#<.][^,;\"]*")
_NO_TEXTS = frozenset({"true", "false", "null"})
_TIMES = frozenset({"by_hand", "answer_within", "cancel_within", "after", "first"})


def text_of(value: object, word: str = "") -> str:
    """One value as people read it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and word in _TIMES and not isinstance(value, Rung):
        return spelled(value)
    if isinstance(value, Rung):
        return value.word
    if isinstance(value, Text):
        return value.value
    if isinstance(value, Selector):
        return ", ".join(value.terms)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return _several(value) if isinstance(value, Mapping | tuple) else str(value)


def _several(value: Mapping[str, object] | tuple[object, ...]) -> str:
    if isinstance(value, tuple):
        return ", ".join(_item(one) for one in value)
    return ", ".join(f"{name}: {text_of(one, name)}" for name, one in value.items())


def _item(value: object) -> str:
    """One of several: a text that could be taken for two, or for no text, is in quotes."""
    if not isinstance(value, str) or (_PLAIN.fullmatch(value) and value not in _NO_TEXTS):
        return text_of(value)
    return json.dumps(value, ensure_ascii=False)


def permission(one: Permission) -> str:
    """The values that a tool's arguments may have; empty when they may have any."""
    return "; ".join(f"{name}: {_several(values)}" for name, values in one.arguments.items())


def agent(one: AgentPolicy) -> Said:
    """What an agent is told; what it may do is compared tool by tool."""
    when = {f"told when {word}": text for word, text in one.told_when.items()}
    return {**({"told": text_of(one.told)} if one.told else {}), **when}


def tool(one: ToolPolicy) -> Said:
    """A tool as it is described."""
    words = ("does", "category", "touches", "amount", "cost", "undo", "starts", "at_most", "by_hand", "risk")
    found = {word: getattr(one, word) for word in words}
    return {**_said(found, without={"undo": "none"}), **({"idempotent": "true"} if one.idempotent else {})}


def fact(one: FactPolicy) -> Said:
    """Where a fact comes from, and what its source is given."""
    return _said({"sql": one.sql, "database": one.database, "python": one.python, "with": one.given})


def rule(one: RulePolicy) -> Said:
    """A rule's condition and effect; the reason only where somebody wrote one."""
    found: Said = {"tools": text_of(one.tools), "when": text_of(one.when)}
    reason = "" if one.reason == f"{one.id}: {' '.join(one.when.value.split())}" else one.reason
    if one.effect is Effect.DENY:
        return {**found, "deny": reason}
    return {**found, "ask": one.audience, **_said({"because": reason or None, "lifted_at": one.lifted_at})}


def preapproved(one: PreapprovedPolicy) -> Said:
    """A pattern."""
    return {"tools": text_of(one.tools), "when": text_of(one.when)}


def never(one: NeverPolicy) -> Said:
    """An assertion."""
    return {"tools": text_of(one.tools), "runs_alone_when": text_of(one.runs_alone_when)}


def check(one: CheckPolicy) -> Said:
    """What a check looks for, and what it does then."""
    schema = json.dumps(one.schema, sort_keys=True, default=str) if one.schema is not None else None
    looks = {"phrases": one.phrases, "regex": one.regex, "schema": schema, "when": one.when}
    asks = {"judge": one.judge, "model": one.model, "sql": one.options.get("dialect")}
    effect = f"{one.if_not_ok} {one.audience}".strip()
    found = {"tools": one.tools, "in": one.looks_in, **looks, **asks, "if_not_ok": effect}
    return _said({**found, "because": one.reason, "on_error": one.on_error})


def budget(one: BudgetPolicy) -> Said:
    """A limit."""
    per = f"any {spelled(one.rolling_ms)}" if one.per is Window.ROLLING and one.rolling_ms else one.per
    at_limit = f"{one.at_limit} {one.audience}".strip()
    shares = ", ".join(f"{share}%" for share in one.alert_at)
    scope = {"per": per, "tools": one.tools, "agents": one.agents, "each": one.each, "models": one.models}
    return _said({one.unit: one.limit, **scope, "alert_at": shares, "at_limit": at_limit})


def model(one: ModelPolicy) -> Said:
    """Who may call the models of a pattern, and their price."""
    prices = () if one.price is None else [(name, getattr(one.price, name)) for name in PRICES]
    price = ", ".join(f"{name} {text_of(value)}" for name, value in prices if value is not None)
    return _said({"agents": one.agents, "price": price})


def loop_limits(one: LoopPolicy) -> Said:
    """Each limit of the loop breaker."""
    limits = {word: getattr(one, word) for word in LIMITS}
    found = {word: OFF if limit is None else f"{limit}" for word, limit in limits.items()}
    return {**found, "within": spelled(one.within)}


def group(one: GroupPolicy) -> Said:
    """Who answers, how many, and within which time."""
    words = ("people", "need", "answer_within", "if_no_answer", "hours", "via", "deputies")
    found = _said({word: getattr(one, word) for word in words})
    return {**found, **({"edits_need_another": "true"} if one.edits_need_another else {})}


def _said(found: Mapping[str, object], without: Mapping[str, object] | None = None) -> Said:
    """The words that say something; nothing, and what is usual, is left out."""
    usual = without or {}
    return {
        word: text_of(value, word)
        for word, value in found.items()
        if value is not None and value not in ((), {}, "") and value != usual.get(word)
    }
