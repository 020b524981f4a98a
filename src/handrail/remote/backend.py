"""A server as a rail's backend: the same roads as over an engine, with requests in place of transactions."""

from __future__ import annotations

import atexit
import os
import time
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from handrail.engine.attempt import Ended, attempt
from handrail.engine.core import frozen_call, logger
from handrail.engine.door import recorded_output
from handrail.engine.effects import Call, Do, Road, Stop
from handrail.engine.ids import new_id
from handrail.remote.introduced import Introduced, read
from handrail.remote.pulse import Pulse
from handrail.remote.reports import Report, Reports
from handrail.remote.told import error_of
from handrail.remote.wire import Answer, answer_of, encode, output_of
from handrail.words.errors import Conflict, Denied, HandrailError, Refused, StoreError
from handrail.words.lifecycle import State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from handrail.engine.context import About, Session
    from handrail.engine.core import Tool
    from handrail.remote.http import Asker
    from handrail.words.action import Action

RESUMABLE = (State.APPROVED, State.ALLOWED)
LONGEST_WAIT = 25.0
"""Seconds that one request waits for an answer to a question: proxies close quiet connections."""
SHORTEST = 0.2
"""Seconds between two such requests, should the server answer at once."""
PATIENCE = 60.0
"""Seconds for which a server may be gone while one waits for people: it may be starting anew."""


class _Agent(msgspec.Struct):
    may: list[Any]
    boundaries: str


class RemoteBackend:
    """A server, asked with an agent's key."""

    engine = None

    def __init__(self, asker: Asker) -> None:
        """Nothing is sent yet."""
        self._asker = asker
        self._introduced = Introduced(asker)
        self.tools: dict[str, Tool] = {}
        self.reports = Reports(asker)
        self.pulse = Pulse(asker, self.reports)
        _backends.add(self)

    def bind(self, tool: Tool) -> None:
        """As ``Backend``; the server sees the schema before the tool's first call."""
        if tool.name in self.tools:
            raise Conflict(f"two functions want to be the tool {tool.name!r}; give one another name")
        self.tools[tool.name] = tool

    def call(self, tool: str, values: Mapping[str, object] | str, session: Session, about: About) -> Road:
        """As ``Backend``."""
        known = self.tools[tool]
        payload, refusal = frozen_call(known, values, lambda *_: None)
        said: dict[str, object] = {"id": new_id(), "tool": tool, "binding": known.binding.digest}
        said |= {"args": msgspec.Raw(payload)} if refusal is None else {"refusal": refusal}
        for name in ("confidence", "rationale", "key"):
            if (value := getattr(about, name)) is not None:
                said[name] = value
        yield from self._flushed()
        answer = yield Do(lambda: self._propose(known, session, said), whole=True)
        if answer.run is not None:
            return (yield from self._run(known, answer, payload))
        if answer.action.state is State.SHADOWED and known.simulate is not None:
            simulated = replace(known, function=known.simulate, is_async=known.simulates_async)
            return (yield Call(simulated, payload))
        return (yield from self._go_on(answer))

    def resume(self, action: str) -> Road:
        """As ``Backend``."""
        return (yield from self._go_on((yield Do(lambda: self._newest(action)))))

    def action(self, action: str) -> Action:
        """As ``Backend``."""
        return self._look(action).action

    def wait(self, action: str, timeout: float | None) -> Action:
        """As ``Backend``."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            left = LONGEST_WAIT if end is None else min(LONGEST_WAIT, end - time.monotonic())
            patience = PATIENCE if end is None else min(PATIENCE, max(left, 1))
            asked = time.monotonic()
            current = self._look(action, wait=max(left, 0), patience=patience).action
            if current.state is State.SUPERSEDED and current.superseded_by:
                action = current.superseded_by
            elif current.state is not State.HELD or left <= 0:
                return current
            elif time.monotonic() - asked < SHORTEST:
                self._asker.pause(SHORTEST)

    def permitted(self, agent: str) -> Sequence[str]:
        """As ``Backend``."""
        may = self._agent(agent).may
        return [str(each.get("tool")) if isinstance(each, dict) else str(each) for each in may]

    def boundaries(self, agent: str) -> str:
        """As ``Backend``."""
        return self._agent(agent).boundaries

    def register(self, fact: str) -> Callable[[Callable[..., Any]], None]:
        """As ``Backend``."""
        raise Refused(
            f"the fact {fact} can't come from here: a server resolves facts itself, where no agent can "
            "change them; give it a source where the server runs"
        )

    def close(self) -> None:
        """Report what is left, and end every connection. A second call does nothing."""
        atexit.unregister(self.close)
        self.pulse.stop()
        try:
            self.reports.flush()
        except HandrailError as error:
            left = ", ".join(report.action for report in self.reports.kept)
            logger.error("what became of %s could not be reported: %s", left, error)
        self._asker.close()

    def start_anew(self) -> None:
        """In a forked child: connections, threads and running actions stayed with the parent."""
        self._asker.start_anew()
        self._introduced.start_anew()
        self.reports.start_anew()
        self.pulse.start_anew()

    def _flushed(self) -> Road:
        if self.reports.kept:
            yield Do(self.reports.flush, whole=True)

    def _propose(self, tool: Tool, session: Session, said: Mapping[str, object]) -> Answer:
        """Propose; once more with the tool's schema when the server does not know it."""
        opened = self._introduced.session(session)
        body = encode({"session": opened.id, "session_token": opened.token, **said})
        self._introduced.tool(tool)
        try:
            try:
                answer = answer_of(self._asker.post("actions", body))
            except Conflict:
                self._introduced.tool(tool, again=True)
                answer = answer_of(self._asker.post("actions", body))
        except StoreError:
            self._lose(said, body)
            raise
        if answer.run is None and answer.action.state is State.RUNNING and answer.action.id == said["id"]:
            # the answer with the leave was lost, and a halt keeps it back now
            self._lose(said, body)
        return answer

    def _lose(self, said: Mapping[str, object], body: bytes) -> None:
        self.reports.lose(str(said["id"]), body)
        self.pulse.stir()

    def _go_on(self, answer: Answer) -> Road:
        action = answer.action
        if action.state is State.DONE:
            return (yield Do(lambda: self._output(action.id)))
        if action.state not in RESUMABLE:
            raise error_of(answer)
        tool = self.tools.get(action.tool)
        if tool is None:
            raise Conflict(f"this process does not have the tool {action.tool}; resume it where the tool is")
        yield from self._flushed()
        started = yield Do(lambda: self._start(tool, action.id), whole=True)
        if started.run is not None:
            return (yield from self._run(tool, started, None))
        if started.action.state is State.DONE:
            return (yield Do(lambda: self._output(action.id)))
        if started.action.state in RESUMABLE:
            sentence = f"{action.tool} was approved, but its time to run is over."
            raise Denied(started.told or sentence, action.id, started.action.verdict)
        raise error_of(started)

    def _start(self, tool: Tool, action: str) -> Answer:
        self._introduced.tool(tool)
        return answer_of(self._asker.post(f"actions/{action}/start", b"{}"))

    def _run(self, tool: Tool, answer: Answer, sent: bytes | None) -> Road:
        """Call the tool with what the server says, and report. ``sent`` is what nobody can have changed."""
        action, run = answer.action, answer.run
        if run is None:
            raise AssertionError("an action runs only by leave")

        def reported(ended: Ended, output: object) -> Road:
            return self.reports.road(Report(action.id, run.token, ended), output)

        why = None
        if action.tool != tool.name or sent not in (None, run.payload):
            why = "the server gave other arguments back than it was sent; the tool was not called"
        elif action.binding not in ("", tool.binding.digest):
            why = "its arguments were made for another version of the tool; the tool was not called"
        if why is not None:
            yield from reported(Ended(State.FAILED, None, why, nothing_done=True, milliseconds=0), None)
            raise Conflict(f"{tool.name} (action {action.id}): {why}")
        stop = Stop(action) if tool.cancel else None
        self.pulse.begin(action.id, run.token, run.lease, stop)
        try:
            return (yield from attempt(Call(tool, run.payload, stop), action.id, lambda text: text, reported))
        finally:
            self.pulse.end(action.id)
            if self.reports.kept:
                self.pulse.stir()

    def _newest(self, action: str) -> Answer:
        """The action, or the one that people edited it into."""
        answer = self._look(action)
        while answer.action.state is State.SUPERSEDED and answer.action.superseded_by:
            answer = self._look(answer.action.superseded_by)
        return answer

    def _look(self, action: str, **patience: float) -> Answer:
        return answer_of(self._asker.get(f"actions/{quote(action, safe='')}", **patience))

    def _output(self, action: str) -> Any:
        return recorded_output(output_of(self._asker.get(f"actions/{quote(action, safe='')}/payload")))

    def _agent(self, agent: str) -> _Agent:
        return read(self._asker.get(f"agents/{quote(agent, safe='')}"), _Agent)


def _after_fork() -> None:
    for backend in list(_backends):
        backend.start_anew()


_backends: weakref.WeakSet[RemoteBackend] = weakref.WeakSet()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
