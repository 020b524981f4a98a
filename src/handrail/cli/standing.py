"""``handrail standing``: a person's answer to the next few questions of one kind, within limits."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated

import typer

from handrail.cli import screen
from handrail.cli.asked import must_be_confirmed, one
from handrail.cli.opened import opened_engine, opened_store
from handrail.cli.options import As, AsJson, Database, Limit, PolicyPath, Reason
from handrail.cli.person import must_be_at_a_terminal, person_of
from handrail.cli.times import clock, later
from handrail.words.errors import BadArguments
from handrail.words.money import from_nano, to_nano

if TYPE_CHECKING:
    from handrail.engine.core import Engine
    from handrail.words.sheet import Sheet
    from handrail.words.standing import Standing

app = typer.Typer(no_args_is_help=True, help="Answers to the next few questions of one kind.")
Like = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="A question like those to come, or its action: its id, or its last digits."
    ),
]
Id = Annotated[str, typer.Argument(metavar="ID", help="The standing approval's id, or its last digits.")]
Actions = Annotated[int, typer.Option("--actions", min=1, max=10_000, help="How many actions it lets run.")]
Until = Annotated[
    str,
    typer.Option(
        "--until", metavar="TIME", help="Until when: fri, 2026-11-27 (its end), 2026-11-27T12:00Z, 3 days."
    ),
]
Amount = Annotated[
    str | None, typer.Option("--amount", metavar="MONEY", help="How much they may move in all, such as 80.")
]
When = Annotated[
    str | None,
    typer.Option("--when", metavar="CONDITION", help="Only while this holds, such as 'amount <= 80'."),
]
Ended = Annotated[bool, typer.Option("--all", help="Those that have ended, too.")]


@app.command("list")
def list_(
    *,
    policy: PolicyPath = None,
    database: Database = None,
    ended: Ended = False,
    limit: Limit = 50,
    json: AsJson = False,
) -> None:
    """List standing approvals, newest first."""
    with opened_store(policy, database) as store:
        found, now = store.read(lambda tx: (tx.standings.listing(ended=ended, limit=limit), tx.now()))
    if json:
        for each in found:
            screen.line(standing_json(each))
        return
    columns = ("id", "agent", "tool", "answers", "when", "left", "money left", "until (UTC)", "by", "reason")
    screen.table(columns, [_row(each, now) for each in found], "No standing approval is in force.")


@app.command()
def make(  # noqa: PLR0913 - each is one option of the command
    question: Like,
    *,
    actions: Actions,
    until: Until,
    reason: Reason,
    amount: Amount = None,
    when: When = None,
    person: As = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """Answer the next few questions like this one, within limits. Asks on a terminal.

    The question itself still waits for an answer of its own.
    """
    from handrail.engine.questions.standings import make_standing

    must_be_at_a_terminal("a standing approval")
    who, money = person_of(person), _money(amount)
    with opened_engine(policy, database) as engine:
        found, now = one(engine, question, who)
        ends = later(until, now, engine.policy.policy.timezone)
        _show(engine, found, actions, money, when, ends)
        must_be_confirmed(f"You are {who}: let these run without asking ({reason})?", "Nothing was changed.")
        made = make_standing(
            engine,
            agent=found.agent,
            tool=found.tool,
            asks=found.approval.asks,
            when=when,
            actions=actions,
            amount=money,
            expires_at=ends,
            person=who,
            reason=reason,
            verified=False,
        )
    if json:
        screen.document(standing_json(made))
    else:
        screen.say(
            f"Standing approval {made.id} is in force. The question itself still waits: handrail approve."
        )


@app.command()
def revoke(
    standing: Id,
    *,
    person: As = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """End a standing approval at once. Asks nothing: letting less run is always allowed."""
    from handrail.cli.shorts import standing as by_ending
    from handrail.engine.questions.standings import revoke_standing

    who = person_of(person)
    with opened_engine(policy, database) as engine:
        found = engine.store.read(lambda tx: by_ending(tx, standing))
        revoke_standing(engine, found.id, who)
    if json:
        screen.document({"revoked": found.id, "by": who})
    else:
        screen.say(f"Revoked: {found.tool} of {found.agent} asks again.")


def standing_json(each: Standing) -> dict[str, object]:
    """A standing approval for programs."""
    from handrail.cli.shown import when

    return {
        "id": each.id,
        "agent": each.agent,
        "tool": each.tool,
        "asks": [{"step": ask.step, "audience": ask.audience} for ask in sorted(each.asks)],
        "when": each.when,
        "left": each.left,
        "amount_left": None if each.amount_left is None else from_nano(each.amount_left),
        "expires_at": when(each.expires_at),
        "by": each.person,
        "verified": each.verified,
        "reason": each.reason,
        "made_at": when(each.made_at),
        "revoked_at": when(each.revoked_at),
        "revoked_by": each.revoked_by,
    }


def _show(engine: Engine, found: Sheet, actions: int, money: int | None, when: str | None, ends: int) -> None:
    """What it lets run, before it does."""
    from handrail.words.money import shown

    answers = "\n".join(dict.fromkeys(f"{one.step}: {one.reason}" for one in found.why))
    screen.say("The next questions like this one would be answered with yes:", "bold", error=True)
    screen.pairs(
        [
            ("agent", screen.plain(found.agent)),
            ("tool", screen.plain(found.tool)),
            ("way back", found.undo),
            ("it answers", answers),
            ("only while", when or "always: no condition"),
            ("actions", f"{actions:,} at most"),
            (
                "money",
                None if money is None else f"{shown(money, engine.policy.policy.currency)} at most, in all",
            ),
            ("until", f"{clock(ends)} UTC"),
        ],
        error=True,
    )


def _money(amount: str | None) -> int | None:
    if amount is None:
        return None
    try:
        return to_nano(Decimal(amount))
    except (InvalidOperation, ValueError) as error:
        raise BadArguments(
            f"--amount {amount!r} is no amount of money; expected a number such as 80"
        ) from error


def _row(each: Standing, now: int) -> tuple[str | int | Decimal | None, ...]:
    from handrail.cli.shorts import short

    steps = ", ".join(ask.step for ask in sorted(each.asks))
    money = None if each.amount_left is None else f"{from_nano(each.amount_left):,f}"
    until = clock(each.expires_at) + (" (over)" if each.expires_at <= now else "")
    if each.revoked_at is not None:
        until = f"revoked {clock(each.revoked_at)}"
    return (
        *(short(each.id), each.agent, each.tool, steps, each.when),
        *(each.left, money, until, each.person, each.reason),
    )
