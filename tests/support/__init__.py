"""What tests and benchmarks share."""

from __future__ import annotations
