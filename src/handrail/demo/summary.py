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

from handrail.demo import stand_in
from handrail.demo.ledger import Asked, Fate, Row
from handrail.demo.phrases import euros, wanted
from handrail.demo.show import COLOURS, Show
from handrail.policy.model import Does, ToolPolicy
from handrail.words.verdict import Measure

RUNGS = {
    "shadow": "on trial",
    "suggest": "asks",
    "preapproved": "small things",
    "bounded": "within limits",
    "autonomous": "on its own",
}
"""The rungs, in the words of people who do not program."""
MAY_NOT = "may not use"
"""Where a tool stands that nobody who asked for it may use: nowhere on the ladder."""
MEANING: Mapping[Fate, str] = {
    Fate.ALONE: "the policy let the agent do it by itself",
    Fate.AFTER_YES: "it waited, a person agreed, it was checked again and ran",
    Fate.ASKED: "it waits for a person: for you",
    Fate.YES: "a person agreed; it runs when the desk resumes it",
    Fate.NO: "a person read it and said no",
    Fate.CHANGED: "a person changed it: what ran instead has its own line",
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
    Fate.CHANGED: "changed",
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


def summary(show: Show, found: Sequence[Row], tools: Mapping[str, ToolPolicy], asked: Asked) -> None:
    """Print what the journal says of ``found``, and of what models were ``asked``."""
    tickets, agents = len({row.ticket for row in found}), len({row.agent for row in found})
    head = Text(f"\n{len(found)} actions of {agents} agents for {tickets} tickets", style="bold")
    notes = Text("\n".join([*_notes(found, tools), _models(asked), *_busiest(found)]))
    show.print(Group(head, Text(), _fates(found), Text(), _by_tool(found, tools), Text(), notes))


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
    rungs = stands(found, tools)
    for row in found:
        counts.setdefault(row.tool, Counter())[row.fate] += 1
    shown = [fate for fate in Fate if any(by[fate] for by in counts.values())]
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("tool", no_wrap=True)
    table.add_column("stands", no_wrap=True)
    for fate in shown:
        table.add_column(SHORT[fate], justify="right", style=COLOURS[fate])
    for tool, by in sorted(counts.items(), key=lambda item: -item[1].total()):
        table.add_row(tool, rungs[tool], *(str(by[fate] or "") for fate in shown))
    return table


def stands(found: Iterable[Row], tools: Mapping[str, ToolPolicy]) -> dict[str, str]:
    """Where each tool stands, in words."""
    told: dict[str, str] = {}
    for row in found:
        if Measure.PERMISSION in row.rules:
            told.setdefault(row.tool, MAY_NOT)
        else:
            told[row.tool] = "only reads" if _reads(tools, row.tool) else RUNGS.get(row.rung, row.rung)
    return told


def _notes(found: Sequence[Row], tools: Mapping[str, ToolPolicy]) -> list[str]:
    pays = {name for name, tool in tools.items() if tool.does is Does.PAY}
    money = {
        fate: sum(row.amount or 0 for row in found if row.tool in pays and row.fate is fate) for fate in Fate
    }
    by_hand = sum(_by_hand(tools, row.tool) for row in found if row.fate in RAN)
    hours, minutes = divmod(by_hand // MINUTE, 60)
    parts = ", ".join(f"{euros(moved)} {SHORT[fate]}" for fate, moved in money.items() if moved)
    return [
        f"Refunds and vouchers: {parts}.",
        f"By hand, by the policy's estimates, what ran would have taken {hours} h {minutes} min.",
    ]


def _models(asked: Asked) -> str:
    """What models cost: all of it, and for what of it nobody is paid."""
    cost, made_up = sum(asked.costs.values()), asked.costs.get(stand_in.UPSTREAM, 0)
    told = f"Models: {asked.calls} calls cost {euros(cost)}, each in the ledger to the cent."
    if made_up < cost:
        return f"{told} {euros(made_up)} of it is the stand-in's, and was not spent." if made_up else told
    return f"{told} Nothing of it was spent: the model is a stand-in."


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


def hints(show: Show, folder: Path, example: Example | None, *, visitor: str | None) -> None:
    """What to try next, with a real question of this very run; ``visitor`` has an account already."""
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
        (f"{handrail} costs --by model", "what models cost, as the ledger has it"),
        (f"{handrail} log export", "every action as a JSON line"),
        (f"{handrail} log verify", "was the log altered?"),
        ("ls outbox", "the mail that was really sent"),
        (
            f"env HANDRAIL_DATABASE_SHOP=sqlite:///company.db {handrail} serve --app desk:rail",
            f"the board again, where the server has the tools{f', as {example.person}' if example else ''}",
        ),
    ]
    if visitor:
        tries.append((f"{handrail} admin reset {visitor}", "a link that lets you in there"))
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
