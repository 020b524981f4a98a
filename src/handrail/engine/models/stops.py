"""What cuts off calls of models that run: a halt, a frozen budget, a held session, a key that has ended."""

from __future__ import annotations

import time
from operator import attrgetter
from typing import TYPE_CHECKING

from handrail.engine.loops import why_held
from handrail.words.errors import ModelRefused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from handrail.engine.core import Engine
    from handrail.policy.compiled import Budget
    from handrail.ports import Transaction
    from handrail.words.model_call import ModelCall
    from handrail.words.restriction import Restrictions

LOOK_EVERY = 0.5
"""Seconds between two looks into the store, for all that runs in a process."""


def halted(seen: Restrictions, agent: str) -> ModelRefused | None:
    """The refusal where a halt covers a model: one of everything or of the agent does, one of a tool not."""
    for halt in seen.halts:
        if halt.tool is None and halt.agent in (None, agent):
            return ModelRefused(f"{halt.scope.capitalize()} is stopped: {halt.reason}", "halt")
    return None


def frozen(seen: Restrictions, budgets: Iterable[Budget]) -> ModelRefused | None:
    """The refusal where one of these budgets is frozen."""
    for each in budgets:
        if (freeze := seen.frozen.get(each.id)) is not None:
            sentence = f"The budget {each.id} was frozen by {freeze.person} until a person thaws it: "
            return ModelRefused(sentence + freeze.reason, "budget")
    return None


class Lookout:
    """Knows which calls of its process may go on, by a look into the store twice a second at most."""

    def __init__(self, engine: Engine) -> None:
        """Nothing is known yet."""
        self._engine = engine
        self._looked = 0.0
        self._seen = engine.restrictions
        self._keys: frozenset[str] = frozenset()
        self._sessions: dict[str, str] = {}

    def refusal(self, call: ModelCall) -> ModelRefused | None:
        """Why a call that runs should be cut off; None when it may go on.

        Raises:
            StoreError: nobody can say now.
        """
        now = time.monotonic()
        if now - self._looked >= LOOK_EVERY:
            self._looked = now
            self._look()
        engine = self._engine
        seen = max(self._seen, engine.restrictions, key=attrgetter("generation"))
        if found := halted(seen, call.agent):
            return found
        if call.via in self._keys:
            return ModelRefused("This key has ended.", "key")
        if (held := self._sessions.get(call.session)) is not None:
            return ModelRefused(held, "session")
        if not seen.frozen:
            return None
        return frozen(seen, engine.policy.models.budgets(call.agent, call.upstream, call.model))

    def _look(self) -> None:
        """Not by way of the engine, which takes up nothing while the active policy can't be had."""
        calls, before = tuple(self._engine.calling.running.values()), self._seen
        keys = {call.via for call in calls if call.via is not None}
        sessions = {call.session for call in calls if call.session}

        def work(tx: Transaction) -> tuple[Restrictions, frozenset[str], dict[str, str]]:
            at = tx.now()
            over = frozenset(each for each in keys if (key := tx.keys.get(each)) is None or key.over(at))
            same = tx.restrictions.generation() == before.generation
            return before if same else tx.restrictions.read(), over, _held(tx, sessions)

        self._seen, self._keys, self._sessions = self._engine.store.read(work)


def _held(tx: Transaction, sessions: Iterable[str]) -> dict[str, str]:
    """Which of these sessions are held, or are inside one that is, and why."""
    found: dict[str, str] = {}
    for each in sessions:
        known = tx.sessions.get(each)
        around = () if known is None else map(tx.sessions.get, known.lineage)
        held = next((one for one in (known, *around) if one is not None and one.held_at is not None), None)
        if held is not None:
            found[each] = f"Stopped, because {why_held(held)}"
    return found
