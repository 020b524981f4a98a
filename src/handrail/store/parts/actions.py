"""Actions and payloads in SQL. Every change of state is a compare-and-set that the life cycle allows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from handrail.store.codec import action_of, action_row, asks_text, payload_row, verdict_text
from handrail.store.parts.base import Runner, suffix_pattern
from handrail.words.errors import IllegalMove
from handrail.words.lifecycle import MOVES, State, move
from handrail.words.payload import Payload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handrail.words.action import Action, Proposal
    from handrail.words.query import ActionFilter
    from handrail.words.verdict import Ask, Verdict

LAPSED = "its process was lost while it ran; nobody knows whether it took effect"
BORN = MOVES[State.PROPOSED] | {State.RUNNING}
"""States in which an action enters the store: one that is allowed is claimed in the same transaction."""
SETTLED = MOVES[State.RUNNING] & MOVES[State.UNKNOWN]
"""What the holder of a token may report: an action that was taken for lost meanwhile can still become it."""
AGAIN = {State.HELD: "hold_again", State.DENIED: "deny_again"}
"""The statement for each end of a recheck that does not start the action."""


@dataclass(frozen=True, slots=True)
class SqlActions:
    """``ports.Actions`` over named queries."""

    sql: Runner

    def add(self, action: Action, payload: Payload) -> bool:
        """Insert the action and what executes; False when its key is taken."""
        if action.state not in BORN:
            raise IllegalMove(f"an action can't enter the store {action.state}")
        if not self.sql.changed("add_action", action_row(action)):
            return False
        self.sql.run("add_payload", payload_row(action.id, payload))
        return True

    def get(self, action: str) -> Action | None:
        """The action with this id."""
        row = self.sql.row("action", {"id": action})
        return None if row is None else action_of(row)

    def payload(self, action: str) -> Payload | None:
        """What executes; None when there is none."""
        row = self.sql.row("payload", {"action": action})
        return None if row is None else Payload(args=row[0], facts=row[1], output=row[2], salt=row[3])

    def twin(self, proposal: Proposal, *, shadow: bool) -> str | None:
        """By key when there is one, else an equal action of the same session and task that is still open."""
        values: dict[str, object] = {"agent": proposal.agent}
        if proposal.key is not None:
            values |= {"tool": proposal.tool, "repeat_key": proposal.key, "shadow": int(shadow)}
            row = self.sql.row("by_key", values)
        else:
            values |= {"session": proposal.session, "task": proposal.task, "digest": proposal.digest}
            row = self.sql.row("open_twin", values)
        return None if row is None else row[0]

    def as_many_held(self, agent: str, count: int) -> bool:
        """By their index."""
        return self.sql.row("as_many_held", {"agent": agent, "before": count - 1}) is not None

    def claim(self, action: Action, verdict: Verdict, at: int) -> int | None:
        """To running, with the token, owner and lease that ``action`` carries."""
        values = {
            "id": action.id,
            "token": action.token,
            "owner": action.owner,
            "lease_until": action.lease_until,
            "at": at,
            **_judged(verdict),
            "amount": verdict.amount,
            "standing": action.standing,
        }
        return self._attempt(action.id) if self.sql.changed("claim", values) else None

    def finish(self, action: str, token: str, state: State, at: int, error: str | None) -> int | None:
        """Only for the holder of the token, and only to an end that is known."""
        if state not in SETTLED:
            raise IllegalMove(f"a running action can't be reported as {state}")
        values = {"id": action, "token": token, "state": str(state), "at": at, "error": error}
        return self._attempt(action) if self.sql.changed("finish", values) else None

    def move(self, action: str, expected: State, target: State, at: int, error: str | None = None) -> bool:
        """Only from the expected state. A claim starts what runs, and its token or its lease ends it."""
        move(expected, target)
        if State.RUNNING in (expected, target):
            raise IllegalMove("only a claim starts an action, and only its token or its lease ends it")
        values = {"id": action, "expected": expected.value, "state": target.value, "at": at, "error": error}
        return self.sql.changed("move", values)

    def approve(self, action: str, asks: frozenset[Ask], at: int, expires_at: int | None) -> bool:
        """Only a held action."""
        answered = asks_text(asks) if asks else None
        values = {"id": action, "approved": answered, "at": at, "expires_at": expires_at}
        return self.sql.changed("approve_action", values)

    def judge_again(self, action: str, verdict: Verdict, target: State, at: int) -> bool:
        """Only an allowed or approved action."""
        name = AGAIN.get(target)
        if name is None:
            raise IllegalMove(f"a recheck can't end in {target}")
        return self.sql.changed(name, {"id": action, "at": at, **_judged(verdict)})

    def set_output(self, action: str, output: str | None) -> None:
        """Keep the output as JSON text."""
        self.sql.run("set_output", {"action": action, "output": output})

    def beat(self, action: str, token: str, lease_until: int) -> bool:
        """Only the holder's lease."""
        values = {"id": action, "token": token, "lease_until": lease_until}
        return self.sql.changed("beat", values)

    def lapse(self, at: int, limit: int) -> Sequence[str]:
        """Running with a lease that ended before ``at``, to unknown."""
        found = self.sql.rows("lapsed", {"at": at, "limit": limit})
        ids = [row[0] for row in found]
        return [
            each for each in ids if self.sql.changed("mark_unknown", {"id": each, "at": at, "error": LAPSED})
        ]

    def expire_approved(self, at: int, limit: int) -> Sequence[str]:
        """Approved with a time that is over, to expired."""
        found = self.sql.rows("stale_approved", {"at": at, "limit": limit})
        return [row[0] for row in found if self.sql.changed("expire_approved", {"id": row[0], "at": at})]

    def anything_due(self, at: int) -> bool:
        """Whether a lease, an approved action's time or a question's time is over."""
        return self.sql.row("anything_due", {"at": at}) is not None

    def listing(self, wanted: ActionFilter) -> Sequence[Action]:
        """Newest first."""
        state = None if wanted.state is None else str(wanted.state)
        return [action_of(row) for row in self.sql.rows("list_actions", {**asdict(wanted), "state": state})]

    def in_session(self, session: str, after: str, limit: int) -> Sequence[Action]:
        """Oldest first."""
        values = {"session": session, "last": after, "limit": limit}
        return [action_of(row) for row in self.sql.rows("session_actions", values)]

    def running(self) -> Sequence[Action]:
        """Oldest first."""
        return [action_of(row) for row in self.sql.rows("running")]

    def find(self, suffix: str) -> Sequence[str]:
        """Two ids at most."""
        return [row[0] for row in self.sql.rows("find_actions", {"suffix": suffix_pattern(suffix)})]

    def supersede(self, action: str, by: str, at: int) -> bool:
        """Only a held action."""
        return self.sql.changed("supersede", {"id": action, "by": by, "at": at})

    def approved(self, tools: Sequence[str], limit: int) -> Sequence[str]:
        """The oldest of each tool by its index, then the oldest of all."""
        found = [row[0] for tool in tools for row in self.sql.rows("ready", {"tool": tool, "limit": limit})]
        return sorted(found)[:limit]

    def similar(self, action: Action, limit: int) -> Sequence[Action]:
        """Newest first."""
        values = {"id": action.id, "agent": action.agent, "tool": action.tool, "limit": limit}
        return [action_of(row) for row in self.sql.rows("similar", values)]

    def erasable(self, before: int, limit: int) -> Sequence[str]:
        """In the order of their ids."""
        return [row[0] for row in self.sql.rows("erasable", {"before": before, "limit": limit})]

    def erase(self, actions: Sequence[str]) -> None:
        """With the salt, so that no digest in the journal can be guessed back into what it was made from."""
        self.sql.run_many("erase_payload", ({"action": action} for action in actions))

    def _attempt(self, action: str) -> int:
        row = self.sql.row("attempt", {"id": action})
        return 0 if row is None else int(row[0])


def _judged(verdict: Verdict) -> dict[str, object]:
    return {"verdict": verdict_text(verdict), "policy": verdict.policy, "rung": verdict.rung.word}
