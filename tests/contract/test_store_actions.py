"""The store's contract for actions: what enters, what it meets, what may follow, and when time is over."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from msgspec import structs

from handrail.ports import Store
from handrail.words.action import Action
from handrail.words.approval import ApprovalState
from handrail.words.errors import BadArguments, Conflict, IllegalMove, StoreError
from handrail.words.lifecycle import State
from handrail.words.payload import Payload
from handrail.words.query import ActionFilter
from handrail.words.verdict import Verdict
from tests.contract.things import (
    ASK,
    AT,
    PAYLOAD,
    SOON,
    VERDICT,
    action,
    add,
    approval_for,
    new_id,
    running,
    state_of,
    write,
)


def get(store: Store, known: Action) -> Action:
    found = store.read(lambda tx: tx.actions.get(known.id))
    assert found is not None
    return found


def test_an_action_comes_back_as_it_was_stored(store: Store) -> None:
    """Every field, with exact decimals and the whole verdict."""
    new = add(store, running(key="refund-812", shadow=False, person="ann", expires_at=SOON))
    assert get(store, new) == new


def test_an_action_of_nothing_optional_comes_back(store: Store) -> None:
    """What is absent stays absent."""
    new = add(store, action(task=None, confidence=None, rationale=None, amount=None))
    assert get(store, new) == new


def test_nothing_is_found_under_an_unknown_id(store: Store) -> None:
    """No action, no payload, no attempt."""
    assert store.read(lambda tx: (tx.actions.get("no"), tx.actions.payload("no"))) == (None, None)


def test_what_executes_is_kept_beside_the_action(store: Store) -> None:
    """Arguments and facts as text, byte for byte; the output comes later."""
    new = add(store, running(), Payload('{"a":"zażółć \\u0000 40.10"}', None, "salt"))
    assert store.read(lambda tx: tx.actions.payload(new.id)) == Payload(
        '{"a":"zażółć \\u0000 40.10"}', None, "salt"
    )
    write(store, lambda tx: tx.actions.set_output(new.id, '"done"'))
    found = store.read(lambda tx: tx.actions.payload(new.id))
    assert found is not None
    assert found.output == '"done"'


@pytest.mark.parametrize("state", [State.DONE, State.APPROVED, State.UNKNOWN, State.UNDONE, State.WAITING])
def test_an_action_can_not_enter_in_the_middle_of_its_life(store: Store, state: State) -> None:
    """Only what a proposal may become, and a claim in the same transaction."""
    with pytest.raises(IllegalMove):
        add(store, action(state=state))
    assert store.read(lambda tx: tx.actions.listing(ActionFilter())) == []


@pytest.mark.parametrize("state", [State.DENIED, State.SHADOWED, State.HELD, State.ALLOWED, State.RUNNING])
def test_an_action_enters_in_each_state_that_a_verdict_gives(store: Store, state: State) -> None:
    """The twin of the refusal above."""
    assert state_of(store, add(store, action(state=state))) is state


def test_the_same_id_twice_is_a_conflict_and_changes_nothing(store: Store) -> None:
    """An id is no key: meeting one again is a mistake, not a repeat."""
    new = add(store, action())
    with pytest.raises(Conflict):
        write(store, lambda tx: tx.actions.add(replace(new, agent="other"), PAYLOAD))
    assert get(store, new).agent == "support"


def test_a_text_that_no_database_holds_is_refused_as_a_bad_argument(store: Store) -> None:
    """A lone surrogate is the caller's mistake and says so; nothing is written."""
    with pytest.raises(BadArguments):
        add(store, action(rationale="\ud800"))
    assert store.read(lambda tx: tx.actions.listing(ActionFilter())) == []


def test_a_read_can_not_write(store: Store) -> None:
    """It fails or is taken back; nothing stays."""
    with suppress(StoreError):
        store.read(lambda tx: tx.actions.add(action(), PAYLOAD))
    assert store.read(lambda tx: tx.actions.listing(ActionFilter())) == []
    add(store, action())


def approve(store: Store, known: Action, until: int | None) -> None:
    assert write(store, lambda tx: tx.actions.approve(known.id, frozenset({ASK}), AT, until))


def claimed(known: Action) -> Action:
    return replace(known, token="mine", owner="host:2", lease_until=SOON)


class TestClaims:
    def test_an_allowed_action_is_claimed_once(self, store: Store) -> None:
        """Token, owner, lease, verdict and attempt are written with the state; a second claim loses."""
        new = add(store, action(state=State.ALLOWED))
        verdict = structs.replace(VERDICT, policy="q" * 64, amount=1)
        assert write(store, lambda tx: tx.actions.claim(claimed(new), verdict, AT + 5)) == 1
        found = get(store, new)
        assert (found.state, found.token, found.owner) == (State.RUNNING, "mine", "host:2")
        assert (found.lease_until, found.started_at, found.attempt) == (SOON, AT + 5, 1)
        assert (found.verdict, found.policy, found.amount) == (verdict, "q" * 64, 1)
        assert write(store, lambda tx: tx.actions.claim(claimed(new), VERDICT, AT + 6)) is None

    def test_an_approved_action_is_claimed_until_its_time_is_over(self, store: Store) -> None:
        """The time is tested in the claim itself."""
        new = add(store, action())
        write(store, lambda tx: tx.actions.approve(new.id, frozenset({ASK}), AT, AT + 10))
        assert write(store, lambda tx: tx.actions.claim(claimed(new), VERDICT, AT + 10)) is None
        assert write(store, lambda tx: tx.actions.claim(claimed(new), VERDICT, AT + 9)) == 1

    @pytest.mark.parametrize("state", [State.HELD, State.DENIED, State.SHADOWED, State.RUNNING])
    def test_nothing_else_is_claimed(self, store: Store, state: State) -> None:
        """What was not allowed or approved does not start."""
        new = add(store, action(state=state))
        assert write(store, lambda tx: tx.actions.claim(claimed(new), VERDICT, AT)) is None
        assert state_of(store, new) is state

    @pytest.mark.parametrize("end", [State.DONE, State.FAILED])
    def test_the_holder_of_the_token_settles_it_once(self, store: Store, end: State) -> None:
        """The attempt's number comes back; a second report changes nothing."""
        new = add(store, running(attempt=3))
        assert write(store, lambda tx: tx.actions.finish(new.id, "token", end, AT + 7, "why")) == 3
        found = get(store, new)
        assert (found.state, found.finished_at, found.error, found.lease_until) == (end, AT + 7, "why", None)
        assert write(store, lambda tx: tx.actions.finish(new.id, "token", State.DONE, AT + 8, None)) is None
        assert get(store, new) == found

    def test_nobody_else_settles_it(self, store: Store) -> None:
        """Another token is another claim."""
        new = add(store, running())
        assert write(store, lambda tx: tx.actions.finish(new.id, "other", State.DONE, AT, None)) is None
        assert state_of(store, new) is State.RUNNING

    def test_a_late_report_settles_what_was_taken_for_lost(self, store: Store) -> None:
        """The token's holder knows better than the clock."""
        new = add(store, running(lease_until=AT))
        assert write(store, lambda tx: tx.actions.lapse(AT + 1, 10)) == [new.id]
        assert write(store, lambda tx: tx.actions.finish(new.id, "token", State.DONE, AT, None)) == 1
        assert state_of(store, new) is State.DONE

    @pytest.mark.parametrize("end", [State.UNKNOWN, State.HELD, State.UNDOING, State.RUNNING])
    def test_a_report_is_done_or_failed(self, store: Store, end: State) -> None:
        """Nobody reports that they don't know: that is what the lease is for."""
        new = add(store, running())
        with pytest.raises(IllegalMove):
            write(store, lambda tx: tx.actions.finish(new.id, "token", end, AT, None))
        assert state_of(store, new) is State.RUNNING


class TestMoves:
    def test_a_move_compares_and_sets(self, store: Store) -> None:
        """The second of two finds another state and changes nothing."""
        new = add(store, action())
        assert write(store, lambda tx: tx.actions.move(new.id, State.HELD, State.REJECTED, AT + 1, "no"))
        found = get(store, new)
        assert (found.state, found.updated_at, found.error) == (State.REJECTED, AT + 1, "no")
        assert not write(store, lambda tx: tx.actions.move(new.id, State.HELD, State.EXPIRED, AT + 2))
        assert get(store, new) == found

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (State.HELD, State.RUNNING),
            (State.HELD, State.DONE),
            (State.DENIED, State.HELD),
            (State.UNKNOWN, State.RUNNING),
            (State.DONE, State.FAILED),
        ],
    )
    def test_a_move_that_the_life_cycle_lacks_raises(self, store: Store, before: State, after: State) -> None:
        """Whatever the state is."""
        new = add(store, action())
        with pytest.raises(IllegalMove):
            write(store, lambda tx: tx.actions.move(new.id, before, after, AT))
        assert state_of(store, new) is State.HELD

    @pytest.mark.parametrize(
        ("before", "after"), [(State.ALLOWED, State.RUNNING), (State.APPROVED, State.RUNNING)]
    )
    def test_only_a_claim_starts_an_action(self, store: Store, before: State, after: State) -> None:
        """A bare move has no token, no lease and no reservation."""
        new = add(store, action(state=State.ALLOWED))
        with pytest.raises(IllegalMove):
            write(store, lambda tx: tx.actions.move(new.id, before, after, AT))
        assert state_of(store, new) is State.ALLOWED

    @pytest.mark.parametrize("after", [State.DONE, State.FAILED, State.UNKNOWN])
    def test_only_its_token_or_its_lease_ends_a_running_action(self, store: Store, after: State) -> None:
        """A bare move could end what somebody else is running."""
        new = add(store, running())
        with pytest.raises(IllegalMove):
            write(store, lambda tx: tx.actions.move(new.id, State.RUNNING, after, AT))
        assert state_of(store, new) is State.RUNNING

    def test_a_persons_word_settles_an_unknown_action(self, store: Store) -> None:
        """From unknown a move is enough."""
        new = add(store, running(lease_until=AT))
        write(store, lambda tx: tx.actions.lapse(AT + 1, 10))
        assert write(store, lambda tx: tx.actions.move(new.id, State.UNKNOWN, State.DONE, AT, "I looked"))
        assert state_of(store, new) is State.DONE

    def test_an_approval_is_written_with_its_asks_and_its_time(self, store: Store) -> None:
        """Exactly these asks, until then; only once."""
        new = add(store, action())
        asks = frozenset({ASK, replace(ASK, step="check:x")})
        assert write(store, lambda tx: tx.actions.approve(new.id, asks, AT + 1, SOON))
        found = get(store, new)
        assert (found.state, found.approved, found.expires_at) == (State.APPROVED, asks, SOON)
        assert not write(store, lambda tx: tx.actions.approve(new.id, frozenset(), AT + 2, None))

    @pytest.mark.parametrize("target", [State.HELD, State.DENIED])
    def test_a_recheck_holds_or_denies(self, store: Store, target: State) -> None:
        """With its new verdict; what was answered before stays answered."""
        new = add(store, action())
        write(store, lambda tx: tx.actions.approve(new.id, frozenset({ASK}), AT, SOON))
        verdict = structs.replace(VERDICT, policy="q" * 64)
        assert write(store, lambda tx: tx.actions.judge_again(new.id, verdict, target, AT + 1))
        found = get(store, new)
        assert (found.state, found.verdict, found.policy) == (target, verdict, "q" * 64)
        assert found.approved == {ASK}
        assert not write(store, lambda tx: tx.actions.judge_again(new.id, verdict, target, AT + 2))

    @pytest.mark.parametrize("target", [State.RUNNING, State.EXPIRED, State.DONE])
    def test_a_recheck_ends_in_nothing_else(self, store: Store, target: State) -> None:
        """Running is a claim's."""
        new = add(store, action(state=State.ALLOWED))
        with pytest.raises(IllegalMove):
            write(store, lambda tx: tx.actions.judge_again(new.id, VERDICT, target, AT))


class TestTime:
    def test_a_beat_extends_the_lease_of_its_own_action_only(self, store: Store) -> None:
        """Another token, or an action that no longer runs, gets nothing."""
        new = add(store, running(lease_until=AT))
        assert write(store, lambda tx: tx.actions.beat(new.id, "token", AT + 50))
        assert get(store, new).lease_until == AT + 50
        assert not write(store, lambda tx: tx.actions.beat(new.id, "other", AT + 90))
        write(store, lambda tx: tx.actions.finish(new.id, "token", State.DONE, AT, None))
        assert not write(store, lambda tx: tx.actions.beat(new.id, "token", AT + 90))

    def test_only_an_ended_lease_becomes_unknown(self, store: Store) -> None:
        """The others go on; the oldest leases first, at most as many as asked for."""
        ended = [add(store, running(lease_until=AT - back)) for back in (1, 3, 2)]
        live = add(store, running(lease_until=AT))
        assert write(store, lambda tx: tx.actions.lapse(AT, 2)) == [ended[1].id, ended[2].id]
        assert write(store, lambda tx: tx.actions.lapse(AT, 9)) == [ended[0].id]
        assert state_of(store, ended[0]) is State.UNKNOWN
        assert "nobody knows" in (get(store, ended[0]).error or "")
        assert state_of(store, live) is State.RUNNING

    def test_only_an_approval_whose_time_is_over_expires(self, store: Store) -> None:
        """One without end never does."""
        actions = [add(store, action()) for _ in range(3)]
        for known, until in zip(actions, (AT + 1, AT + 2, None), strict=True):
            approve(store, known, until)
        assert write(store, lambda tx: tx.actions.expire_approved(AT + 1, 9)) == [actions[0].id]
        assert [state_of(store, each) for each in actions] == [State.EXPIRED, State.APPROVED, State.APPROVED]

    def test_an_idle_store_has_nothing_due(self, store: Store) -> None:
        """Nothing at all, and nothing whose time is still to come."""
        assert not store.read(lambda tx: tx.actions.anything_due(AT))
        add(store, running(lease_until=AT))
        assert not store.read(lambda tx: tx.actions.anything_due(AT))

    def test_an_ended_lease_is_due(self, store: Store) -> None:
        """Until it is dealt with."""
        add(store, running(lease_until=AT))
        assert store.read(lambda tx: tx.actions.anything_due(AT + 1))
        write(store, lambda tx: tx.actions.lapse(AT + 1, 9))
        assert not store.read(lambda tx: tx.actions.anything_due(AT + 1))

    def test_an_approval_whose_time_is_over_is_due(self, store: Store) -> None:
        """At its last millisecond."""
        new = add(store, action())
        write(store, lambda tx: tx.actions.approve(new.id, frozenset(), AT, AT + 5))
        assert not store.read(lambda tx: tx.actions.anything_due(AT + 4))
        assert store.read(lambda tx: tx.actions.anything_due(AT + 5))

    def test_a_question_whose_time_is_over_is_due_while_it_is_open(self, store: Store) -> None:
        """A closed one waits for nothing."""
        new = add(store, action())
        asked = approval_for(new)
        write(store, lambda tx: tx.approvals.add(asked))
        assert not store.read(lambda tx: tx.actions.anything_due(AT + 999))
        assert store.read(lambda tx: tx.actions.anything_due(AT + 1000))
        write(store, lambda tx: tx.approvals.close(asked.id, ApprovalState.REJECTED, AT, None))
        assert not store.read(lambda tx: tx.actions.anything_due(AT + 1000))

    def test_the_clock_is_the_databases_and_goes_on(self, store: Store) -> None:
        """In milliseconds of this century, never backwards."""
        first, second = write(store, lambda tx: (tx.now(), tx.now()))
        assert AT < first <= second < SOON
        assert store.read(lambda tx: tx.now()) >= second


class TestFinding:
    def test_a_listing_is_newest_first_page_by_page(self, store: Store) -> None:
        """`before` goes on where the last page ended."""
        ids = [add(store, action()).id for _ in range(5)]
        first = store.read(lambda tx: tx.actions.listing(ActionFilter(limit=2)))
        assert [each.id for each in first] == [ids[4], ids[3]]
        rest = store.read(lambda tx: tx.actions.listing(ActionFilter(before=first[-1].id)))
        assert [each.id for each in rest] == [ids[2], ids[1], ids[0]]

    def test_a_sessions_actions_come_oldest_first_page_by_page(self, store: Store) -> None:
        """And nobody else's; `after` goes on where the last page ended."""
        ids = [add(store, action(session="session-7")).id for _ in range(3)]
        add(store, action())
        first = store.read(lambda tx: tx.actions.in_session("session-7", "", 2))
        assert [each.id for each in first] == ids[:2]
        rest = store.read(lambda tx: tx.actions.in_session("session-7", first[-1].id, 2))
        assert [each.id for each in rest] == ids[2:]

    @pytest.mark.parametrize(
        "wanted",
        [
            ActionFilter(state=State.DENIED),
            ActionFilter(agent="sales"),
            ActionFilter(tool="send_offer"),
            ActionFilter(session="session-2"),
            ActionFilter(task="ticket-1"),
        ],
    )
    def test_each_filter_narrows(self, store: Store, wanted: ActionFilter) -> None:
        """To the one action that differs."""
        for _ in range(2):
            add(store, action())
        different = {"agent": "sales", "tool": "send_offer", "session": "session-2", "task": "ticket-1"}
        other = add(store, action(state=State.DENIED, **different))
        assert store.read(lambda tx: tx.actions.listing(wanted)) == [other]

    def test_what_runs_now_is_listed_oldest_first(self, store: Store) -> None:
        """And nothing else."""
        add(store, action())
        both = [add(store, running()), add(store, running())]
        assert store.read(lambda tx: tx.actions.running()) == both

    def test_the_end_of_an_id_finds_it(self, store: Store) -> None:
        """Two at most: enough to see that it is not unique; signs of `like` mean themselves."""
        ids = [add(store, action(id=f"{new_id()}{end}")).id for end in ("_x1", "%x1", "!x1", "yx1")]
        found = store.read(lambda tx: [tx.actions.find(end) for end in ("_x1", "%x1", "!x1")])
        assert found == [[ids[0]], [ids[1]], [ids[2]]]
        assert len(store.read(lambda tx: tx.actions.find("x1"))) == 2
        assert store.read(lambda tx: tx.actions.find("zzz")) == []


def test_a_verdict_keeps_every_step(store: Store) -> None:
    """Measures, outcomes, reasons and charges come back as the types that they were."""
    new = add(store, action())
    found = get(store, new).verdict
    assert isinstance(found, Verdict)
    assert found == VERDICT
    assert found.asks == VERDICT.asks


def test_whether_so_many_of_one_agent_wait_is_known(store: Store) -> None:
    """Neither what others ask nor what does not wait counts."""
    for _ in range(3):
        add(store, action(state=State.HELD))
    add(store, action(state=State.HELD, agent="sales"))
    add(store, action(state=State.DENIED))
    found = store.read(lambda tx: [tx.actions.as_many_held("support", count) for count in (1, 3, 4)])
    assert found == [True, True, False]
    assert not store.read(lambda tx: tx.actions.as_many_held("nobody", 1))
