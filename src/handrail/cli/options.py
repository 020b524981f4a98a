"""Options that many commands take, written once: name, help and environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from handrail.words.lifecycle import State

WHERE = "Where the store is"
"""The part of a command's help that has these options."""
PolicyPath = Annotated[
    Path | None,
    typer.Option(
        "--policy",
        metavar="PATH",
        help="The policy file; the store lies beside it. Default: handrail.yaml here.",
        rich_help_panel=WHERE,
    ),
]
Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        envvar="HANDRAIL_DATABASE_URL",
        help="The store: sqlite:///PATH or postgresql://…. Default: handrail.db beside the policy.",
        rich_help_panel=WHERE,
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON: one document, or one line for each item of a list.")
]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print a table as CSV, with a heading.")]
As = Annotated[
    str | None,
    typer.Option("--as", metavar="PERSON", help="Who you are. Default: your user name on this machine."),
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stays in the log.")]
MaybeReason = Annotated[
    str | None, typer.Option("--reason", metavar="TEXT", help="Why; it stays in the log.")
]
Agent = Annotated[str | None, typer.Option("--agent", metavar="NAME", help="Only this agent.")]
Tool = Annotated[str | None, typer.Option("--tool", metavar="NAME", help="Only this tool.")]
Session = Annotated[str | None, typer.Option("--session", metavar="ID", help="Only this session.")]
Task = Annotated[str | None, typer.Option("--task", metavar="NAME", help="Only this task.")]
InState = Annotated[State | None, typer.Option("--state", help="Only actions in this state.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=100_000, help="At most this many.")]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="Not before: 2026-03-01, 2026-03-01T09:30Z, or 2h ago."),
]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Before: a time as for --since.")]
AppSpec = Annotated[
    str | None,
    typer.Option("--app", metavar="MODULE:RAIL", help="Your application's rail, such as desk:rail."),
]
