"""The sentences of a sheet: what will happen, why it asks, whether it can be undone, what is left."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from handrail.engine.budgets.views import same, view_of
from handrail.engine.outcomes import is_answered, sentences
from handrail.policy import digests
from handrail.policy.budgets.words import quantity_of
from handrail.policy.model import CheckKind, Does, Unit, Window
from handrail.words.lifecycle import State
from handrail.words.money import from_nano, shown
from handrail.words.sheet import Because, Change
from handrail.words.verdict import Measure, Outcome

if TYPE_CHECKING:
    from handrail.policy.model import BudgetPolicy, CheckPolicy, Policy
    from handrail.words.action import Action
    from handrail.words.approval import Approval
    from handrail.words.verdict import Ask, Charge

DOING: Mapping[Does, str] = {
    Does.READ: "look something up",
    Does.CREATE: "create something",
    Does.UPDATE: "change something",
    Does.DELETE: "delete something",
    Does.SEND: "send something",
    Does.PAY: "make a payment",
    Does.RUN: "run something",
}
UNDO: Mapping[str, str] = {"none": "It can't be undone."}
"""What each way back means, by the policy's word for it. What makes a way back real adds its row."""
NO_WAY_BACK = "Take it as final: the policy names a way back ({}), and nothing records it yet."
READS = "It changes nothing."
WITHIN: Mapping[Window, str] = {
    Window.TASK: "for this task",
    Window.SESSION: "in this session",
    Window.HOUR: "this hour",
    Window.DAY: "today",
    Window.WEEK: "this week",
    Window.MONTH: "this month",
    Window.TOTAL: "in all",
    Window.ROLLING: "in the time that it looks back",
}
OUTCOMES: Mapping[State, str] = {
    State.RUNNING: "It is running.",
    State.DONE: "It ran.",
    State.FAILED: "It ran and failed",
    State.UNKNOWN: "It was interrupted, and nobody knows whether it took effect.",
    State.REJECTED: "It was rejected",
    State.EXPIRED: "Its time was over",
    State.CANCELLED: "It was cancelled",
    State.DENIED: "It was refused",
    State.UNDONE: "It ran and was undone.",
}
TELLING = frozenset({"id", "to", "path", "url", "email", "name", "recipient", "customer", "order", "file"})
"""Arguments of these names, and those that end in ``_id``, say what an action is about."""
MOST = 2
"""How many of them stand in the sentence."""
LONGEST = 60
"""Characters of a name or an argument that stand in a sentence."""
_WRITTEN = frozenset({Measure.ASK, Measure.CHECK, Measure.BUDGET})
"""What asks by a line of the policy."""
_PLAIN = re.compile(r"[\w@./#:+-]+")
_json = msgspec.json.Encoder(order="sorted", decimal_format="number").encode


def what(policy: Policy, action: Action, args: Mapping[str, object]) -> str:
    """What will happen, in one plain sentence. ``args`` are the redacted ones: channels show it."""
    wants = "wants" if action.state is State.HELD else "wanted"
    doing = f"{_said(action.agent)} {wants} to {_doing(policy, action)} with {_said(action.tool)}"
    task = "" if action.task is None else f" for {_said(action.task)}"
    more = "; ".join(_details(policy, action, args))
    return f"{doing}{task}{f' ({more})' if more else ''}."


def brief(policy: Policy, action: Action, args: Mapping[str, object]) -> str:
    """An action in a few words, for a list of alike ones."""
    money = () if action.amount is None else (shown(action.amount, policy.currency),)
    task = () if action.task is None else (f"for {_said(action.task)}",)
    return ", ".join((*money, *_named(args), *task)) or action.tool


def undo_of(policy: Policy, tool: str) -> str:
    """Whether and how an action of this tool can be undone, in one sentence."""
    known = policy.tools.get(tool)
    if known is None:
        return UNDO["none"]
    if known.does is Does.READ:
        return READS
    way = known.undo if isinstance(known.undo, str) else next(iter(known.undo), "none")
    return UNDO.get(way) or NO_WAY_BACK.format(way)


def because(policy: Policy, action: Action, approval: Approval) -> tuple[Because, ...]:
    """Every step that asks, in the gate's order, with the text of the rule where it is still the same."""
    # an ask that was answered passes at the recheck and has lost its reason by then
    steps = {step.ask: step.reason for step in action.verdict.steps if step.outcome is Outcome.ASK}
    asked = [*(ask for ask in steps if ask in approval.asks), *sorted(approval.asks - steps.keys())]
    return tuple(_because(policy, ask, steps.get(ask)) for ask in asked)


def changed_rules(policy: Policy, approval: Approval) -> tuple[str, ...]:
    """The rules and checks that asked, and that the running policy has changed or no longer has."""
    asked = [(ask.step.partition(":"), ask.digest) for ask in sorted(approval.asks)]
    return tuple(
        rule
        for (measure, _, rule), digest in asked
        if measure in _WRITTEN and _digest(policy, measure, rule) != digest
    )


def changes(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[Change, ...]:
    """What an edit changed, argument by argument: those that are gone, then the others in their order."""
    names = [*(name for name in before if name not in after), *after]
    found = [Change(name, text_of(before, name), text_of(after, name)) for name in names]
    return tuple(change for change in found if change.before != change.after)


def text_of(args: Mapping[str, object], name: str) -> str | None:
    """One argument as JSON text; None when it is absent."""
    return _json(args[name]).decode() if name in args else None


def used_in(budget: BudgetPolicy | None, currency: str, charge: Charge, used: int) -> tuple[str, str]:
    """A quantity and the limit of a budget, in words of its unit."""
    if budget is None:
        return f"{used:,}", f"{charge.limit:,} (the running policy has no such budget)"
    money = budget.unit in (Unit.AMOUNT, Unit.COST)
    unit = currency if money else str(budget.unit)
    one = not money and charge.limit == 1
    limit = f"{_quantity(charge.limit, money=money)} {unit.removesuffix('s') if one else unit}"
    return _quantity(used, money=money), f"{limit} {WITHIN[budget.per]}{same(budget)}"


def outcome_of(action: Action) -> str | None:
    """What became of an action, once something did."""
    if action.superseded_by is not None:
        return f"It was changed by a person into action {action.superseded_by}."
    if is_answered(action):
        return f"It did not run: {action.error}"
    told = OUTCOMES.get(action.state)
    if told is None or told.endswith("."):
        return told
    # nothing ran that could leave an error: the checks say why
    why = action.error or (sentences(action.verdict.reasons) if action.state is State.DENIED else "")
    return f"{told}: {why}" if why else f"{told}."


def _doing(policy: Policy, action: Action) -> str:
    tool = policy.tools.get(action.tool)
    does = tool.does if tool else Does.RUN
    if action.amount is None:
        return DOING[does]
    money = shown(action.amount, policy.currency)
    return f"pay {money}" if does is Does.PAY else f"{DOING[does]} worth {money}"


def _details(policy: Policy, action: Action, args: Mapping[str, object]) -> tuple[str, ...]:
    tool = policy.tools.get(action.tool)
    if tool is None or not tool.described:
        return ("a tool that the policy does not describe", *_named(args))
    return (*((tool.category,) if tool.category else ()), *_named(args))


def _named(args: Mapping[str, object]) -> tuple[str, ...]:
    """The few arguments that say what it is about."""
    found = [
        f"{name} {_said(str(value))}"
        for name, value in args.items()
        if (name in TELLING or name.endswith("_id")) and type(value) in (str, int, Decimal) and value != ""
    ]
    return tuple(found[:MOST])


def _said(text: str) -> str:
    """A name in a sentence; in quotes and cut where it could be taken for a part of the sentence."""
    short = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return short if _PLAIN.fullmatch(text) else f"“{short}”"


def _because(policy: Policy, ask: Ask, reason: str | None) -> Because:
    measure, _, rule = ask.step.partition(":")
    same = _digest(policy, measure, rule) == ask.digest
    told = (
        reason or (_reason(policy, measure, rule) if same else None) or "it was asked when this was proposed"
    )
    return Because(ask.step, rule, told, _condition(policy, measure, rule) if same else None)


def _digest(policy: Policy, measure: str, rule: str) -> str | None:
    found = [digests.of_rule(one) for one in policy.rules if one.id == rule] if measure == Measure.ASK else []
    found += [digests.of_check(one) for one in policy.checks if one.id == rule and measure == Measure.CHECK]
    found += [
        digests.of_budget(one) for one in policy.budgets if one.id == rule and measure == Measure.BUDGET
    ]
    return found[0] if found else None


def _reason(policy: Policy, measure: str, rule: str) -> str | None:
    if measure == Measure.ASK:
        return next((one.reason for one in policy.rules if one.id == rule), None)
    return next((one.reason for one in policy.checks if one.id == rule and measure == Measure.CHECK), None)


def _condition(policy: Policy, measure: str, rule: str) -> str | None:
    if measure == Measure.ASK:
        return next((one.when.value for one in policy.rules if one.id == rule), None)
    if measure == Measure.BUDGET:
        return next((_limit(policy, one) for one in policy.budgets if one.id == rule), None)
    return next((_looks(one) for one in policy.checks if one.id == rule), None)


def _limit(policy: Policy, budget: BudgetPolicy) -> str:
    view = view_of(policy, budget)
    return f"at most {quantity_of(view, view.limit)} {WITHIN[budget.per]}{same(budget)}"


def _looks(check: CheckPolicy) -> str:
    """What a check looks for, as a person would say it."""
    where = check.looks_in.value if check.looks_in else "the arguments"
    if check.kind is CheckKind.PHRASES:
        return f"{where} has none of: {', '.join(check.phrases)}"
    if check.kind is CheckKind.REGEX and check.regex:
        return f"{where} has nothing like {check.regex.value}"
    if check.when:
        return check.when.value
    return (
        f"{where} fits its schema"
        if check.kind is CheckKind.SCHEMA
        else f"{where}: {check.judge or check.kind}"
    )


def _quantity(quantity: int, *, money: bool) -> str:
    return f"{from_nano(quantity):,f}" if money else f"{quantity:,}"
