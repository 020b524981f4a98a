"""The store's contract for deliveries: planned once, sent by one at a time, never forgotten."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handrail.ports import Store, Transaction
from handrail.words.delivery import Delivery, DeliveryKind, DeliveryState
from tests.contract.conftest import Opener
from tests.contract.people_things import at_once, delivery
from tests.contract.things import AT, write

LEASE = AT + 1000


def planned(store: Store, new: Delivery) -> Delivery:
    assert write(store, lambda tx: tx.deliveries.add(new))
    return new


def take(store: Store, at: int = AT, limit: int = 9, lease: int = LEASE) -> list[Delivery]:
    return list(write(store, lambda tx: tx.deliveries.take(at, lease, limit)))


def of(store: Store, known: Delivery) -> Delivery:
    (found,) = store.read(lambda tx: tx.deliveries.of(known.subject))
    return found


def sending(known: Delivery, tries: int = 1, lease: int = LEASE) -> Delivery:
    return replace(known, state=DeliveryState.SENDING, tries=tries, lease_until=lease)


class TestPlanning:
    def test_it_comes_back_as_it_was_written(self, store: Store) -> None:
        """Every field."""
        full = delivery(
            kind=DeliveryKind.OUTCOME,
            state=DeliveryState.SENT,
            tries=2,
            reference="C1 17.5",
            error="slow",
            sent_at=AT,
        )
        for new in (delivery(), full):
            assert of(store, planned(store, new)) == new

    def test_the_same_is_planned_once(self, store: Store) -> None:
        """Another kind, subject or channel is another delivery."""
        new = planned(store, delivery())
        assert not write(store, lambda tx: tx.deliveries.add(replace(delivery(), subject=new.subject)))
        for change in ({"kind": DeliveryKind.ANSWERED}, {"channel": "notify:oncall"}, {"subject": "other"}):
            fields = {"subject": new.subject} | change
            planned(store, replace(delivery(), **fields))  # type: ignore[arg-type]
        assert len(store.read(lambda tx: tx.deliveries.of(new.subject))) == 3

    def test_a_plan_is_gone_with_its_transaction(self, store: Store) -> None:
        """Nobody is told of what did not happen."""
        new = delivery()

        def work(tx: Transaction) -> None:
            assert tx.deliveries.add(new)
            raise LookupError

        with pytest.raises(LookupError):
            write(store, work)
        assert take(store) == []


class TestSending:
    def test_what_is_due_is_leased_to_one_sender(self, store: Store) -> None:
        """Nobody else gets it meanwhile; what is due later, or done, stays."""
        new = [planned(store, delivery(due_at=AT - 1)), planned(store, delivery(due_at=AT))]
        planned(store, delivery(due_at=AT + 1))
        planned(store, delivery(state=DeliveryState.GAVE_UP))
        assert take(store) == [sending(each) for each in new]
        assert take(store) == []

    def test_the_one_that_is_due_first_goes_first(self, store: Store) -> None:
        """As many as are asked for."""
        new = [planned(store, delivery(due_at=AT - number)) for number in range(3)]
        assert [each.id for each in take(store, limit=2)] == [new[2].id, new[1].id]

    def test_a_lease_that_ended_is_anybodys(self, store: Store) -> None:
        """Its sender may have died; the tries are counted."""
        known = planned(store, delivery())
        take(store)
        assert take(store, at=LEASE - 1) == []
        assert take(store, at=LEASE, lease=LEASE + 5) == [sending(known, 2, LEASE + 5)]

    def test_what_was_sent_is_over(self, store: Store) -> None:
        """With what the channel calls it; a second report, or a late failure, changes nothing."""
        known = planned(store, delivery())
        take(store)
        write(store, lambda tx: tx.deliveries.sent(known.id, AT + 5, "C1 17.5"))
        sent = replace(known, state=DeliveryState.SENT, tries=1, reference="C1 17.5", sent_at=AT + 5)
        assert of(store, known) == sent
        write(store, lambda tx: tx.deliveries.sent(known.id, AT + 9, "again"))
        write(store, lambda tx: tx.deliveries.later(known.id, AT + 9, "late"))
        write(store, lambda tx: tx.deliveries.gave_up(known.id, AT + 9, "late"))
        assert of(store, known) == sent
        assert take(store, at=AT + 10_000) == []

    def test_what_could_not_be_sent_is_tried_later(self, store: Store) -> None:
        """Not before, and with the reason."""
        known = planned(store, delivery())
        take(store)
        write(store, lambda tx: tx.deliveries.later(known.id, AT + 50, "slack is down"))
        assert of(store, known) == replace(known, tries=1, due_at=AT + 50, error="slack is down")
        assert take(store, at=AT + 49) == []
        assert [each.tries for each in take(store, at=AT + 50)] == [2]

    def test_what_can_not_be_sent_is_given_up(self, store: Store) -> None:
        """It is kept with the reason, and never due again."""
        known = planned(store, delivery())
        take(store)
        write(store, lambda tx: tx.deliveries.gave_up(known.id, AT + 5, "no such channel"))
        found = of(store, known)
        assert (found.state, found.error) == (DeliveryState.GAVE_UP, "no such channel")
        assert take(store, at=AT + 10_000) == []

    def test_the_next_one_is_known(self, store: Store) -> None:
        """When it is due, or when its lease ends; None when nothing waits."""
        assert store.read(lambda tx: tx.deliveries.next_due()) is None
        known = planned(store, delivery(due_at=AT + 3))
        planned(store, delivery(due_at=AT + 5000))
        assert store.read(lambda tx: tx.deliveries.next_due()) == AT + 3
        take(store, at=AT + 3)
        assert store.read(lambda tx: tx.deliveries.next_due()) == LEASE
        write(store, lambda tx: tx.deliveries.sent(known.id, AT, None))
        assert store.read(lambda tx: tx.deliveries.next_due()) == AT + 5000

    def test_senders_that_come_at_once_never_get_the_same(self, store: Store) -> None:
        """Eight threads, forty deliveries, five at a time."""
        new = {planned(store, delivery()).id for _ in range(40)}

        def send() -> list[str]:
            got: list[str] = []
            while found := take(store, limit=5):
                got += [each.id for each in found]
            return got

        got = [each for thread in at_once(send) for each in thread]
        assert sorted(got) == sorted(new)

    def test_two_servers_never_get_the_same(self, opener: Opener) -> None:
        """Each with a store of its own on one database."""
        stores = [opener(), opener()]
        new = {planned(stores[0], delivery()).id for _ in range(30)}

        def send() -> list[str]:
            got: list[str] = []
            while found := [each.id for store in stores for each in take(store, limit=4)]:
                got += found
            return got

        got = [each for thread in at_once(send, threads=4) for each in thread]
        assert len(got) == len(set(got)) == 30
        assert set(got) == new


def test_a_list_is_newest_first_and_narrowed_by_state(store: Store) -> None:
    """For people who look what became of a message."""
    new = [planned(store, delivery(due_at=AT + number)) for number in range(3)]
    take(store, limit=1)
    assert [each.id for each in store.read(lambda tx: tx.deliveries.listing(None, 9))] == [
        each.id for each in reversed(new)
    ]
    assert [each.id for each in store.read(lambda tx: tx.deliveries.listing(DeliveryState.SENDING, 9))] == [
        new[0].id
    ]
    assert len(store.read(lambda tx: tx.deliveries.listing(None, 2))) == 2
