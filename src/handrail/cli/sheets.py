"""A question's sheet on a terminal, and as JSON for programs.

Whatever an agent may have written stands on lines of its own, behind a mark, so that it can't draw a line of
the sheet; signs that can't be seen are shown as escapes by ``screen``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handrail.cli import screen
from handrail.cli.shown import when
from handrail.cli.times import clock, span
from handrail.words.approval import ApprovalState
from handrail.words.money import from_nano

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from handrail.words.approval import Vote
    from handrail.words.sheet import Change, SeatView, Sheet

LONGEST_SAID = 600
"""Characters of a rationale that stand in a question."""
MOST_LINES = 200
"""Lines of a text argument that are shown beside the exact JSON, which has them all."""
OWN_WORD = "(the agent's own word)"
Pair = tuple[str, str | None]


def draw(found: Sheet, now: int, *, exact: bool, error: bool = False) -> None:
    """The whole question, the decisive facts last, beside the prompt that may follow.

    ``exact`` is for who is about to answer: the arguments as they will run, instead of the redacted ones.
    """
    screen.say(screen.plain(found.what), "bold", error=error)
    screen.say(_arguments(found, exact=exact), error=error)
    if exact:
        for name, text in found.texts.items():
            screen.say(f"{screen.plain(name)}, as text:", error=error)
            screen.say(_marked(text.split("\n")), error=error)
    changed = found.changes if exact else found.shown_changes
    if changed:
        screen.say(f"{screen.plain(found.edited_by)} changed:", error=error)
        draw_changes(changed, error=error)
    screen.say("", error=error)
    screen.pairs(_pairs(found, now, exact=exact), error=error)


def draw_changes(changed: tuple[Change, ...], *, error: bool = False) -> None:
    """What an edit changed, line by line: ``-`` goes, ``+`` comes."""
    for change in changed:
        screen.say(f"  {screen.plain(change.name)}", error=error)
        screen.say(_marked(change.lines, "    "), error=error)


def line_of(found: Sheet) -> str:
    """A question in one line, for a list of several that are answered at once."""
    reasons = "; ".join(dict.fromkeys(one.reason for one in found.why))
    return f"{screen.plain(found.what)} {screen.plain(found.undo)} It asks because: {screen.plain(reasons)}"


def left(seat: SeatView, now: int) -> str:
    """How much time a seat has, and what happens then."""
    if seat.expires_at is None:
        return "no time limit"
    over = seat.expires_at - now
    if over > 0:
        return f"{span(over)} left, then {seat.then}"
    return f"its time is over since {span(over)}: {seat.then}"


def people_of(seat: SeatView) -> str:
    """Who may answer for a seat, by name."""
    people = "anyone" if seat.anyone else ", ".join(seat.people)
    deputies = f" (also {', '.join(seat.deputies)}, in place of who is away)" if seat.deputies else ""
    return (people or "nobody (the policy has no such group)") + deputies


def row(found: Sheet, now: int) -> tuple[str | None, ...]:
    """The question in a table."""
    from handrail.cli.shorts import short

    approval = found.approval
    waits = [seat.expires_at for seat in found.seats if seat.expires_at is not None]
    over = "" if approval.state is not ApprovalState.OPEN or not waits else _until(min(waits) - now)
    reasons = "; ".join(dict.fromkeys(one.reason for one in found.why))
    groups = ", ".join(seat.group for seat in found.seats)
    return (
        *(short(approval.action), clock(approval.opened_at), found.agent, found.tool),
        *(found.amount, reasons, groups, over, approval.state),
    )


def sheet_json(found: Sheet) -> dict[str, object]:
    """A question for programs. The exact arguments are not in it: the payload is for who answers."""
    approval = found.approval
    return {
        "id": approval.id,
        "action": approval.action,
        "state": approval.state,
        "agent": found.agent,
        "tool": found.tool,
        "task": found.task,
        "behalf": found.behalf,
        "what": found.what,
        "reasons": tuple(dict.fromkeys(one.reason for one in found.why)),
        "why": [
            {"step": one.step, "rule": one.rule, "reason": one.reason, "when": one.condition}
            for one in found.why
        ],
        "undo": found.undo,
        "rationale": found.rationale,
        "confidence": found.confidence,
        "amount": None if found.money is None else from_nano(found.money),
        "budgets": [_fields(one, "budget", "used", "after", "limit", "share") for one in found.budgets],
        "input": found.shown_args,
        "changes": [_fields(one, "name", "before", "after") for one in found.shown_changes],
        "facts": found.shown_facts,
        "asks": [{"step": ask.step, "audience": ask.audience} for ask in sorted(approval.asks)],
        "seats": [_seat_json(found, seat) for seat in found.seats],
        "votes": [_vote_json(vote) for vote in found.votes],
        "similar": [
            {**_fields(one, "action", "answer", "by", "what", "reason"), "at": when(one.at)}
            for one in found.similar
        ],
        "notes": found.notes,
        "edited_by": found.edited_by,
        "supersedes": found.supersedes,
        "superseded_by": found.superseded_by,
        "action_state": found.action_state,
        "outcome": found.outcome,
        "opened_at": when(approval.opened_at),
        "closed_at": when(approval.closed_at),
        "runs_until": when(found.runs_until),
        "reason": approval.reason,
    }


def _arguments(found: Sheet, *, exact: bool) -> str:
    if found.args is None:
        return "(its arguments were erased: it can't run any more)"
    if exact:
        return f"With exactly these arguments:\n{screen.exact(found.args)}"
    return f"With these arguments (what the policy hides is hidden):\n{_laid_out(found.shown_args)}"


def _pairs(found: Sheet, now: int, *, exact: bool) -> Iterator[Pair]:
    yield "agent", screen.plain(found.agent)
    yield "for the person", None if found.behalf is None else screen.plain(found.behalf)
    yield "tool", screen.plain(found.tool)
    yield "task", None if found.task is None else screen.plain(found.task)
    yield "amount", found.amount
    yield "way back", found.undo
    for budget in found.budgets:
        yield f"budget {budget.budget}", f"after it {budget.after} of {budget.limit} ({budget.share} %)"
    for name, value in (found.facts if exact else found.shown_facts).items():
        yield f"fact {name}", screen.plain(_laid_out(value, indent=0))
    yield "confidence", None if found.confidence is None else f"{found.confidence} {OWN_WORD}"
    yield "rationale", None if found.rationale is None else said(found.rationale)
    for one in found.similar:
        reason = f" ({one.reason})" if one.reason else ""
        yield f"before, {clock(one.at)}", screen.plain(f"{one.answer} by {one.by}{reason}: {one.what}")
    yield "it asks because", "\n".join(dict.fromkeys(_why(found)))
    for seat in found.seats:
        yield f"{seat.audience} may answer", _seat(found, seat, now)
    for vote in found.votes:
        yield (
            f"{vote.person} said",
            f"{vote.choice}{f' ({screen.plain(vote.reason)})' if vote.reason else ''}",
        )
    if found.approval.state is not ApprovalState.OPEN:
        yield "question", found.approval.state
    yield "outcome", found.outcome and screen.plain(found.outcome)
    for note in found.notes:
        yield "mind", screen.plain(note)
    yield "action", found.approval.action


def _why(found: Sheet) -> Iterator[str]:
    for one in found.why:
        told = f" [{one.condition}]" if one.condition and one.condition not in one.reason else ""
        yield screen.plain(f"{one.reason}{told}")


def said(rationale: str) -> str:
    """The agent's own word in one short line: a long one must not push the arguments off the screen."""
    line = " / ".join(rationale.split("\n"))
    short = line if len(line) <= LONGEST_SAID else f"{line[:LONGEST_SAID]}…, {len(line):,} characters in all"
    return f"{short} {OWN_WORD}"


def _seat(found: Sheet, seat: SeatView, now: int) -> str:
    need = f"{seat.answered} of {seat.need} have: " if seat.need > 1 else ""
    instead = (
        "" if seat.group == seat.audience else f" ({seat.group}, because {seat.audience} did not answer)"
    )
    time = f"; {left(seat, now)}" if found.approval.state is ApprovalState.OPEN else ""
    return f"{need}{people_of(seat)}{instead}{time}"


def _until(over: int) -> str:
    return span(over) if over > 0 else "overdue"


def _marked(lines: list[str] | tuple[str, ...], indent: str = "  ") -> str:
    """Lines that an agent may have written, each behind a mark and cut off where they would be too many."""
    kept = [f"{indent}│ {screen.plain(line)}" for line in lines[:MOST_LINES]]
    more = len(lines) - len(kept)
    return "\n".join(kept if more <= 0 else [*kept, f"{indent}… {more:,} lines more"])


def _laid_out(value: object, indent: int = 2) -> str:
    import msgspec

    text = msgspec.json.Encoder(decimal_format="number").encode(value)
    return screen.exact(text.decode(), indent=indent)


def _fields(value: object, *names: str) -> Mapping[str, object]:
    return {name: getattr(value, name) for name in names}


def _seat_json(found: Sheet, seat: SeatView) -> dict[str, object]:
    ends = {one.audience: one.if_no_answer for one in found.approval.seats}
    return {
        "audience": seat.audience,
        "asked": seat.group,
        "people": seat.people,
        "deputies": seat.deputies,
        "need": seat.need,
        "answered": seat.answered,
        "expires_at": when(seat.expires_at),
        "if_no_answer": ends.get(seat.audience),
    }


def _vote_json(vote: Vote) -> dict[str, object]:
    return {
        "person": vote.person,
        "choice": vote.choice,
        "reason": vote.reason,
        "verified": vote.verified,
        "at": when(vote.at),
    }
