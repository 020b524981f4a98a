"""Plays one scenario through a gate, keeping the gate's own time apart from the tools'."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter_ns, process_time_ns

from evals.agentdojo.gates import Call, Gate, Person


@dataclass(frozen=True, slots=True)
class Span:
    """Time in nanoseconds: by the clock on the wall, and of the processor (all threads of this process)."""

    wall: int = 0
    cpu: int = 0

    def __add__(self, other: Span) -> Span:
        return Span(self.wall + other.wall, self.cpu + other.cpu)

    def __sub__(self, other: Span) -> Span:
        return Span(self.wall - other.wall, self.cpu - other.cpu)


def now() -> Span:
    """Read both clocks."""
    return Span(perf_counter_ns(), process_time_ns())


class Meter:
    """Adds up the time that the tools themselves took."""

    def __init__(self) -> None:
        self.tools = Span()

    @contextmanager
    def tool(self) -> Iterator[None]:
        """Count what happens inside as the tool's own time."""
        start = now()
        try:
            yield
        finally:
            self.tools += now() - start


@dataclass(frozen=True, slots=True)
class Played:
    """What a replay did: which calls ran, how many asked, the time of each that ran alone (less the tool)."""

    ran: tuple[Call, ...]
    asked: int
    alone: tuple[Span, ...]


def play(calls: Sequence[Call], gate: Gate, person: Person, meter: Meter, task: str) -> Played:
    """Propose the calls in order in one session; a call that did not run does not end the replay."""
    ran: list[Call] = []
    asked = 0
    alone: list[Span] = []
    with gate.session(task):
        for call in calls:
            start, inside = now(), meter.tools
            ruling = gate.propose(call, person)
            spent = (now() - start) - (meter.tools - inside)
            asked += ruling.asked
            if ruling.ran:
                ran.append(call)
            if ruling.ran and not ruling.asked:
                alone.append(spent)
    return Played(tuple(ran), asked, tuple(alone))
