"""The store's contract for what restricts: halts, grants, policy versions, and the number of changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from handrail.ports import Store, Transaction
from handrail.words.errors import StoreError
from handrail.words.level import Rung
from handrail.words.restriction import Activation, Grant, Halt
from tests.contract.things import AT, restrict

FILES = {"handrail.yaml": "handrail: 1\n# zażółć", "shared.yaml": "rules: []"}


def halt(tx: Transaction) -> None:
    tx.restrictions.halt("h-1", "support", None, "odd refunds", "ann", AT)


def grant(tx: Transaction) -> None:
    tx.restrictions.grant("support", "send_offer", "bounded", "it was right", "ann", AT)


def activate(tx: Transaction) -> None:
    tx.restrictions.add_policy("p" * 64, "handrail.yaml", FILES, AT)
    tx.restrictions.activate("p" * 64, "ann", "first", AT)


def test_a_new_store_restricts_nothing_and_has_a_generation(store: Store) -> None:
    """A number that is not 0, which stands for never read."""
    found = store.read(lambda tx: tx.restrictions.read())
    assert (found.policy, found.halts, dict(found.grants)) == (None, (), {})
    assert found.generation > 0
    assert store.read(lambda tx: tx.restrictions.generation()) == found.generation


@pytest.mark.parametrize("change", [halt, grant, activate])
def test_the_generation_grows_with_every_change(store: Store, change: Callable[[Transaction], None]) -> None:
    """And with nothing else."""
    before = store.read(lambda tx: tx.restrictions.generation())
    restrict(store, lambda tx: tx.restrictions.add_policy("q" * 64, "x", {}, AT))
    assert store.read(lambda tx: tx.restrictions.generation()) == before
    restrict(store, change)
    assert store.read(lambda tx: tx.restrictions.generation()) > before


def test_the_generation_is_read_anew_inside_a_write(store: Store) -> None:
    """A claim sees the change that was committed before it began, and its own."""
    before = restrict(store, lambda tx: tx.restrictions.generation())
    restrict(store, halt)

    def work(tx: Transaction) -> tuple[int, int]:
        first = tx.restrictions.generation()
        grant(tx)
        return first, tx.restrictions.generation()

    first, second = restrict(store, work)
    assert before < first < second


def test_a_change_that_was_rolled_back_changes_nothing(store: Store) -> None:
    """Neither the halt nor the generation."""
    before = store.read(lambda tx: tx.restrictions.read())

    def work(tx: Transaction) -> None:
        halt(tx)
        raise LookupError

    with pytest.raises(LookupError):
        restrict(store, work)
    assert store.read(lambda tx: tx.restrictions.read()) == before


def test_a_halt_is_in_force_until_it_is_lifted(store: Store) -> None:
    """It comes back as it was thrown; lifting it counts once and makes copies stale."""
    restrict(store, halt)
    found = store.read(lambda tx: tx.restrictions.read())
    assert found.halts == (Halt("h-1", "support", None, "odd refunds", "ann", AT),)
    assert restrict(store, lambda tx: tx.restrictions.lift("h-1", "looked", "bob", AT + 1))
    after = store.read(lambda tx: tx.restrictions.read())
    assert after.halts == ()
    assert after.generation > found.generation
    assert not restrict(store, lambda tx: tx.restrictions.lift("h-1", "again", "bob", AT + 2))
    assert not restrict(store, lambda tx: tx.restrictions.lift("no", "x", "bob", AT))


def test_halts_come_oldest_first(store: Store) -> None:
    """All of them."""
    for number, at in (("b", AT + 1), ("a", AT), ("c", AT + 1)):
        restrict(store, lambda tx, n=number, t=at: tx.restrictions.halt(n, None, None, "x", "ann", t))  # type: ignore[misc]
    assert [each.id for each in store.read(lambda tx: tx.restrictions.read()).halts] == ["a", "b", "c"]


def test_a_grant_is_the_last_word(store: Store) -> None:
    """One row for an agent's tool, marked as set by hand."""
    restrict(store, grant)
    restrict(store, lambda tx: tx.restrictions.grant("support", "send_offer", "shadow", "no", "bob", AT + 1))
    found = store.read(lambda tx: tx.restrictions.read()).grants
    expected = Grant("support", "send_offer", Rung.SHADOW, AT + 1, "bob", "no", override=True)
    assert found == {("support", "send_offer"): expected}


def test_a_rung_that_does_not_exist_is_not_stored(store: Store) -> None:
    """The table itself refuses it."""
    with pytest.raises(StoreError):
        restrict(store, lambda tx: tx.restrictions.grant("support", "x", "godlike", "y", "bob", AT))
    assert dict(store.read(lambda tx: tx.restrictions.read()).grants) == {}


def test_a_policy_version_is_kept_by_its_digest_once(store: Store) -> None:
    """Text for text; a second writing of the same digest changes nothing."""
    restrict(store, activate)
    restrict(store, lambda tx: tx.restrictions.add_policy("p" * 64, "other", {}, AT))
    assert store.read(lambda tx: tx.restrictions.policy("p" * 64)) == ("handrail.yaml", FILES)
    assert store.read(lambda tx: tx.restrictions.policy("q" * 64)) is None


def test_the_newest_activation_is_the_running_version(store: Store) -> None:
    """Going back to an older version is an activation too; the history is newest first."""
    restrict(store, activate)
    restrict(store, lambda tx: tx.restrictions.add_policy("q" * 64, "handrail.yaml", FILES, AT))
    restrict(store, lambda tx: tx.restrictions.activate("q" * 64, "bob", "second", AT + 1))
    assert store.read(lambda tx: tx.restrictions.read()).policy == "q" * 64
    restrict(store, lambda tx: tx.restrictions.activate("p" * 64, "bob", "back", AT + 2))
    assert store.read(lambda tx: tx.restrictions.read()).policy == "p" * 64
    assert store.read(lambda tx: tx.restrictions.activations(2)) == [
        Activation("p" * 64, AT + 2, "bob", "back"),
        Activation("q" * 64, AT + 1, "bob", "second"),
    ]


def test_a_version_that_is_not_stored_can_not_be_activated(store: Store) -> None:
    """Nobody could run it."""
    with pytest.raises(StoreError):
        restrict(store, lambda tx: tx.restrictions.activate("z" * 64, "ann", "x", AT))
    assert store.read(lambda tx: tx.restrictions.read()).policy is None


def test_a_setting_of_the_store_is_written_once(store: Store) -> None:
    """The first value stays."""
    assert store.read(lambda tx: tx.restrictions.meta("key")) is None
    restrict(store, lambda tx: tx.restrictions.set_meta("key", "first"))
    restrict(store, lambda tx: tx.restrictions.set_meta("key", "second"))
    assert store.read(lambda tx: tx.restrictions.meta("key")) == "first"
