"""A session on one axis: each action and each call of a model as a bar.

An action first waits and then runs; a call of a model only runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from handrail.engine.models.story import cost_of
from handrail.words.errors import NotFound
from handrail.words.lifecycle import OPEN, RAN, State
from handrail.words.money import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.engine.core import Engine
    from handrail.ports import Transaction
    from handrail.words.action import Action
    from handrail.words.model_call import ModelCall
    from handrail.words.session import SessionRecord

WIDTH = 1_000
"""The axis from its beginning to its end."""
LEAST = 6
"""What is too short to be seen is drawn this wide."""
TICKS = 4
MOST = 200
"""Actions on one page."""
BUSY = OPEN | {State.RUNNING, State.UNDOING, State.REDOING}
"""States that last: their bar goes on until now."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a bar: where it begins, how wide it is, and how long it lasted (ms)."""

    at: int
    width: int
    lasted: int


@dataclass(frozen=True, slots=True)
class Bar:
    """One action on the axis. ``waited`` is before it started, ``ran`` from then on."""

    action: Action
    amount: str | None
    after: int
    """Milliseconds from the beginning of the session."""
    waited: Stretch
    ran: Stretch | None


@dataclass(frozen=True, slots=True)
class CallBar:
    """One call of a model on the axis."""

    call: ModelCall
    cost: str | None
    after: int
    """Milliseconds from the beginning of the session."""
    ran: Stretch


@dataclass(frozen=True, slots=True)
class Timeline:
    """A session with its bars, oldest first; ``more`` is the last one when there are further ones."""

    id: str
    session: SessionRecord | None
    agent: str
    task: str | None
    bars: tuple[Bar, ...]
    calls: tuple[CallBar, ...]
    begins: int
    ends: int
    ticks: tuple[tuple[int, int], ...]
    """Places on the axis with their times."""
    over: bool
    more: str | None

    @property
    def rows(self) -> list[Bar | CallBar]:
        """Actions and calls, oldest first: ids begin with their time."""
        return sorted((*self.bars, *self.calls), key=_id_of)


def timeline(engine: Engine, tx: Transaction, session_id: str, after: str = "") -> Timeline:
    """The actions of a session and its calls of models on one axis, after one of them.

    Raises:
        NotFound: there is no such session.
    """
    session, now = tx.sessions.get(session_id), tx.now()
    found = [*tx.actions.in_session(session_id, after, MOST + 1)]
    asked = [*tx.model_calls.in_session(session_id, after, MOST + 1)]
    if session is None and not found and not asked:
        raise NotFound(f"there is no session {session_id}")
    first = sorted([*(each.id for each in found), *(each.id for each in asked)])
    last = first[MOST - 1] if len(first) > MOST else None
    actions = [each for each in found if last is None or each.id <= last]
    calls = [each for each in asked if last is None or each.id <= last]
    begins, ends = _axis(session, actions, calls, now, paged=bool(after))
    step = (ends - begins) / TICKS
    return Timeline(
        id=session_id,
        session=session,
        agent=session.agent if session else (found or asked)[0].agent,
        task=session.task if session else (found or asked)[0].task,
        bars=tuple(_bar(engine, each, begins, ends, now) for each in actions),
        calls=tuple(_call_bar(engine, each, begins, ends, now) for each in calls),
        begins=begins,
        ends=ends,
        ticks=tuple((WIDTH * each // TICKS, begins + int(step * each)) for each in range(TICKS + 1)),
        over=session is not None and session.over(now),
        more=last,
    )


def _axis(
    session: SessionRecord | None,
    actions: Sequence[Action],
    calls: Sequence[ModelCall],
    now: int,
    *,
    paged: bool,
) -> tuple[int, int]:
    """From the session's beginning, or the page's, to the end of the last bar."""
    starts = [*(each.proposed_at for each in actions), *(each.asked_at for each in calls)]
    if session is not None and not (paged and starts):
        starts.append(session.opened_at)
    begins = min(starts)
    ends = [*(_end(each, now) for each in actions), *(_call_end(each, now) for each in calls)]
    return begins, max([begins + 1, *ends])


def _end(action: Action, now: int) -> int:
    if action.state in BUSY:
        return max(now, action.proposed_at)
    return max(action.finished_at or action.updated_at, action.proposed_at)


def _bar(engine: Engine, action: Action, begins: int, ends: int, now: int) -> Bar:
    end, started = _end(action, now), action.started_at if action.state in RAN else None
    ran = None if started is None else _stretch(started, max(end, started), begins, ends)
    money = None if action.amount is None else shown(action.amount, engine.policy.policy.currency)
    waited = _stretch(action.proposed_at, end if started is None else started, begins, ends)
    return Bar(action, money, action.proposed_at - begins, waited, ran)


def _call_end(call: ModelCall, now: int) -> int:
    return max(call.ended_at or now, call.asked_at)


def _call_bar(engine: Engine, call: ModelCall, begins: int, ends: int, now: int) -> CallBar:
    ran = _stretch(call.asked_at, _call_end(call, now), begins, ends)
    return CallBar(call, cost_of(engine, call), call.asked_at - begins, ran)


def _id_of(row: Bar | CallBar) -> str:
    return row.call.id if isinstance(row, CallBar) else row.action.id


def _stretch(first: int, last: int, begins: int, ends: int) -> Stretch:
    whole = ends - begins
    at = min(WIDTH - LEAST, max(0, WIDTH * (first - begins) // whole))
    end = min(WIDTH, max(at + LEAST, WIDTH * (last - begins) // whole))
    return Stretch(at, end - at, max(0, last - first))
