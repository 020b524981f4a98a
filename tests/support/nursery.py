"""Real processes for tests, forked by a small process that has imported everything once: cheap and killable.

``Nursery.run`` starts one process for each job and waits for all of them. A job is ``module:function`` with
its arguments; the function is given ``meet`` first, which returns when every job of the run has called it.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
PRELOAD = ("handrail.app", "handrail.store.sqlite", "handrail.store.postgres", "handrail.store.memory")

Meet = Callable[[], None]
Job = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: its exit code (negative for a signal), its result, and what it wrote to stderr."""

    code: int
    result: Any
    stderr: str


class Nursery:
    """Starts processes on demand."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, jobs: Sequence[Job]) -> list[Ended]:
        """One process a job, all at once; how each ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(list(jobs)) + "\n")
        self._process.stdin.flush()
        return [Ended(*ended) for ended in json.loads(self._process.stdout.readline())]

    def each(self, jobs: Sequence[Job]) -> list[Any]:
        """The results of processes that all have to end well."""
        ended = self.run(jobs)
        assert [each.code for each in ended] == [0] * len(jobs), "\n".join(each.stderr for each in ended)
        return [each.result for each in ended]


@contextmanager
def nursery(*modules: str) -> Iterator[Nursery]:
    """A nursery that has imported these modules already."""
    command = [sys.executable, "-m", "tests.support.nursery", *modules]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Nursery(process)


def _serve() -> None:
    for module in (*PRELOAD, *sys.argv[1:]):
        importlib.import_module(module)
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_run(json.loads(line))) + "\n")
        sys.stdout.flush()


def _run(jobs: list[Job]) -> list[tuple[int, Any, str]]:
    ready, go = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory() as folder:
        children = [_fork(job, ready, go, Path(folder, str(place))) for place, job in enumerate(jobs)]
        os.close(ready[1])
        os.close(go[0])
        met = 0
        while met < len(jobs) and (come := os.read(ready[0], len(jobs))):
            met += len(come)
        os.close(go[1])
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        os.close(ready[0])
        return [_ended(code, Path(folder, str(place))) for place, code in enumerate(codes)]


def _ended(code: int, path: Path) -> tuple[int, Any, str]:
    result = path.with_suffix(".json")
    found = json.loads(result.read_text()) if result.exists() else None
    return code, found, path.with_suffix(".err").read_text()


def _fork(job: Job, ready: tuple[int, int], go: tuple[int, int], path: Path) -> int:
    path.with_suffix(".err").touch()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.dup2(os.open(path.with_suffix(".err"), os.O_WRONLY), 2)
        os.close(go[1])

        def meet() -> None:
            os.write(ready[1], b".")
            os.read(go[0], 1)

        path.with_suffix(".json").write_text(json.dumps(_work(job, meet)))
        code = 0
    except BaseException:  # noqa: BLE001 - told to whoever asked for the job
        traceback.print_exc()
    finally:
        os._exit(code)


def _work(job: Job, meet: Meet) -> Any:
    name, arguments = job
    module, _, function = name.partition(":")
    return getattr(importlib.import_module(module), function)(meet, **arguments)


if __name__ == "__main__":
    _serve()
