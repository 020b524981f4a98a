"""The gate: an action and its facts give a verdict. Pure; one measure a file, and none knows another."""

from __future__ import annotations

from handrail.gate.decide import BY_HAND, ORDER, decide

__all__ = ["BY_HAND", "ORDER", "decide"]
