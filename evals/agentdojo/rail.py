"""The gate that matters: the embedded rail, on a policy generated from the suite's tool list alone.

Each suite gets a fresh policy file and a fresh SQLite store in a temporary folder. The agent does what any
user of the library does: it calls the tool inside a session, and resumes its action after a person answered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from evals.agentdojo.gates import Answer, Call, Execute, Person, Ruling
from evals.agentdojo.policyfile import AGENT, OWNER, policy
from evals.agentdojo.toollist import Tool
from handrail import Held, NotFound, NotRun, Rail
from handrail.app import App, open_app
from handrail.engine.questions.votes import vote
from handrail.words.approval import Choice
from handrail.words.entry import Kind
from handrail.words.query import EntryFilter

SYNCHRONOUS = "NORMAL"
"""A replay is worth nothing after a power cut, so it does not wait for the disk; `make bench` shows FULL."""
CHOICES = {Answer.APPROVE: Choice.APPROVE, Answer.REJECT: Choice.REJECT}
ALL = 1_000_000


class RailGate:
    """A suite's tools behind an embedded rail."""

    def __init__(self, app: App, tools: Sequence[Tool], execute: Execute) -> None:
        """Bind every tool of the list to what executes it, with the schema that the list shows."""
        self._engine = app.engine
        self._rail = Rail(app.engine, app.close)
        self._execute = execute
        self._executed: Counter[str] = Counter()
        self._tools = {tool.name: self._bound(tool) for tool in tools}

    @contextmanager
    def session(self, task: str) -> Iterator[None]:
        """Act as the policy's one agent."""
        with self._rail.session(agent=AGENT, task=task):
            yield

    def propose(self, call: Call, person: Person) -> Ruling:
        """Call the tool; when that is held let the person answer, and try to resume whatever the answer."""
        try:
            self._tools[call.tool](**call.arguments)
        except Held as question:
            self._answer(question.action_id, person(call))
            return Ruling(ran=self._resumed(question.action_id), asked=True)
        except NotRun:
            return Ruling(ran=False, asked=False)
        return Ruling(ran=True, asked=False)

    def check(self) -> None:
        """Raise AssertionError unless the journal says exactly what was executed, tool by tool."""
        for kind in (Kind.INTENDED, Kind.DONE):
            told = self._told(kind)
            assert told == self._executed, f"executed {self._executed}, but {kind} in the journal: {told}"

    def _told(self, kind: Kind) -> Counter[str | None]:
        wanted = EntryFilter(kind=kind, limit=ALL)
        stored = self._engine.store.read(lambda tx: tx.journal.newest(wanted))
        return Counter(each.entry.tool for each in stored)

    def _answer(self, action: str, answer: Answer) -> None:
        if answer is Answer.NONE:
            return
        question = self._engine.store.read(lambda tx: tx.approvals.of(action))
        if question is None:
            raise NotFound(f"action {action} is held, but there is no question about it")
        vote(self._engine, question.id, OWNER, CHOICES[answer], verified=False)

    def _resumed(self, action: str) -> bool:
        try:
            self._rail.resume(action)
        except NotRun:
            return False
        return True

    def _bound(self, tool: Tool) -> Callable[..., str]:
        def function(**arguments: Any) -> str:
            self._executed[tool.name] += 1
            return self._execute(tool.name, arguments)

        return self._rail.bind(tool.name, function, tool.schema)


@contextmanager
def open_rail(tools: Sequence[Tool], execute: Execute) -> Iterator[RailGate]:
    """Open a rail for these tools; rail and store are gone afterwards.

    Raises AssertionError at the end when its journal does not say exactly what was executed.
    """
    with TemporaryDirectory(prefix="handrail-eval-") as folder:
        path = Path(folder) / "handrail.yaml"
        path.write_text(policy(tool.name for tool in tools), encoding="utf-8")
        app = open_app(path, database=f"sqlite:///{folder}/handrail.db", synchronous=SYNCHRONOUS)
        try:
            gate = RailGate(app, tools, execute)
            yield gate
            gate.check()
        finally:
            app.close()
