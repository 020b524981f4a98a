"""The rail: what a developer holds. Tools go behind it, sessions say who acts, nothing here can approve."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar, overload

from handrail.engine import blocking
from handrail.engine.backend import Backend, LocalBackend
from handrail.engine.context import (
    About,
    Session,
    confidence_of,
    current_about,
    current_session,
    entered,
    said,
)
from handrail.engine.core import Engine, Tool, tool_of
from handrail.engine.ids import new_id
from handrail.engine.signature import Signature, of_function, of_schema
from handrail.engine.texts import name_of, reason_of
from handrail.words.errors import BadArguments, Conflict, NoSession, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from decimal import Decimal
    from typing import Self

    from handrail.engine.effects import Road
    from handrail.words.action import Action

C = TypeVar("C")
F = TypeVar("F", bound="Callable[..., Any]")


class Rail:
    """Stands between agents and tools. Made by ``handrail.connect``; threads and tasks may share it."""

    def __init__(
        self,
        behind: Engine | Backend,
        close: Callable[[], None],
        meter: Callable[[Any, str | None], Any] | None = None,
    ) -> None:
        """``behind`` decides and records; ``close`` lets go of everything that was opened for it.

        ``meter`` puts a meter in the way of a provider's client; None where the server's gateway does that.
        """
        self._backend: Backend = LocalBackend(behind) if isinstance(behind, Engine) else behind
        self._close = close
        self._meter = meter
        self._functions: dict[str, Callable[..., Any]] = {}

    @overload
    def tool(self, function: F, /) -> F: ...
    @overload
    def tool(
        self, /, *, name: str | None = None, simulate: Callable[..., Any] | None = None, cancel: bool = False
    ) -> Callable[[F], F]: ...
    def tool(
        self,
        function: F | None = None,
        /,
        *,
        name: str | None = None,
        simulate: Callable[..., Any] | None = None,
        cancel: bool = False,
    ) -> F | Callable[[F], F]:
        """Put a function behind the rail. It keeps its name, docstring, signature and hints.

        Args:
            function: sync or async; its JSON Schema comes from its type hints.
            name: the tool's name in the policy, when it is another than the function's.
            simulate: called instead while the tool is on trial; what it returns is what the caller gets.
            cancel: a halt cancels the async tool also while it runs; else what runs is left to end.

        Raises:
            TypeError: a parameter can't be written as JSON Schema, or ``cancel`` is for async tools only.
            PolicyError: the policy's rules don't fit the function's parameters.
        """

        def decorated(each: F) -> F:
            named = name or each.__name__
            gated: F = self._decorated(tool_of(named, each, of_function(each), simulate, cancel=cancel))
            return gated

        return decorated if function is None else decorated(function)

    def bind(self, name: str, function: F, schema: Mapping[str, object]) -> F:
        """Put a callable with its own JSON Schema behind the rail; it takes keyword arguments."""
        gated: F = self._decorated(tool_of(name, function, of_schema(schema)))
        return gated

    def fact(self, name: str) -> Callable[[F], F]:
        """Give the policy's fact ``name`` a Python source: called with its parameters, returns its value.

        None means that there is no such thing, and is a failed fact, like an exception.

        Raises:
            NotFound: the policy has no such fact.
            Refused: the rail talks to a server, which resolves facts itself.
        """
        take = self._backend.register(name)

        def register(function: F) -> F:
            take(function)
            return function

        return register

    def session(
        self,
        agent: str,
        task: str | None = None,
        *,
        opened: tuple[str, str] | None = None,
        inside: Session | None = None,
    ) -> AbstractContextManager[Session]:
        """Act as ``agent`` for ``task`` inside the ``with`` block, in this thread or task.

        A session that is opened inside another one, or ``inside`` one of another thread, belongs to it: it
        serves the same task, spends from the same budgets and goes no further than that one does.

        ``opened`` is the id and the token of a session that a service opened at the server for this agent;
        its task is then the one that the service said, and it stands alone.

        Raises:
            BadArguments: one of them is no name, too long to be one, or another task than that of the session
                around it.
            Refused: the rail is embedded, and opens its sessions itself.
        """
        if opened is not None and self._backend.engine is not None:
            raise Refused("an embedded rail opens its sessions itself: only a server's can be given")
        named = None if task is None else name_of(task, "task")
        if opened is not None:
            return entered(Session(opened[0], name_of(agent, "agent"), named, opened[1]))
        around = inside or current_session()
        if around is None:
            return entered(Session(new_id(), name_of(agent, "agent"), named))
        if named is not None and named != around.task:
            raise BadArguments(
                f"a session inside another serves the same task, {around.task!r}; this one says {named!r}"
            )
        lineage = (*around.lineage, around.id)
        return entered(
            Session(new_id(), name_of(agent, "agent"), around.task, inside=around, lineage=lineage)
        )

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
        return self._backend.action(action)

    def wait(self, action: str, timeout: float | None = None) -> Action:
        """Wait until a held action is answered, or ``timeout`` seconds; the action as it then stands.

        When a person changed what it will do, that is the newer action.
        """
        return self._backend.wait(action, timeout)

    async def wait_async(self, action: str, timeout: float | None = None) -> Action:  # noqa: ASYNC109 - as wait
        """``wait`` without blocking the event loop."""
        from handrail.engine import aio

        return await aio.waited(lambda: self._backend.wait(action, 0), timeout)

    def resume(self, action: str) -> Any:
        """Run an approved action after a fresh check, and give its output. Done already: the output it gave.

        Raises:
            NotRun: it does not run; the subclass says why.
            Conflict: its tool is async; use ``resume_async``.
        """
        wanted = self.action(action).tool
        tool = self._backend.tools.get(wanted)
        if tool is not None and tool.is_async:
            raise Conflict(f"{wanted} is an async tool: use 'await rail.resume_async(...)'")
        return blocking.walk(self._backend.engine, self._backend.resume(action))

    async def resume_async(self, action: str) -> Any:
        """``resume`` for async and sync tools, without blocking the event loop."""
        from handrail.engine import aio

        return await aio.walk(self._backend.engine, self._backend.resume(action))

    def tools_for(self, agent: str) -> list[Callable[..., Any]]:
        """The functions that this agent may use, in the policy's order: fewer tools, better choices."""
        allowed = self._backend.permitted(agent)
        return [self._functions[name] for name in allowed if name in self._functions]

    def boundaries(self, agent: str) -> str:
        """Lines for this agent's system prompt: its tools, what can become of a call, and more.

        Advice to the model, never a defence: what it may do is decided by the gate.

        Raises:
            NotFound: the policy knows no such agent.
        """
        return self._backend.boundaries(agent)

    def meter(self, client: C, *, upstream: str | None = None) -> C:
        """A copy of a client of the openai or anthropic package whose calls count against the budgets.

        It has the same class and methods, sync or async, with streams and raw responses. Each call is claimed
        before it is sent, in the session of that moment, and settled at what its answer says it used.
        ``upstream`` is the policy's name for what the client asks, where its address does not say it.

        Raises:
            BadArguments: it is no such client, is metered already, or ``upstream`` is needed.
            Refused: the rail talks to a server, whose model gateway meters.
        """
        if self._meter is None:
            raise Refused(
                "this rail meters nothing in this process: point the client at the server's model gateway, "
                "with its address as base_url and the agent's key as api_key"
            )
        metered: C = self._meter(client, upstream)
        return metered

    def close(self) -> None:
        """Seal what is left and let go of the store. Also done by ``with handrail.connect(...) as rail``."""
        self._close()

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    @property
    def _engine(self) -> Engine:
        """The engine, for the house's own rooms.

        Raises:
            Refused: it is in a server.
        """
        if self._backend.engine is None:
            raise Refused("this rail talks to a server: do this where the server is, or through its pages")
        return self._backend.engine

    def _decorated(self, tool: Tool) -> Any:
        self._backend.bind(tool)
        wrapper: Any = (self._async_caller if tool.is_async else self._caller)(tool.name, tool.signature)
        gated = functools.wraps(tool.function)(wrapper)
        self._functions[tool.name] = gated
        return gated

    def _caller(self, name: str, signature: Signature) -> Callable[..., Any]:
        backend = self._backend
        engine = backend.engine

        def gated(*args: Any, **kwargs: Any) -> Any:
            return blocking.walk(engine, _call(backend, name, signature, args, kwargs))

        return gated

    def _async_caller(self, name: str, signature: Signature) -> Callable[..., Any]:
        from handrail.engine import aio  # asyncio costs 40 ms to import: only programs with async tools pay

        backend = self._backend
        engine = backend.engine

        async def gated(*args: Any, **kwargs: Any) -> Any:
            return await aio.walk(engine, _call(backend, name, signature, args, kwargs))

        return gated


def _call(
    backend: Backend, name: str, signature: Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Road:
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
    return backend.call(name, values, session, current_about())
