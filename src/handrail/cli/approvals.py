"""``handrail approvals``, ``approve`` and ``reject``: questions that wait for people, and their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from handrail.cli import screen
from handrail.cli.asked import Id, Ids, again, became, must_be_confirmed, one
from handrail.cli.exits import Exit
from handrail.cli.opened import opened_engine
from handrail.cli.options import As, AsJson, Database, Limit, MaybeReason, PolicyPath, Reason
from handrail.cli.person import must_be_at_a_terminal, person_of
from handrail.words.approval import ApprovalState, Choice
from handrail.words.errors import HandrailError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from handrail.engine.core import Engine
    from handrail.words.approval import Approval
    from handrail.words.sheet import Sheet

app = typer.Typer(no_args_is_help=True, help="Questions that wait for people.")
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
    from handrail.cli.sheets import row, sheet_json
    from handrail.engine.questions.sheet import sheets

    wanted = None if every else state.value
    with opened_engine(policy, database) as engine:
        engine.catch_up()
        found, now = engine.store.read(
            lambda tx: (sheets(engine, tx, tx.approvals.listing(wanted, limit)), tx.now())
        )
    if json:
        for each in found:
            screen.line(sheet_json(each))
        return
    columns = ("action", "asked (UTC)", "agent", "tool", "amount", "why", "who", "time left", "state")
    screen.table(columns, [row(each, now) for each in found], "No question waits for an answer.")


@app.command()
def show(question: Id, *, policy: PolicyPath = None, database: Database = None, json: AsJson = False) -> None:
    """Show one question, open or closed: what is asked, why, who may answer, and what was answered."""
    from handrail.cli.sheets import draw, sheet_json
    from handrail.cli.shorts import any_question
    from handrail.engine.questions.sheet import sheet

    with opened_engine(policy, database) as engine:
        engine.catch_up()
        found, now = engine.store.read(lambda tx: (sheet(engine, tx, any_question(tx, question)), tx.now()))
    if json:
        screen.document(sheet_json(found))
    else:
        draw(found, now, exact=False)


def approve(
    actions: Ids,
    *,
    person: As = None,
    reason: MaybeReason = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """Let held actions run: shows exactly what will run, and asks on a terminal.

    Each runs when its agent resumes it, after a fresh check. No switch skips the question.
    """
    _answer(actions, Choice.APPROVE, person, reason, policy, database, json=json)


def reject(
    actions: Ids,
    *,
    reason: Reason,
    person: As = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """Refuse held actions, with a reason that the agent is told. Asks on a terminal."""
    _answer(actions, Choice.REJECT, person, reason, policy, database, json=json)


def _answer(
    endings: Sequence[str],
    choice: Choice,
    person: str | None,
    reason: str | None,
    policy: Path | None,
    database: str | None,
    *,
    json: bool,
) -> None:
    must_be_at_a_terminal("an answer")
    who = person_of(person)
    with opened_engine(policy, database) as engine:
        if len(endings) > 1:
            _many(engine, endings, choice, who, reason, json=json)
        else:
            _single(engine, endings[0], choice, who, reason, json=json)


def _single(engine: Engine, ending: str, choice: Choice, who: str, reason: str | None, *, json: bool) -> None:
    from handrail.cli.sheets import draw, sheet_json
    from handrail.engine.questions.votes import vote

    found, now = one(engine, ending, who, refuses=choice is Choice.REJECT)
    draw(found, now, exact=True, error=True)
    must_be_confirmed(f"You are {who}: {_verb(choice, reason, 'this, so that it runs as shown', 'this')}?")
    answered = vote(engine, found.approval.id, who, choice, reason, verified=False, seen=found.digest)
    if json:
        screen.document(sheet_json(again(engine, [answered])[0]))
    else:
        screen.say(became(answered))


def _many(
    engine: Engine, endings: Sequence[str], choice: Choice, who: str, reason: str | None, *, json: bool
) -> None:
    """Show all, ask once, answer each on its own: one that fails stops no other."""
    from handrail.engine.questions.batches import vote_many

    found = _each(engine, endings, who, choice)
    for number, each in enumerate(found, 1):
        _in_short(number, each)
    asked = _verb(choice, reason, f"these {len(found)}, so that each runs as shown", f"these {len(found)}")
    must_be_confirmed(f"You are {who}: {asked}?")
    items = [(each.approval.id, each.digest) for each in found]
    results = vote_many(engine, items, who, choice, reason, verified=False)
    _tell(engine, results, json=json)
    if len(found) < len(set(endings)) or any(isinstance(result, HandrailError) for _, result in results):
        raise typer.Exit(Exit.NOT_DONE)


def _each(engine: Engine, endings: Sequence[str], who: str, choice: Choice) -> list[Sheet]:
    """The questions that this person may answer; why not, for each other one."""
    found: dict[str, Sheet] = {}
    for ending in dict.fromkeys(endings):
        try:
            sheet, _ = one(engine, ending, who, refuses=choice is Choice.REJECT)
        except HandrailError as error:
            screen.complain(f"{ending}: {error}")
        else:
            found[sheet.approval.id] = sheet
    if not found:
        screen.say("There is nothing to answer.", error=True)
        raise typer.Exit(Exit.NOT_DONE)
    return list(found.values())


def _in_short(number: int, found: Sheet) -> None:
    from handrail.cli.sheets import line_of

    screen.say(f"{number}. {line_of(found)}", "bold", error=True)
    text = "(erased: it can't run any more)" if found.args is None else screen.exact(found.args)
    screen.say(f"{text}\n", error=True)


def _tell(engine: Engine, results: Sequence[tuple[str, Approval | HandrailError]], *, json: bool) -> None:
    from handrail.cli.sheets import sheet_json

    for question, result in results:
        if isinstance(result, HandrailError):
            screen.complain(f"{question}: {result}")
            if json:
                screen.line({"id": question, "error": str(result)})
        elif json:
            screen.line(sheet_json(again(engine, [result])[0]))
        else:
            screen.say(became(result))


def _verb(choice: Choice, reason: str | None, approved: str, rejected: str) -> str:
    return f"approve {approved}" if choice is Choice.APPROVE else f"reject {rejected} ({reason})"
