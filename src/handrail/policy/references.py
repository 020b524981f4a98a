"""Whether everything that a policy names is there: tools, groups, agents; and whether every question ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from handrail.policy.model import Does, Place, Policy, Selector
from handrail.policy.nearest import nearest
from handrail.policy.reader import Reader
from handrail.policy.sections.approvers import REJECT
from handrail.policy.sections.tools import DOES
from handrail.policy.selectors import ALL, PREFIXES, WRITES, is_name, matches
from handrail.words.verdict import ANYONE


def check_references(reader: Reader, policy: Policy) -> None:
    """Report every name that leads nowhere."""
    for selector in _selectors(policy):
        for term, place in zip(selector.terms, selector.places, strict=True):
            _check_term(reader, policy, term, place)
    for group, place in _groups(reader, policy):
        _check_group(reader, policy, group, place)
    for budget in policy.budgets:
        for agent in budget.agents:
            place = reader.values[f"budgets.{budget.id}.agents"]
            _check_known(reader, "agent", agent, policy.agents, place)
    for model in policy.models:
        for agent in model.agents:
            place = reader.values[f"models.{model.pattern}.agents"]
            _check_known(reader, "agent", agent, policy.agents, place)
    _check_compensation(reader, policy)
    _check_escalation(reader, policy)


def _selectors(policy: Policy) -> Iterator[Selector]:
    for rules in (policy.rules, policy.preapproved, policy.checks, policy.never):
        yield from (rule.tools for rule in rules)
    for budget in policy.budgets:
        if budget.tools is not None:
            yield budget.tools


def _check_term(reader: Reader, policy: Policy, term: str, place: Place) -> None:
    if not term or term in policy.tools:
        return
    if not is_name(term) and any(matches(term, tool) for tool in policy.tools.values()):
        return
    prefix, colon, word = term.partition(":")
    if is_name(term):
        expected = "a tool of this policy, writes, category:…, does:…, touches:… or *"
        words = [*policy.tools, WRITES, ALL, *PREFIXES, *(f"{start}{word}" for start in PREFIXES)]
        reader.report(place, f"no tool is named {term!r}", expected, nearest(term, words))
        return
    choices: dict[str, set[str]] = {
        "category": {tool.category for tool in policy.tools.values() if tool.category},
        "touches": {word for tool in policy.tools.values() for word in tool.touches},
        "does": {str(tool.does) for tool in policy.tools.values()},
    }
    known = choices.get(prefix, set())
    if prefix == "does" and word not in DOES:
        reader.report(place, f"{term!r} matches no tool", f"one of {', '.join(DOES)}", nearest(word, DOES))
        return
    near = nearest(word, sorted(known)) if colon else None
    reader.report(
        place, f"{term!r} matches no tool", "a selector that matches a tool", near and f"{prefix}:{near}"
    )


def _groups(reader: Reader, policy: Policy) -> Iterator[tuple[str, Place]]:
    """Every use of a group, with its place."""
    asked = (
        *((one.audience, f"rules.{one.id}.ask") for one in policy.rules),
        *((one.audience, f"checks.{one.id}.if_not_ok") for one in policy.checks),
        *((one.audience, f"budgets.{one.id}.at_limit") for one in policy.budgets),
    )
    yield from ((group, reader.values[path]) for group, path in asked if group not in {"", ANYONE})
    for one in policy.approvers.values():
        if one.if_no_answer not in {"", REJECT}:
            yield one.if_no_answer, reader.values[f"approvers.{one.name}.if_no_answer"]
    told = policy.alerts.get("to", ())
    for name in told if isinstance(told, Iterable) else ():
        if name:
            yield str(name), reader.values["alerts.to"]


def _check_group(reader: Reader, policy: Policy, group: str, place: Place) -> None:
    _check_known(reader, "group of approvers", group, policy.approvers, place)


def _check_known(reader: Reader, what: str, name: str, known: Iterable[str], place: Place) -> None:
    names = list(known)
    if name and name not in names:
        article = "an" if what[0] in "aeiou" else "a"
        expected = f"one of {', '.join(names)}" if names else f"{article} {what} that this policy describes"
        reader.report(place, f"no {what} is named {name!r}", expected, nearest(name, names))


def _check_compensation(reader: Reader, policy: Policy) -> None:
    for tool in policy.tools.values():
        other = tool.undo.get("compensate") if not isinstance(tool.undo, str) else None
        if not isinstance(other, str) or not other:
            continue
        place = reader.values[f"tools.{tool.name}.undo"]
        _check_known(reader, "tool", other, policy.tools, place)
        if other == tool.name or (other in policy.tools and policy.tools[other].does is Does.READ):
            reader.report(
                place, f"{other!r} can't make up for {tool.name!r}", "another tool, one that writes"
            )


def _check_escalation(reader: Reader, policy: Policy) -> None:
    """A question that nobody answers must end: groups must not hand it round in a circle."""
    ended: set[str] = {REJECT}
    for first in policy.approvers:
        path: list[str] = []
        group = first
        while group in policy.approvers and group not in ended and group not in path:
            path.append(group)
            group = policy.approvers[group].if_no_answer
        if group in path:
            circle = " → ".join([*path[path.index(group) :], group])
            place = reader.values[f"approvers.{group}.if_no_answer"]
            reader.report(
                place, f"a question would go round for ever: {circle}", "a group that ends with reject"
            )
        ended.update(path)
