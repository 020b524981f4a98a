"""Tests of Handrail; the folders follow the house."""

from __future__ import annotations
