"""The errors that users of Handrail meet, each with a sentence of what happened and what can be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handrail.words.problem import Problem
    from handrail.words.verdict import Verdict


class HandrailError(Exception):
    """The root of every error that Handrail raises on purpose."""


class IllegalMove(HandrailError):
    """A change of state that the life cycle does not allow."""


class NotDone(HandrailError):
    """Raised by a tool to say that it failed *and provably did nothing*: its holds are released."""


class BadArguments(HandrailError):
    """Arguments that can't be frozen: not JSON, not finite, too deep, too large."""


class PolicyError(HandrailError):
    """A policy that can't be used, with every problem found in it."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Keep ``problems`` and make one message of them, a line each."""
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class PolicyLost(PolicyError):
    """The active policy can't be had here: it is not in the store, or this release can't read it."""

    def __init__(self, version: str, problems: tuple[Problem, ...] = ()) -> None:
        """Name the version by the beginning of its digest."""
        super().__init__(problems)
        why = str(problems[0]) if problems else "it is not in the store"
        self.args = (f"the active policy {version[:12]} can't be used here, so nothing is let run: {why}",)


class NoSession(HandrailError):
    """A tool behind the rail was called outside ``rail.session(...)``: there is no agent to decide for."""


class NotFound(HandrailError):
    """What was asked for (an action, an approval, a policy version) is not in the store."""


class Conflict(HandrailError):
    """Somebody was faster, or what was seen has changed; nothing was done."""


class Refused(HandrailError):
    """A person's or operator's request that Handrail won't carry out, with the reason."""


class ModelRefused(Refused):
    """A call of a model that is not forwarded. ``cause`` is one word for what does not let it."""

    def __init__(self, sentence: str, cause: str) -> None:
        """Keep ``cause``: halt, policy, price, key, session, budget; busy when others were faster."""
        super().__init__(sentence)
        self.cause = cause


class BudgetExhausted(ModelRefused):
    """A budget can't pay for a call of a model. Its text says which, how much is left and when it renews.

    ``left`` and ``limit`` are in the budget's ``unit``: nano-units of money, tokens or calls. ``renews`` is
    when it renews, for people; ``renews_at`` the same in milliseconds since the epoch, None for never.
    """

    def __init__(
        self,
        sentence: str,
        *,
        budget: str,
        unit: str,
        left: int,
        limit: int,
        renews: str,
        renews_at: int | None = None,
    ) -> None:
        """Keep what a program may want to know."""
        super().__init__(sentence, "budget")
        self.budget = budget
        self.unit = unit
        self.left = left
        self.limit = limit
        self.renews = renews
        self.renews_at = renews_at


class Overspent(HandrailError):
    """A budget has no room for a charge; the transaction that tried is rolled back.

    Perhaps there is room in chunks that processes took of this window: close them, and look again.
    """

    def __init__(self, budget: str, scope: str, window: int) -> None:
        """Name the budget and its window."""
        super().__init__(f"budget {budget} has no room")
        self.budget = budget
        self.scope = scope
        self.window = window


class ChannelError(HandrailError):
    """A channel could not tell what it was given; ``again`` says whether trying later can help."""

    def __init__(self, why: str, *, again: bool = True) -> None:
        """Keep ``again``."""
        super().__init__(why)
        self.again = again


class StoreError(HandrailError):
    """The store can't be used now: locked, full, read-only, gone, or of another version."""


class NotRun(HandrailError):
    """An action that did not run. Its text is one plain sentence for the agent."""

    def __init__(self, sentence: str, action_id: str, verdict: Verdict | None = None) -> None:
        """Keep the action's id and the verdict with its reasons."""
        super().__init__(sentence)
        self.action_id = action_id
        self.verdict = verdict


class Denied(NotRun):
    """The action was refused, rejected or expired; the same call will be refused again."""


class Held(NotRun):
    """The action waits for a person. ``rail.wait(id)`` waits for the answer, ``rail.resume(id)`` runs it."""


class Shadowed(NotRun):
    """The tool is on trial: the decision was recorded and nothing ran."""


class InProgress(NotRun):
    """The same action is running now, or was interrupted and nobody has said yet what became of it."""


class ToolFailed(NotRun):
    """An earlier run of this action failed; it is not run again by itself."""


class OutcomeUnrecorded(HandrailError):
    """The tool ran, but its outcome could not be written. The output is kept here; nothing more starts."""

    def __init__(self, action_id: str, output: object) -> None:
        """Keep the action's id and what the tool returned, so that neither is lost."""
        super().__init__(
            f"action {action_id} ran, but its outcome could not be written; "
            "its output is on this error, and this process starts nothing more until it can write"
        )
        self.action_id = action_id
        self.output = output
