"""Every road of an action, over every store: what runs, waits or is refused, and what is told of it."""

from __future__ import annotations

from typing import Any

import pytest

import handrail
from handrail.engine import blocking
from handrail.engine.context import About, Session
from handrail.engine.restrict import halt, lift, set_rung
from handrail.engine.road import act
from handrail.words.approval import ApprovalState, Choice
from handrail.words.entry import Kind
from handrail.words.level import Rung
from handrail.words.lifecycle import State
from tests.support.rail import HEAD, LEAD, SECOND, Desk

RAN = [Kind.PROPOSED, Kind.DECIDED, Kind.INTENDED, Kind.DONE]


@pytest.fixture
def effects() -> list[Any]:
    """What the tools did."""
    return []


@pytest.fixture
def tools(desk: Desk, effects: list[Any]) -> dict[str, Any]:
    """The usual tools, bound."""

    @desk.rail.tool
    def refund(order: str, amount: float, reason: str = "") -> str:
        """Pay money back."""
        effects.append((order, amount, reason))
        return f"refunded {amount}"

    @desk.rail.tool
    def note(text: str) -> dict[str, object]:
        effects.append(text)
        return {"text": text}

    @desk.rail.tool
    def wipe(where: str) -> str:
        effects.append(where)
        return "wiped"

    return {"refund": refund, "note": note, "wipe": wipe}


def test_an_allowed_call_runs_once_and_the_journal_tells_its_road(
    desk: Desk, tools: Any, effects: Any
) -> None:
    with desk.rail.session("support", "t1") as session:
        assert tools["refund"]("o-1", 40.0, "broken") == "refunded 40.0"
    [action] = desk.actions()
    assert effects == [("o-1", 40.0, "broken")]
    assert desk.kinds(action.id) == RAN
    assert desk.kinds() == [Kind.POLICY_ACTIVATED, Kind.SESSION_OPENED, *RAN]
    assert (action.state, action.session, action.task) == (State.DONE, session.id, "t1")
    assert (action.agent, action.tool, action.attempt) == ("support", "refund", 1)
    assert action.amount == 40_000_000_000
    assert desk.body(action.id, Kind.DONE)["output"] == "refunded 40.0"
    assert desk.body(action.id, Kind.PROPOSED)["input"] == {"amount": 40, "order": "o-1", "reason": "broken"}


def test_a_denied_call_does_nothing_and_tells_the_agent_the_rules_reason(
    desk: Desk, tools: Any, effects: Any
) -> None:
    with desk.rail.session("support", "t1"), pytest.raises(handrail.Denied) as denied:
        tools["refund"]("o-1", 5_000)
    assert "Nobody refunds that much." in str(denied.value)
    assert "Do not try the same call again" in str(denied.value)
    assert denied.value.verdict is not None
    assert denied.value.verdict.decision is handrail.Decision.DENY
    assert desk.action(denied.value.action_id).state is State.DENIED
    assert desk.kinds(denied.value.action_id) == [Kind.PROPOSED, Kind.DECIDED]
    assert effects == []


def test_a_held_call_runs_with_the_seen_arguments_when_it_was_approved(
    desk: Desk, tools: Any, effects: Any
) -> None:
    with desk.rail.session("support", "t1"):
        with pytest.raises(handrail.Held) as held:
            tools["refund"]("o-1", 150.25, "late")
        action = held.value.action_id
        assert effects == []
        assert desk.rail.wait(action, timeout=0).state is State.HELD
        assert desk.vote(action).state is ApprovalState.APPROVED
        assert desk.rail.wait(action, timeout=0).state is State.APPROVED
    assert desk.rail.resume(action) == "refunded 150.25"
    assert effects == [("o-1", 150.25, "late")]
    assert desk.kinds(action) == [
        *(Kind.PROPOSED, Kind.DECIDED, Kind.ASKED, Kind.VOTED, Kind.APPROVED),
        *(Kind.REDECIDED, Kind.INTENDED, Kind.DONE),
    ]


def test_a_done_action_that_is_resumed_gives_its_output_again_and_does_nothing(
    desk: Desk, tools: Any, effects: Any
) -> None:
    with desk.rail.session("support"), pytest.raises(handrail.Held) as held:
        tools["refund"]("o-1", 150)
    desk.vote(held.value.action_id)
    first = desk.rail.resume(held.value.action_id)
    assert desk.rail.resume(held.value.action_id) == first
    assert len(effects) == 1


def test_a_held_action_does_not_run_before_its_answer(desk: Desk, tools: Any, effects: Any) -> None:
    with desk.rail.session("support"), pytest.raises(handrail.Held) as held:
        tools["refund"]("o-1", 150)
    with pytest.raises(handrail.Held, match="waits for a person's answer"):
        desk.rail.resume(held.value.action_id)
    assert effects == []


def test_a_rejected_action_never_runs_and_the_agent_reads_why(desk: Desk, tools: Any, effects: Any) -> None:
    with desk.rail.session("support"), pytest.raises(handrail.Held) as held:
        tools["refund"]("o-1", 150)
    action = held.value.action_id
    desk.vote(action, SECOND, Choice.REJECT, "the parcel was delivered")
    with pytest.raises(handrail.Denied, match="rejected by a person: the parcel was delivered"):
        desk.rail.resume(action)
    assert desk.action(action).state is State.REJECTED
    assert desk.kinds(action)[-2:] == [Kind.VOTED, Kind.REJECTED]
    assert effects == []


def test_a_call_on_the_shadow_rung_is_decided_and_recorded_and_nothing_runs(
    desk: Desk, tools: Any, effects: Any
) -> None:
    with desk.rail.session("support"), pytest.raises(handrail.Shadowed, match="would have run") as shadowed:
        tools["wipe"](where="all")
    action = desk.action(shadowed.value.action_id)
    assert (action.state, action.shadow) == (State.SHADOWED, True)
    assert action.verdict.decision is handrail.Decision.ALLOW
    assert action.verdict.enforced is handrail.Decision.SHADOW
    assert desk.kinds(action.id) == [Kind.PROPOSED, Kind.DECIDED]
    assert effects == []
    with pytest.raises(handrail.Shadowed):
        desk.rail.resume(action.id)


def test_a_promoted_tool_runs_and_a_demoted_one_is_on_trial_again(
    desk: Desk, tools: Any, effects: Any
) -> None:
    engine = desk.app.engine
    assert set_rung(engine, "support", "wipe", Rung.BOUNDED, "seen enough", "ops") == (
        Rung.SHADOW,
        Rung.BOUNDED,
    )
    with desk.rail.session("support"):
        assert tools["wipe"](where="some") == "wiped"
        set_rung(engine, "support", "wipe", Rung.SHADOW, "too early", "ops")
        with pytest.raises(handrail.Shadowed):
            tools["wipe"](where="some")
    assert effects == ["some"]
    assert desk.kinds().count(Kind.PROMOTED) == desk.kinds().count(Kind.DEMOTED) == 1


def test_a_rung_above_the_policys_ceiling_is_refused_and_one_at_it_is_not(desk: Desk, tools: Any) -> None:
    engine = desk.app.engine
    with pytest.raises(handrail.Refused, match="at most bounded"):
        set_rung(engine, "support", "wipe", Rung.AUTONOMOUS, "trust it", "ops")
    with pytest.raises(handrail.Refused, match="does not let sales use wipe"):
        set_rung(engine, "sales", "wipe", Rung.SUGGEST, "trust it", "ops")
    with pytest.raises(handrail.Refused, match="needs a reason"):
        set_rung(engine, "support", "wipe", Rung.BOUNDED, " ", "ops")
    assert set_rung(engine, "support", "wipe", Rung.BOUNDED, "trust it", "ops")[1] is Rung.BOUNDED


def test_a_simulated_tool_gives_the_caller_its_stand_ins_value(desk: Desk, effects: Any) -> None:
    def pretend(where: str) -> str:
        return f"would wipe: {where}"

    @desk.rail.tool(simulate=pretend)
    def wipe(where: str) -> str:
        effects.append(where)
        return "wiped"

    with desk.rail.session("support"), desk.rail.about(key="once"):
        assert wipe(where="all") == "would wipe: all"
        assert wipe(where="all") == "would wipe: all"
    assert effects == []
    assert [action.state for action in desk.actions()] == [State.SHADOWED]


def test_a_halt_refuses_what_it_covers_until_it_is_lifted(desk: Desk, tools: Any, effects: Any) -> None:
    thrown, running = halt(desk.app.engine, "odd refunds", "ops", tool="refund")
    assert running == []
    with desk.rail.session("support"):
        with pytest.raises(handrail.Denied, match="tool refund is stopped: odd refunds"):
            tools["refund"]("o-1", 4)
        assert tools["note"]("goes on") == {"text": "goes on"}
        lift(desk.app.engine, thrown, "all is well", "ops")
        tools["refund"]("o-1", 4)
    assert effects == ["goes on", ("o-1", 4.0, "")]
    with pytest.raises(handrail.NotFound):
        lift(desk.app.engine, thrown, "again", "ops")


def test_an_approved_action_does_not_run_while_halted_and_the_halt_needs_a_reason(
    desk: Desk, tools: Any, effects: Any
) -> None:
    with desk.rail.session("support"), pytest.raises(handrail.Held) as held:
        tools["refund"]("o-1", 150)
    desk.vote(held.value.action_id)
    with pytest.raises(handrail.Refused, match="needs a reason"):
        halt(desk.app.engine, "", "ops")
    thrown, _ = halt(desk.app.engine, "stop", "ops")
    with pytest.raises(handrail.Denied, match=r"everything is stopped: stop\. It stays approved"):
        desk.rail.resume(held.value.action_id)
    assert effects == []
    lift(desk.app.engine, thrown, "well", "ops")
    desk.rail.resume(held.value.action_id)
    assert len(effects) == 1


def test_a_person_runs_a_tool_by_hand_past_halt_and_level_but_not_past_its_schema(
    desk: Desk, tools: Any, effects: Any
) -> None:
    engine = desk.app.engine
    halt(engine, "stop", "ops")
    session = Session("by-hand", "support", None)
    proposal = engine.proposal("wipe", {"where": "all"}, session, About())
    assert blocking.walk(engine, act(engine, proposal, "ops@example.com")) == "wiped"
    assert effects == ["all"]
    [action] = desk.actions()
    assert (action.state, action.person) == (State.DONE, "ops@example.com")
    wrong = engine.proposal("wipe", {"where": 7}, session, About())
    with pytest.raises(handrail.Denied, match="where"):
        blocking.walk(engine, act(engine, wrong, "ops@example.com"))


def test_an_agent_that_the_policy_does_not_know_or_allow_is_refused(desk: Desk, tools: Any) -> None:
    for agent, why in (("stranger", "knows no agent"), ("sales", "may not use the tool 'note'")):
        with desk.rail.session(agent), pytest.raises(handrail.Denied, match=why):
            tools["note"]("hello")
    with desk.rail.session("support"):
        tools["note"]("hello")


def test_a_full_budget_refuses_the_next_call_and_says_when_it_renews(
    desk: Desk, tools: Any, effects: Any
) -> None:
    with desk.rail.session("support"):
        for text in "abc":
            tools["note"](text)
        with pytest.raises(handrail.Denied, match="3 of 3 actions of the budget few are used; it renews at"):
            tools["note"]("d")
    assert effects == ["a", "b", "c"]
    assert desk.used() == 3


def test_two_audiences_must_both_answer_before_it_runs(desk: Desk, tools: Any, effects: Any) -> None:
    with desk.rail.session("support"), pytest.raises(handrail.Held) as held:
        tools["refund"]("o-1", 150, "legal")
    action = held.value.action_id
    assert {seat.audience for seat in desk.question(action).seats} == {"leads", "heads"}
    assert desk.vote(action, LEAD).state is ApprovalState.OPEN
    with pytest.raises(handrail.Held):
        desk.rail.resume(action)
    assert desk.vote(action, HEAD).state is ApprovalState.APPROVED
    assert desk.rail.resume(action) == "refunded 150.0"


def test_the_journal_verifies_and_says_what_is_not_sealed_yet(desk: Desk, tools: Any) -> None:
    from handrail.engine.jobs import seal

    with desk.rail.session("support"):
        tools["refund"]("o-1", 4)
        seal(desk.app.engine)
        assert desk.verified().unsealed.count == 0
        tools["refund"]("o-2", 4)
    report = desk.verified()
    assert report.ok
    assert report.size + report.unsealed.count == len(desk.entries())
