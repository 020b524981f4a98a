"""The command line. ``main`` is what ``handrail`` runs; what is heavy is imported when it is used."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit with its code."""
    from handrail.cli.tree import app

    app(prog_name="handrail")
