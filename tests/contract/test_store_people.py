"""The store's contract for people: accounts, one-time links, sign-ins, failed attempts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handrail.ports import Store, Transaction
from handrail.words.errors import Conflict, StoreError
from handrail.words.person import Person, Purpose, Role, SignIn
from tests.contract.people_things import at_once, generation, link, person, reviewer, sign_in
from tests.contract.things import AT, SOON, restrict, write


def get(store: Store, address: str = "ann@example.com") -> Person | None:
    return store.read(lambda tx: tx.people.get(address))


def added(store: Store, new: Person) -> Person:
    assert write(store, lambda tx: tx.people.add(new))
    return new


class TestAccounts:
    @pytest.mark.parametrize("new", [person(), reviewer("ann@example.com")])
    def test_an_account_comes_back_as_it_was_written(self, store: Store, new: Person) -> None:
        """With every field filled in, and with the fewest."""
        assert get(store) is None
        added(store, new)
        assert get(store) == new
        assert write(store, lambda tx: tx.people.lock(new.id)) == new

    def test_an_address_has_one_account(self, store: Store) -> None:
        """The second changes nothing; another address is another account."""
        new = added(store, person())
        second = replace(reviewer(new.id), name="Mallory")
        assert not write(store, lambda tx: tx.people.add(second))
        assert get(store) == new
        added(store, reviewer())
        assert [each.id for each in store.read(lambda tx: tx.people.listing())] == [
            "ann@example.com",
            "ben@example.com",
        ]

    def test_a_sign_on_and_a_slack_member_lead_to_their_account(self, store: Store) -> None:
        """And to nobody for others."""
        new = added(store, person())
        assert store.read(lambda tx: tx.people.by_oidc("https://id.example.com 42")) == new
        assert store.read(lambda tx: tx.people.by_oidc("https://evil.example.com 42")) is None
        assert store.read(lambda tx: tx.people.by_slack("T1 U1")) == new
        assert store.read(lambda tx: tx.people.by_slack("T1 U2")) is None

    @pytest.mark.parametrize("field", ["oidc", "slack"])
    def test_nobody_takes_over_what_is_anothers(self, store: Store, field: str) -> None:
        """Neither when an account is made nor when it is saved; one's own is fine."""
        ann, ben = added(store, person()), added(store, reviewer())
        taken = {field: getattr(ann, field)}
        with pytest.raises(Conflict):
            write(store, lambda tx: tx.people.add(replace(reviewer("eve@example.com"), **taken)))
        with pytest.raises(Conflict):
            write(store, lambda tx: tx.people.save(replace(ben, **taken)))
        write(store, lambda tx: tx.people.save(replace(ann, name="Anna")))
        assert get(store) == replace(ann, name="Anna")

    def test_saving_writes_every_field(self, store: Store) -> None:
        """From everything to nothing and back; one who is not there stays away."""
        full = added(store, person())
        bare = replace(reviewer(full.id), active=False)
        for version in (bare, full):
            restrict(store, lambda tx, version=version: tx.people.save(version))  # type: ignore[misc]
            assert get(store) == version
        restrict(store, lambda tx: tx.people.save(reviewer("nobody@example.com")))
        assert get(store, "nobody@example.com") is None

    def test_only_active_admins_count(self, store: Store) -> None:
        """The last one may not go, so the number must be right."""
        assert store.read(lambda tx: tx.people.admins()) == 0
        ann = added(store, person())
        added(store, reviewer())
        assert store.read(lambda tx: tx.people.admins()) == 1
        restrict(store, lambda tx: tx.people.save(replace(ann, active=False)))
        assert store.read(lambda tx: tx.people.admins()) == 0

    @pytest.mark.parametrize(
        "change", [{"role": Role.VIEWER}, {"active": False}, {"away_until": None}, {"away_until": SOON + 1}]
    )
    def test_what_says_whose_word_counts_makes_every_copy_stale(
        self, store: Store, change: dict[str, object]
    ) -> None:
        """Role, activity and absence."""
        ann = added(store, person())
        before = generation(store)
        restrict(store, lambda tx: tx.people.save(replace(ann, **change)))  # type: ignore[arg-type]
        assert generation(store) > before

    @pytest.mark.parametrize(
        "change", [{"name": "Anna"}, {"password": "x"}, {"totp_step": 8}, {"totp": None}]
    )
    def test_the_rest_of_an_account_makes_nothing_stale(
        self, store: Store, change: dict[str, object]
    ) -> None:
        """A sign-in must not wait for claims, nor claims for it."""
        ann = added(store, person())
        before = generation(store)
        write(store, lambda tx: tx.people.save(replace(ann, **change)))  # type: ignore[arg-type]
        assert get(store) == replace(ann, **change)  # type: ignore[arg-type]
        assert generation(store) == before


class TestLinks:
    def test_a_link_works_once(self, store: Store) -> None:
        """Whoever comes second, or with another secret, finds nothing."""
        new = link()
        write(store, lambda tx: tx.people.add_link(new))
        assert store.read(lambda tx: tx.people.peek_link(new.digest, AT)) == new
        assert write(store, lambda tx: tx.people.take_link("x", AT)) is None
        assert write(store, lambda tx: tx.people.take_link(new.digest, AT)) == new
        assert write(store, lambda tx: tx.people.take_link(new.digest, AT)) is None
        assert store.read(lambda tx: tx.people.peek_link(new.digest, AT)) is None

    def test_a_link_works_until_its_time_is_over(self, store: Store) -> None:
        """To the millisecond."""
        new = link(expires_at=AT + 10)
        write(store, lambda tx: tx.people.add_link(new))
        assert write(store, lambda tx: tx.people.take_link(new.digest, AT + 10)) is None
        assert store.read(lambda tx: tx.people.peek_link(new.digest, AT + 10)) is None
        assert write(store, lambda tx: tx.people.take_link(new.digest, AT + 9)) == new

    def test_of_those_who_come_at_once_one_is_first(self, store: Store) -> None:
        """Eight threads, one link."""
        new = link(purpose=Purpose.SETUP, person=None)
        write(store, lambda tx: tx.people.add_link(new))
        found = at_once(lambda: write(store, lambda tx: tx.people.take_link(new.digest, AT)))
        assert sorted(each is not None for each in found) == [False] * 7 + [True]

    @pytest.mark.parametrize("whose", ["ann@example.com", None])
    def test_the_links_of_a_person_end_together(self, store: Store, whose: str | None) -> None:
        """And nobody else's; None is the first admin, who has no account yet."""
        mine, other = link(person=whose), link(person="ben@example.com")
        for each in (mine, other):
            write(store, lambda tx, each=each: tx.people.add_link(each))  # type: ignore[misc]
        write(store, lambda tx: tx.people.end_links(whose))
        assert store.read(lambda tx: tx.people.peek_link(mine.digest, AT)) is None
        assert store.read(lambda tx: tx.people.peek_link(other.digest, AT)) == other


def known(store: Store, digest: str) -> SignIn | None:
    """The sign-in with this cookie, with its person."""
    found = store.read(lambda tx: tx.people.signed_in([digest]))
    if digest not in found:
        return None
    sign_in, person = found[digest]
    assert sign_in.person == person.id
    return sign_in


class TestSignIns:
    def test_a_sign_in_is_found_by_its_cookie(self, store: Store) -> None:
        """And no other cookie's."""
        added(store, person())
        new = sign_in()
        write(store, lambda tx: tx.people.open(new))
        assert known(store, new.digest) == new
        assert known(store, "x") is None

    def test_many_are_found_at_once_but_not_those_of_closed_accounts(self, store: Store) -> None:
        """Each with its own person."""
        people = [added(store, person()), added(store, reviewer())]
        open_ones = [sign_in(person=each.id) for each in people for _ in range(2)]
        for each in open_ones:
            write(store, lambda tx, each=each: tx.people.open(each))  # type: ignore[misc]
        digests = [each.digest for each in open_ones]
        expected = {each.digest: (each, who) for each in open_ones for who in people if who.id == each.person}
        assert store.read(lambda tx: tx.people.signed_in([*digests, "x"])) == expected
        assert store.read(lambda tx: tx.people.signed_in([])) == {}
        write(store, lambda tx: tx.people.save(replace(people[0], active=False)))
        left = {digest: found for digest, found in expected.items() if found[1] == people[1]}
        assert store.read(lambda tx: tx.people.signed_in(digests)) == left

    def test_it_lives_on_while_it_is_used_and_gets_its_second_factor(self, store: Store) -> None:
        """Each changes its own part."""
        added(store, person())
        new, other = sign_in(), sign_in()
        for each in (new, other):
            write(store, lambda tx, each=each: tx.people.open(each))  # type: ignore[misc]
        write(store, lambda tx: tx.people.saw(new.id, AT + 5, AT + 2000))
        seen = replace(new, seen_at=AT + 5, expires_at=AT + 2000)
        assert known(store, new.digest) == seen
        write(store, lambda tx: tx.people.passed(new.id))
        assert known(store, new.digest) == replace(seen, second_factor=True)
        assert known(store, other.digest) == other

    def test_a_person_is_signed_out_in_one_browser_or_in_all(self, store: Store) -> None:
        """Never another person: not even by naming their sign-in."""
        added(store, person())
        added(store, reviewer())
        mine = [sign_in(opened_at=AT + number) for number in range(3)]
        bens = sign_in(person="ben@example.com")
        for each in (*mine, bens):
            write(store, lambda tx, each=each: tx.people.open(each))  # type: ignore[misc]
        assert store.read(lambda tx: tx.people.sign_ins("ann@example.com")) == mine[::-1]
        assert write(store, lambda tx: tx.people.close("ann@example.com", bens.id)) == 0
        assert write(store, lambda tx: tx.people.close("ann@example.com", mine[0].id)) == 1
        assert known(store, mine[0].digest) is None
        assert write(store, lambda tx: tx.people.close("ann@example.com")) == 2
        assert write(store, lambda tx: tx.people.close("ann@example.com")) == 0
        assert known(store, bens.digest) == bens

    def test_nobody_is_signed_in_without_an_account(self, store: Store) -> None:
        """The database itself refuses; the twin has one."""
        with pytest.raises(StoreError):
            write(store, lambda tx: tx.people.open(sign_in()))
        added(store, person())
        write(store, lambda tx: tx.people.open(sign_in()))


def test_failed_attempts_are_counted_by_subject_and_time(store: Store) -> None:
    """Each on its own, from a moment on."""

    def work(tx: Transaction) -> list[int]:
        for at in (AT, AT + 1, AT + 2):
            tx.people.tried("ann", at)
        tx.people.tried("10.0.0.1", AT)
        return [tx.people.tries("ann", AT + 1), tx.people.tries("10.0.0.1", AT), tx.people.tries("ben", 0)]

    assert write(store, work) == [2, 1, 0]


def test_what_ended_long_ago_is_forgotten(store: Store) -> None:
    """Attempts, used and old links, old sign-ins; what still counts stays."""
    added(store, person())
    old_link, used, fresh = link(expires_at=AT), link(expires_at=SOON), link(expires_at=SOON)
    old, new = sign_in(expires_at=AT), sign_in(expires_at=SOON)

    def work(tx: Transaction) -> int:
        for each in (old_link, used, fresh):
            tx.people.add_link(each)
        tx.people.take_link(used.digest, AT)
        for each_in in (old, new):
            tx.people.open(each_in)
        tx.people.tried("ann", AT)
        tx.people.tried("ann", AT + 1)
        return tx.people.forget(AT + 1)

    assert write(store, work) == 4
    assert store.read(lambda tx: tx.people.sign_ins("ann@example.com")) == [new]
    assert store.read(lambda tx: tx.people.peek_link(fresh.digest, AT)) == fresh
    assert store.read(lambda tx: tx.people.tries("ann", 0)) == 1


def test_who_has_a_question_open_is_told_to_the_others_for_a_while(store: Store) -> None:
    """By name; not to themselves, not of another question, not once the time is over or they left."""
    people = [replace(reviewer(f"{name}@example.com"), name=name) for name in ("Ann", "Bea", "Cis")]
    ann, bea, cis = (each.id for each in people)

    def work(tx: Transaction) -> None:
        for each in people:
            tx.people.add(each)
        tx.people.look("q1", ann, AT + 5)
        tx.people.look("q1", bea, AT + 9)
        tx.people.look("q2", cis, AT + 9)
        tx.people.look("q1", ann, AT + 7)

    def told(approval: str, who: str, at: int) -> list[str]:
        return list(store.read(lambda tx: tx.people.lookers(approval, who, at)))

    write(store, work)
    assert told("q1", bea, AT) == ["Ann"]
    assert told("q1", cis, AT) == ["Ann", "Bea"]
    assert told("q2", cis, AT) == []
    assert told("q1", cis, AT + 7) == ["Bea"]
    assert store.read(lambda tx: (tx.people.looks_until("q1", ann), tx.people.looks_until("q2", ann))) == (
        AT + 7,
        0,
    )
    write(store, lambda tx: tx.people.look_away("q1", bea))
    assert told("q1", cis, AT) == ["Ann"]
    restrict(store, lambda tx: tx.people.save(replace(people[0], active=False)))
    assert told("q1", cis, AT) == []
    assert write(store, lambda tx: tx.people.forget_lookers(AT + 7)) == 1
    assert write(store, lambda tx: tx.people.forget_lookers(AT + 9)) == 1
