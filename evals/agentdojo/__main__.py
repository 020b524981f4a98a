"""The command: replay the suites through a gate, print the figures, and fail when they do not come out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from evals.agentdojo.figures import EXPECTED, Figures, differences, total
from evals.agentdojo.gates import Execute, Gate, PlainGate, allow_all, ask_writes, read_only
from evals.agentdojo.measure import measure
from evals.agentdojo.rail import SYNCHRONOUS, open_rail
from evals.agentdojo.report import as_json, table
from evals.agentdojo.suites import VERSION, Suite, suites

OpenGate = Callable[[Suite, Execute], AbstractContextManager[Gate]]


def _plain(make: Callable[[Execute], PlainGate]) -> OpenGate:
    @contextmanager
    def opened(_suite: Suite, execute: Execute) -> Iterator[Gate]:
        yield make(execute)

    return opened


def _rail(suite: Suite, execute: Execute) -> AbstractContextManager[Gate]:
    return open_rail(suite.tools, execute)


@dataclass(frozen=True, slots=True)
class Way:
    """A gate to choose on the command line: what it is, in words for the output, and how it is opened."""

    what: str
    open: OpenGate


GATES: Mapping[str, Way] = {
    "rail": Way(
        "Handrail embedded, policy from the tool list (reads at level 1, writes ask), "
        f"SQLite with synchronous={SYNCHRONOUS} in a temporary folder.",
        _rail,
    ),
    "ask-writes": Way("No rail: reads run, writes ask.", _plain(ask_writes)),
    "read-only": Way("No rail: reads run, writes are refused.", _plain(read_only)),
    "allow-all": Way("No rail: everything runs.", _plain(allow_all)),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the evaluation; 0 when the figures come out, 1 when one does not."""
    asked = _parser().parse_args(arguments)
    chosen = [suite for name, suite in suites().items() if asked.suite in (None, name)]
    way = GATES[asked.gate]
    rows = [_run(suite, way.open) for suite in chosen]
    whole = total(rows)
    if asked.suite is None:
        rows.append(whole)
    wrong = list(differences(whole, EXPECTED[asked.gate])) if asked.suite is None else []
    Console().print(table(f"AgentDojo {VERSION}, gate: {asked.gate}. {way.what}", rows))
    if asked.json:
        asked.json.write_text(as_json(asked.gate, VERSION, rows, wrong))
    for sentence in wrong:
        print(f"did not come out: {sentence}", file=sys.stderr)
    return 1 if wrong else 0


def _run(suite: Suite, open_gate: OpenGate) -> Figures:
    print(f"replaying {suite.name} …", file=sys.stderr)
    world = suite.world()
    with open_gate(suite, world.execute) as gate:
        return measure(suite, world, gate)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m evals.agentdojo", description=main.__doc__)
    parser.add_argument("--suite", choices=["workspace", "travel", "banking", "slack"], help="only this one")
    parser.add_argument("--gate", choices=list(GATES), default="rail", help="what stands in the path")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    return parser


if __name__ == "__main__":
    sys.exit(main())
