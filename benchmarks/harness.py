"""The pure part of every benchmark: samples with their median and spread, rows, the table and the JSON.

Contestants take turns in short batches, so that whatever else the machine does meets all of them alike. A row
compares medians, and shows how far the middle eight tenths of our samples lie apart.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from rich.table import Table

Call = Callable[[], object]
"""What is measured."""
Timer = Callable[[], int]
"""A clock in nanoseconds."""

ROUNDS = 101
BATCH_NS = 1_000_000
"""Calls are timed in batches of about this long, so that reading the clock does not count."""
LARGEST_BATCH = 10_000
WARM = 20
"""Calls before anything is measured: the interpreter makes code faster that has run a few times."""
US, MS = 1_000.0, 1_000_000.0
"""Nanoseconds in a micro- and a millisecond."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Measured values of one contestant, all in one unit."""

    values: tuple[float, ...]

    @property
    def p50(self) -> float:
        """The median."""
        return median(self.values)

    @property
    def spread(self) -> tuple[float, float]:
        """Where the middle eight tenths begin and end."""
        return quantile(self.values, 0.1), quantile(self.values, 0.9)

    def per(self, divisor: float) -> Samples:
        """The same in another unit."""
        return Samples(tuple(value / divisor for value in self.values))


@dataclass(frozen=True, slots=True)
class Row:
    """One claim: our figure, beside a peer's or a floor's of the same run; all three in ``unit``.

    ``spread`` is of our figure.
    ``goal`` is in ``unit`` too: the most that ours may be, or the least when ``higher_is_better``.
    """

    name: str
    ours: float
    unit: str
    peer: float | None = None
    floor: float | None = None
    spread: tuple[float, float] | None = None
    goal: float | None = None
    higher_is_better: bool = False

    @property
    def against(self) -> str | None:
        """What ``ratio`` divides by: the peer where there is one, else the floor."""
        return "peer" if self.peer is not None else "floor" if self.floor is not None else None

    @property
    def ratio(self) -> float | None:
        """Ours divided by the peer's or the floor's."""
        other = self.peer if self.peer is not None else self.floor
        return self.ours / other if other else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        if self.goal is None:
            return None
        return self.ours >= self.goal if self.higher_is_better else self.ours <= self.goal

    def as_json(self) -> dict[str, object]:
        """The row as it is written: first what every row has, then the details."""
        named = {"name": self.name, "ours": self.ours, "peer": self.peer, "floor": self.floor}
        ratio = {"unit": self.unit, "ratio": self.ratio, "against": self.against}
        return {**named, **ratio, "spread": self.spread, "goal": self.goal, "met": self.met}


def quantile(values: Sequence[float], part: float) -> float:
    """The value below which ``part`` (0 to 1) of ``values`` lie, the nearest one that was measured.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("there is no quantile of nothing")
    return sorted(values)[round(part * (len(values) - 1))]


def row_of(name: str, samples: Samples, unit: str, **more: float | None) -> Row:
    """A row of our samples, which must be in ``unit``; ``more`` is peer, floor or goal."""
    return Row(name, samples.p50, unit, spread=samples.spread, **more)  # type: ignore[arg-type]


def interleaved(
    calls: Mapping[str, Call], rounds: int = ROUNDS, clock: Timer = time.thread_time_ns
) -> dict[str, Samples]:
    """Nanoseconds per call of each contestant, by turns: a batch of each, then again."""
    sizes = {name: batch_of(call, clock) for name, call in calls.items()}
    found: dict[str, list[float]] = {name: [] for name in calls}
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        for name, call in calls.items():
            found[name].append(timed(call, sizes[name], clock) / sizes[name])
    gc.unfreeze()
    return {name: Samples(tuple(values)) for name, values in found.items()}


def timed(call: Call, times: int, clock: Timer) -> int:
    """Nanoseconds that ``times`` calls take together."""
    several = range(times)
    start = clock()
    for _ in several:
        call()
    return clock() - start


def batch_of(call: Call, clock: Timer) -> int:
    """How many calls take about ``BATCH_NS``, found out once the call is warm."""
    timed(call, WARM, clock)
    times = 1
    while times < LARGEST_BATCH:
        took = timed(call, times, clock)
        if took >= BATCH_NS / 2:
            break
        times *= 2
    return times


def each(call: Call, times: int, clock: Timer) -> Samples:
    """Nanoseconds of each single call."""
    found = []
    for _ in range(times):
        start = clock()
        call()
        found.append(float(clock() - start))
    return Samples(tuple(found))


def together(parts: Sequence[Samples]) -> Samples:
    """All samples of several turns."""
    return Samples(tuple(value for part in parts for value in part.values))


def table_of(title: str, rows: Sequence[Row]) -> Table:
    """The rows for people; ``ratio`` says by a letter what it divides by."""
    table = Table(title=title, title_justify="left", caption="ratio: p = ours / peer, f = ours / floor")
    table.add_column("", overflow="fold")
    for heading in ("ours", "spread", "peer", "floor", "unit", "ratio", "goal"):
        table.add_column(heading, justify="left" if heading == "unit" else "right")
    for row in rows:
        table.add_row(*cells(row))
    return table


def cells(row: Row) -> tuple[str, ...]:
    """One row's texts."""
    ratio = "" if row.ratio is None else f"{row.ratio:.2f} {(row.against or '')[:1]}"
    between = "" if row.spread is None else f"{shown(row.spread[0])} to {shown(row.spread[1])}"
    return (
        row.name,
        shown(row.ours),
        between,
        shown(row.peer),
        shown(row.floor),
        row.unit,
        ratio,
        _goal(row),
    )


def shown(value: float | None) -> str:
    """A number with three digits that count, or nothing."""
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _goal(row: Row) -> str:
    if row.goal is None:
        return ""
    sign = "≥" if row.higher_is_better else "≤"
    return f"{sign} {shown(row.goal)} {'met' if row.met else 'MISSED'}"
