"""A rail that talks to a real server behaves as an embedded one: the same calls, errors and records."""

from __future__ import annotations

import asyncio
import threading
from decimal import Decimal
from typing import Any

import pytest

import handrail
from handrail.engine.questions.edits import edit
from handrail.engine.restrict import halt, lift
from handrail.words.approval import Choice
from handrail.words.entry import Kind
from handrail.words.lifecycle import State
from handrail.words.person import KeyKind
from tests.integration.remote.conftest import answered, connected
from tests.support.rail import LEAD
from tests.support.server import Served, make_key

LONG = 120.0


class Desk:
    """The tools of one agent's process, and what they did."""

    def __init__(self, rail: handrail.Rail) -> None:
        self.rail = rail
        self.effects: list[Any] = []

        @rail.tool
        def refund(order: str, amount: Decimal, reason: str = "") -> str:
            self.effects.append((order, amount, reason))
            return f"refunded {amount}"

        @rail.tool(cancel=True)
        async def note(text: str, patience: float = 0) -> str:
            self.effects.append(text)
            await asyncio.sleep(patience)
            return text

        @rail.tool(simulate=lambda order: f"would wipe {order}")
        def wipe(order: str) -> str:
            raise AssertionError(order)

        self.refund, self.note, self.wipe = refund, note, wipe

    def held(self, amount: str = "150") -> str:
        """An action that waits for a person."""
        with self.rail.session("support", f"t-{amount}"), pytest.raises(handrail.Held) as held:
            self.refund("o-1", Decimal(amount))
        return held.value.action_id


@pytest.fixture
def desk(rail: handrail.Rail) -> Desk:
    """The tools of one agent's process."""
    return Desk(rail)


def told(server: Served, action: str) -> list[Kind]:
    """What the server's journal tells of an action."""
    with server.engine() as engine:
        return [stored.entry.kind for stored in engine.store.read(lambda tx: tx.journal.of(action))]


def test_a_call_runs_here_and_is_recorded_there(desk: Desk, server: Served) -> None:
    with desk.rail.session("support", "t-1"), desk.rail.about(Decimal("0.9"), "why not", key="once"):
        assert desk.refund("o-1", Decimal("12.340")) == "refunded 12.340"
        assert desk.refund("o-1", Decimal("12.340")) == "refunded 12.340"
    assert desk.effects == [("o-1", Decimal("12.340"), "")]
    with server.engine() as engine:
        from handrail.words.query import ActionFilter

        [action] = engine.store.read(lambda tx: tx.actions.listing(ActionFilter(tool="refund", limit=1)))
        payload = engine.store.read(lambda tx: tx.actions.payload(action.id))
    assert payload is not None
    assert payload.args == '{"amount":12.340,"order":"o-1","reason":""}'
    seen = desk.rail.action(action.id)
    assert (seen.state, seen.rationale, seen.confidence) == (State.DONE, "why not", Decimal("0.9"))
    assert (seen.amount, seen.proposed_at, seen.rung) == (action.amount, action.proposed_at, action.rung)
    assert seen.verdict.steps == action.verdict.steps
    assert told(server, action.id) == [Kind.PROPOSED, Kind.DECIDED, Kind.INTENDED, Kind.DONE]


def test_refusals_trials_and_failures_are_those_of_an_embedded_rail(desk: Desk) -> None:
    with desk.rail.session("support"):
        with pytest.raises(handrail.Denied, match="Nobody refunds that much"):
            desk.refund("o-1", Decimal(5000))
        with pytest.raises(handrail.Denied, match="missing"):
            desk.refund("o-1")  # type: ignore[call-arg]
        with pytest.raises(handrail.Denied, match="type hints"):
            desk.refund("o-1", "much")  # type: ignore[arg-type]
        assert desk.wipe("o-1") == "would wipe o-1"
    assert desk.effects == []


def test_an_agent_with_anothers_key_is_refused(desk: Desk) -> None:
    with desk.rail.session("sales"), pytest.raises(handrail.Refused):
        desk.refund("o-1", Decimal(1))
    assert desk.effects == []


def test_an_approved_action_runs_once_and_then_gives_what_it_gave(desk: Desk, server: Served) -> None:
    action = desk.held("151")
    with pytest.raises(handrail.Held):
        desk.rail.resume(action)
    assert desk.rail.wait(action, 0.1).state is State.HELD
    found: list[State] = []
    waiting = threading.Thread(target=lambda: found.append(desk.rail.wait(action, LONG).state))
    waiting.start()
    answered(server, action)
    waiting.join(LONG)
    assert found == [State.APPROVED]
    assert desk.rail.resume(action) == "refunded 151"
    assert desk.rail.resume(action) == "refunded 151"
    assert asyncio.run(desk.rail.resume_async(action)) == "refunded 151"
    assert len(desk.effects) == 1


def test_a_rejected_action_does_not_run(desk: Desk, server: Served) -> None:
    action = desk.held("152")
    answered(server, action, Choice.REJECT)
    assert asyncio.run(desk.rail.wait_async(action, LONG)).state is State.REJECTED
    with pytest.raises(handrail.Denied, match="rejected"):
        desk.rail.resume(action)
    assert desk.effects == []


def test_what_a_person_changed_is_what_runs(desk: Desk, server: Served) -> None:
    action = desk.held("153")
    with server.engine() as engine:
        engine.refresh()
        question = engine.store.read(lambda tx: tx.approvals.of(action))
        assert question is not None
        args = {"order": "o-1", "amount": Decimal(20), "reason": "less"}
        edited = edit(engine, question.id, LEAD, args, "it was only a scratch", verified=False)
    assert desk.rail.wait(action, LONG).id == edited.id
    assert desk.rail.resume(action) == "refunded 20"
    assert desk.effects == [("o-1", Decimal(20), "less")]
    assert desk.rail.action(edited.id).state is State.DONE


def test_a_halt_stops_what_would_start_and_cancels_what_allows_it(desk: Desk, server: Served) -> None:
    async def main() -> None:
        running = asyncio.create_task(desk.note("x", LONG))
        while not desk.effects:  # noqa: ASYNC110 - the tool says when it runs
            await asyncio.sleep(0.01)
        thrown.append(await asyncio.to_thread(throw))
        with pytest.raises(handrail.ToolFailed, match="stopped by a halt") as stopped:
            await running
        assert desk.rail.action(stopped.value.action_id).state is State.FAILED
        with pytest.raises(handrail.Denied):
            await desk.note("y")

    def throw() -> str:
        with server.engine() as engine:
            return halt(engine, "it misbehaves", "ops@example.com", tool="note")[0]

    thrown: list[str] = []
    try:
        with desk.rail.session("support"):
            asyncio.run(main())
    finally:
        with server.engine() as engine:
            lift(engine, thrown[0], "it is over", "ops@example.com")
    assert desk.effects == ["x"]
    with desk.rail.session("support"):
        assert asyncio.run(desk.note("z")) == "z"


def test_two_processes_of_one_agent_never_run_one_action_twice(desk: Desk, server: Served) -> None:
    action = desk.held("154")
    answered(server, action)
    with connected(server) as second:
        other = Desk(second)
        ended: list[object] = []

        def resume(each: Desk) -> None:
            try:
                ended.append(each.rail.resume(action))
            except handrail.NotRun as error:
                ended.append(error)

        threads = [threading.Thread(target=resume, args=(each,)) for each in (desk, other) * 4]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(desk.effects) + len(other.effects) == 1
    assert all(each == "refunded 154" or isinstance(each, handrail.InProgress) for each in ended)


def test_the_same_proposal_sent_twice_is_one_action_with_one_leave_to_run(
    rail: handrail.Rail, server: Served
) -> None:
    from handrail.engine.ids import new_id

    desk = Desk(rail)
    with rail.session("support"):
        desk.refund("o-2", Decimal(1))
    bound = rail._backend.tools["refund"].binding.digest
    with server.with_key("support") as client:
        opened = client.post("/api/v1/sessions", json={"agent": "support"}).json()
        body = {
            "id": new_id(),
            "session": opened["id"],
            "session_token": opened["token"],
            "tool": "refund",
            "binding": bound,
            "args": {"order": "o-1", "amount": 3, "reason": ""},
        }
        first, second = (client.post("/api/v1/actions", json=body).json() for _ in range(2))
        other = client.post("/api/v1/actions", json={**body, "args": {**body["args"], "amount": 4}})
        old = client.post("/api/v1/actions", json={**body, "id": "0" * 28})
    assert first["run"]["token"] == second["run"]["token"]
    assert first["id"] == body["id"] == second["id"]
    assert (other.status_code, old.status_code) == (409, 422)


def test_tools_and_boundaries_come_from_the_servers_policy(desk: Desk) -> None:
    names = [tool.__name__ for tool in desk.rail.tools_for("support")]
    assert names == ["refund", "note", "wipe"]
    assert "refund, find, note, wipe, offer" in desk.rail.boundaries("support")


def test_an_action_that_is_not_there_is_not_found(desk: Desk) -> None:
    for ask in (desk.rail.action, desk.rail.resume, lambda action: desk.rail.wait(action, 1)):
        with pytest.raises(handrail.NotFound):
            ask("f" * 28)


def test_an_agent_that_may_open_no_session_acts_in_those_that_a_service_opens(server: Served) -> None:
    with server.engine() as engine:
        key = make_key(engine, "support", opens_sessions=False)
    with server.with_key("support", KeyKind.SERVICE) as service:
        asked = {"agent": "support", "task": "t-service", "behalf": LEAD}
        made = service.post("/api/v1/sessions", json=asked).json()
    with handrail.connect(server.url, key=key) as rail:
        desk = Desk(rail)
        with rail.session("support"), pytest.raises(handrail.Refused):
            desk.refund("o-1", Decimal(7))
        with rail.session("support", opened=(made["id"], "0" * 64)), pytest.raises(handrail.NotFound):
            desk.refund("o-1", Decimal(7))
        with rail.session("support", opened=(made["id"], made["token"])) as session:
            assert desk.refund("o-1", Decimal(7)) == "refunded 7"
            with pytest.raises(handrail.Held) as held:
                desk.refund("o-1", Decimal(155))
        assert made["token"] not in repr(session)
        assert rail.action(held.value.action_id).task == "t-service"
        # for whom the agent works can't be the one who lets it
        with pytest.raises(handrail.Refused):
            answered(server, held.value.action_id)
    assert desk.effects == [("o-1", Decimal(7), "")]
