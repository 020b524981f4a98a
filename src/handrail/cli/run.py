"""``handrail run``: a person runs a tool by hand, as that person: halts and levels of agents do not apply."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from handrail.cli import screen
from handrail.cli.exits import Exit
from handrail.cli.options import As, AsJson
from handrail.cli.person import confirmed, must_be_at_a_terminal, person_of
from handrail.words.errors import HandrailError, NotDone, NotFound, Refused

if TYPE_CHECKING:
    from handrail.engine.core import Engine, Tool
    from handrail.words.action import Proposal

Name = Annotated[str, typer.Argument(metavar="TOOL", help="The tool, as the policy names it.")]
Spec = Annotated[
    str, typer.Option("--app", metavar="MODULE:RAIL", help="Your application's rail, such as desk:rail.")
]
Args = Annotated[
    str,
    typer.Option("--args", metavar="JSON", help="The arguments as a JSON object, or @FILE that holds it."),
]
ForTask = Annotated[str | None, typer.Option("--task", metavar="NAME", help="What it is done for.")]


def run(
    tool: Name,
    *,
    app: Spec,
    args: Args = "{}",
    person: As = None,
    task: ForTask = None,
    json: AsJson = False,
) -> None:
    """Run a tool by hand, as yourself, even while its agent is halted. Shows what will run and asks.

    The tool's schema and the claim hold as ever, and the log says who ran it.
    """
    from handrail.cli.apps import engine_of, imported
    from handrail.engine.by_hand import proposed_by_hand
    from handrail.engine.door import parse

    must_be_at_a_terminal("running a tool by hand")
    who = person_of(person)
    with imported(app) as rail:
        engine = engine_of(rail)
        known = _tool(engine, tool)
        proposal = proposed_by_hand(engine, known, parse(_text(args)), who, task)
        _ask(proposal, who)
        output = _walk(engine, known, proposal, who)
    _print(proposal, output, who, json=json)


def _tool(engine: Engine, name: str) -> Tool:
    from handrail.policy.nearest import nearest

    found = engine.tools.get(name)
    if found is None:
        near = nearest(name, engine.tools)
        hint = f"; did you mean {near!r}?" if near else ""
        raise NotFound(
            f"the application has no tool {name!r}; it has {', '.join(engine.tools) or 'none'}{hint}"
        )
    return found


def _text(args: str) -> str:
    if not args.startswith("@"):
        return args
    try:
        return Path(args[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NotFound(f"{args[1:]} can't be read: {error}") from error


def _ask(proposal: Proposal, person: str) -> None:
    screen.say(f"Run {proposal.tool} by hand, with exactly these arguments:", "bold", error=True)
    screen.say(screen.exact(proposal.payload.decode()), error=True)
    if not confirmed(f"You are {person}: run {proposal.tool} now, whatever the agents' rules and halts say?"):
        screen.say("Nothing was run.", error=True)
        raise typer.Exit(Exit.NOT_DONE)


def _walk(engine: Engine, tool: Tool, proposal: Proposal, person: str) -> object:
    from handrail.engine.by_hand import walk_by_hand

    try:
        return walk_by_hand(engine, tool, proposal, person)
    except NotDone as error:
        raise Refused(f"{tool.name} failed and did nothing: {error} (action {proposal.id})") from error
    except HandrailError:
        raise
    except Exception as error:
        raise Refused(
            f"{tool.name} raised {type(error).__name__}: {error} (action {proposal.id}). "
            "Whether it took effect is not known: look before you run it again"
        ) from error


def _print(proposal: Proposal, output: object, person: str, *, json: bool) -> None:
    from handrail.engine.settle import output_text

    text = output_text(output)
    if json:
        import msgspec

        told = {
            "action": proposal.id,
            "tool": proposal.tool,
            "by": person,
            "output": msgspec.Raw(text.encode()),
        }
        screen.document(told)
        return
    screen.say(f"{proposal.tool} ran (action {proposal.id}). Its output:", "bold")
    screen.say(screen.exact(text))
