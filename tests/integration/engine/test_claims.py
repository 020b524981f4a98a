"""The claim tests anew what the verdict rested on, and takes from budgets, first run and resumed alike."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from handrail.engine.restrict import halt
from handrail.ports import Commit
from handrail.words.errors import Denied, Held, Shadowed
from handrail.words.lifecycle import State
from tests.support.rail import POLICY, Desk

Open = Callable[..., Desk]
ASKED = POLICY.replace("budgets:", '  - {id: noted, tools: note, when: "true", ask: leads}\nbudgets:')
ON_TRIAL = POLICY.replace("note: {does: update, starts: bounded", "note: {does: update, starts: shadow")


def noting(desk: Desk) -> tuple[Callable[[str], str], list[str]]:
    """The tool ``note`` as the agent calls it, and what it was called with."""
    ran: list[str] = []

    @desk.rail.tool
    def note(text: str) -> str:
        ran.append(text)
        return text

    def call(text: str) -> str:
        with desk.rail.session(agent="support", task="T-1"):
            return note(text)

    return call, ran


def approved(desk: Desk, call: Callable[[str], str], text: str) -> str:
    """A held note that the lead has approved."""
    with pytest.raises(Held) as raised:
        call(text)
    desk.vote(raised.value.action_id)
    return raised.value.action_id


def before(desk: Desk, monkeypatch: pytest.MonkeyPatch, commit: Commit, act: Callable[[], object]) -> None:
    """Do something once, at the last moment before a transaction of this kind."""
    store = desk.app.store
    write = store.write
    left = [act]

    def late(kind: Commit, work: object) -> object:
        if kind is commit and left:
            left.pop()()
        return write(kind, work)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "write", late)


@pytest.mark.parametrize("commit", [Commit.PROPOSE, Commit.RECHECK])
def test_a_halt_between_verdict_and_claim_stops_the_action(
    open_desk: Open, store_url: str, monkeypatch: pytest.MonkeyPatch, commit: Commit
) -> None:
    """First run and resumed alike: what was judged before the halt does not start after it."""
    desk = open_desk(store_url, ASKED if commit is Commit.RECHECK else POLICY)
    call, ran = noting(desk)
    action = approved(desk, call, "late") if commit is Commit.RECHECK else None
    before(desk, monkeypatch, commit, lambda: halt(desk.app.engine, "stop", "ops@example.com"))
    with pytest.raises(Denied, match="everything is stopped: stop"):
        desk.rail.resume(action) if action else call("late")
    assert ran == []


def test_an_approved_action_runs_when_nothing_changed(open_desk: Open) -> None:
    """The twin of the test above."""
    desk = open_desk("memory:", ASKED)
    call, ran = noting(desk)
    assert desk.rail.resume(approved(desk, call, "fine")) == "fine"
    assert ran == ["fine"]


def test_a_resumed_action_takes_from_the_budget_and_the_one_over_it_is_denied(open_desk: Open) -> None:
    """Approval is no way round a limit."""
    desk = open_desk("memory:", ASKED)
    call, ran = noting(desk)
    actions = [approved(desk, call, f"n{number}") for number in range(4)]
    assert desk.used() == 0
    assert [desk.rail.resume(action) for action in actions[:3]] == ["n0", "n1", "n2"]
    assert desk.used() == 3
    with pytest.raises(Denied, match="3 of 3 actions"):
        desk.rail.resume(actions[3])
    assert ran == ["n0", "n1", "n2"]


def test_two_resumed_actions_share_the_last_of_a_budget_only_one_runs(
    open_desk: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim reserves: a preview that saw room is not enough."""
    desk = open_desk("memory:", ASKED)
    call, ran = noting(desk)
    actions = [approved(desk, call, f"n{number}") for number in range(4)]
    for action in actions[:2]:
        desk.rail.resume(action)
    before(desk, monkeypatch, Commit.RECHECK, lambda: desk.rail.resume(actions[2]))
    with pytest.raises(Denied, match="3 of 3 actions"):
        desk.rail.resume(actions[3])
    assert ran == ["n0", "n1", "n2"]


def test_a_trial_counts_in_a_ledger_of_its_own_and_says_when_the_limit_would_have_stopped_it(
    open_desk: Open,
) -> None:
    """Else a trial would show what could never have happened live."""
    desk = open_desk("memory:", ON_TRIAL)
    call, ran = noting(desk)
    for number in range(3):
        with pytest.raises(Shadowed, match="would have run"):
            call(f"n{number}")
    with pytest.raises(Denied, match="3 of 3 actions"):
        call("n3")
    assert ran == []
    assert [action.state for action in desk.actions()] == [*[State.SHADOWED] * 3, State.DENIED]
    assert all("shadow" in row[0] for row in desk.sql("select scope from budget_windows"))


def test_arguments_that_were_refused_are_not_kept_and_others_are(open_desk: Open) -> None:
    """What could not be read is nothing that anybody may run later."""
    desk = open_desk("memory:")
    call, _ = noting(desk)
    with pytest.raises(Denied):
        call(5)  # type: ignore[arg-type]
    call("fine")
    ids = [action.id for action in desk.actions()]
    kept = desk.app.store.read(lambda tx: [tx.actions.payload(each) for each in ids])
    assert [payload and payload.args for payload in kept] == [None, '{"text":"fine"}']


def test_a_verdict_of_an_older_policy_starts_nothing_under_newer_restrictions(one_desk: Desk) -> None:
    """Another thread may take a policy up between a verdict's two looks: at the policy, at what restricts."""
    call, ran = noting(one_desk)
    engine = one_desk.app.engine
    older = engine.policy
    assert call("before") == "before"
    strict = '  - {id: none, tools: note, when: "true", deny: "No notes any more."}\nbudgets:'
    one_desk.activate(POLICY.replace("budgets:", strict))
    engine.policy = older
    with pytest.raises(Denied, match="No notes any more"):
        call("after")
    assert ran == ["before"]
