"""Standing approvals: never wider than their author, counted down in the claim, and void in any doubt."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from handrail.engine.questions.standings import asks_of, make_standing, revoke_standing
from handrail.words.entry import Kind
from handrail.words.errors import BadArguments, Conflict, HandrailError, Held, NotFound, PolicyError, Refused
from handrail.words.lifecycle import State
from handrail.words.person import Role
from handrail.words.standing import Standing
from tests.integration.engine.asking import account, held, opened, refund
from tests.integration.engine.conftest import Open
from tests.support.rail import HEAD, LEAD, POLICY, SECOND, Desk

WEEK = 7 * 86_400_000
UNIT = 1_000_000_000


def stand(desk: Desk, **changes: Any) -> Standing:
    """The lead's standing yes to big refunds: five, and 1,000 in all."""
    engine = desk.app.engine
    engine.refresh()
    steps = changes.pop("steps", ("ask:big",))
    known = asks_of(engine.policy.policy, "refund")
    now = desk.app.store.read(lambda tx: tx.now())
    wanted: dict[str, Any] = {
        "agent": "support",
        "tool": "refund",
        "asks": frozenset(known[step] for step in steps),
        "when": None,
        "actions": 5,
        "amount": 1000 * UNIT,
        "expires_at": now + WEEK,
        "person": LEAD,
        "reason": "a recall",
        "verified": False,
    }
    return make_standing(engine, **{**wanted, **changes})


def left(desk: Desk, standing: Standing) -> tuple[int, int | None]:
    """How much is left of it."""
    found = desk.app.store.read(lambda tx: tx.standings.get(standing.id))
    assert found is not None
    return found.left, found.amount_left


def test_what_it_covers_runs_without_a_question_and_is_counted_down(desk: Desk) -> None:
    standing = stand(desk)
    assert refund(desk, 150) == ["o-1", 150.0, ""]
    [action] = desk.actions()
    assert (action.state, action.standing) == (State.DONE, standing.id)
    assert left(desk, standing) == (4, 850 * UNIT)
    assert Kind.STANDING_USED in desk.kinds(action.id)
    assert desk.body(action.id, Kind.STANDING_USED)["person"] == LEAD
    assert Kind.ASKED not in desk.kinds(action.id)
    [made] = [entry for entry in desk.entries() if entry.kind is Kind.STANDING_MADE]
    assert b"a recall" in made.body
    assert desk.verified().ok


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ({"actions": 1}, {"actions": 2}),
        ({"amount": 299 * UNIT}, {"amount": 300 * UNIT}),
        ({"when": "args.order == 'o-1'"}, {"when": "args.order != 'o-4'"}),
    ],
)
def test_where_it_does_not_reach_people_are_asked(
    desk: Desk, narrow: dict[str, Any], wide: dict[str, Any]
) -> None:
    first = stand(desk, **narrow)
    assert refund(desk) == ["o-1", 150.0, ""]
    held(desk, order="o-2")
    assert left(desk, first)[0] == first.left - 1
    second = stand(desk, **wide)
    assert refund(desk, order="o-3") == ["o-3", 150.0, ""]
    assert desk.actions()[-1].standing == second.id


def test_one_that_is_used_up_by_money_has_enough_for_less(desk: Desk) -> None:
    standing = stand(desk, amount=200 * UNIT)
    refund(desk, 150)
    held(desk, 110)
    assert left(desk, standing) == (4, 50 * UNIT)


def test_it_answers_all_that_is_asked_or_nothing(desk: Desk) -> None:
    stand(desk)
    held(desk, reason="legal")
    assert refund(desk, 150, "late") == ["o-1", 150.0, "late"]
    with pytest.raises(Refused, match="is not in heads"):
        stand(desk, steps=("ask:big", "ask:legal"))


def test_somebody_who_sits_everywhere_may_answer_everything(store_url: str, open_desk: Open) -> None:
    both = POLICY.replace("heads: {people: [head@example.com]", f"heads: {{people: [{HEAD}, {LEAD}]")
    desk = open_desk(store_url, both)
    stand(desk, steps=("ask:big", "ask:legal"))
    assert refund(desk, 150, "legal") == ["o-1", 150.0, "legal"]


def test_what_is_denied_stays_denied(desk: Desk) -> None:
    stand(desk, amount=1_000_000 * UNIT)
    with pytest.raises(HandrailError, match="Nobody refunds that much"):
        refund(desk, 5000)
    assert refund(desk, 900) == ["o-1", 900.0, ""]


def test_a_revoked_one_lets_nothing_run_any_more(desk: Desk) -> None:
    standing = stand(desk)
    refund(desk)
    revoke_standing(desk.app.engine, standing.id, SECOND)
    held(desk)
    with pytest.raises(Conflict, match="has ended already"):
        revoke_standing(desk.app.engine, standing.id, SECOND)
    with pytest.raises(NotFound):
        revoke_standing(desk.app.engine, "nothing", SECOND)
    assert Kind.STANDING_REVOKED in desk.kinds()


def test_an_expired_one_lets_nothing_run_any_more(desk: Desk) -> None:
    stand(desk)
    refund(desk)
    desk.sql("update standings set expires_at = 1")
    held(desk)


def test_it_is_its_agents_only(desk: Desk) -> None:
    stand(desk, agent="sales")
    held(desk)
    stand(desk)
    assert refund(desk, order="o-2") == ["o-2", 150.0, ""]


def test_a_rule_that_changed_is_asked_again(desk: Desk) -> None:
    stand(desk)
    refund(desk)
    desk.activate(POLICY.replace("amount > 100", "amount > 90"))
    action = held(desk)
    desk.vote(action, LEAD)
    desk.activate(POLICY)
    assert refund(desk, order="o-2") == ["o-2", 150.0, ""]


@pytest.mark.parametrize("way", ["left", "closed", "viewer", "more are needed"])
def test_an_author_who_could_not_answer_any_more_answers_nothing(desk: Desk, way: str) -> None:
    stand(desk)
    refund(desk)
    leads = "leads: {people: [lead@example.com, second@example.com], need: 1"
    if way == "left":
        desk.activate(POLICY.replace(leads, "leads: {people: [second@example.com], need: 1"))
    elif way == "closed":
        account(desk, LEAD)
        account(desk, LEAD, active=False)
    elif way == "viewer":
        account(desk, LEAD)
        account(desk, LEAD, Role.VIEWER)
    else:
        desk.activate(POLICY.replace(leads, leads[:-1] + "2"))
    held(desk)
    desk.activate(POLICY)
    account(desk, LEAD)
    assert refund(desk, order="o-2") == ["o-2", 150.0, ""]


def test_nobody_stands_for_an_agent_that_works_for_them(desk: Desk) -> None:
    opened(desk, "mine", behalf=LEAD)
    stand(desk)
    held(desk, session="mine")
    assert refund(desk, order="o-2") == ["o-2", 150.0, ""]


def test_a_level_that_asks_can_be_answered_too(store_url: str, open_desk: Open) -> None:
    suggests = POLICY.replace("args.amount, starts: bounded", "args.amount, starts: suggest")
    desk = open_desk(store_url, suggests)
    stand(desk, steps=("level:suggest",))
    assert refund(desk, 10) == ["o-1", 10.0, ""]
    held(desk, 150)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"person": "stranger@example.com"}, "is not in leads"),
        ({"person": " "}, "is not in leads"),
        ({"person": "support"}, "can't approve what they propose"),
        ({"agent": "nobody"}, "does not let nobody use refund"),
        ({"tool": "wipe", "agent": "sales"}, "does not let sales use wipe"),
        ({"asks": frozenset()}, "must name what it answers"),
        ({"actions": 0}, "expected 1 to"),
        ({"actions": 10_001}, "expected 1 to"),
        ({"amount": None}, "say how much"),
        ({"amount": 0}, "say how much"),
        ({"amount": -5}, "say how much"),
        ({"expires_at": 1}, "within 90 days"),
        ({"reason": " "}, "needs a reason"),
    ],
)
def test_one_that_is_too_wide_is_refused(one_desk: Desk, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused, match=why):
        stand(one_desk, **changes)
    assert Kind.STANDING_MADE not in one_desk.kinds()
    assert stand(one_desk).left == 5


def test_it_can_not_last_longer_than_ninety_days(one_desk: Desk) -> None:
    now = one_desk.app.store.read(lambda tx: tx.now())
    with pytest.raises(Refused, match="within 90 days"):
        stand(one_desk, expires_at=now + 91 * 86_400_000)
    assert stand(one_desk, expires_at=now + 89 * 86_400_000).left == 5


def test_what_nobody_asks_so_can_not_be_answered(one_desk: Desk) -> None:
    [ask] = stand(one_desk).asks
    for other in (replace(ask, digest="0"), replace(ask, audience="heads"), replace(ask, step="ask:small")):
        with pytest.raises(Refused, match="nothing asks"):
            stand(one_desk, asks=frozenset({other}))


@pytest.mark.parametrize(
    "when", ["confidence > 0.5", "task == 't'", "session.id == 's'", "nonsense", "1 + 1"]
)
def test_a_condition_that_trusts_the_agent_or_makes_no_sense_is_refused(one_desk: Desk, when: str) -> None:
    with pytest.raises(PolicyError):
        stand(one_desk, when=when)
    assert stand(one_desk, when="amount < 200 && args.order.startsWith('o-')").when


def test_a_reason_that_no_store_can_keep_is_refused(one_desk: Desk) -> None:
    with pytest.raises(BadArguments):
        stand(one_desk, reason="nul \0")


def test_where_several_must_answer_nobody_stands_alone(store_url: str, open_desk: Open) -> None:
    desk = open_desk(store_url)
    with pytest.raises(Refused, match="answers with 2 people"):
        stand(desk, steps=("ask:pairs",))


@pytest.mark.parametrize(("actions", "amount", "runs"), [(20, 100_000, 20), (40, 1_500, 10)])
def test_eight_threads_never_use_more_than_was_approved(
    store_url: str, open_desk: Open, actions: int, amount: int, runs: int
) -> None:
    desk = open_desk(store_url)
    standing = stand(desk, actions=actions, amount=amount * UNIT)
    refund(desk, 1)

    def work(thread: int) -> list[bool]:
        return [_ran(desk, f"{thread}-{number}") for number in range(5)]

    with ThreadPoolExecutor(8) as pool:
        ran = sum(sum(each) for each in pool.map(work, range(8)))
    assert ran == runs
    assert left(desk, standing) == (actions - runs, (amount - 150 * runs) * UNIT)
    used = [entry for entry in desk.entries() if entry.kind is Kind.STANDING_USED]
    assert len(used) == runs
    assert len(desk.actions(State.HELD)) == 40 - runs


def _ran(desk: Desk, order: str) -> bool:
    try:
        refund(desk, 150, order=order)
    except Held:
        return False
    return True
