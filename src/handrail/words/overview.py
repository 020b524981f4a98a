"""What the overview counts: actions by what was decided about them."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Met(StrEnum):
    """What an action met with at the rail: the four outcomes that people are shown."""

    RAN = "ran"
    """It ran, or will, without asking anybody."""
    ASKED = "asked"
    """A person was asked, whatever came of it."""
    DENIED = "denied"
    RECORDED = "recorded"
    """It was on trial: what would have happened was only recorded."""


class Tally(Struct, frozen=True, gc=False):
    """How many actions of one agent's tool, proposed in one stretch of time, met with the same.

    A struct, because a day has tens of thousands of them.

    ``begin`` is what their ids begin with, ``at`` when the stretch began. ``wrong`` are those of ``count``
    that failed, or of which nobody knows how they ended.
    """

    begin: str
    at: int
    agent: str
    tool: str
    met: Met
    count: int
    wrong: int
