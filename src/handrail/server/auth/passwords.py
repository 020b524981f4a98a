"""Passwords: argon2id with the library's parameters, and as much work for people who don't exist."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Semaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from handrail.server.errors import Problem
from handrail.words.errors import BadArguments

SHORTEST = 12
LONGEST = 1_000
AT_ONCE = 2
"""Passwords that are hashed at one moment: each takes 64 MiB, and parallel guesses gain nothing."""
WAITING = 8
"""Passwords that may wait for it: a flood of sign-ins must not take the threads that halts and votes need."""
_hasher = PasswordHasher()
_room, _door = Semaphore(AT_ONCE), Semaphore(AT_ONCE + WAITING)
_NOBODYS = _hasher.hash("the password of somebody who does not exist")


def hashed(password: str, person: str = "", *, again: str | None = None) -> str:
    """The hash to keep of a new password; ``again`` is what was typed to repeat it.

    Raises:
        BadArguments: it is too short, too long, no more than the person's own address, or repeated wrong.
    """
    if again is not None and again != password:
        raise BadArguments("the two passwords are not the same")
    if len(password) < SHORTEST:
        raise BadArguments(f"the password has {len(password)} characters; at least {SHORTEST} are needed")
    if len(password) > LONGEST:
        raise BadArguments(f"the password has more than {LONGEST} characters")
    if len(set(password)) < 4 or password.strip().casefold() == person:  # noqa: PLR2004 - aaaaaaaaaaaa, abababababab
        raise BadArguments("this password is too easy to guess")
    return hashed_anew(password)


def hashed_anew(password: str) -> str:
    """The hash of a password that was good enough before, with today's parameters."""
    with _turn():
        return _hasher.hash(password.encode("utf-8", "surrogatepass"))


def matches(password: str, kept: str | None) -> bool:
    """Whether this is the password. Without one it takes as long, and is False."""
    given = password[: LONGEST + 1].encode("utf-8", "surrogatepass")
    with _turn():
        try:
            _hasher.verify(kept or _NOBODYS, given)
        except (VerificationError, InvalidHashError):
            return False
    return kept is not None and len(password) <= LONGEST


def outdated(kept: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(kept)


@contextmanager
def _turn() -> Iterator[None]:
    """Wait for one's turn, if the queue is not too long.

    Raises:
        Problem: it is.
    """
    if not _door.acquire(blocking=False):
        raise Problem(503, "Too many people sign in at this moment; try again.", headers={"retry-after": "2"})
    try:
        with _room:
            yield
    finally:
        _door.release()
