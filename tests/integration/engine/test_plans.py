"""What channels are to tell is planned in the transaction of what they tell of: once, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from handrail.app import operator
from handrail.engine.cancel import cancel
from handrail.engine.jobs import expire
from handrail.engine.restrict import halt, lift
from handrail.ports import Transaction
from handrail.words.approval import ApprovalState, Choice
from handrail.words.delivery import Delivery, DeliveryKind, DeliveryState
from handrail.words.errors import Denied
from tests.integration.engine.asking import held, refund
from tests.integration.engine.conftest import Open
from tests.integration.engine.test_edits import BIG, SMALL, edited
from tests.support.rail import HEAD, LEAD, POLICY, Desk

VIA = (
    POLICY.replace(
        "second@example.com], need: 1", 'second@example.com], via: ["slack:#a", "slack:#b"], need: 1'
    )
    .replace("second@example.com], need: 2", 'second@example.com], via: ["slack:#b"], need: 2')
    .replace(
        "people: [head@example.com], need: 1", 'people: [head@example.com], via: ["notify:heads"], need: 1'
    )
    + "alerts: {to: [heads]}\n"
)
A, B, HEADS = "slack:#a", "slack:#b", "notify:heads"
ASKED, CLOSED, OUTCOME = DeliveryKind.ASKED, DeliveryKind.ANSWERED, DeliveryKind.OUTCOME


@pytest.fixture
def desk(store_url: str, open_desk: Open) -> Desk:
    """A desk whose groups have channels, over each store."""
    return open_desk(store_url, VIA)


def planned(desk: Desk, subject: str | None = None) -> list[tuple[DeliveryKind, str]]:
    """What is to be told of a subject, or of everything."""

    def work(tx: Transaction) -> list[Delivery]:
        return list(tx.deliveries.listing(None, 99) if subject is None else tx.deliveries.of(subject))

    found = desk.app.store.read(work)
    assert all(each.state is DeliveryState.DUE for each in found)
    return sorted((each.kind, each.channel) for each in found)


def test_every_group_that_is_asked_is_told_once_a_channel(desk: Desk) -> None:
    pairs = desk.question(held(desk, reason="pairs"))
    assert planned(desk, pairs.id) == [(ASKED, A), (ASKED, B)]
    legal = desk.question(held(desk, reason="legal", order="o-2"))
    assert planned(desk, legal.id) == [(ASKED, HEADS), (ASKED, A), (ASKED, B)]
    assert refund(desk, 10) == ["o-1", 10.0, ""]
    assert len(planned(desk)) == 5


def test_who_was_told_of_a_question_is_told_of_its_answer_and_of_what_became_of_it(desk: Desk) -> None:
    action = held(desk)
    question = desk.question(action).id
    desk.vote(action)
    assert planned(desk, question) == [(CLOSED, A), (CLOSED, B), (ASKED, A), (ASKED, B)]
    desk.rail.resume(action)
    assert planned(desk, question)[-2:] == [(OUTCOME, A), (OUTCOME, B)]
    assert len(planned(desk)) == 6


@pytest.mark.parametrize(
    "end",
    [
        lambda desk, action: desk.vote(action, LEAD, Choice.REJECT),
        lambda desk, action: cancel(desk.app.engine, action, LEAD, "no"),
        lambda desk, action: edited(desk, action, SMALL),
    ],
)
def test_however_a_question_ends_its_messages_are_brought_up_to_date(
    desk: Desk, end: Callable[[Desk, str], object]
) -> None:
    action = held(desk)
    question = desk.question(action).id
    end(desk, action)
    assert planned(desk, question) == [(CLOSED, A), (CLOSED, B), (ASKED, A), (ASKED, B)]


def test_a_question_that_goes_on_to_the_next_group_is_told_there_and_updated_everywhere(desk: Desk) -> None:
    action = held(desk)
    question = desk.question(action).id
    desk.sql("update seats set expires_at = 1")
    expire(desk.app.engine)
    assert planned(desk, question) == [(ASKED, HEADS), (ASKED, A), (ASKED, B)]
    desk.vote(action, HEAD)
    assert [channel for kind, channel in planned(desk, question) if kind is CLOSED] == [HEADS, A, B]


def test_what_was_edited_is_told_where_its_first_question_was(desk: Desk) -> None:
    first, second = held(desk), held(desk, order="o-2")
    alone, asked = edited(desk, first, SMALL), edited(desk, second, {**BIG, "reason": "legal"})
    old = desk.question(first).id
    desk.rail.resume(alone.id)
    assert planned(desk, old)[-2:] == [(OUTCOME, A), (OUTCOME, B)]
    new = desk.question(asked.id)
    assert new.state is ApprovalState.OPEN
    assert planned(desk, new.id) == [(ASKED, HEADS), (ASKED, A), (ASKED, B)]


def test_what_was_approved_and_never_ran_has_an_outcome_too(desk: Desk) -> None:
    expired, cancelled, refused = (held(desk, order=f"o-{number}") for number in range(3))
    for action in (expired, cancelled, refused):
        desk.vote(action)
    cancel(desk.app.engine, cancelled, LEAD, "no")
    halt(desk.app.engine, "odd", LEAD, tool="refund")
    with pytest.raises(Denied):
        desk.rail.resume(refused)
    desk.sql("update actions set expires_at = 1")
    expire(desk.app.engine)
    for action in (expired, cancelled, refused):
        assert planned(desk, desk.question(action).id)[-2:] == [(OUTCOME, A), (OUTCOME, B)]


def test_a_halt_and_its_end_are_told_to_who_is_to_be_alerted(desk: Desk) -> None:
    thrown, _ = halt(desk.app.engine, "odd", LEAD)
    assert planned(desk, thrown) == [(DeliveryKind.HALTED, HEADS)]
    lift(desk.app.engine, thrown, "well", HEAD)
    assert planned(desk, thrown) == [(DeliveryKind.HALTED, HEADS), (DeliveryKind.LIFTED, HEADS)]


def test_a_halt_by_a_process_that_has_not_read_the_policy_is_told_too(desk: Desk) -> None:
    thrown, _ = halt(operator(desk.app.store), "odd", LEAD)
    assert planned(desk, thrown) == [(DeliveryKind.HALTED, HEADS)]


def test_a_halt_under_a_policy_that_can_not_be_read_still_halts(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    engine = operator(desk.app.store)

    def unreadable(name: str, files: object) -> object:
        raise Denied(f"{name} can't be read", "")

    engine.load = unreadable  # type: ignore[assignment]
    thrown, _ = halt(engine, "odd", LEAD)
    assert planned(desk, thrown) == []
    assert "nobody is alerted" in caplog.text
    with pytest.raises(Denied, match="is stopped"):
        refund(desk, 10)


def test_where_no_group_has_a_channel_nothing_is_planned(store_url: str, open_desk: Open) -> None:
    desk = open_desk(store_url)
    action = held(desk)
    desk.vote(action)
    desk.rail.resume(action)
    halt(desk.app.engine, "odd", LEAD)
    assert planned(desk) == []


def test_a_question_for_anyone_is_told_to_every_group(store_url: str, open_desk: Open) -> None:
    desk = open_desk(store_url, VIA.replace("args.amount, starts: bounded", "args.amount, starts: suggest"))
    question = desk.question(held(desk, 10)).id
    assert planned(desk, question) == [(ASKED, HEADS), (ASKED, A), (ASKED, B)]
