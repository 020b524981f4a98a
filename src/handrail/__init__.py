"""Handrail: lets AI agents act on real systems with exactly the autonomy they have earned."""

from __future__ import annotations
