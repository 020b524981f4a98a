"""``handrail version``: which Handrail this is, on which Python."""

from __future__ import annotations

import platform

from handrail.cli import screen
from handrail.cli.options import AsJson


def version(*, json: AsJson = False) -> None:
    """Print the version of Handrail and of what it runs on."""
    import sqlite3
    from importlib.metadata import version as of

    found = {
        "handrail": of("handrail"),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }
    if json:
        screen.document(found)
    else:
        screen.say(f"handrail {found['handrail']} (Python {found['python']}, SQLite {found['sqlite']})")
