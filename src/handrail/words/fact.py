"""Facts: values a rule needs that do not come from the agent, and what stands in for one that failed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failed:
    """A fact that could not be had. It never passes: whatever reads it denies or asks."""

    why: str
