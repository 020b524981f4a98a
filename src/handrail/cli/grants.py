"""``handrail grants``, ``promote`` and ``demote``: where agents' tools stand, and moving them by hand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from handrail.cli import screen
from handrail.cli.exits import Exit
from handrail.cli.opened import opened_engine
from handrail.cli.options import Agent, As, AsJson, Database, PolicyPath, Reason, Tool
from handrail.cli.person import confirmed, must_be_at_a_terminal, person_of
from handrail.cli.times import clock
from handrail.words.errors import Refused
from handrail.words.level import Rung

if TYPE_CHECKING:
    from pathlib import Path

    from handrail.engine.core import Engine
    from handrail.words.restriction import Grant

app = typer.Typer(help="Where each agent's tools stand.")


class Word(StrEnum):
    """The rungs, as a policy file writes them."""

    SHADOW = "shadow"
    SUGGEST = "suggest"
    PREAPPROVED = "preapproved"
    BOUNDED = "bounded"
    AUTONOMOUS = "autonomous"


OfAgent = Annotated[str, typer.Argument(metavar="AGENT", help="The agent, as the policy names it.")]
OfTool = Annotated[str, typer.Argument(metavar="TOOL", help="The tool, as the policy names it.")]
To = Annotated[
    Word, typer.Argument(metavar="RUNG", help="shadow, suggest, preapproved, bounded or autonomous.")
]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one agent's tool stands now, how high it may go, and the grant that says so, if any."""

    agent: str
    tool: str
    rung: Rung
    ceiling: Rung
    grant: Grant | None


@app.callback(invoke_without_command=True)
def grants(
    context: typer.Context,
    *,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """List where each agent's tools stand."""
    if context.invoked_subcommand is None:
        _list(policy, database, None, None, json=json)


@app.command("list")
def list_(
    *,
    policy: PolicyPath = None,
    database: Database = None,
    agent: Agent = None,
    tool: Tool = None,
    json: AsJson = False,
) -> None:
    """List where each agent's tools stand: rung, ceiling, since when, by whom and why."""
    _list(policy, database, agent, tool, json=json)


def promote(
    agent: OfAgent,
    tool: OfTool,
    rung: To,
    *,
    reason: Reason,
    person: As = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """Raise a tool's rung by hand, without evidence: marked as an override for ever. Asks on a terminal."""
    must_be_at_a_terminal("a promotion")
    who, target = person_of(person), Rung.of(rung)
    with opened_engine(policy, database) as engine:
        before = _before(engine, agent, tool)
        if target <= before:
            raise Refused(f"{tool} of {agent} is at {before.word} already, which is not below {target.word}")
        _what_it_means(agent, tool, before, target)
        if not confirmed(f"You are {who}: promote it without evidence ({reason})?"):
            screen.say(f"Nothing was changed; it stays at {before.word}.", error=True)
            raise typer.Exit(Exit.NOT_DONE)
        _set(engine, agent, tool, target, reason, who, json=json)


def demote(
    agent: OfAgent,
    tool: OfTool,
    rung: To,
    *,
    reason: Reason,
    person: As = None,
    policy: PolicyPath = None,
    database: Database = None,
    json: AsJson = False,
) -> None:
    """Lower a tool's rung by hand, at once. Asks nothing: giving less is always allowed."""
    who, target = person_of(person), Rung.of(rung)
    with opened_engine(policy, database) as engine:
        before = _before(engine, agent, tool)
        if target >= before:
            raise Refused(f"{tool} of {agent} is at {before.word}, which is not above {target.word}")
        _set(engine, agent, tool, target, reason, who, json=json)


def _before(engine: Engine, agent: str, tool: str) -> Rung:
    from handrail.engine.restrict import rung_of

    engine.refresh()
    return rung_of(engine, agent, tool)


def _set(engine: Engine, agent: str, tool: str, rung: Rung, reason: str, who: str, *, json: bool) -> None:
    from handrail.engine.restrict import set_rung

    before, after = set_rung(engine, agent, tool, rung, reason, who)
    if json:
        moved = {"agent": agent, "tool": tool, "from": before.word, "to": after.word}
        screen.document({**moved, "reason": reason, "by": who, "override": True})
    else:
        screen.say(f"{tool} of {agent}: {before.word} → {after.word}, marked as an override by {who}.")


MEANS = {
    Rung.SHADOW: "on trial: decided and recorded, never run",
    Rung.SUGGEST: "asks a person every time",
    Rung.PREAPPROVED: "reads and what is preapproved run alone, all else asks",
    Rung.BOUNDED: "runs alone unless a rule asks",
    Rung.AUTONOMOUS: "runs alone, also where a rule is lifted at autonomous",
}
"""What a rung lets an agent do, for people."""


def _what_it_means(agent: str, tool: str, before: Rung, after: Rung) -> None:
    moves = [
        ("agent", agent),
        ("tool", tool),
        ("now", f"{before.word}: {MEANS[before]}"),
        ("then", f"{after.word}: {MEANS[after]}"),
    ]
    screen.pairs(moves, error=True)


def _list(
    policy: Path | None, database: str | None, agent: str | None, tool: str | None, *, json: bool
) -> None:
    with opened_engine(policy, database) as engine:
        engine.refresh()
        found = [
            each for each in _standings(engine) if agent in (None, each.agent) and tool in (None, each.tool)
        ]
    if json:
        for each in found:
            screen.line(_document(each))
        return
    columns = ("agent", "tool", "rung", "at most", "since (UTC)", "by", "reason", "how")
    screen.table(columns, [_row(each) for each in found], "The policy lets no agent use any tool.")


def _standings(engine: Engine) -> list[Standing]:
    from handrail.engine.restrict import rung_of

    compiled = engine.policy
    return [
        Standing(
            agent,
            tool,
            rung_of(engine, agent, tool),
            compiled.policy.tools[tool].at_most if tool in compiled.policy.tools else Rung.SUGGEST,
            engine.restrictions.grants.get((agent, tool)),
        )
        for agent in compiled.policy.agents
        for tool in compiled.permitted(agent)
    ]


def _row(each: Standing) -> tuple[str | None, ...]:
    grant = each.grant
    names = (each.agent, each.tool, each.rung.word, each.ceiling.word)
    if grant is None:
        return (*names, None, "policy", None, "starts here")
    how = "override" if grant.override else "evidence"
    return (*names, clock(grant.since), grant.by, grant.reason, how)


def _document(each: Standing) -> dict[str, object]:
    from handrail.cli.shown import when

    grant = each.grant
    return {
        "agent": each.agent,
        "tool": each.tool,
        "rung": each.rung.word,
        "ceiling": each.ceiling.word,
        "since": when(grant.since) if grant else None,
        "by": grant.by if grant else "policy",
        "reason": grant.reason if grant else None,
        "override": grant.override if grant else False,
    }
