"""What every road shares: the store, the running policy, the tools, and a copy of what restricts."""

from __future__ import annotations

import inspect
import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from handrail.engine.door import completed, digest, freeze, thaw
from handrail.engine.ids import new_id
from handrail.engine.record import Recorder
from handrail.policy.binding import Binding, binding
from handrail.policy.compile import CompiledPolicy
from handrail.policy.expressions import EvaluationError
from handrail.words.action import Proposal
from handrail.words.errors import BadArguments, Conflict, NotFound, PolicyError, StoreError
from handrail.words.restriction import Restrictions

if TYPE_CHECKING:
    from handrail.engine.context import About, Session
    from handrail.engine.settle import Outcome
    from handrail.engine.signature import Signature
    from handrail.policy.model import FactPolicy, Policy
    from handrail.ports import Clock, FactSource, Store

logger = logging.getLogger("handrail")
LEASE = 60_000
"""Milliseconds after which a running action without a heartbeat is taken for lost."""
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
    unrecorded: list[Outcome] = field(default_factory=list)
    """Outcomes that could not be written yet: while there are any, nothing is claimed."""
    stir: Callable[[], None] = lambda: None
    """Tells the background jobs that there is something to seal."""
    lease: int = LEASE

    def __post_init__(self) -> None:
        """Derive what depends on the policy."""
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
            if tool.name in self.tools:
                raise Conflict(f"two functions want to be the tool {tool.name!r}; give one another name")
            self.policy = self.policy.bind(tool.binding)
            self.tools[tool.name] = tool

    def refresh(self) -> None:
        """Read what restricts now, and the active policy when it is another than ours."""
        with self._lock:
            found = self.store.read(lambda tx: tx.restrictions.read())
            if found.policy is not None and found.policy != self.policy.digest:
                self._take_up(found.policy)
            self.restrictions = found

    def proposal(
        self, tool: str, values: Mapping[str, object] | str, session: Session, about: About
    ) -> Proposal:
        """Freeze a call at the door. A text instead of values says why they could not even be collected."""
        known = self.tools.get(tool)
        bound = known.binding.digest if known else ""
        refusal = values if isinstance(values, str) else None
        frozen = EMPTY
        if not isinstance(values, str):
            try:
                frozen = freeze(values)
                if known:
                    frozen, refusal = self._fitted(known, frozen)
            except BadArguments as error:
                refusal = str(error)
        return Proposal(
            id=new_id(),
            agent=session.agent,
            tool=tool,
            session=session.id,
            task=session.task,
            payload=frozen,
            args=thaw(frozen),
            digest=digest(self.key, tool, bound, frozen),
            binding=bound,
            confidence=about.confidence,
            rationale=about.rationale,
            key=about.key,
            refusal=refusal,
        )

    def _fitted(self, tool: Tool, frozen: bytes) -> tuple[bytes, str | None]:
        """The bytes of what the function gets, or why it could not be called, before anything is decided."""
        decode = tool.signature.decode
        try:
            if tool.signature.has_models:
                return completed(frozen, decode), None
            decode(frozen)
        except BadArguments as error:
            return frozen, str(error)
        except Exception as error:  # noqa: BLE001 - a parameter's type may have code of its own
            return frozen, self._misfit(tool, frozen, error)
        return frozen, None

    def _misfit(self, tool: Tool, frozen: bytes, error: Exception) -> str:
        bound = self.policy.bound.get(tool.name)
        # an error's text may hold the value, which the policy may want redacted: only its kind is told
        why = f"the arguments are not what the function's type hints say ({type(error).__name__})"
        with suppress(EvaluationError):
            return (bound.invalid(thaw(frozen)) if bound else None) or why
        return why

    def _take_up(self, version: str) -> None:
        stored = self.store.read(lambda tx: tx.restrictions.policy(version))
        if stored is None:
            raise NotFound(f"the active policy {version[:12]} is not in the store")
        compiled = self.load(*stored)
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


def tool_of(
    name: str, function: Callable[..., Any], signature: Signature, simulate: Callable[..., Any] | None = None
) -> Tool:
    """A tool with the binding of its name and schema.

    Raises:
        TypeError: it is a generator, whose body would run after the rail has let go of it; or only
            ``simulate`` is async.
    """
    for each in (function, simulate):
        if inspect.isgeneratorfunction(each) or inspect.isasyncgenfunction(each):
            raise TypeError(f"{name} yields: its body would run outside the rail; return a list instead")
    waits, simulates = is_async(function), simulate is not None and is_async(simulate)
    if simulates and not waits:
        raise TypeError(f"{name} is not async, but its simulate is: make it a plain function")
    return Tool(name, function, signature, binding(name, signature.schema), waits, simulate, simulates)


def is_async(function: Callable[..., Any]) -> bool:
    """Whether what the function returns must be awaited."""
    whole = getattr(function, "__call__", None)  # noqa: B004 - whether an object's own method is async
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(whole)
