"""The demo's words for what became of an action, of real ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from handrail.demo import ledger
from handrail.demo.ledger import Fate
from handrail.engine.questions.edits import edit
from handrail.engine.questions.votes import answer
from handrail.words.approval import Choice
from handrail.words.errors import Held
from tests.support.rail import LEAD, Desk, opened


def changed(desk: Desk, action: str) -> None:
    """A person lets something smaller run instead."""
    small = {"amount": 5, "reason": "late"}
    edit(desk.app.engine, desk.question(action).id, LEAD, small, "less", verified=False)


def told(desk: Desk, action: str) -> None:
    """A person tells the agent something instead."""
    answer(desk.app.engine, desk.question(action).id, LEAD, "Ask for a photo.", verified=False)


def refused(desk: Desk, action: str) -> None:
    """A person says no."""
    desk.vote(action, choice=Choice.REJECT, reason="no")


def failed(desk: Desk, action: str) -> None:
    """A person says yes, and the tool breaks."""
    desk.vote(action)
    with pytest.raises(RuntimeError):
        desk.rail.resume(action)


@pytest.mark.parametrize(
    ("act", "fate"),
    [(changed, Fate.CHANGED), (told, Fate.NO), (refused, Fate.NO), (failed, Fate.FAILED)],
)
def test_what_a_person_changed_or_answered_is_no_failure(
    tmp_path: Path, act: Callable[[Desk, str], None], fate: Fate
) -> None:
    """Only what ran and broke is one."""
    with opened(tmp_path, "memory:") as desk:

        @desk.rail.tool
        def refund(amount: int, reason: str) -> str:
            raise RuntimeError(f"no {amount} for {reason}")

        with desk.rail.session(agent="support", task="ticket 7"), pytest.raises(Held) as held:
            refund(amount=250, reason="late")
        assert ledger.one(desk.app.store, held.value.action_id).fate is Fate.ASKED
        act(desk, held.value.action_id)
        assert ledger.one(desk.app.store, held.value.action_id).fate is fate
