"""Who acts, for which task, and what the agent says of its next action; one set per task or thread."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from handrail.words.errors import BadArguments

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = "HANDRAIL_SESSION"
"""Set in the environment while a session is open, so that commands started by a tool know it."""
DIGITS = 400
"""Digits of a confidence: every float has fewer, and 1e-999999 would be a megabyte on each page."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Session:
    """One run of an agent for one piece of business."""

    id: str
    agent: str
    task: str | None
    token: str | None = field(default=None, repr=False)
    """What proves it to the server, where a service opened it."""
    inside: Session | None = field(default=None, repr=False)
    """The session inside which it was opened: what it spends is that one's."""
    lineage: tuple[str, ...] = ()
    """The sessions inside which it was opened, from the first one down."""


@dataclass(frozen=True, slots=True)
class About:
    """What the agent says of its next action; it may only restrict."""

    confidence: Decimal | None = None
    rationale: str | None = None
    key: str | None = None


NOTHING = About()
_session: ContextVar[Session | None] = ContextVar("handrail_session", default=None)
_about: ContextVar[About] = ContextVar("handrail_about", default=NOTHING)
_lock = threading.Lock()
_open: list[str] = []


def current_session() -> Session | None:
    """The session of this task or thread."""
    return _session.get()


def current_about() -> About:
    """What was said of the next action in this task or thread."""
    return _about.get()


def inside_a_session() -> bool:
    """Whether this process, or the one that started it, has a session open."""
    return MARK in os.environ


@contextmanager
def entered(session: Session) -> Iterator[Session]:
    """Make ``session`` the current one."""
    _mark(session.id, add=True)
    token = _session.set(session)
    try:
        yield session
    finally:
        _session.reset(token)
        _mark(session.id, add=False)


@contextmanager
def said(about: About) -> Iterator[None]:
    """Say something of the actions inside."""
    token = _about.set(about)
    try:
        yield
    finally:
        _about.reset(token)


@contextmanager
def without_key() -> Iterator[None]:
    """While a tool runs: a key is for the action it was said of, not for what its tool calls in turn."""
    about = _about.get()
    token = None if about.key is None else _about.set(replace(about, key=None))
    try:
        yield
    finally:
        if token is not None:
            _about.reset(token)


def confidence_of(value: float | Decimal | None) -> Decimal | None:
    """A confidence as an exact decimal from 0 to 1.

    Raises:
        BadArguments: it is not such a number.
    """
    if value is None:
        return None
    try:
        exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    except ArithmeticError as error:
        raise BadArguments(f"confidence is {value!r}; expected a number from 0 to 1") from error
    if isinstance(value, bool) or not exact.is_finite() or not 0 <= exact <= 1:
        raise BadArguments(f"confidence is {value!r}; expected a number from 0 to 1")
    if exact and (exact.adjusted() < -DIGITS or len(exact.as_tuple().digits) > DIGITS):
        raise BadArguments(f"confidence has more than {DIGITS} digits")
    return exact or Decimal(0)


def _mark(session: str, *, add: bool) -> None:
    with _lock:
        if add:
            _open.append(session)
        else:
            _open.remove(session)
        if _open:
            os.environ[MARK] = _open[-1]
        else:
            os.environ.pop(MARK, None)
