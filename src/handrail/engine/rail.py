"""The rail: what a developer holds. Tools go behind it, sessions say who acts, nothing here can approve."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from handrail.engine import blocking
from handrail.engine.context import (
    About,
    Session,
    confidence_of,
    current_about,
    current_session,
    entered,
    said,
)
from handrail.engine.core import Engine, tool_of
from handrail.engine.ids import new_id
from handrail.engine.road import act, resume
from handrail.engine.signature import Signature, of_function, of_schema
from handrail.engine.texts import name_of, reason_of
from handrail.policy.boundaries import boundaries
from handrail.words.errors import Conflict, NoSession, NotFound
from handrail.words.exact import found
from handrail.words.lifecycle import State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from decimal import Decimal
    from typing import Self

    from handrail.words.action import Action

F = TypeVar("F", bound="Callable[..., Any]")
LONGEST_PAUSE = 0.5
"""Seconds between two looks at a question while one waits for its answer."""


class Rail:
    """Stands between agents and tools. Made by ``handrail.connect``; threads and tasks may share it."""

    def __init__(self, engine: Engine, close: Callable[[], None]) -> None:
        """``close`` lets go of everything that was opened for the engine."""
        self._engine = engine
        self._close = close
        self._functions: dict[str, Callable[..., Any]] = {}

    @overload
    def tool(self, function: F, /) -> F: ...
    @overload
    def tool(
        self, /, *, name: str | None = None, simulate: Callable[..., Any] | None = None
    ) -> Callable[[F], F]: ...
    def tool(
        self,
        function: F | None = None,
        /,
        *,
        name: str | None = None,
        simulate: Callable[..., Any] | None = None,
    ) -> F | Callable[[F], F]:
        """Put a function behind the rail. It keeps its name, docstring, signature and hints.

        Args:
            function: sync or async; its JSON Schema comes from its type hints.
            name: the tool's name in the policy, when it is another than the function's.
            simulate: called instead while the tool is on trial; what it returns is what the caller gets.

        Raises:
            TypeError: a parameter can't be written as JSON Schema.
            PolicyError: the policy's rules don't fit the function's parameters.
        """
        if function is not None:
            return self._decorated(function, name or function.__name__, of_function(function), simulate)
        return lambda each: self._decorated(each, name or each.__name__, of_function(each), simulate)

    def bind(self, name: str, function: F, schema: Mapping[str, object]) -> F:
        """Put a callable with its own JSON Schema behind the rail; it takes keyword arguments."""
        return self._decorated(function, name, of_schema(schema), None)

    def fact(self, name: str) -> Callable[[F], F]:
        """Give the policy's fact ``name`` a Python source: called with its parameters, returns its value.

        None means that there is no such thing, and is a failed fact, like an exception.

        Raises:
            NotFound: the policy has no such fact.
        """
        self._engine.fact(name)

        def register(function: F) -> F:
            self._engine.register(name, lambda given: found(function(**given)))
            return function

        return register

    def session(self, agent: str, task: str | None = None) -> AbstractContextManager[Session]:
        """Act as ``agent`` for ``task`` inside the ``with`` block, in this thread or task.

        Raises:
            BadArguments: one of them is no name, or too long to be one.
        """
        named = None if task is None else name_of(task, "task")
        return entered(Session(new_id(), name_of(agent, "agent"), named))

    def about(
        self,
        confidence: float | Decimal | None = None,
        rationale: str | None = None,
        key: str | None = None,
    ) -> AbstractContextManager[None]:
        """Say of the actions inside how sure the agent is (0 to 1), why, and a key against repeats.

        Raises:
            BadArguments: the confidence is not a number from 0 to 1, or a text is too long or can't be kept.
        """
        why = None if rationale is None else reason_of(rationale, "rationale")
        once = None if key is None else name_of(key, "key")
        return said(About(confidence_of(confidence), why, once))

    def action(self, action: str) -> Action:
        """The action with this id.

        Raises:
            NotFound: there is none.
        """
        stored = self._engine.store.read(lambda tx: tx.actions.get(action))
        if stored is None:
            raise NotFound(f"there is no action {action}")
        return stored

    def wait(self, action: str, timeout: float | None = None) -> Action:
        """Wait until a held action is answered, or ``timeout`` seconds; the action as it then stands."""
        end = None if timeout is None else time.monotonic() + timeout
        pause = 0.02
        while (current := self.action(action)).state is State.HELD:
            left = LONGEST_PAUSE if end is None else end - time.monotonic()
            if left <= 0:
                break
            time.sleep(min(pause, left))
            pause = min(pause * 1.5, LONGEST_PAUSE)
        return current

    async def wait_async(self, action: str, timeout: float | None = None) -> Action:  # noqa: ASYNC109 - as wait
        """``wait`` without blocking the event loop."""
        from handrail.engine import aio

        return await aio.in_thread(self.wait, action, timeout)

    def resume(self, action: str) -> Any:
        """Run an approved action after a fresh check, and give its output. Done already: the output it gave.

        Raises:
            NotRun: it does not run; the subclass says why.
            Conflict: its tool is async; use ``resume_async``.
        """
        wanted = self.action(action).tool
        tool = self._engine.tools.get(wanted)
        if tool is not None and tool.is_async:
            raise Conflict(f"{wanted} is an async tool: use 'await rail.resume_async(...)'")
        return blocking.walk(self._engine, resume(self._engine, action))

    async def resume_async(self, action: str) -> Any:
        """``resume`` for async and sync tools, without blocking the event loop."""
        from handrail.engine import aio

        return await aio.walk(self._engine, resume(self._engine, action))

    def tools_for(self, agent: str) -> list[Callable[..., Any]]:
        """The functions that this agent may use, in the policy's order: fewer tools, better choices."""
        self._engine.refresh()
        allowed = self._engine.policy.permitted(agent)
        return [self._functions[name] for name in allowed if name in self._functions]

    def boundaries(self, agent: str) -> str:
        """Lines for this agent's system prompt: its tools, what can become of a call, and more.

        Advice to the model, never a defence: what it may do is decided by the gate.

        Raises:
            NotFound: the policy knows no such agent.
        """
        self._engine.refresh()
        return boundaries(self._engine.policy.policy, agent)

    def close(self) -> None:
        """Seal what is left and let go of the store. Also done by ``with handrail.connect(...) as rail``."""
        self._close()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def _decorated(
        self, function: F, name: str, signature: Signature, simulate: Callable[..., Any] | None
    ) -> F:
        tool = tool_of(name, function, signature, simulate)
        self._engine.bind(tool)
        wrapper: Any = self._async_caller(name, signature) if tool.is_async else self._caller(name, signature)
        gated: F = cast("F", functools.wraps(function)(wrapper))
        self._functions[name] = gated
        return gated

    def _caller(self, name: str, signature: Signature) -> Callable[..., Any]:
        engine = self._engine

        def gated(*args: Any, **kwargs: Any) -> Any:
            return blocking.walk(engine, act(engine, _proposal(engine, name, signature, args, kwargs)))

        return gated

    def _async_caller(self, name: str, signature: Signature) -> Callable[..., Any]:
        from handrail.engine import aio  # asyncio costs 40 ms to import: only programs with async tools pay

        engine = self._engine

        async def gated(*args: Any, **kwargs: Any) -> Any:
            return await aio.walk(engine, act(engine, _proposal(engine, name, signature, args, kwargs)))

        return gated


def _proposal(
    engine: Engine, name: str, signature: Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    session = current_session()
    if session is None:
        raise NoSession(
            f"{name} is behind the rail and was called outside a session; "
            'call it inside "with rail.session(agent=..., task=...):"'
        )
    try:
        values: dict[str, object] | str = signature.collect(args, kwargs)
    except TypeError as error:
        values = str(error)
    return engine.proposal(name, values, session, current_about())
