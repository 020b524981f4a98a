"""A person at a terminal: who it is, and a yes that no program gave by a pipe.

This guards against mistakes, not against an agent that controls this machine: whoever can open a terminal
of its own can type yes into it. So votes given here are recorded as unverified.
"""

from __future__ import annotations

import getpass
import os
import sys

from handrail.words.errors import Refused

YES = "yes"


def must_be_at_a_terminal(what: str) -> None:
    """Refuse unless a person can be asked here.

    Raises:
        Refused: this runs inside a rail session, or there is no terminal.
    """
    must_be_outside_a_session(what)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Refused(
            f"{what} asks on a terminal, and there is none here. No switch skips the question: "
            "a person answers it, so that an agent with a shell can't by a pipe"
        )


def must_be_outside_a_session(what: str) -> None:
    """Refuse to an agent's own process.

    Raises:
        Refused: this runs inside a rail session.
    """
    from handrail.engine.context import MARK, inside_a_session

    if inside_a_session():
        raise Refused(f"{what} is for people, and this runs inside a rail session ({MARK} is set)")


def person_of(given: str | None) -> str:
    """The name that was given, or the user's on this machine; its number where it has no name.

    Raises:
        Refused: an empty name was given.
    """
    if given is None:
        try:
            return getpass.getuser()
        except (OSError, KeyError):
            return f"user {os.getuid()}"
    if not given.strip():
        raise Refused("who are you? Say so with --as NAME")
    return given


def confirmed(question: str) -> bool:
    """Whether the person types yes; anything else, and the end of input, is a no."""
    from handrail.cli.screen import plain

    _forget_typed_ahead()
    sys.stderr.write(f"{plain(question)} Type {YES} to go on, anything else to leave it: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() == YES


def _forget_typed_ahead() -> None:
    """What was typed before the question was shown does not answer it."""
    try:
        import termios
    except ImportError:  # no such terminals on this system
        return
    termios.tcflush(sys.stdin, termios.TCIFLUSH)
