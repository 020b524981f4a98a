"""What a message says, line by line: the same lines for Slack, mail and everything else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from handrail.channels.texts import moment, one_line
from handrail.words.approval import ApprovalState, Choice
from handrail.words.delivery import DeliveryKind
from handrail.words.verdict import Measure

if TYPE_CHECKING:
    from handrail.ports import Message
    from handrail.words.action import LostNews
    from handrail.words.budget import BudgetNews
    from handrail.words.session import HeldNews
    from handrail.words.sheet import Because, Change, SeatView, Sheet, Similar

_encode = msgspec.json.Encoder(decimal_format="number").encode
DIGITS = 12
"""Digits of the digest that people compare by eye."""


SIMILAR = 2
"""Past decisions that a message tells of; the page has more."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: what it is about, and its text as somebody wrote it, not yet made safe to show."""

    label: str
    text: str


def lines(sheet: Sheet) -> tuple[Line, ...]:
    """Everything that helps to answer, but the arguments."""
    found = [Line("Agent", _agent(sheet)), Line("Tool", f"{sheet.tool} ({sheet.does})")]
    if sheet.task:
        found.append(Line("Task", sheet.task))
    found += [Line("Why it asks", _because(each)) for each in sheet.why]
    found.append(Line("Way back", sheet.undo))
    if sheet.amount:
        found.append(Line("Amount", sheet.amount))
    found += [
        Line("Budget after it", f"{each.budget}: {each.after} of {each.limit} ({each.share}%)")
        for each in sheet.budgets
    ]
    found += [Line(f"Looked up: {name}", _fact(value)) for name, value in sheet.shown_facts.items()]
    if sheet.rationale:
        found.append(Line("The agent says", sheet.rationale))
    if sheet.confidence is not None:
        found.append(Line("It says it is", f"{(sheet.confidence * 100).normalize():f} % sure"))
    found += [Line(f"Changed {each.name}", _change(each)) for each in sheet.shown_changes]
    found += [
        Line(f"Before ({moment(each.at)})", f"{each.answer} by {each.by}: {each.what}{_reason(each)}")
        for each in sheet.similar[:SIMILAR]
    ]
    found += [Line("Note", each) for each in sheet.notes]
    if sheet.approval.state is ApprovalState.OPEN:
        found += [Line("Waits for", _deadline(seat)) for seat in sheet.seats]
    found.append(Line("Fingerprint", sheet.digest[:DIGITS]))
    return tuple(found)


def news_lines(message: Message) -> tuple[Line, ...]:
    """What is said of a budget, a held session or a loss; nothing for every other message."""
    if message.budget is not None:
        return _budget_lines(message.budget)
    if message.lost is not None:
        return _lost_lines(message.lost)
    return _held_lines(message.held) if message.held is not None else ()


def _held_lines(news: HeldNews) -> tuple[Line, ...]:
    """What is said of a held session: whose it is, for what, why, and what to do."""
    found = [Line("Agent", news.agent)]
    if news.task:
        found.append(Line("Task", news.task))
    found += [Line("Because", f"{news.reason} ({news.by})"), Line("Session", news.session)]
    return (*found, Line("Then", "nothing of it goes on until a person releases it"))


def _lost_lines(news: LostNews) -> tuple[Line, ...]:
    """What is said of actions that nobody saw end: what they were to do, why, and what to do."""
    found = [Line("Action", each) for each in news.what]
    if news.count > len(news.what):
        found.append(Line("And", f"{news.count - len(news.what):,} more"))
    found.append(Line("Because", "the process that ran this fell silent"))
    return (*found, Line("Then", "look where it acts, and say on its page whether it took effect"))


def _budget_lines(news: BudgetNews) -> tuple[Line, ...]:
    """What a budget's alert says: how much of what, when there is room again, who spends most."""
    found = [Line("Used", news.told)]
    if news.renews:
        found.append(Line("Then", news.renews))
    if news.spenders:
        found.append(Line("Most is spent by", "; ".join(news.spenders)))
    return tuple(found)


def answer(sheet: Sheet) -> str:
    """How the question ended, in one sentence."""
    approval = sheet.approval
    by = ", ".join(vote.person for vote in sheet.votes if vote.choice is _CHOICE.get(approval.state))
    said = f": {approval.reason}" if approval.reason else ""
    return f"{_ENDED[approval.state]}{f' by {by}' if by else ''}{said}"


def title(message: Message) -> str:
    """What a message is about, on one line."""
    kind, halt, sheet = message.delivery.kind, message.halt, message.sheet
    if halt is not None:
        what = "Stopped" if kind is DeliveryKind.HALTED else "Goes on"
        return one_line(f"{what}: {halt.scope}", 200)
    if message.held is not None:
        return one_line(f"Held: a session of {message.held.agent}", 200)
    if message.lost is not None:
        how = "how an action" if message.lost.count == 1 else f"how {message.lost.count:,} actions"
        return f"Nobody knows {how} ended"
    if message.budget is not None:
        return one_line(f"Budget {message.budget.budget}: {message.budget.percent}% reached", 200)
    if sheet is None:
        return "A test of Handrail"
    if kind is DeliveryKind.ANSWERED:
        return one_line(f"{answer(sheet)} - {sheet.what}", 200)
    if kind is DeliveryKind.OUTCOME:
        return one_line(f"{_state(sheet)} - {sheet.what}", 200)
    return one_line(f"Question: {sheet.what}", 200)


def outcome(sheet: Sheet) -> str:
    """What became of the action."""
    return f"{_state(sheet)}: {sheet.outcome}" if sheet.outcome else _state(sheet)


def _state(sheet: Sheet) -> str:
    return sheet.action_state.replace("_", " ").capitalize()


def _agent(sheet: Sheet) -> str:
    return f"{sheet.agent}, for {sheet.behalf}" if sheet.behalf else sheet.agent


def _because(why: Because) -> str:
    """The reason, and which line of the policy asks: where a tool stands is no line of it."""
    named = why.rule and why.rule not in why.reason and not why.step.startswith(f"{Measure.LEVEL}:")
    return f"{why.reason} ({why.rule})" if named else why.reason or why.rule


def _fact(value: object) -> str:
    """A fact as people read it: ``tier small, days_old 9``; JSON where it is no flat record."""
    if not isinstance(value, Mapping) or any(isinstance(each, (Mapping, list)) for each in value.values()):
        return value if isinstance(value, str) else _json(value)
    return ", ".join(
        f"{name} {each if isinstance(each, str) else _json(each)}" for name, each in value.items()
    )


def _json(value: object) -> str:
    return _encode(value).decode()


def _reason(past: Similar) -> str:
    return f" ({past.reason})" if past.reason else ""


def _change(change: Change) -> str:
    return f"{change.before or 'nothing'} became {change.after or 'nothing'}"


def _deadline(seat: SeatView) -> str:
    until = f" until {moment(seat.expires_at)}, then {seat.then}" if seat.expires_at is not None else ""
    who = "anyone with an account" if seat.anyone else seat.group or seat.audience
    left = max(0, seat.need - seat.answered)
    return f"{who}, {left} yes{'' if left == 1 else 'es'} needed{until}"


_ENDED = {
    ApprovalState.OPEN: "Open",
    ApprovalState.APPROVED: "Approved",
    ApprovalState.REJECTED: "Rejected",
    ApprovalState.EXPIRED: "Nobody answered in time",
    ApprovalState.CANCELLED: "Taken back",
    ApprovalState.SUPERSEDED: "Edited",
    ApprovalState.ANSWERED: "Answered",
    ApprovalState.RESUMED: "Went on by itself",
}
_CHOICE = {
    ApprovalState.APPROVED: Choice.APPROVE,
    ApprovalState.REJECTED: Choice.REJECT,
    ApprovalState.SUPERSEDED: Choice.EDIT,
    ApprovalState.ANSWERED: Choice.ANSWER,
}
