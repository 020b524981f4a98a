"""The questions that a person is about to answer: found by their ids, and only those that may be answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from handrail.cli import screen
from handrail.cli.exits import Exit
from handrail.cli.person import confirmed
from handrail.words.approval import ApprovalState
from handrail.words.errors import Conflict, Refused
from handrail.words.person import one_spelling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.engine.core import Engine
    from handrail.words.approval import Approval
    from handrail.words.sheet import Sheet

Id = Annotated[
    str, typer.Argument(metavar="ID", help="The question's or the action's id, or its last digits.")
]
Ids = Annotated[
    list[str],
    typer.Argument(metavar="ID...", help="Questions' or actions' ids, or their last digits."),
]
UNVERIFIED = "(The answer is recorded as unverified: this machine can't prove who gave it.)"
OPEN_STILL = "Nothing was answered; the question stays open."


def one(engine: Engine, ending: str, person: str, *, refuses: bool = False) -> tuple[Sheet, int]:
    """The open question with this id, and the time now.

    Who only ``refuses`` is shown it, too, where the active policy can't be had and nobody knows who is asked.

    Raises:
        NotFound, Conflict: there is none, there are several, it is closed, or this person has answered.
        Refused: this person is not among those who are asked.
    """
    from handrail.cli.shorts import question as by_ending
    from handrail.engine.questions.sheet import sheet

    known = engine.catch_up() if refuses else _refreshed(engine)
    found, now = engine.store.read(lambda tx: (sheet(engine, tx, by_ending(tx, ending)), tx.now()))
    if known and not found.asks(person):
        raise Refused(
            f"{person} is not among those who are asked ({_asked(found)}). Say who you are with --as NAME"
        )
    if any(one_spelling(vote.person) == one_spelling(person) for vote in found.votes):
        raise Conflict(f"{person} has answered this question already; it still waits for others")
    return found, now


def must_be_confirmed(question: str, otherwise: str = OPEN_STILL) -> None:
    """Ask; whoever does not say yes leaves everything as it is, which ``otherwise`` says."""
    if not confirmed(question):
        screen.say(otherwise, error=True)
        raise typer.Exit(Exit.NOT_DONE)


def again(engine: Engine, approvals: Sequence[Approval]) -> list[Sheet]:
    """The questions as they stand after an answer."""
    from handrail.engine.questions.sheet import sheet

    return engine.store.read(lambda tx: [sheet(engine, tx, each) for each in approvals])


def became(approval: Approval) -> str:
    """What an answer led to."""
    if approval.state is ApprovalState.APPROVED:
        return (
            f"Approved. Action {approval.action} runs when its agent resumes it, after a fresh check. "
            f"{UNVERIFIED}"
        )
    if approval.state is ApprovalState.REJECTED:
        return f"Rejected. Action {approval.action} will not run; its agent is told why."
    if approval.state is ApprovalState.ANSWERED:
        return f"Answered. Action {approval.action} will not run; its agent is told your words."
    return f"Your answer is recorded. Action {approval.action} still waits for others."


def _refreshed(engine: Engine) -> bool:
    engine.refresh()
    return True


def _asked(found: Sheet) -> str:
    from handrail.cli.sheets import people_of

    return "; ".join(f"{seat.group}: {people_of(seat)}" for seat in found.seats)
