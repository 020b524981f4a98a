"""What a fresh interpreter pays: ``import handrail``, and the memory of an idle embedded rail.

Each figure is of a new process; ours and the floor take turns. Both read the same installed packages,
compiled once to a folder of the benchmark's own, as they are on any machine after the first start.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.harness import MS, Row, Samples, row_of
from benchmarks.rails import POLICY

TURNS = 21
UNCOMPILED = "PYTHONDONTWRITEBYTECODE"
Environment = dict[str, str]
GOAL_MS = 150
MEGABYTE = 1e6
NOTHING = "pass"
IMPORT = "import handrail"
TIMED = (
    "import time; begun = time.perf_counter(), time.process_time(); import handrail; "
    "print(time.perf_counter() - begun[0], time.process_time() - begun[1])"
)
MEMORY = """
import os
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
"""
CONNECTED = (
    "import time; begun = time.perf_counter(), time.process_time();"
    "import handrail; rail = handrail.connect('handrail.yaml');"
    "print(time.perf_counter() - begun[0], time.process_time() - begun[1]); rail.close()"
)
BARE = MEMORY + "import sqlite3; sqlite3.connect(':memory:').execute('select 1'); print(resident())"
RAIL = MEMORY + (
    "import handrail; from benchmarks.rails import noop_of; rail = handrail.connect('handrail.yaml');"
    "noop = noop_of(rail); print(resident()); rail.close()"
)


def run() -> list[Row]:
    """Time of the import, of the whole process, and memory where the system tells it."""
    with tempfile.TemporaryDirectory(prefix="handrail-bench-") as compiled:
        environment = {name: value for name, value in os.environ.items() if name != UNCOMPILED}
        environment |= {"PYTHONPYCACHEPREFIX": compiled, "PYTHONPATH": str(Path(__file__).parent.parent)}
        return [*_times(environment), *_memory(environment)]


def _times(environment: Environment) -> list[Row]:
    ours, bare, alone, connected = [], [], [], []
    with _folder() as folder:
        _output(CONNECTED, environment, folder)  # so that compiled files are there
    for _ in range(TURNS):
        ours.append(_process(IMPORT, environment))
        bare.append(_process(NOTHING, environment))
        alone.append(_milliseconds(_output(TIMED, environment)))
        with _folder() as folder:
            connected.append(_milliseconds(_output(CONNECTED, environment, folder)))
    rows = []
    for place, clock in enumerate(("wall time", "CPU time")):
        floor = _samples([each[place] for each in bare]).p50
        inside = _samples([each[place] for each in alone])
        whole = _samples([each[place] for each in ours])
        ready = _samples([each[place] for each in connected])
        rows += [
            row_of(f"import handrail, {clock}", inside, "ms", goal=GOAL_MS),
            row_of(f"import handrail and connect to a new SQLite store, {clock}", ready, "ms"),
            row_of(f"python -c 'import handrail', {clock}; floor: python -c pass", whole, "ms", floor=floor),
        ]
    return rows


def _process(code: str, environment: Environment) -> tuple[float, float]:
    """Wall and CPU milliseconds of a fresh interpreter that runs ``code``."""
    begun = time.perf_counter_ns()
    pid = os.posix_spawn(sys.executable, [sys.executable, "-c", code], environment)
    _, status, used = os.wait4(pid, 0)
    wall = (time.perf_counter_ns() - begun) / MS
    if status:
        raise RuntimeError(f"python -c {code!r} ended with {status}")
    return wall, (used.ru_utime + used.ru_stime) * 1000


def _output(code: str, environment: Environment, folder: str | None = None) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=folder, env=environment
    ).stdout


def _memory(environment: Environment) -> list[Row]:
    if not Path("/proc/self/statm").exists():
        return []
    ours, floor = [], []
    for _ in range(5):
        with _folder() as folder:
            ours.append(json.loads(_output(RAIL, environment, folder)) / MEGABYTE)
        floor.append(json.loads(_output(BARE, environment)) / MEGABYTE)
    name = "memory of an idle embedded rail; floor: python with sqlite3"
    return [row_of(name, _samples(ours), "MB", floor=_samples(floor).p50)]


@contextmanager
def _folder() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="handrail-bench-") as folder:
        (Path(folder) / "handrail.yaml").write_text(POLICY, "utf-8")
        yield folder


def _milliseconds(printed: str) -> list[float]:
    return [float(each) * 1000 for each in printed.split()]


def _samples(values: list[float]) -> Samples:
    return Samples(tuple(values))
