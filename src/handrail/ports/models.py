"""Calls of models: what the store keeps of them, and the gate that every one of them passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.words.errors import ModelRefused
    from handrail.words.model_call import CallFilter, ModelAsked, ModelCall, ModelEnded, Prompt


class ModelCalls(Protocol):
    """Model calls in the store."""

    def add(self, call: ModelCall) -> None:
        """Keep a call that was claimed."""

    def get(self, call: str) -> ModelCall | None:
        """The call with this id."""

    def finish(self, call: ModelCall) -> bool:
        """Write how it ended, for the holder of its token; False when that was written before.

        A call that was taken for lost may still be told.
        """

    def beat(self, call: str, token: str, lease_until: int) -> bool:
        """Extend the lease of a running call; False when it is no longer ours."""

    def lapse(self, at: int, limit: int) -> Sequence[ModelCall]:
        """Mark running calls whose lease has ended as unknown and presumed; as they now stand."""

    def anything_due(self, at: int) -> bool:
        """Whether the lease of any has ended."""

    def listing(self, wanted: CallFilter) -> Sequence[ModelCall]:
        """Newest first."""

    def in_session(self, session: str, after: str, limit: int) -> Sequence[ModelCall]:
        """Calls of a session, oldest first; ``after`` is the id of the last one seen, empty for none."""


class Prompts(Protocol):
    """What was asked of models and answered: compressed, redacted, erasable."""

    def add(self, prompt: Prompt) -> None:
        """Keep a request."""

    def answered(self, call: str, response: bytes, *, cut: bool) -> None:
        """Keep what came back."""

    def of(self, calls: Sequence[str]) -> Sequence[Prompt]:
        """The prompts of these calls, as far as they are kept, in no order."""

    def write_again(self, prompt: Prompt) -> None:
        """Keep a prompt with less in it."""

    def erase(self, before: int, limit: int) -> Sequence[str]:
        """Erase the prompts of calls that were asked for before then; their calls' ids."""


class ModelGate(Protocol):
    """What every call of a model passes: nothing is forwarded without its claim. Threads may share it."""

    def claim(self, asked: ModelAsked, *, whole: bool = False) -> ModelCall:
        """Set aside what it can cost, and start it; what comes back says how much it may write.

        With ``whole`` it may write all that was asked for, or a budget is exhausted, and nobody is told
        of that: who can wait for other calls to give something back asks like this first.

        Raises:
            BudgetExhausted: a budget can't pay for it.
            ModelRefused: a halt, the policy, the key or the session does not let it.
            StoreError: it can't be written, so it must not be forwarded.
        """

    def refuse(self, asked: ModelAsked, sentence: str, cause: str) -> ModelRefused:
        """The refusal of a call that can't even be claimed, such as one without a price; it is told of."""

    def settle(self, call: ModelCall, ended: ModelEnded) -> bool:
        """Write how it ended; False when that was written before. It is kept until it can be written."""

    def let_go(self, call: ModelCall) -> None:
        """Nobody will say how it ended: its lease may end, and it is presumed spent then."""

    def stopped(self, call: ModelCall) -> ModelRefused | None:
        """Why a call that runs should be cut off now; None when it may go on. Cheap enough to ask often.

        A halt covers it, its session is held, a budget that it fills is frozen, or its key has ended.
        """
