"""What is different between two policies, in the words of the file, and whether it lets agents do more.

For the person who activates the newer one. ``widens`` is only said where it is obvious: True where an agent
may now do more, or people look at less of it; False where it may do less, or only texts changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar

from handrail.policy.diff import texts
from handrail.policy.diff.widens import WIDENS, Judged, arguments, described, looser, together
from handrail.policy.load import load
from handrail.policy.model import AgentPolicy, BudgetPolicy, LoopPolicy, ModelPolicy, Policy
from handrail.policy.model_patterns import overlap
from handrail.policy.units import spelled

T = TypeVar("T")


class Kind(StrEnum):
    """What became of a part of the policy."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. ``before`` and ``after`` are texts; of a changed part, only the words that differ."""

    section: str
    name: str
    kind: Kind
    before: str | None
    after: str | None
    widens: bool | None

    def __str__(self) -> str:
        """One line for people."""
        where = f"{self.section}: {self.name} {self.kind}"
        return f"{where}: {' → '.join(text for text in (self.before, self.after) if text)}".removesuffix(": ")


def diff(before: Policy | None, after: Policy) -> tuple[Change, ...]:
    """Every difference, section by section as in the file; before the first policy there was an empty one."""
    old = before if before is not None else load("handrail: 1\n")
    return tuple(_changes(old, after))


def _changes(old: Policy, new: Policy) -> Iterator[Change]:
    for word in ("currency", "timezone"):
        yield from _one(word, word, getattr(old, word), getattr(new, word), widens=None)
    was, now = (_rate(each) for each in (old, new))
    yield from _one("dollar", "dollar", was, now, widens=None)
    yield from _agents(old.agents, new.agents)
    yield from _tools(old, new)
    yield from _parts("facts", old.facts, new.facts, texts.fact)
    yield from _parts("rules", _by_id(old.rules), _by_id(new.rules), texts.rule)
    yield from _parts("preapproved", _by_id(old.preapproved), _by_id(new.preapproved), texts.preapproved)
    yield from _parts("checks", _by_id(old.checks), _by_id(new.checks), texts.check)
    yield from _budgets(_by_id(old.budgets), _by_id(new.budgets))
    yield from _models(old.models, new.models)
    was, now = ("required" if each.sessions_required else None for each in (old, new))
    yield from _one("models", "sessions", was, now, widens=old.sessions_required)
    yield from _loops(old.loops, new.loops)
    yield from _parts("approvers", old.approvers, new.approvers, texts.group)
    yield from _each("alerts", old.alerts, new.alerts, texts.text_of, widens=False)
    yield from _each("ladder", old.ladder, new.ladder, texts.text_of, widens=None)
    was, now = (texts.text_of(each.redact) or None for each in (old, new))
    yield from _one("data", "redact", was, now, widens=False)
    yield from _each("data", old.keep, new.keep, spelled, widens=False)
    yield from _parts("never", _by_id(old.never), _by_id(new.never), texts.never)


def _agents(old: Mapping[str, AgentPolicy], new: Mapping[str, AgentPolicy]) -> Iterator[Change]:
    """Tool by tool what each may do, and what it is told."""
    for name in dict.fromkeys((*old, *new)):
        before, after = old.get(name), new.get(name)
        if before is None or after is None:
            was, now = (None if one is None else _joined(_whole(one)) for one in (before, after))
            widens = after is not None and bool(after.may)
            yield from _one("agents", name, was, now, widens=widens)
        else:
            yield from _may(name, before, after)
            yield from _part("agents", name, texts.agent, before, after)


def _whole(agent: AgentPolicy) -> texts.Said:
    limits = ((one.tool, texts.permission(one)) for one in agent.may)
    may = (f"{tool} ({limit})" if limit else tool for tool, limit in limits)
    return {"may": ", ".join(may) or _NOTHING, **texts.agent(agent)}


def _may(agent: str, before: AgentPolicy, after: AgentPolicy) -> Iterator[Change]:
    old, new = ({one.tool: one for one in each.may} for each in (before, after))
    for tool in dict.fromkeys((*old, *new)):
        first, second = old.get(tool), new.get(tool)
        was, now = (None if one is None else texts.permission(one) or _ANY for one in (first, second))
        widens = arguments(first.arguments, second.arguments) if first and second else second is not None
        yield from _one("agents", f"{agent} may {tool}", was, now, widens=widens)


def _tools(old: Policy, new: Policy) -> Iterator[Change]:
    """Described tools; one that only an agent's ``may`` names is told of there."""
    for name in dict.fromkeys((*old.tools, *new.tools)):
        before, after = old.tools.get(name), new.tools.get(name)
        if before is not None and after is not None and before.described and after.described:
            yield from _part("tools", name, texts.tool, before, after)
        else:
            was, now = (
                _joined(texts.tool(one)) if one and one.described else None for one in (before, after)
            )
            yield from _one("tools", name, was, now, widens=described(before, after))


def _budgets(old: Mapping[str, BudgetPolicy], new: Mapping[str, BudgetPolicy]) -> Iterator[Change]:
    """Limits; what was spent of one that counts otherwise under the same id holds nothing back any more."""
    for change in _parts("budgets", old, new, texts.budget):
        before, after = old.get(change.name), new.get(change.name)
        lost = before is not None and after is not None and _lost(before, after)
        yield replace(change, after=f"{change.after}; {lost}", widens=True) if lost else change


def _lost(before: BudgetPolicy, after: BudgetPolicy) -> str | None:
    """What becomes of what was spent so far; None where it goes on to count."""
    if before.unit is not after.unit:
        return _MISREAD
    was, now = ((one.per, one.rolling_ms, one.each and one.each.value) for one in (before, after))
    return None if was == now else _ANEW


def _rate(policy: Policy) -> str | None:
    """What a dollar costs, where it can be anything else than one."""
    return None if policy.dollar is None or policy.currency == "USD" else texts.text_of(policy.dollar)


def _models(old: tuple[ModelPolicy, ...], new: tuple[ModelPolicy, ...]) -> Iterator[Change]:
    """Pattern by pattern; the order counts among those that are for the same models: the first decides."""
    before, after = ({one.pattern: one for one in each} for each in (old, new))
    for change in _parts("models", before, after, texts.model):
        others = {Kind.ADDED: old, Kind.REMOVED: new}.get(change.kind, ())
        # what another pattern is for, too, may have been stricter or laxer there
        shared = any(overlap(change.name, one.pattern) for one in others)
        yield replace(change, widens=None) if shared else change
    was, now = (
        _order([one for one in each if one.pattern in before and one.pattern in after]) for each in (old, new)
    )
    for pattern in (one.pattern for one in new if one.pattern in before):
        yield from _one("models", f"{pattern} stands below", was[pattern], now[pattern], widens=None)


def _order(models: Sequence[ModelPolicy]) -> dict[str, str | None]:
    """For each pattern those before it that are for some of the same models."""
    names = [one.pattern for one in models]
    return {
        name: ", ".join(each for each in names[:place] if overlap(each, name)) or None
        for place, name in enumerate(names)
    }


def _loops(old: LoopPolicy, new: LoopPolicy) -> Iterator[Change]:
    was, now = texts.loop_limits(old), texts.loop_limits(new)
    for word in was:
        yield from _one("loops", word, was[word], now[word], widens=looser(word)(old, new))


def _parts(
    section: str, old: Mapping[str, T], new: Mapping[str, T], said: Callable[[T], texts.Said]
) -> Iterator[Change]:
    added, removed, _ = WIDENS[section]
    for name in dict.fromkeys((*old, *new)):
        if name not in old:
            yield Change(section, name, Kind.ADDED, None, _joined(said(new[name])), added)
        elif name not in new:
            yield Change(section, name, Kind.REMOVED, _joined(said(old[name])), None, removed)
        else:
            yield from _part(section, name, said, old[name], new[name])


def _part(section: str, name: str, said: Callable[[T], texts.Said], before: T, after: T) -> Iterator[Change]:
    """The words that differ, and what they do together."""
    old, new = said(before), said(after)
    words = [word for word in dict.fromkeys((*old, *new)) if old.get(word) != new.get(word)]
    if not words:
        return
    judges: Mapping[str, Judged] = WIDENS[section][2]
    widens = together(judges[word](before, after) if word in judges else None for word in words)
    was, now = (_joined({word: each.get(word, _NOTHING) for word in words}) for each in (old, new))
    yield Change(section, name, Kind.CHANGED, was, now, widens)


def _each(
    section: str, old: Mapping[str, T], new: Mapping[str, T], said: Callable[[T], str], *, widens: bool | None
) -> Iterator[Change]:
    for word in dict.fromkeys((*old, *new)):
        was, now = (said(each[word]) if word in each else None for each in (old, new))
        yield from _one(section, word, was, now, widens=widens)


def _one(
    section: str, name: str, was: str | None, now: str | None, *, widens: bool | None
) -> Iterator[Change]:
    if was != now:
        kind = Kind.ADDED if was is None else Kind.REMOVED if now is None else Kind.CHANGED
        yield Change(section, name, kind, was, now, widens)


def _by_id(parts: Iterable[Any]) -> dict[str, Any]:
    return {part.id: part for part in parts}


def _joined(said: texts.Said) -> str:
    return ", ".join(f"{word}: {text}" if text else word for word, text in said.items())


_ANEW = "it starts anew: what was spent so far counts no more"
_MISREAD = "what was spent so far would be read in the new unit: give it another id"
_ANY = "with any arguments"
_NOTHING = "nothing"
