"""Which tools a rule is for: the terms of a selector, and the tools that each matches."""

from __future__ import annotations

from collections.abc import Mapping

from handrail.policy.model import Does, Selector, ToolPolicy

ALL = "*"
WRITES = "writes"
PREFIXES = ("category:", "does:", "touches:")


def is_name(term: str) -> bool:
    """Whether ``term`` names one tool, instead of choosing by what tools are."""
    return term not in {ALL, WRITES} and not term.startswith(PREFIXES)


def matches(term: str, tool: ToolPolicy) -> bool:
    """Whether one term of a selector is for ``tool``. A write is everything that is not ``does: read``."""
    prefix, _, word = term.partition(":")
    if is_name(term):
        return term == tool.name
    if term in {ALL, WRITES}:
        return term == ALL or tool.does is not Does.READ
    if prefix == "touches":
        return word in tool.touches
    return word == (tool.category if prefix == "category" else tool.does)


def selected(selector: Selector, tools: Mapping[str, ToolPolicy]) -> tuple[str, ...]:
    """The names of the tools that a selector is for, in the order of ``tools``."""
    return tuple(name for name, tool in tools.items() if any(matches(term, tool) for term in selector.terms))
