"""Whether a difference between two policies obviously lets agents do more: a table, word by word.

True: more may run, or people and rules look at less. False: the other way round, or no matter. None, and
every word that is not here: that takes a person's thought.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from handrail.policy.model import AtLimit, Does, Effect, LoopPolicy, Selector, ToolPolicy
from handrail.words.level import Rung

Judged = Callable[[Any, Any], bool | None]
"""What one word's difference does, told from the whole part before and after."""


def together(found: Iterable[bool | None]) -> bool | None:
    """What several differences do: one that widens is enough, one that is not known leaves it open."""
    each = list(found)
    return True if True in each else None if None in each else False


def arguments(
    before: Mapping[str, Collection[object]], after: Mapping[str, Collection[object]]
) -> bool | None:
    """Whether other values of arguments are more values; an argument without a list may have any."""
    return _grown(
        {(name, value) for name, values in before.items() for value in values if name in after},
        {(name, value) for name, values in after.items() for value in values if name in before},
        more=bool(before.keys() - after.keys()),
        less=bool(after.keys() - before.keys()),
    )


def described(before: ToolPolicy | None, after: ToolPolicy | None) -> bool | None:
    """Whether describing a tool, or describing it no more, lets agents do more with it."""
    if after is None or before is None:
        return False if after is None else None
    if _rank(after) > _rank(before):
        return True
    return None


def _rank(tool: ToolPolicy) -> tuple[bool, Rung]:
    return tool.does is Does.READ, tool.at_most


def _grown(before: Collection[object], after: Collection[object], *, more: bool, less: bool) -> bool | None:
    """True for only more, False for only less, None for both."""
    old, new = set(before), set(after)
    more, less = more or bool(new - old), less or bool(old - new)
    return None if more and less else more


def _covers(word: str) -> Judged:
    """Rules and checks that are for fewer tools widen, for more they do not."""

    def judged(before: object, after: object) -> bool | None:
        old, new = getattr(before, word), getattr(after, word)
        if not old or not new:
            return bool(new)  # nothing named is everything
        return _grown(_terms(new), _terms(old), more=False, less=False)

    return judged


def _lets(before: Any, after: Any) -> bool | None:
    return _grown(before.tools.terms, after.tools.terms, more=False, less=False)


def _terms(chosen: Selector | tuple[str, ...]) -> tuple[str, ...]:
    return chosen.terms if isinstance(chosen, Selector) else chosen


def _more(word: str) -> Judged:
    return lambda before, after: bool(getattr(after, word) > getattr(before, word))


def _fewer(word: str) -> Judged:
    return lambda before, after: bool(getattr(after, word) < getattr(before, word))


def _softer(word: str) -> Judged:
    """From deny to ask, and not the other way; None while both ask."""

    def judged(before: object, after: object) -> bool | None:
        old, new = getattr(before, word), getattr(after, word)
        if old is new:
            return None if new is Effect.ASK else False
        return bool(new is Effect.ASK)

    return judged


def _at_limit(before: Any, after: Any) -> bool | None:
    """Whether the limit is softer than it was; None while both ask, perhaps others."""
    if before.at_limit is after.at_limit:
        return None if after.at_limit is not AtLimit.DENY else False
    return before.at_limit is AtLimit.DENY or (None if after.at_limit is not AtLimit.DENY else False)


def looser(word: str) -> Callable[[LoopPolicy, LoopPolicy], bool]:
    """Whether a limit of the loop breaker lets more pass: it is higher or off, or looks at less time."""

    def judged(before: LoopPolicy, after: LoopPolicy) -> bool:
        old, new = getattr(before, word), getattr(after, word)
        if old is None or new is None:
            return new is None
        return bool(new < old if word == "within" else new > old)

    return judged


def _callers(before: Any, after: Any) -> bool | None:
    """Whether more agents may call a model; where none is named, all may."""
    if not before.agents or not after.agents:
        return not after.agents
    return _grown(before.agents, after.agents, more=False, less=False)


def _limit(before: Any, after: Any) -> bool | None:
    return bool(after.limit > before.limit) if before.unit is after.unit else None


def _phrases(before: Any, after: Any) -> bool | None:
    if before.kind is not after.kind:
        return None
    return _grown(after.phrases, before.phrases, more=False, less=False)


def _reads(before: Any, after: Any) -> bool | None:
    return True if after.does is Does.READ else False if before.does is Does.READ else None


def _no_matter(_before: object, _after: object) -> bool:
    return False


_TOLD = (
    "told",
    *(f"told when {word}" for word in ("rejected", "expired", "cancelled", "answered", "denied")),
)
_DOES = _softer("effect")
_NOT_OK = _softer("if_not_ok")

WIDENS: Mapping[str, tuple[bool | None, bool | None, Mapping[str, Judged]]] = {
    "agents": (True, False, dict.fromkeys(_TOLD, _no_matter)),
    "tools": (
        None,
        False,
        {"does": _reads, "starts": _more("starts"), "at_most": _more("at_most"), "by_hand": _no_matter},
    ),
    "facts": (False, None, {}),
    "rules": (
        False,
        True,
        {
            "tools": _covers("tools"),
            "deny": _DOES,
            "ask": _DOES,
            "because": _no_matter,
            "lifted_at": lambda _, after: after.lifted_at is not None,
        },
    ),
    "preapproved": (True, False, {"tools": _lets}),
    "checks": (
        False,
        True,
        {
            "tools": _covers("tools"),
            "phrases": _phrases,
            "if_not_ok": _NOT_OK,
            "on_error": _softer("on_error"),
            "because": _no_matter,
        },
    ),
    "budgets": (
        False,
        True,
        {
            **dict.fromkeys(("actions", "amount", "cost", "tokens"), _limit),
            "tools": _covers("tools"),
            "agents": _covers("agents"),
            "alert_at": _no_matter,
            "at_limit": _at_limit,
        },
    ),
    "models": (True, False, {"agents": _callers}),
    "approvers": (
        False,
        None,
        {
            "need": _fewer("need"),
            "via": _no_matter,
            "edits_need_another": lambda _, after: not after.edits_need_another,
        },
    ),
    "never": (False, True, {"tools": _covers("tools")}),
}
"""For each section: what a part that is added does, one that is removed, and each word that changes."""
