"""The end of the demo: what the journal says of the day, and what the visitor may try next."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from handrail.demo.ledger import Fate, Row
from handrail.demo.phrases import euros, wanted
from handrail.demo.show import COLOURS, Show
from handrail.policy.model import Does, ToolPolicy

RUNGS = {
    "shadow": "on trial",
    "suggest": "asks",
    "preapproved": "small things",
    "bounded": "within limits",
    "autonomous": "on its own",
}
"""The rungs, in the words of people who do not program."""
MEANING: Mapping[Fate, str] = {
    Fate.ALONE: "the policy let the agent do it by itself",
    Fate.AFTER_YES: "it waited, a person agreed, it was checked again and ran",
    Fate.ASKED: "it waits for a person: for you",
    Fate.YES: "a person agreed; it runs when the desk resumes it",
    Fate.NO: "a person read it and said no",
    Fate.REFUSED: "a rule, a check, a limit or a missing permission said no",
    Fate.TRIAL: "the tool is on trial: decided and recorded, never run",
    Fate.FAILED: "the tool itself failed, or was interrupted",
}
SHORT: Mapping[Fate, str] = {
    Fate.ALONE: "alone",
    Fate.AFTER_YES: "after a yes",
    Fate.ASKED: "asks",
    Fate.YES: "a yes",
    Fate.NO: "a no",
    Fate.REFUSED: "refused",
    Fate.TRIAL: "on trial",
    Fate.FAILED: "failed",
}
RAN = (Fate.ALONE, Fate.AFTER_YES)
MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class Example:
    """A question for the visitor to answer, and who may."""

    row: Row
    person: str


def summary(show: Show, found: Sequence[Row], tools: Mapping[str, ToolPolicy]) -> None:
    """Print what the journal says of ``found``."""
    tickets, agents = len({row.ticket for row in found}), len({row.agent for row in found})
    head = Text(f"\n{len(found)} actions of {agents} agents for {tickets} tickets", style="bold")
    show.print(
        Group(head, Text(), _fates(found), Text(), _by_tool(found, tools), Text(), _notes(found, tools))
    )


def _fates(found: Sequence[Row]) -> Table:
    counts = Counter(row.fate for row in found)
    table = Table.grid(padding=(0, 2))
    for fate in Fate:
        if counts[fate]:
            share = f"{100 * counts[fate] / len(found):.1f} %"
            name = Text(fate, style=COLOURS[fate])
            table.add_row(
                Text(str(counts[fate]), justify="right"), Text(share, justify="right"), name, MEANING[fate]
            )
    return table


def _by_tool(found: Sequence[Row], tools: Mapping[str, ToolPolicy]) -> Table:
    counts: dict[str, Counter[Fate]] = {}
    rungs: dict[str, str] = {}
    for row in found:
        counts.setdefault(row.tool, Counter())[row.fate] += 1
        rungs[row.tool] = "only reads" if _reads(tools, row.tool) else RUNGS.get(row.rung, row.rung)
    shown = [fate for fate in Fate if any(by[fate] for by in counts.values())]
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("tool", no_wrap=True)
    table.add_column("stands", no_wrap=True)
    for fate in shown:
        table.add_column(SHORT[fate], justify="right", style=COLOURS[fate])
    for tool, by in sorted(counts.items(), key=lambda item: -item[1].total()):
        table.add_row(tool, rungs[tool], *(str(by[fate] or "") for fate in shown))
    return table


def _notes(found: Sequence[Row], tools: Mapping[str, ToolPolicy]) -> Text:
    pays = {name for name, tool in tools.items() if tool.does is Does.PAY}
    money = {
        fate: sum(row.amount or 0 for row in found if row.tool in pays and row.fate is fate) for fate in Fate
    }
    by_hand = sum(_by_hand(tools, row.tool) for row in found if row.fate in RAN)
    hours, minutes = divmod(by_hand // MINUTE, 60)
    parts = ", ".join(f"{euros(moved)} {SHORT[fate]}" for fate, moved in money.items() if moved)
    lines = [
        f"Refunds and vouchers: {parts}.",
        f"By hand, by the policy's estimates, what ran would have taken {hours} h {minutes} min.",
        *_busiest(found),
    ]
    return Text("\n".join(lines))


def _reads(tools: Mapping[str, ToolPolicy], tool: str) -> bool:
    described = tools.get(tool)
    return described is not None and described.does is Does.READ


def _by_hand(tools: Mapping[str, ToolPolicy], tool: str) -> int:
    described = tools.get(tool)
    return (described.by_hand or 0) if described else 0


def _busiest(found: Iterable[Row]) -> list[str]:
    """The ticket with the most refusals: what was wanted there, and what stopped it."""
    refused: dict[str, list[Row]] = {}
    for row in found:
        if row.fate is Fate.REFUSED:
            refused.setdefault(row.ticket, []).append(row)
    if not refused:
        return []
    ticket, worst = max(refused.items(), key=lambda item: len({row.tool for row in item[1]}))
    wishes = "; ".join(f"{wanted(row.tool, row.args)} ({', '.join(row.rules)})" for row in worst)
    return [f"The worst ticket was {ticket}, {len(worst)} calls refused: {wishes}."]


def hints(show: Show, folder: Path, example: Example | None) -> None:
    """What to try next, with a real question of this very run."""
    handrail, python = (_command(name, folder) for name in ("handrail", "python"))
    tries = [
        (f"cd {folder}", "policy, journal, company books and sent mail"),
        (f"{handrail} approvals list", "what waits for you"),
    ]
    if example:
        row = example.row
        tries += [
            (
                f"{handrail} approve {row.action[-8:]} --as {example.person}",
                f"say yes to: {wanted(row.tool, row.args)}",
            ),
            (f"{python} desk.py {row.action}", "the desk runs it"),
        ]
    tries += [
        (f"{handrail} actions list --state denied", "what was refused, and why"),
        (f"{handrail} log export", "every action as a JSON line"),
        (f"{handrail} log verify", "was the log altered?"),
        ("ls outbox", "the mail that was really sent"),
    ]
    table = Table.grid(padding=(0, 3, 0, 0))
    table.add_column(overflow="fold")
    for command, what in tries:
        table.add_row(Text(command, style="cyan"), Text(what, style="dim"))
    show.print(Panel(table, title="Yours now", title_align="left"))


def _command(name: str, folder: Path) -> str:
    """How to call a program of this very environment from inside ``folder``."""
    beside = Path(sys.executable).with_name(name)
    found = shutil.which(name)
    if found is not None and Path(found).resolve() == beside.resolve():
        return name
    here = Path.cwd()
    near = beside.is_relative_to(here) and folder.resolve().is_relative_to(here)
    return os.path.relpath(beside, folder.resolve()) if near else str(beside)
