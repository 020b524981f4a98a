"""The tree of commands, and the one place where an error becomes a sentence and an exit code."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from handrail.cli import (
    actions,
    approvals,
    backup,
    budgets,
    check,
    costs,
    demo,
    edit,
    grants,
    halts,
    init,
    keys,
    log,
    people,
    policy,
    restore,
    run,
    serve,
    sessions,
    standing,
    upgrade,
    version,
)
from handrail.cli.exits import code_of
from handrail.cli.screen import complain
from handrail.words.errors import HandrailError


class Root(TyperGroup):
    """The root command: whatever refuses below it is told in one form."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a refusal becomes a sentence on stderr and an exit code."""
        try:
            return super().invoke(ctx)
        except HandrailError as error:
            complain(str(error))
            raise typer.Exit(code_of(error)) from error


app = typer.Typer(
    name="handrail",
    cls=Root,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Lets AI agents act on real systems with exactly the autonomy they have earned.",
)


def _show_version(*, wanted: bool) -> None:
    if wanted:
        version.version()
        raise typer.Exit


@app.callback()
def root(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=lambda wanted: _show_version(wanted=wanted),
            is_eager=True,
            help="Print the version and exit.",
        ),
    ] = False,
) -> None:
    """Options before any command."""


START, WATCH, ANSWER, STEER, MANAGE = "Begin", "Look", "Answer", "Steer", "Manage"
app.command("init", rich_help_panel=START)(init.init)
app.command("check", rich_help_panel=START)(check.check)
app.command("demo", rich_help_panel=START)(demo.demo)
app.command("serve", rich_help_panel=START)(serve.serve)
app.command("version", rich_help_panel=START)(version.version)
app.add_typer(actions.app, name="actions", rich_help_panel=WATCH)
app.add_typer(log.app, name="log", rich_help_panel=WATCH)
app.command("costs", rich_help_panel=WATCH)(costs.costs)
app.add_typer(approvals.app, name="approvals", rich_help_panel=ANSWER)
app.command("approve", rich_help_panel=ANSWER)(approvals.approve)
app.command("reject", rich_help_panel=ANSWER)(approvals.reject)
app.command("edit", rich_help_panel=ANSWER)(edit.edit)
app.command("answer", rich_help_panel=ANSWER)(edit.answer)
app.command("cancel", rich_help_panel=ANSWER)(actions.cancel)
app.add_typer(standing.app, name="standing", rich_help_panel=ANSWER)
app.command("halt", rich_help_panel=STEER)(halts.halt)
app.command("lift", rich_help_panel=STEER)(halts.lift)
app.add_typer(halts.app, name="halts", rich_help_panel=STEER)
app.add_typer(budgets.app, name="budget", rich_help_panel=STEER)
app.add_typer(sessions.app, name="sessions", rich_help_panel=STEER)
app.add_typer(grants.app, name="grants", rich_help_panel=STEER)
app.command("promote", rich_help_panel=STEER)(grants.promote)
app.command("demote", rich_help_panel=STEER)(grants.demote)
app.add_typer(policy.app, name="policy", rich_help_panel=STEER)
app.command("run", rich_help_panel=STEER)(run.run)
app.add_typer(people.app, name="people", rich_help_panel=MANAGE)
app.add_typer(people.admin, name="admin", rich_help_panel=MANAGE)
app.add_typer(keys.app, name="keys", rich_help_panel=MANAGE)
app.command("backup", rich_help_panel=MANAGE)(backup.backup)
app.command("restore", rich_help_panel=MANAGE)(restore.restore)
app.command("upgrade", rich_help_panel=MANAGE)(upgrade.upgrade)
