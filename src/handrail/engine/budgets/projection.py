"""When a budget ends if it goes on being spent as until now. Pure: times and quantities in, a time out."""

from __future__ import annotations

LEAST_SHARE = 20
"""A window is projected once a twentieth of it is over, or ``LEAST_TIME``, whichever is less …"""
LEAST_TIME = 1_800_000
LEAST_USED = 50
"""… and a fiftieth of the limit is used: less says nothing about a pace."""


def ends_at(begins: int, ends: int, now: int, used: int, limit: int) -> int | None:
    """When all of ``limit`` will be used (ms, UTC), at the pace of this window until ``now``.

    None when that is after the window's end, when it is used up already, or when too little has happened to
    tell. ``begins`` and ``ends`` are the window's, ``used`` is set aside or spent in it.
    """
    passed, whole = now - begins, ends - begins
    if whole <= 0 or not 0 < passed < whole or used >= limit:
        return None
    if passed < min(whole // LEAST_SHARE, LEAST_TIME) or used * LEAST_USED < limit:
        return None
    # rounded up: it is not over before it is over
    at = begins + -(-limit * passed // used)
    return at if at < ends else None
