"""Calls of models and their prompts in SQL."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import msgspec

from handrail.store.parts.base import Runner, values_of
from handrail.words.errors import IllegalMove
from handrail.words.model_call import CallState, ModelCall, Prompt, Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.store.codec import Row
    from handrail.words.model_call import CallFilter

LOST = "its process was lost while it ran; it is taken for spent at the most that it could cost"
ENDS = frozenset({CallState.DONE, CallState.FAILED})
_usage = msgspec.json.Decoder(Usage)


@dataclass(frozen=True, slots=True)
class SqlModelCalls:
    """``ports.ModelCalls`` over named queries."""

    sql: Runner

    def add(self, call: ModelCall) -> None:
        """It enters the store running."""
        if call.state is not CallState.RUNNING:
            raise IllegalMove(f"a model call can't enter the store {call.state}")
        self.sql.run("add_model_call", values_of(call))

    def get(self, call: str) -> ModelCall | None:
        """The call with this id."""
        row = self.sql.row("model_call", {"id": call})
        return None if row is None else _call(row)

    def finish(self, call: ModelCall) -> bool:
        """Only for the holder of the token, and only once to an end that is known."""
        if call.state not in ENDS:
            raise IllegalMove(f"a model call can't be reported as {call.state}")
        usage = None if call.usage is None else msgspec.json.encode(call.usage).decode()
        return self.sql.changed("finish_model_call", {**values_of(call), "usage": usage})

    def beat(self, call: str, token: str, lease_until: int) -> bool:
        """Only the holder's lease."""
        return self.sql.changed("beat_model_call", {"id": call, "token": token, "lease_until": lease_until})

    def lapse(self, at: int, limit: int) -> Sequence[ModelCall]:
        """Running with a lease that ended before ``at``, to unknown."""
        found = [_call(row) for row in self.sql.rows("lapsed_model_calls", {"at": at, "limit": limit})]
        lost = [
            each.id
            for each in found
            if self.sql.changed("lose_model_call", {"id": each.id, "at": at, "error": LOST})
        ]
        return [each for each in map(self.get, lost) if each is not None]

    def anything_due(self, at: int) -> bool:
        """By the index of those that run."""
        return self.sql.row("model_calls_due", {"at": at}) is not None

    def listing(self, wanted: CallFilter) -> Sequence[ModelCall]:
        """Newest first."""
        return [_call(row) for row in self.sql.rows("list_model_calls", asdict(wanted))]

    def in_session(self, session: str, after: str, limit: int) -> Sequence[ModelCall]:
        """Oldest first."""
        values = {"session": session, "last": after, "limit": limit}
        return [_call(row) for row in self.sql.rows("session_model_calls", values)]


@dataclass(frozen=True, slots=True)
class SqlPrompts:
    """``ports.Prompts`` over named queries."""

    sql: Runner

    def add(self, prompt: Prompt) -> None:
        """In the transaction of its call's claim."""
        self.sql.run("add_prompt", values_of(prompt))

    def answered(self, call: str, response: bytes, *, cut: bool) -> None:
        """Nothing for one that was erased."""
        self.sql.run("prompt_answered", {"call": call, "response": response, "cut": int(cut)})

    def of(self, calls: Sequence[str]) -> Sequence[Prompt]:
        """One after the other: a page of them at most."""
        rows = [self.sql.row("prompt", {"call": each}) for each in calls]
        return [Prompt(row[0], bytes(row[1]), bytes(row[2]), bool(row[3])) for row in rows if row]

    def write_again(self, prompt: Prompt) -> None:
        """Whole."""
        self.sql.run("write_prompt_again", values_of(prompt))

    def erase(self, before: int, limit: int) -> Sequence[str]:
        """The rows go; the calls stay, with what they cost."""
        found = self.sql.rows("erasable_prompts", {"before": before, "limit": limit})
        self.sql.run_many("erase_prompt", ({"call": row[0]} for row in found))
        return [row[0] for row in found]


def _call(row: Row) -> ModelCall:
    fields = list(row)
    fields[7], fields[8], fields[23] = bool(fields[7]), CallState(fields[8]), bool(fields[23])
    fields[22] = None if fields[22] is None else _usage.decode(fields[22])
    return ModelCall(*fields)
