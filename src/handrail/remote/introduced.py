"""What the server must know before the first call: the session, and the schema of the tool."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, TypeVar

import msgspec

from handrail.remote.once import Once
from handrail.remote.problems import policy_problems
from handrail.remote.wire import encode
from handrail.words.errors import BadArguments, Conflict, PolicyError, StoreError

if TYPE_CHECKING:
    from handrail.engine.context import Session
    from handrail.engine.core import Tool
    from handrail.remote.http import Asker


_T = TypeVar("_T", bound=msgspec.Struct)


class Opened(msgspec.Struct, frozen=True):
    """A session as the server opened it."""

    id: str
    token: str


class _Registered(msgspec.Struct):
    binding: str


class Introduced:
    """Introduces each session and each tool once."""

    def __init__(self, asker: Asker) -> None:
        """None yet."""
        self._asker = asker
        self._tools: dict[str, Once[str]] = {}
        self._sessions: weakref.WeakKeyDictionary[Session, Once[Opened]] = weakref.WeakKeyDictionary()

    def start_anew(self) -> None:
        """In a forked child."""
        for tool in self._tools.values():
            tool.start_anew()
        for session in self._sessions.values():
            session.start_anew()

    def session(self, session: Session) -> Opened:
        """The server's side of a session: given, or opened at its first call."""
        if session.token is not None:
            return Opened(session.id, session.token)
        return self._sessions.setdefault(session, Once()).get(lambda: self._open(session))

    def tool(self, tool: Tool, *, again: bool = False) -> None:
        """Let the server know the tool's schema.

        Raises:
            PolicyError: the server's policy does not fit it.
            Conflict: the server reads the schema in another way.
        """
        once = self._tools.setdefault(tool.name, Once())
        if again:
            once.forget()
        once.get(lambda: self._register(tool))

    def _open(self, session: Session) -> Opened:
        said: dict[str, object] = {"agent": session.agent}
        if session.task is not None:
            said["task"] = session.task
        if session.inside is not None:
            around = self.session(session.inside)
            said["inside"] = {"session": around.id, "session_token": around.token}
        return read(self._asker.post("sessions", encode(said)), Opened)

    def _register(self, tool: Tool) -> str:
        body = encode({"name": tool.name, "schema": tool.signature.schema})
        try:
            registered = read(self._asker.post("tools", body), _Registered)
        except BadArguments as error:
            raise PolicyError(policy_problems(error)) from error
        if registered.binding != tool.binding.digest:
            raise Conflict(
                f"server and library read the schema of {tool.name} in different ways; "
                "let both have the same version of Handrail"
            )
        return registered.binding


def read(body: bytes, kind: type[_T]) -> _T:
    """An answer of this shape.

    Raises:
        StoreError: it is another.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise StoreError(
            f"the server's answer can't be read ({error}); are server and library of the same version?"
        ) from error
