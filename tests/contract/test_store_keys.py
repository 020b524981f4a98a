"""The store's contract for keys of programs, and for schemas of tools that run elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handrail.ports import Store
from handrail.words.errors import Conflict
from handrail.words.person import Key, KeyKind
from tests.contract.people_things import at_once, generation, key, schema
from tests.contract.things import AT, restrict, write

MINUTE = 60_000


def kept(store: Store, new: Key) -> Key:
    write(store, lambda tx: tx.keys.add(new))
    return new


def of(store: Store, known: Key) -> Key:
    found = store.read(lambda tx: tx.keys.get(known.id))
    assert found is not None
    return found


class TestKeys:
    def test_a_key_comes_back_as_it_was_written(self, store: Store) -> None:
        """Bare and full; unknown ones are not there."""
        bare = kept(store, key())
        full = key(
            kind=KeyKind.SERVICE,
            agents=("support", "sales"),
            opens_sessions=False,
            made_at=AT + 1,
            expires_at=AT + 9,
            used_at=AT + 2,
            revoked_at=AT + 3,
            replaces=bare.id,
        )
        kept(store, full)
        assert [of(store, bare), of(store, full)] == [bare, full]
        assert store.read(lambda tx: tx.keys.get("x")) is None
        assert store.read(lambda tx: tx.keys.listing()) == [full, bare]
        with pytest.raises(Conflict):
            kept(store, replace(key(), id=bare.id))

    def test_its_use_is_written_once_a_minute(self, store: Store) -> None:
        """A thousand calls in one are one write, and no restriction."""
        known = kept(store, key())
        before = generation(store)
        for at, seen in [(AT, AT), (AT + MINUTE - 1, AT), (AT + MINUTE, AT + MINUTE)]:
            write(store, lambda tx, at=at: tx.keys.used(known.id, at))  # type: ignore[misc]
            assert of(store, known).used_at == seen
        assert generation(store) == before

    def test_a_key_is_revoked_once(self, store: Store) -> None:
        """The second, one that had ended by itself, and one that nobody knows are not."""
        known, ended = kept(store, key()), kept(store, key(expires_at=AT))
        before = generation(store)
        assert not restrict(store, lambda tx: tx.keys.revoke(ended.id, AT))
        assert not restrict(store, lambda tx: tx.keys.revoke("x", AT))
        assert restrict(store, lambda tx: tx.keys.revoke(known.id, AT))
        assert not restrict(store, lambda tx: tx.keys.revoke(known.id, AT + 1))
        assert of(store, known).revoked_at == AT
        assert generation(store) > before

    def test_an_end_only_comes_nearer(self, store: Store) -> None:
        """And a revoked key has had its end."""
        known = kept(store, key())
        before = generation(store)
        for at, end in [(AT + 9, AT + 9), (AT + 5, AT + 5), (AT + 9, AT + 5)]:
            assert restrict(store, lambda tx, at=at: tx.keys.expire(known.id, at))  # type: ignore[misc]
            assert of(store, known).expires_at == end
        assert generation(store) > before
        assert not restrict(store, lambda tx: tx.keys.expire("x", AT))
        restrict(store, lambda tx: tx.keys.revoke(known.id, AT))
        assert not restrict(store, lambda tx: tx.keys.expire(known.id, AT))

    def test_of_those_who_revoke_at_once_one_is_first(self, store: Store) -> None:
        """So that the journal tells of it once."""
        known = kept(store, key())
        found = at_once(lambda: restrict(store, lambda tx: tx.keys.revoke(known.id, AT)))
        assert sorted(found) == [False] * 7 + [True]


class TestToolbox:
    def test_a_version_is_known_once(self, store: Store) -> None:
        """Again changes nothing, and makes nothing stale: hosts register whenever they start."""
        first = schema()
        assert restrict(store, lambda tx: tx.toolbox.add(first))
        before = generation(store)
        assert not restrict(store, lambda tx: tx.toolbox.add(replace(first, schema="{}")))
        assert generation(store) == before
        assert store.read(lambda tx: tx.toolbox.get(first.tool, first.binding)) == first
        assert store.read(lambda tx: tx.toolbox.get(first.tool, "x")) is None

    def test_a_changed_version_waits_until_it_is_accepted_instead(self, store: Store) -> None:
        """At most one version of a tool is pinned; other tools stay as they are."""
        first, other = schema(), schema(tool="crm_write")
        second = schema(binding="c" * 64, registered_at=AT + 1, accepted_at=None, accepted_by=None)
        restrict(store, lambda tx: [tx.toolbox.add(each) for each in (first, second, other)])
        assert store.read(lambda tx: tx.toolbox.pinned()) == [first, other]
        before = generation(store)
        assert restrict(store, lambda tx: tx.toolbox.accept(first.tool, second.binding, "ann", AT + 2))
        assert generation(store) > before
        pinned = replace(second, accepted_at=AT + 2, accepted_by="ann")
        waiting = replace(first, accepted_at=None, accepted_by=None)
        assert store.read(lambda tx: tx.toolbox.pinned()) == [pinned, other]
        assert store.read(lambda tx: tx.toolbox.listing()) == [pinned, waiting, other]

    def test_only_a_known_version_can_be_accepted(self, store: Store) -> None:
        """Else the pinned one stays pinned."""
        first = schema()
        restrict(store, lambda tx: tx.toolbox.add(first))
        assert not restrict(store, lambda tx: tx.toolbox.accept(first.tool, "x", "ann", AT))
        assert not restrict(store, lambda tx: tx.toolbox.accept("x", first.binding, "ann", AT))
        assert store.read(lambda tx: tx.toolbox.pinned()) == [first]

    def test_two_versions_are_never_pinned(self, store: Store) -> None:
        """The database itself refuses what two hosts pinned at once."""
        restrict(store, lambda tx: tx.toolbox.add(schema()))
        with pytest.raises(Conflict):
            restrict(store, lambda tx: tx.toolbox.add(schema(binding="c" * 64)))
        assert restrict(store, lambda tx: tx.toolbox.add(schema(binding="c" * 64, accepted_at=None)))
