"""``handrail approvals``, ``approve`` and ``reject``: questions that wait for people, and their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from handrail.cli import screen
from handrail.cli.exits import Exit
from handrail.cli.opened import opened_engine, opened_store
from handrail.cli.options import As, AsJson, Database, Limit, MaybeReason, PolicyPath, Reason
from handrail.cli.person import confirmed, must_be_at_a_terminal, person_of
from handrail.cli.times import clock, span
from handrail.words.approval import ApprovalState, Choice
from handrail.words.errors import NotFound, Refused

if TYPE_CHECKING:
    from pathlib import Path

    from handrail.cli.shown import Question
    from handrail.engine.core import Engine
    from handrail.words.approval import Approval, Seat

app = typer.Typer(no_args_is_help=True, help="Questions that wait for people.")
LONGEST_SAID = 600
"""Characters of a rationale that stand in a question."""
Id = Annotated[
    str, typer.Argument(metavar="ID", help="The question's or the action's id, or its last digits.")
]
InState = Annotated[ApprovalState, typer.Option("--state", help="Questions in this state.")]
All = Annotated[bool, typer.Option("--all", help="Questions in every state.")]


@app.command("list")
def list_(
    *,
    policy: PolicyPath = None,
    database: Database = None,
    state: InState = ApprovalState.OPEN,
    every: All = False,
    limit: Limit = 50,
    json: AsJson = False,
) -> None:
    """List questions, the longest waiting first."""
    from handrail.cli.shown import question, question_json

    with opened_store(policy, database) as store:
        wanted = None if every else state.value
        found, now = store.read(
            lambda tx: ([question(tx, each) for each in tx.approvals.listing(wanted, limit)], tx.now())
        )
    asked = [each for each in found if each is not None]
    if json:
        for each in asked:
            screen.line(question_json(each))
        return
    columns = ("action", "asked (UTC)", "agent", "tool", "why", "who", "time left", "state")
    screen.table(columns, [_row(each, now) for each in asked], "No question waits for an answer.")


def approve(
    action: Id,
    *,
    person: As = None,
    reason: MaybeReason = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """Let a held action run: shows exactly what will run, and asks on a terminal.

    It runs when its agent resumes it, after a fresh check. No switch skips the question.
    """
    _answer(action, Choice.APPROVE, person, reason, policy, database, json=json)


def reject(
    action: Id,
    *,
    reason: Reason,
    person: As = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """Refuse a held action, with a reason that the agent is told. Asks on a terminal."""
    _answer(action, Choice.REJECT, person, reason, policy, database, json=json)


def _answer(
    ending: str,
    choice: Choice,
    person: str | None,
    reason: str | None,
    policy: Path | None,
    database: str | None,
    *,
    json: bool,
) -> None:
    from handrail.cli.shorts import question as by_ending
    from handrail.cli.shown import question, question_json
    from handrail.engine.people import vote

    must_be_at_a_terminal("an answer")
    who = person_of(person)
    with opened_engine(policy, database) as engine:
        engine.refresh()
        asked, now = engine.store.read(lambda tx: (question(tx, by_ending(tx, ending)), tx.now()))
        if asked is None:
            raise NotFound(f"the action of question {ending} is not in the store")
        _may(engine, asked.approval, who)
        _ask(engine, asked, now)
        verb = (
            "approve this, so that it runs as shown"
            if choice is Choice.APPROVE
            else f"reject this ({reason})"
        )
        if not confirmed(f"You are {who}: {verb}?"):
            screen.say("Nothing was answered; the question stays open.", error=True)
            raise typer.Exit(Exit.NOT_DONE)
        answered = vote(engine, asked.approval.id, who, choice, reason, verified=False)
        after = engine.store.read(lambda tx: question(tx, answered))
    if json and after is not None:
        screen.document(question_json(after))
    else:
        screen.say(_became(answered))


def _may(engine: Engine, approval: Approval, person: str) -> None:
    """Say before the question what the vote would say after it.

    Raises:
        Refused: this person is not among those who are asked.
    """
    from handrail.cli.shown import people_of
    from handrail.engine.questions import sits_on

    groups = engine.policy.policy.approvers
    if not any(sits_on(groups, seat, person) for seat in approval.seats):
        asked = "; ".join(f"{seat.group}: {people_of(groups, seat)}" for seat in approval.seats)
        raise Refused(f"{person} is not among those who are asked ({asked}). Say who you are with --as NAME")


def _ask(engine: Engine, asked: Question, now: int) -> None:
    """The whole question on stderr, the decisive facts last, beside the prompt."""
    from handrail.words.money import shown

    action, policy = asked.action, engine.policy.policy
    screen.say(f"{action.agent} asks to run {action.tool}, with exactly these arguments:", "bold", error=True)
    screen.say(
        screen.exact(asked.args) if asked.args is not None else "(erased: it can't run any more)", error=True
    )
    screen.say("", error=True)
    reasons = list(dict.fromkeys(action.verdict.reasons))
    screen.pairs(
        [
            ("agent", action.agent),
            ("tool", action.tool),
            ("task", action.task),
            ("amount", None if action.amount is None else shown(action.amount, policy.currency)),
            (
                "confidence",
                None if action.confidence is None else f"{action.confidence} (the agent's own word)",
            ),
            ("rationale", None if action.rationale is None else _said(action.rationale)),
            ("it asks because", "\n".join(reasons)),
            *((f"{seat.audience} may answer", _seat(engine, seat, now)) for seat in asked.approval.seats),
            *((f"{vote.person} said", vote.choice) for vote in asked.votes),
            ("action", action.id),
        ],
        error=True,
    )


def _said(rationale: str) -> str:
    """The agent's own word in one short line: a long one must not push the arguments off the screen."""
    line = " / ".join(rationale.split("\n"))
    short = line if len(line) <= LONGEST_SAID else f"{line[:LONGEST_SAID]}…, {len(line):,} characters in all"
    return f"{short} (the agent's own word)"


def _seat(engine: Engine, seat: Seat, now: int) -> str:
    from handrail.cli.shown import people_of

    people = people_of(engine.policy.policy.approvers, seat)
    need = f"{seat.need} of " if seat.need > 1 else ""
    instead = (
        "" if seat.group == seat.audience else f" ({seat.group}, because {seat.audience} did not answer)"
    )
    return f"{need}{people}{instead}; {_left(seat, now)}"


def _left(seat: Seat, now: int) -> str:
    """How much time a seat has, and what happens then."""
    if seat.expires_at is None:
        return "no time limit"
    then = "it is rejected" if seat.if_no_answer == "reject" else f"{seat.if_no_answer} is asked"
    left = seat.expires_at - now
    return f"{span(left)} left, then {then}" if left > 0 else f"its time is over since {span(left)}: {then}"


def _row(asked: Question, now: int) -> tuple[str | None, ...]:
    from handrail.cli.shorts import short
    from handrail.cli.shown import why

    approval, action = asked.approval, asked.action
    waits = [seat.expires_at for seat in approval.seats if seat.expires_at is not None]
    left = "" if approval.state is not ApprovalState.OPEN or not waits else _until(min(waits) - now)
    groups = ", ".join(seat.group for seat in approval.seats)
    return (
        *(short(action.id), clock(approval.opened_at), action.agent, action.tool),
        *(why(action), groups, left, approval.state),
    )


def _until(left: int) -> str:
    return span(left) if left > 0 else "overdue"


def _became(approval: Approval) -> str:
    """What an answer led to."""
    if approval.state is ApprovalState.APPROVED:
        return (
            f"Approved. Action {approval.action} runs when its agent resumes it, after a fresh check. "
            "(The answer is recorded as unverified: this machine can't prove who gave it.)"
        )
    if approval.state is ApprovalState.REJECTED:
        return f"Rejected. Action {approval.action} will not run; its agent is told why."
    return f"Your answer is recorded. Action {approval.action} still waits for others."
