"""What each level lets run alone, as a table: the gate executes it and a prover can encode it."""

from __future__ import annotations

from dataclasses import dataclass

from handrail.words.level import Rung


@dataclass(frozen=True, slots=True)
class Alone:
    """What runs without a person on one rung, given that nothing denied it."""

    reads: bool
    """A tool that only reads."""
    preapproved: bool
    """An action that a ``preapproved`` pattern matches."""
    anything: bool
    """Any action that no ask rule matches."""
    lifts: bool
    """Ask rules marked ``lifted_at: autonomous`` no longer ask."""


SEMANTICS: dict[Rung, Alone] = {
    Rung.SUGGEST: Alone(reads=False, preapproved=False, anything=False, lifts=False),
    Rung.PREAPPROVED: Alone(reads=True, preapproved=True, anything=False, lifts=False),
    Rung.BOUNDED: Alone(reads=True, preapproved=True, anything=True, lifts=False),
    Rung.AUTONOMOUS: Alone(reads=True, preapproved=True, anything=True, lifts=True),
}
"""The live rungs. The shadow rung has no row: it is decided as at the tool's ceiling and never runs."""
