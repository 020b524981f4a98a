"""The command: replay the suites through a gate, print the figures, and fail when they do not come out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from rich.console import Console

from evals.agentdojo.figures import EXPECTED, Figures, differences, total
from evals.agentdojo.gates import Execute, Gate, PlainGate, allow_all, ask_writes, read_only
from evals.agentdojo.measure import measure
from evals.agentdojo.report import as_json, table
from evals.agentdojo.suites import VERSION, Suite, suites

OpenGate = Callable[[Suite, Execute], AbstractContextManager[Gate]]


def _plain(make: Callable[[Execute], PlainGate]) -> OpenGate:
    @contextmanager
    def opened(_suite: Suite, execute: Execute) -> Iterator[Gate]:
        yield make(execute)

    return opened


GATES: Mapping[str, OpenGate] = {
    "ask-writes": _plain(ask_writes),
    "read-only": _plain(read_only),
    "allow-all": _plain(allow_all),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the evaluation; 0 when the figures come out, 1 when one does not."""
    asked = _parser().parse_args(arguments)
    chosen = [suite for name, suite in suites().items() if asked.suite in (None, name)]
    rows = [_run(suite, GATES[asked.gate]) for suite in chosen]
    whole = total(rows)
    if asked.suite is None:
        rows.append(whole)
    wrong = list(differences(whole, EXPECTED[asked.gate])) if asked.suite is None else []
    Console(width=160).print(table(asked.gate, rows))
    if asked.json:
        asked.json.write_text(as_json(asked.gate, VERSION, rows, wrong))
    for sentence in wrong:
        print(f"did not come out: {sentence}", file=sys.stderr)
    return 1 if wrong else 0


def _run(suite: Suite, open_gate: OpenGate) -> Figures:
    world = suite.world()
    with open_gate(suite, world.execute) as gate:
        return measure(suite, world, gate)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m evals.agentdojo", description=main.__doc__)
    parser.add_argument("--suite", choices=["workspace", "travel", "banking", "slack"], help="only this one")
    parser.add_argument("--gate", choices=list(GATES), default="ask-writes", help="what stands in the path")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    return parser


if __name__ == "__main__":
    sys.exit(main())
