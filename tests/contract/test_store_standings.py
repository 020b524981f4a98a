"""The store's contract for standing approvals: whatever races for one, nothing is used up twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handrail.ports import Store, Transaction
from handrail.words.errors import StoreError
from handrail.words.standing import Standing
from tests.contract.people_things import at_once, standing
from tests.contract.things import AT, SOON, write


def kept(store: Store, new: Standing) -> Standing:
    write(store, lambda tx: tx.standings.add(new))
    return new


def take(store: Store, known: Standing, amount: int | None = 1, at: int = AT) -> bool:
    return write(store, lambda tx: tx.standings.take(known.id, amount, at))


def of(store: Store, known: Standing) -> Standing:
    found = store.read(lambda tx: tx.standings.get(known.id))
    assert found is not None
    return found


def test_it_comes_back_as_it_was_written(store: Store) -> None:
    """With every field, and without a condition and money."""
    for new in (standing(), standing(when=None, amount_left=None, verified=False)):
        assert of(store, kept(store, new)) == new
    assert store.read(lambda tx: tx.standings.get("x")) is None


class TestTaking:
    def test_each_use_counts_down(self, store: Store) -> None:
        """Actions and money, until one of them is used up."""
        known = kept(store, standing(left=3, amount_left=100))
        assert take(store, known, 60)
        assert of(store, known) == replace(known, left=2, amount_left=40)
        assert not take(store, known, 41)
        assert take(store, known, 40)
        assert take(store, known, 0)
        assert not take(store, known, 0)
        assert of(store, known) == replace(known, left=0, amount_left=0)

    def test_without_a_limit_of_money_only_actions_count(self, store: Store) -> None:
        """Whatever the amount is, known or not."""
        known = kept(store, standing(left=2, amount_left=None))
        assert take(store, known, 10**15)
        assert take(store, known, None)
        assert of(store, known) == replace(known, left=0)

    @pytest.mark.parametrize("amount", [None, -1])
    def test_an_amount_that_cannot_be_counted_is_not_taken(self, store: Store, amount: int | None) -> None:
        """Where money is limited; the twin is a known one."""
        known = kept(store, standing())
        assert not take(store, known, amount)
        assert of(store, known) == known
        assert take(store, known, 1)

    def test_time_is_tested_in_the_statement(self, store: Store) -> None:
        """To the millisecond."""
        known = kept(store, standing(expires_at=AT))
        assert not take(store, known, at=AT)
        assert take(store, known, at=AT - 1)

    def test_nothing_is_taken_after_it_was_revoked(self, store: Store) -> None:
        """It is revoked once; who did it, and when, is kept."""
        known = kept(store, standing())
        assert write(store, lambda tx: tx.standings.revoke(known.id, "ben", AT))
        assert not take(store, known)
        assert not write(store, lambda tx: tx.standings.revoke(known.id, "eve", AT + 1))
        assert of(store, known) == replace(known, revoked_at=AT, revoked_by="ben")
        assert not write(store, lambda tx: tx.standings.revoke("x", "ben", AT))

    @pytest.mark.parametrize("gone", [{"expires_at": AT}, {"left": 0}])
    def test_what_has_ended_is_not_revoked(self, store: Store, gone: dict[str, int]) -> None:
        """There is nothing to tell of."""
        known = kept(store, replace(standing(), **gone))  # type: ignore[arg-type]
        assert not write(store, lambda tx: tx.standings.revoke(known.id, "ben", AT))

    @pytest.mark.parametrize(
        ("limits", "taken"), [({"left": 5, "amount_left": None}, 5), ({"left": 99, "amount_left": 5}, 5)]
    )
    def test_eight_threads_never_overspend_it(
        self, store: Store, limits: dict[str, int | None], taken: int
    ) -> None:
        """As many uses as there are left, or as there is money for."""
        known = kept(store, replace(standing(), **limits))  # type: ignore[arg-type]
        found = at_once(lambda: [take(store, known, 1) for _ in range(3)])
        assert sum(map(sum, found)) == taken

    def test_a_claim_that_fails_gives_it_back(self, store: Store) -> None:
        """It is counted down in the transaction that starts the action, or not at all."""
        known = kept(store, standing())

        def work(tx: Transaction) -> None:
            assert tx.standings.take(known.id, 1, AT)
            raise LookupError

        with pytest.raises(LookupError):
            write(store, work)
        assert of(store, known) == known

    def test_a_row_below_zero_is_refused(self, store: Store) -> None:
        """By the database itself."""
        with pytest.raises(StoreError):
            kept(store, standing(left=-1))


def test_usable_ones_come_oldest_first(store: Store) -> None:
    """Of this agent's tool, in time, with something left, not revoked."""
    new = [kept(store, standing(made_at=AT + 2)), kept(store, standing(made_at=AT + 1))]
    for other in ({"agent": "sales"}, {"tool": "send_offer"}, {"expires_at": AT}, {"left": 0}):
        kept(store, replace(standing(), **other))
    revoked = kept(store, standing())
    write(store, lambda tx: tx.standings.revoke(revoked.id, "ben", AT))
    found = store.read(lambda tx: tx.standings.usable("support", "issue_refund", AT))
    assert found == new[::-1]


def test_the_list_leaves_out_what_has_ended_unless_it_is_asked_for(store: Store) -> None:
    """Newest first, by the database's clock."""
    live, old = kept(store, standing(expires_at=SOON)), kept(store, standing(made_at=AT + 1, expires_at=AT))
    used = kept(store, standing(made_at=AT + 2, left=0))
    assert store.read(lambda tx: tx.standings.listing(ended=False, limit=9)) == [live]
    assert store.read(lambda tx: tx.standings.listing(ended=True, limit=9)) == [used, old, live]
    assert store.read(lambda tx: tx.standings.listing(ended=True, limit=1)) == [used]
