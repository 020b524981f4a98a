"""``handrail demo``: a small company's support desk, worked by an agent behind the rail."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from handrail.cli import screen

Folder = Annotated[
    Path, typer.Option("--dir", metavar="DIR", help="Where the demo leaves its policy and database.")
]
Headless = Annotated[bool, typer.Option("--headless", help="Print lines, no live table.")]


def demo(*, directory: Folder = Path("handrail-demo"), headless: Headless = False) -> None:
    """Watch agents work through a support desk's inbox: what runs, what asks, what is refused, and why."""
    from handrail.demo.run import run

    raise typer.Exit(run(directory, headless=headless, console=screen.console()))
