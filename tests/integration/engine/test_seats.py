"""Who may answer for whom: members, deputies of those who are away, closed accounts, and never who asks."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from handrail.words.approval import ApprovalState
from handrail.words.entry import Kind
from handrail.words.errors import Conflict, Held, Refused
from handrail.words.lifecycle import State
from handrail.words.person import Role
from tests.integration.engine.asking import ALWAYS, account, held, opened
from tests.integration.engine.conftest import Open
from tests.support.rail import HEAD, LEAD, POLICY, SECOND, Desk

DEPUTY = "deputy@example.com"
LEADS = "leads: {people: [lead@example.com, second@example.com], need: 1"
PAIR = "pair: {people: [lead@example.com, second@example.com], need: 2"
DEPUTIES = (
    "{lead@example.com: [deputy@example.com], second@example.com: [deputy@example.com, head@example.com]}"
)
WITH_DEPUTIES = POLICY.replace(LEADS, f"{LEADS}, deputies: {DEPUTIES}").replace(
    PAIR, f"{PAIR}, deputies: {DEPUTIES}"
)


@pytest.fixture
def desk(store_url: str, open_desk: Open) -> Desk:
    """A desk whose groups have deputies, over each store."""
    return open_desk(store_url, WITH_DEPUTIES)


def test_a_deputy_answers_only_while_the_member_is_away(desk: Desk) -> None:
    action = held(desk)
    with pytest.raises(Refused, match="not among those who are asked"):
        desk.vote(action, DEPUTY)
    account(desk, LEAD, away_until=1)
    with pytest.raises(Refused, match="not among those who are asked"):
        desk.vote(action, DEPUTY)
    account(desk, LEAD, away_until=ALWAYS)
    assert desk.vote(action, DEPUTY).state is ApprovalState.APPROVED
    assert desk.rail.resume(action) == ["o-1", 150.0, ""]


def test_a_deputy_of_two_counts_for_one_of_them(desk: Desk) -> None:
    action = held(desk, reason="pairs")
    account(desk, LEAD, away_until=ALWAYS)
    account(desk, SECOND, away_until=ALWAYS)
    assert desk.vote(action, DEPUTY).state is ApprovalState.OPEN
    with pytest.raises(Conflict, match="answered this question already"):
        desk.vote(action, DEPUTY)
    assert desk.vote(action, HEAD).state is ApprovalState.APPROVED


def test_a_member_and_their_deputy_count_once(desk: Desk) -> None:
    action = held(desk, reason="pairs")
    account(desk, LEAD, away_until=ALWAYS)
    assert desk.vote(action, LEAD).state is ApprovalState.OPEN
    assert desk.vote(action, DEPUTY).state is ApprovalState.OPEN
    assert desk.vote(action, SECOND).state is ApprovalState.APPROVED


def test_somebody_whose_account_is_closed_can_neither_answer_nor_count(desk: Desk) -> None:
    action = held(desk, reason="pairs")
    account(desk, SECOND, active=False)
    with pytest.raises(Refused, match=r"account of second@example\.com is closed"):
        desk.vote(action, SECOND)
    account(desk, SECOND)
    desk.vote(action, SECOND)
    account(desk, SECOND, active=False)
    assert desk.vote(action, LEAD).state is ApprovalState.OPEN
    account(desk, SECOND, away_until=ALWAYS)
    assert desk.vote(action, DEPUTY).state is ApprovalState.APPROVED


def test_who_may_only_look_can_neither_answer_nor_count(desk: Desk) -> None:
    action = held(desk, reason="pairs")
    account(desk, SECOND)
    desk.vote(action, SECOND)
    account(desk, SECOND, Role.VIEWER)
    account(desk, LEAD, Role.VIEWER)
    with pytest.raises(Refused, match="may only look"):
        desk.vote(action, LEAD)
    account(desk, LEAD, Role.ADMIN)
    assert desk.vote(action, LEAD).state is ApprovalState.OPEN
    account(desk, SECOND, away_until=ALWAYS)
    assert desk.vote(action, DEPUTY).state is ApprovalState.APPROVED


def test_one_person_spelled_in_two_ways_has_one_voice(desk: Desk) -> None:
    action = held(desk, reason="pairs")
    assert desk.vote(action, "Lead@Example.com").state is ApprovalState.OPEN
    with pytest.raises(Conflict, match="answered this question already"):
        desk.vote(action, LEAD)
    assert desk.vote(action, SECOND).state is ApprovalState.APPROVED


@pytest.mark.parametrize(("behalf", "allowed"), [(LEAD, False), (" LEAD@example.com", False), (SECOND, True)])
def test_nobody_answers_for_an_agent_that_works_for_them(desk: Desk, behalf: str, *, allowed: bool) -> None:
    opened(desk, "s-1", behalf=behalf)
    action = held(desk, session="s-1")
    if allowed:
        assert desk.vote(action, LEAD).state is ApprovalState.APPROVED
        return
    with pytest.raises(Refused, match="an agent for them did"):
        desk.vote(action, LEAD)
    assert Kind.VOTED not in desk.kinds(action)
    assert desk.vote(action, SECOND).state is ApprovalState.APPROVED


def test_what_somebody_approved_who_has_left_since_is_asked_anew_before_it_runs(desk: Desk) -> None:
    action = held(desk)
    desk.vote(action, LEAD)
    desk.activate(POLICY.replace(LEADS, f"leads: {{people: [{SECOND}], need: 1"))
    with pytest.raises(Held):
        desk.rail.resume(action)
    assert desk.action(action).state is State.HELD
    assert desk.question(action).state is ApprovalState.OPEN
    desk.vote(action, SECOND)
    assert desk.rail.resume(action) == ["o-1", 150.0, ""]


def test_what_somebody_approved_whose_account_is_closed_is_asked_anew(desk: Desk) -> None:
    action = held(desk)
    account(desk, LEAD)
    desk.vote(action, LEAD)
    account(desk, LEAD, active=False)
    with pytest.raises(Held):
        desk.rail.resume(action)
    account(desk, LEAD)
    desk.vote(action, SECOND)
    assert desk.rail.resume(action) == ["o-1", 150.0, ""]


def test_an_answer_that_still_counts_is_not_asked_again_beside_one_that_does_not(desk: Desk) -> None:
    """Two questions about one action: what the first one answered stays answered."""
    action = held(desk)
    desk.vote(action, LEAD)
    more = WITH_DEPUTIES.replace(
        "budgets:", '  - {id: late, tools: refund, when: "amount > 120", ask: heads}\nbudgets:'
    )
    desk.activate(more)
    with pytest.raises(Held):
        desk.rail.resume(action)
    assert {ask.step for ask in desk.question(action).asks} == {"ask:late"}
    desk.vote(action, HEAD)
    account(desk, HEAD, active=False)
    with pytest.raises(Held):
        desk.rail.resume(action)
    assert {ask.step for ask in desk.question(action).asks} == {"ask:late"}
    account(desk, HEAD)
    desk.vote(action, HEAD)
    assert desk.rail.resume(action) == ["o-1", 150.0, ""]


def test_the_time_to_answer_runs_in_working_hours_only(store_url: str, open_desk: Open) -> None:
    plain = open_desk(store_url, POLICY.replace(LEADS, f'{LEADS}, hours: "mon-sun 00:00-00:01"'))
    [seat] = plain.question(held(plain)).seats
    assert seat.expires_at is not None
    # four hours at a minute a day are 240 days
    assert seat.expires_at - plain.question(plain.actions()[0].id).opened_at > 230 * 86_400_000


def test_two_of_two_who_answer_at_the_same_moment_complete_it_once(desk: Desk) -> None:
    for number in range(5):
        action = held(desk, reason="pairs", order=f"o-{number}")
        go = threading.Barrier(2)

        def yes(person: str, action: str = action, go: threading.Barrier = go) -> ApprovalState:
            go.wait(10)
            return desk.vote(action, person).state

        with ThreadPoolExecutor(2) as pool:
            states = list(pool.map(yes, (LEAD, SECOND)))
        assert sorted(states) == [ApprovalState.APPROVED, ApprovalState.OPEN]
        assert desk.kinds(action).count(Kind.APPROVED) == 1


@pytest.mark.parametrize("spelled", ["LEAD@example.com", " lead@Example.com "])
def test_a_person_is_one_however_their_address_is_spelled(desk: Desk, spelled: str) -> None:
    action = held(desk, reason="pairs")
    assert desk.vote(action, spelled).state is ApprovalState.OPEN
    with pytest.raises(Conflict, match="answered this question already"):
        desk.vote(action, LEAD)
    assert desk.vote(action, SECOND).state is ApprovalState.APPROVED


def test_a_person_who_only_looks_like_a_member_is_none(store_url: str, open_desk: Open) -> None:
    """Case folding would make ``sam`` of them."""
    desk = open_desk(store_url, POLICY.replace(LEAD, "sam@example.com"))
    action = held(desk)
    account(desk, "\u017fam@example.com")
    with pytest.raises(Refused, match="not among those who are asked"):
        desk.vote(action, "\u017fam@example.com")
    assert desk.vote(action, "sam@example.com").state is ApprovalState.APPROVED


def test_an_account_is_found_under_the_letters_that_its_person_has(store_url: str, open_desk: Open) -> None:
    """Case folding would look for ``strasse``, find no account, and let a viewer answer."""
    street = "straße@example.com"
    desk = open_desk(store_url, POLICY.replace(LEAD, street))
    action = held(desk)
    account(desk, street, Role.VIEWER)
    with pytest.raises(Refused, match="may only look"):
        desk.vote(action, street)
    account(desk, street, Role.REVIEWER)
    assert desk.vote(action, street.upper().replace("SS", "ß")).state is ApprovalState.APPROVED
