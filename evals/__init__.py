"""Evaluations on inputs that other people wrote; each folder is one of them, run with `python -m`."""

from __future__ import annotations
