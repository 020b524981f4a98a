"""Calls of models: what is asked for, at most how much it may cost, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MILLION = 1_000_000
"""Tokens are priced per million."""


class CallState(StrEnum):
    """Where a model call stands. It is running from the claim that set its money aside."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """Its process was lost: it is taken for spent at its bound, until somebody knows better."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a model call used, in whole tokens and images.

    ``input`` holds everything that was read, also what is in ``cached`` (read from a cache) and
    ``cache_write`` (kept in one); ``output`` holds everything that was written, also ``reasoning``.
    """

    input: int = 0
    output: int = 0
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0
    images: int = 0
    searches: int = 0
    """Calls of tools that the provider runs and bills for, such as a search."""
    cache_write_long: int = 0
    """What was kept in a cache for long, and costs more: part of ``input``, and not of ``cache_write``."""
    audio_input: int = 0
    image_input: int = 0
    audio_output: int = 0
    image_output: int = 0
    """Tokens of sound and pictures, inside ``input`` and ``output``."""

    @property
    def tokens(self) -> int:
        """What counts against a budget in tokens."""
        return self.input + self.output


@dataclass(frozen=True, slots=True)
class Bound:
    """At most what one call can cost: a fixed part, and so much for each token that it may write.

    Money is in nano-units; ``rate`` in nano-units per million tokens. ``output`` is how many tokens each of
    the ``choices`` may write; the claim lowers it to what the tightest budget can pay, down to ``least``.
    """

    cost: int
    tokens: int
    rate: int = 0
    output: int = 0
    least: int = 1
    choices: int = 1

    def cost_of(self, output: int) -> int:
        """The whole cost when each choice writes ``output`` tokens, rounded up."""
        return self.cost + -(-self.rate * output * self.choices // MILLION)

    def tokens_of(self, output: int) -> int:
        """All tokens when each choice writes ``output`` of them."""
        return self.tokens + output * self.choices

    def affords(self, unit: str, left: int) -> int:
        """How many tokens each choice may write for what is ``left``; negative for not even one call.

        ``left`` is in the budget's unit: nano-units for ``cost``, ``tokens``, else calls.
        """
        if unit == "cost":
            rest, each = (left - self.cost) * MILLION, self.rate * self.choices
        elif unit == "tokens":
            rest, each = left - self.tokens, self.choices
        else:
            rest, each = left - 1, 0
        if rest < 0:
            return -1
        return rest // each if each else self.output


@dataclass(frozen=True, slots=True)
class ModelAsked:
    """One call of a model as a gateway or a meter asks for it, before anything is forwarded."""

    agent: str
    session: str
    task: str | None
    upstream: str
    """Who serves it, as the policy names it: ``openai``, ``anthropic``, ``local``."""
    model: str
    route: str
    """What is called there: ``chat/completions``, ``responses``, ``messages``, ``embeddings``."""
    bound: Bound
    request: bytes
    """The body as it came in, which is kept redacted; what can't be kept is not forwarded."""
    stream: bool = False
    via: str | None = None
    """The id of the key that lets it in; None in the process of the agent."""
    lineage: tuple[str, ...] = ()
    """The sessions inside which its own was opened, from the first one down."""


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call of a model, from its claim on. Times are milliseconds since the epoch, UTC; money nano-units.

    ``output`` is how many tokens each choice may write, as the budgets could pay it: forward exactly that.
    """

    id: str
    agent: str
    session: str
    task: str | None
    upstream: str
    model: str
    route: str
    stream: bool
    state: CallState
    policy: str
    asked_at: int
    bound_cost: int
    bound_tokens: int
    output: int = 0
    via: str | None = None
    attempt: int = 1
    owner: str | None = None
    token: str | None = None
    lease_until: int | None = None
    first_byte_at: int | None = None
    ended_at: int | None = None
    cost: int | None = None
    usage: Usage | None = None
    presumed: bool = False
    """The cost is the bound, because nobody measured what was used."""
    status: int | None = None
    """The upstream's HTTP status."""
    error: str | None = None

    @property
    def milliseconds(self) -> int | None:
        """How long it took, once it has ended."""
        return None if self.ended_at is None else self.ended_at - self.asked_at


@dataclass(frozen=True, slots=True)
class ModelEnded:
    """How a call of a model ended, as its gateway or meter saw it.

    ``cost`` is what was measured, in nano-units; None presumes it spent at its bound. ``unspent`` says that
    provably nothing was: it never reached the upstream.
    """

    state: CallState
    usage: Usage | None = None
    cost: int | None = None
    unspent: bool = False
    status: int | None = None
    error: str | None = None
    first_byte_at: int | None = None
    response: bytes = b""
    """What came back, as it came (events of a stream one after the other); as much of it as was kept."""
    cut: bool = False
    """Whether the response was longer than what was kept of it."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What was asked of a model and what it answered, redacted and compressed; empty when there is none."""

    call: str
    request: bytes
    response: bytes = b""
    cut: bool = False
    """Whether only the beginning of one of them was kept."""


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Model calls newest first; ``before`` is the id of the last one seen; times exclude their end."""

    agent: str | None = None
    session: str | None = None
    task: str | None = None
    model: str | None = None
    state: str | None = None
    since: int | None = None
    until: int | None = None
    before: str | None = None
    limit: int = 50
