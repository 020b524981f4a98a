"""What every road shares: the store, the running policy, the tools, and a copy of what restricts."""

from __future__ import annotations

import inspect
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from handrail.engine.budgets.chunks import Chunks
from handrail.engine.door import completed, digest, freeze, thaw
from handrail.engine.ids import new_id
from handrail.engine.models.calling import Calling
from handrail.engine.record import Recorder
from handrail.engine.signature import of_schema
from handrail.policy.binding import Binding, binding
from handrail.policy.compile import CompiledPolicy
from handrail.policy.expressions import EvaluationError
from handrail.words.action import Proposal
from handrail.words.errors import (
    BadArguments,
    Conflict,
    HandrailError,
    NotDone,
    NotFound,
    PolicyError,
    PolicyLost,
    StoreError,
)
from handrail.words.restriction import Restrictions

if TYPE_CHECKING:
    from handrail.engine.context import About, Session
    from handrail.engine.deliveries.sending import Deliverer
    from handrail.engine.effects import Stop
    from handrail.engine.keeper import Keeper
    from handrail.engine.settle import Outcome
    from handrail.engine.signature import Signature
    from handrail.policy.model import FactPolicy, Policy
    from handrail.ports import Clock, FactSource, Store, Transaction
    from handrail.words.toolbox import ToolSchema

logger = logging.getLogger("handrail")
LEASE = 60_000
"""Milliseconds after which a running action without a heartbeat is taken for lost."""
OPEN_QUESTIONS = 500
"""Questions of one agent that may wait for people at one moment: among more nobody finds what matters."""
EMPTY = b"{}"


@dataclass(frozen=True, slots=True)
class Tool:
    """A callable behind the rail."""

    name: str
    function: Callable[..., Any]
    signature: Signature
    binding: Binding
    is_async: bool
    simulate: Callable[..., Any] | None = None
    simulates_async: bool = False
    cancel: bool = False
    """Whether a halt cancels it while it runs."""
    elsewhere: bool = False
    """It runs in another process, which reports what became of it; here it is only known."""


@dataclass
class Engine:
    """One process's engine. ``load`` makes a compiled policy of a stored version's name and files."""

    store: Store
    policy: CompiledPolicy
    key: bytes
    clock: Clock
    sources: Mapping[str, FactSource]
    """Where the running policy's facts come from."""
    load: Callable[[str, Mapping[str, str]], CompiledPolicy]
    owner: str
    equip: Callable[[Policy], Mapping[str, FactSource]] = lambda _: {}
    """The sources of a policy's facts: another version may ask another query under the same name."""
    tools: dict[str, Tool] = field(default_factory=dict)
    restrictions: Restrictions = field(default_factory=lambda: Restrictions(0, None))
    running: dict[str, str] = field(default_factory=dict)
    """The tokens of actions that this process is running now, by action."""
    cancels: dict[str, Stop] = field(default_factory=dict)
    """How a halt stops those of them whose tools allow it, by action."""
    unrecorded: list[Outcome] = field(default_factory=list)
    """Outcomes that could not be written yet: while there are any, nothing is claimed."""
    calling: Calling = field(default_factory=Calling)
    """The calls of models that pass this process."""
    deliverer: Deliverer | None = None
    """Sends what is to be told through channels, where this process has any."""
    stir: Callable[[], None] = lambda: None
    """Tells the background jobs that there is something to seal."""
    keeper: Keeper | None = None
    """Who runs those jobs in this process; an engine has one at most."""
    lease: int = LEASE
    open_questions: int = OPEN_QUESTIONS
    """Questions of one agent that may wait for people at one moment."""

    def __post_init__(self) -> None:
        """Derive what depends on the policy and the store."""
        self.chunks = Chunks() if self.store.leases else None
        self._lock = threading.RLock()
        self.recorder = Recorder(self.policy.policy.redact)
        self._registered: dict[str, tuple[FactPolicy, FactSource]] = {}

    def register(self, fact: str, source: FactSource) -> None:
        """Let a function of the application be the fact's source, for as long as the policy defines it so.

        Raises:
            NotFound: the policy has no such fact.
        """
        with self._lock:
            self._registered[fact] = (self.fact(fact), source)
            self.sources = {**self.sources, fact: source}

    def fact(self, name: str) -> FactPolicy:
        """What the running policy says of a fact.

        Raises:
            NotFound: the policy has no such fact.
        """
        facts = self.policy.policy.facts
        if name not in facts:
            raise NotFound(f"the policy has no fact {name!r}; it has {', '.join(facts) or 'none'}")
        return facts[name]

    def bind(self, tool: Tool) -> None:
        """Put a tool behind the rail: phase two of the policy's check.

        Raises:
            PolicyError: policy and schema don't fit.
            Conflict: another function has this name.
        """
        with self._lock:
            known = self.tools.get(tool.name)
            if known is not None and not known.elsewhere:
                raise Conflict(f"two functions want to be the tool {tool.name!r}; give one another name")
            self.policy = self.policy.bind(tool.binding)
            self.tools[tool.name] = tool

    def refresh(self) -> None:
        """Read what restricts now, and the active policy when it is another than ours."""
        with self._lock:
            seen = self.restrictions.generation

            def work(tx: Transaction) -> tuple[Restrictions, Sequence[ToolSchema]]:
                now = tx.restrictions.read()
                return now, () if now.generation == seen else tx.toolbox.pinned()

            found, pinned = self.store.read(work)
            if found.policy is not None and found.policy != self.policy.digest:
                self._take_up(found.policy)
            self._know(pinned)
            self.restrictions = found

    def catch_up(self) -> bool:
        """As ``refresh``, for looking and for what only restricts; False when the active policy can't be had.

        Then ``policy`` and ``restrictions`` stay what they were: nothing may be let run by them.
        """
        try:
            self.refresh()
        except (PolicyError, StoreError) as error:
            logger.error("the active policy can't be used here, only refusing and halting go on: %s", error)  # noqa: TRY400
            return False
        return True

    def proposal(
        self, tool: str, values: Mapping[str, object] | str, session: Session, about: About
    ) -> Proposal:
        """Freeze a call at the door. A text instead of values says why they could not even be collected."""
        known = self.tools.get(tool)
        bound = known.binding.digest if known else ""
        frozen, refusal = frozen_call(known, values, self._misfit)
        args, why = thaw(frozen), about.rationale
        return Proposal(
            id=new_id(),
            agent=session.agent,
            tool=tool,
            session=session.id,
            task=session.task,
            payload=frozen,
            args=args,
            digest=digest(self.key, tool, bound, frozen),
            binding=bound,
            confidence=about.confidence,
            # everybody who sees the action reads it: it must not repeat what the policy hides
            rationale=None if why is None else self.recorder.hidden(why, args),
            key=about.key,
            refusal=refusal,
            lineage=session.lineage,
        )

    def _misfit(self, tool: Tool, frozen: bytes) -> str | None:
        """What the policy's reading of the tool's schema says of arguments that it could not take."""
        bound = self.policy.bound.get(tool.name)
        with suppress(EvaluationError):
            return bound.invalid(thaw(frozen)) if bound else None
        return None

    def _know(self, pinned: Sequence[ToolSchema]) -> None:
        """Know the tools that run elsewhere by their accepted schemas; a tool of our own stays ours."""
        for schema in pinned:
            known = self.tools.get(schema.tool)
            if known is not None and (not known.elsewhere or known.binding.digest == schema.binding):
                continue
            try:
                tool = tool_elsewhere(schema.tool, msgspec.json.decode(schema.schema))
                self.policy = self.policy.bind(tool.binding)
            except (PolicyError, ValueError) as error:
                logger.error("%s does not fit the active policy and is refused: %s", schema.tool, error)  # noqa: TRY400
            else:
                self.tools[tool.name] = tool

    def _take_up(self, version: str) -> None:
        stored = self.store.read(lambda tx: tx.restrictions.policy(version))
        if stored is None:
            raise PolicyLost(version)
        try:
            compiled = self.load(*stored)
        except PolicyError as error:
            raise PolicyLost(version, error.problems) from error
        if compiled.digest != version:
            raise StoreError(
                f"the stored text of the active policy {version[:12]} is not what was activated; "
                "find out who altered it, and activate a version anew"
            )
        for tool in self.tools.values():
            try:
                compiled = compiled.bind(tool.binding)
            except PolicyError as error:
                logger.error("%s does not fit the active policy and is refused: %s", tool.name, error)  # noqa: TRY400
        self.sources = {**self.equip(compiled.policy), **self._still_registered(compiled.policy)}
        self.policy = compiled
        self.recorder = Recorder(compiled.policy.redact)

    def _still_registered(self, policy: Policy) -> dict[str, FactSource]:
        """The application's own sources of facts that are defined as they were when it registered them."""
        return {
            name: source
            for name, (before, source) in self._registered.items()
            if _definition(policy.facts.get(name)) == _definition(before)
        }


def _definition(fact: FactPolicy | None) -> object:
    return fact and (fact.sql and fact.sql.value, fact.database, fact.python)


def frozen_call(
    tool: Tool | None, values: Mapping[str, object] | str, misfit: Callable[[Tool, bytes], str | None]
) -> tuple[bytes, str | None]:
    """The bytes of what the function gets, or why it could not be called, before anything is decided.

    A text instead of values is such a reason. ``misfit`` may know better what is wrong with arguments that
    the function's type hints refused.
    """
    if isinstance(values, str):
        return EMPTY, values
    frozen = EMPTY
    try:
        frozen = freeze(values)
        return frozen if tool is None else _fitted(tool, frozen), None
    except BadArguments as error:
        return frozen, str(error)
    except Misfit as error:
        return frozen, (misfit(error.tool, frozen) or str(error))


def _fitted(tool: Tool, frozen: bytes) -> bytes:
    decode = tool.signature.decode
    try:
        if tool.signature.has_models:
            return completed(frozen, decode)
        decode(frozen)
    except BadArguments:
        raise
    except Exception as error:
        raise Misfit(tool, error) from error
    return frozen


class Misfit(HandrailError):
    """Arguments that a function's own types refuse."""

    def __init__(self, tool: Tool, error: Exception) -> None:
        """Tell only the kind of error: its text may hold the value, which the policy may want redacted."""
        super().__init__(f"the arguments are not what the function's type hints say ({type(error).__name__})")
        self.tool = tool


def tool_of(
    name: str,
    function: Callable[..., Any],
    signature: Signature,
    simulate: Callable[..., Any] | None = None,
    *,
    cancel: bool = False,
) -> Tool:
    """A tool with the binding of its name and schema.

    Raises:
        TypeError: it is a generator, whose body would run after the rail has let go of it; or only
            ``simulate`` is async; or it is to be cancelled by halts and is not async.
    """
    for each in (function, simulate):
        if inspect.isgeneratorfunction(each) or inspect.isasyncgenfunction(each):
            raise TypeError(f"{name} yields: its body would run outside the rail; return a list instead")
    waits, simulates = is_async(function), simulate is not None and is_async(simulate)
    if simulates and not waits:
        raise TypeError(f"{name} is not async, but its simulate is: make it a plain function")
    if cancel and not waits:
        raise TypeError(f"{name} is not async: nothing can stop it while it runs; leave cancel=True away")
    bound = binding(name, signature.schema)
    return Tool(name, function, signature, bound, waits, simulate, simulates, cancel)


def tool_elsewhere(name: str, schema: Mapping[str, object]) -> Tool:
    """A tool that another process runs: judged and recorded here, never called here.

    Raises:
        ValueError: the schema is not JSON.
    """

    def refuse(**_: object) -> object:
        raise NotDone(f"{name} runs in another process and can't be called in this one")

    return Tool(name, refuse, of_schema(schema), binding(name, schema), is_async=False, elsewhere=True)


def is_async(function: Callable[..., Any]) -> bool:
    """Whether what the function returns must be awaited."""
    whole = getattr(function, "__call__", None)  # noqa: B004 - whether an object's own method is async
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(whole)
