"""Rails and stores to measure on: one policy, a tool that does nothing, fresh folders and databases."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import handrail
from handrail import Rail

FILE = "handrail.db"
AGENT, TASK = "support", "ticket-812"
POLICY = f"""handrail: 1
agents:
  {AGENT}: {{may: [noop]}}
tools:
  noop: {{does: update, amount: args.amount, starts: bounded}}
rules:
  - {{id: big, tools: noop, when: "amount > 100", ask: leads}}
  - {{id: huge, tools: noop, when: "amount > 10000", deny: "Nobody may do this."}}
approvers:
  leads: {{people: [lead@example.com]}}
loops: {{same_call: off, same_error: off, calls_per_minute: off}}
"""
ORDER, AMOUNT, REASON = "o-17", 40.25, "arrived broken"
Noop = Callable[[str, float, str], str]


def noop_of(rail: Rail) -> Noop:
    """A tool behind the rail that does nothing."""

    @rail.tool
    def noop(order_id: str, amount: float, reason: str) -> str:  # noqa: ARG001 - the rail reads them
        return "done"

    return noop


@contextmanager
def embedded(synchronous: str = "FULL", folder: Path | None = None) -> Iterator[tuple[Rail, Noop, Path]]:
    """A rail on SQLite in a folder of its own or in ``folder``, its tool, and the store's file."""
    with tempfile.TemporaryDirectory(prefix="handrail-bench-", ignore_cleanup_errors=True) as fresh:
        place = folder or Path(fresh)
        file = place / "handrail.yaml"
        if not file.exists():
            file.write_text(POLICY, "utf-8")
        with handrail.connect(file, database=f"sqlite:///{place / FILE}", synchronous=synchronous) as rail:
            yield rail, noop_of(rail), place / FILE


@contextmanager
def on_postgres(url: str) -> Iterator[tuple[Rail, Noop]]:
    """A rail on a PostgreSQL database, and its tool."""
    with tempfile.TemporaryDirectory(prefix="handrail-bench-") as folder:
        file = Path(folder) / "handrail.yaml"
        file.write_text(POLICY, "utf-8")
        with handrail.connect(file, database=url) as rail:
            yield rail, noop_of(rail)
