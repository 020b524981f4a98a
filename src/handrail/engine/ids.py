"""Ids that sort by time and can't be guessed, so that newest first is an index scan."""

from __future__ import annotations

import os
import time


def new_id() -> str:
    """28 hexadecimal digits: 48 bits of milliseconds, then 64 random bits."""
    return f"{time.time_ns() // 1_000_000:012x}{os.urandom(8).hex()}"


def new_secret() -> str:
    """128 random bits in hexadecimal, for tokens, salts and keys."""
    return os.urandom(16).hex()
