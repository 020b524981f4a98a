"""Many people at the same moment: nobody waits for ever, nothing runs twice, every count is right."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from handrail.engine.cancel import cancel
from handrail.engine.jobs import expire
from handrail.words.entry import Kind
from handrail.words.errors import Conflict, NotRun, Refused
from handrail.words.lifecycle import State
from tests.integration.engine.asking import held, record_of
from tests.integration.engine.test_edits import BIG, edited
from tests.support.rail import LEAD, SECOND, Desk

ROUNDS, ACTIONS, STEPS, THREADS = 2, 18, 150, 12


def late(desk: Desk, action: str) -> None:
    """The time of its question is over, and the job finds it."""
    desk.sql(f"update seats set expires_at = 1 where approval = '{desk.question(action).id}'")
    expire(desk.app.engine)


DOINGS: list[Callable[[Desk, str], object]] = [
    lambda desk, action: desk.vote(action, LEAD),
    lambda desk, action: desk.vote(action, SECOND),
    lambda desk, action: cancel(desk.app.engine, action, "ops", "odd"),
    lambda desk, action: edited(desk, action, {**BIG, "order": f"edit of {action}"}),
    lambda desk, action: desk.rail.resume(action),
    late,
]


def test_a_crowd_answers_edits_cancels_and_runs_the_questions_of_one_session(desk: Desk) -> None:
    for number in range(ROUNDS):
        actions = [
            held(desk, order=f"{number}-{each}", reason="pairs" if each % 3 == 0 else "")
            for each in range(ACTIONS)
        ]
        chosen = random.Random(number)
        steps = [(chosen.choice(DOINGS), chosen.choice(actions)) for _ in range(STEPS)]

        def step(given: tuple[Callable[[Desk, str], object], str]) -> None:
            doing, action = given
            with suppress(Conflict, NotRun, Refused):
                doing(desk, action)

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(step, steps))
        open_questions = desk.app.store.read(lambda tx: tx.approvals.listing("open", 1_000))
        assert record_of(desk, "s").questions == len(open_questions)
    for action in desk.actions():
        kinds = desk.kinds(action.id)
        assert kinds.count(Kind.INTENDED) == (1 if action.state is State.DONE else 0)
        assert kinds.count(Kind.EDITED) == (1 if action.state is State.SUPERSEDED else 0)
    assert desk.verified().ok
