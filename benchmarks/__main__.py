"""``python -m benchmarks [--name NAME] [--json FILE]``: runs all benchmarks or one, a table for each."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from rich.console import Console

from benchmarks.harness import Row, table_of

BENCHMARKS = {
    "decide": "decide",
    "gated_call": "gated_call",
    "throughput": "throughput",
    "import": "import_time",
    "growth": "growth",
    "board": "board",
    "http": "http",
    "halt": "halt",
    "reservations": "reservations",
    "overshoot": "overshoot",
    "gateway": "gateway",
}
"""The file of each benchmark: its ``run`` gives the rows, and its docstring's first line is the title."""


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for. A goal that is missed is said, and is no error: machines differ."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--name", choices=BENCHMARKS, help="only this one")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows here")
    options = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 140)
    rows: list[Row] = []
    for name in [options.name] if options.name else BENCHMARKS:
        found = _run(name, console)
        rows += found
        if options.json:
            options.json.write_text(json.dumps([row.as_json() for row in rows], indent=2) + "\n", "utf-8")
    _summary(rows, console)
    return 0


def _run(name: str, console: Console) -> list[Row]:
    module = import_module(f"benchmarks.{BENCHMARKS[name]}")
    run: Callable[[], list[Row]] = module.run
    title = (module.__doc__ or name).partition("\n")[0].rstrip(".")
    with console.status(f"{name} …"):
        rows = run()
    console.print(table_of(f"{name}: {title}", rows))
    return rows


def _summary(rows: list[Row], console: Console) -> None:
    goals = [row for row in rows if row.met is not None]
    missed = [row for row in goals if not row.met]
    console.print(f"{len(goals) - len(missed)} of {len(goals)} goals met.")
    for row in missed:
        console.print(f"  missed: {row.name}")


if __name__ == "__main__":
    sys.exit(main())
