"""Accounts over each store: who comes in by which link, what ends what, and that an admin always remains."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest

from handrail.engine.core import Engine
from handrail.engine.identity import accounts, sign_ins
from handrail.ports import Commit
from handrail.words.entry import Kind
from handrail.words.errors import BadArguments, Conflict, NotFound, Refused
from handrail.words.person import Link, Person, Purpose, Role, SignIn
from tests.support.rail import Desk

MOST = 5
ANNA, BEN = "anna@example.com", "ben@example.com"
HASH = "$argon2id$not-really"


@pytest.fixture
def engine(desk: Desk) -> Engine:
    return desk.app.engine


def admin(engine: Engine, person: str = ANNA) -> Person:
    """The first admin, who came by the first link."""
    accounts.first_link(engine, "first")
    return accounts.use_link(engine, "first", HASH, person=person, name="Anna")


def found(engine: Engine, person: str) -> Person:
    """The account as the store has it."""
    kept = engine.store.read(lambda tx: tx.people.get(person))
    assert kept is not None
    return kept


def came(engine: Engine, person: Person, digest: str) -> SignIn:
    """A sign-in of a person."""
    return sign_ins.open_sign_in(
        engine, person, digest, second_factor=False, address="192.0.2.1", browser="x", how="a test"
    )


def test_the_first_link_makes_an_admin_once(engine: Engine) -> None:
    assert accounts.first_link(engine, "first")
    made = accounts.use_link(engine, "first", HASH, person=" Anna@Example.com ", name="Anna")
    assert (made.id, made.role, made.password) == (ANNA, Role.ADMIN, HASH)
    with pytest.raises(NotFound, match="does not work any more"):
        accounts.use_link(engine, "first", HASH, person=BEN)


def test_the_first_link_opens_an_account_that_is_there_and_everybody_learns_whose_word_counts(
    engine: Engine,
) -> None:
    accounts.invite(engine, BEN, "Ben", Role.VIEWER, "ben", ANNA)
    accounts.set_active(engine, BEN, active=False, by=ANNA)
    accounts.first_link(engine, "first")
    before = engine.store.read(lambda tx: tx.restrictions.generation())
    made = accounts.use_link(engine, "first", HASH, person=BEN)
    assert (made.role, made.active, made.password) == (Role.ADMIN, True, HASH)
    assert found(engine, BEN) == made
    assert engine.store.read(lambda tx: tx.restrictions.generation()) > before


def test_with_an_admin_there_is_no_first_link(engine: Engine) -> None:
    admin(engine)
    assert not accounts.first_link(engine, "second")


def test_two_first_links_make_one_admin(engine: Engine) -> None:
    accounts.first_link(engine, "one")
    accounts.first_link(engine, "two")
    accounts.use_link(engine, "one", HASH, person=ANNA)
    with pytest.raises(Refused, match="there is an admin already"):
        accounts.use_link(engine, "two", HASH, person=BEN)
    assert engine.store.read(lambda tx: tx.people.get(BEN)) is None


def test_an_invitation_lets_its_person_in(engine: Engine) -> None:
    accounts.invite(engine, BEN, "Ben", Role.REVIEWER, "ben", ANNA)
    assert found(engine, BEN).password is None
    assert accounts.use_link(engine, "ben", HASH).id == BEN
    assert found(engine, BEN).password == HASH


def test_a_link_whose_time_is_over_does_not_work(desk: Desk, engine: Engine) -> None:
    accounts.invite(engine, BEN, "Ben", Role.REVIEWER, "ben", ANNA)
    desk.sql("update links set expires_at = 1")
    with pytest.raises(NotFound):
        accounts.use_link(engine, "ben", HASH)
    assert found(engine, BEN).password is None


def test_a_code_for_slack_sets_no_password(engine: Engine) -> None:
    admin(engine)
    link = Link("code", Purpose.SLACK, ANNA, 0, 10**15, ANNA)
    engine.store.write(Commit.PERSON, lambda tx: tx.people.add_link(link))
    with pytest.raises(NotFound):
        accounts.use_link(engine, "code", "another")
    assert found(engine, ANNA).password == HASH


def test_nobody_is_invited_twice(engine: Engine) -> None:
    accounts.invite(engine, BEN, "Ben", Role.REVIEWER, "ben", ANNA)
    with pytest.raises(Conflict, match="has an account already"):
        accounts.invite(engine, BEN.upper(), "Ben", Role.ADMIN, "again", ANNA)
    assert found(engine, BEN).role is Role.REVIEWER


def test_a_new_link_ends_the_one_before(engine: Engine) -> None:
    admin(engine)
    accounts.reset_link(engine, ANNA, "one", ANNA)
    accounts.reset_link(engine, ANNA, "two", ANNA)
    with pytest.raises(NotFound):
        accounts.use_link(engine, "one", "another")
    assert accounts.use_link(engine, "two", "another").password == "another"


def test_a_lost_second_factor_ends_with_the_reset_that_says_so(engine: Engine) -> None:
    made = came(engine, admin(engine), "cookie")
    accounts.set_totp(engine, ANNA, "JBSWY3DPEHPK3PXP", 1, keep=made.id)
    accounts.reset_link(engine, ANNA, "one", BEN)
    assert found(engine, ANNA).totp is not None
    assert sign_ins.find_sign_in(engine, "cookie") is not None
    accounts.reset_link(engine, ANNA, "two", BEN, end_second_factor=True)
    assert found(engine, ANNA).totp is None
    assert sign_ins.find_sign_in(engine, "cookie") is None


@pytest.mark.parametrize("text", ["", "  ", "two words", "a\u202eb", "x" * 300])
def test_what_can_not_be_an_address_is_refused(engine: Engine, text: str) -> None:
    with pytest.raises(BadArguments):
        accounts.invite(engine, text, "Ben", Role.REVIEWER, "ben", ANNA)


def test_the_last_active_admin_stays_one(engine: Engine) -> None:
    admin(engine)
    with pytest.raises(Refused, match="last active admin"):
        accounts.set_role(engine, ANNA, Role.VIEWER, ANNA)
    with pytest.raises(Refused, match="last active admin"):
        accounts.set_active(engine, ANNA, active=False, by=ANNA)
    assert (found(engine, ANNA).role, found(engine, ANNA).active) == (Role.ADMIN, True)


def test_with_another_admin_one_may_go(engine: Engine) -> None:
    admin(engine)
    accounts.invite(engine, BEN, "Ben", Role.ADMIN, "ben", ANNA)
    assert accounts.set_role(engine, ANNA, Role.VIEWER, BEN).role is Role.VIEWER


def test_whoever_is_switched_off_is_signed_out_and_keeps_no_link(engine: Engine) -> None:
    admin(engine)
    accounts.invite(engine, BEN, "Ben", Role.REVIEWER, "ben", ANNA)
    came(engine, found(engine, BEN), "cookie")
    assert sign_ins.find_sign_in(engine, "cookie") is not None
    accounts.set_active(engine, BEN, active=False, by=ANNA)
    assert sign_ins.find_sign_in(engine, "cookie") is None
    with pytest.raises(NotFound):
        accounts.use_link(engine, "ben", HASH)


def test_another_password_ends_every_other_sign_in_and_open_link(engine: Engine) -> None:
    anna = admin(engine)
    here, elsewhere = came(engine, anna, "here"), came(engine, anna, "elsewhere")
    accounts.reset_link(engine, ANNA, "link", ANNA)
    accounts.change_password(engine, ANNA, "another", keep=here.id, only_if=HASH)
    assert sign_ins.find_sign_in(engine, "here") is not None
    assert sign_ins.find_sign_in(engine, "elsewhere") is None
    assert elsewhere.id != here.id
    with pytest.raises(NotFound):
        accounts.use_link(engine, "link", HASH)


def test_a_password_that_was_changed_meanwhile_is_not_overwritten(engine: Engine) -> None:
    admin(engine)
    with pytest.raises(Conflict):
        accounts.change_password(engine, ANNA, "mine", keep=None, only_if="an older hash")
    assert found(engine, ANNA).password == HASH


def test_a_sign_in_ends_when_it_is_idle_and_when_it_is_old(desk: Desk, engine: Engine) -> None:
    anna = admin(engine)
    came(engine, anna, "idle")
    assert sign_ins.find_sign_in(engine, "idle") is not None
    desk.sql("update sign_ins set expires_at = 1")
    assert sign_ins.find_sign_in(engine, "idle") is None
    came(engine, anna, "old")
    old = engine.clock() - sign_ins.LONGEST - 1
    desk.sql(f"update sign_ins set opened_at = {old} where digest = 'old'")
    assert sign_ins.find_sign_in(engine, "old") is None


def test_using_a_sign_in_lets_it_live_on(desk: Desk, engine: Engine) -> None:
    made = came(engine, admin(engine), "cookie")
    desk.sql(f"update sign_ins set seen_at = {made.seen_at - 120_000}, expires_at = {made.seen_at + 60_000}")
    assert sign_ins.find_sign_in(engine, "cookie") is not None
    kept = engine.store.read(lambda tx: tx.people.signed_in(["cookie"])).get("cookie")
    assert kept is not None
    assert kept[0].expires_at >= made.seen_at + sign_ins.IDLE


def test_a_proof_of_an_account_that_changed_meanwhile_opens_nothing(engine: Engine) -> None:
    anna = admin(engine)
    with pytest.raises(Conflict):
        came(engine, replace(anna, password="the one before"), "cookie")
    assert sign_ins.find_sign_in(engine, "cookie") is None


def test_a_code_works_once(engine: Engine) -> None:
    made = came(engine, admin(engine), "cookie")
    accounts.set_totp(engine, ANNA, "JBSWY3DPEHPK3PXP", 100, keep=made.id)
    assert code(engine, made, 100) is None
    passed = code(engine, made, 101)
    assert passed is not None
    assert passed.totp_step == 101
    assert code(engine, made, 101) is None


def test_many_guesses_of_a_code_at_once_get_no_more_of_them_than_one_by_one(engine: Engine) -> None:
    made = came(engine, admin(engine), "cookie")
    accounts.set_totp(engine, ANNA, "JBSWY3DPEHPK3PXP", 100, keep=made.id)
    checked: list[Person] = []

    def guess(_: int) -> bool:
        with suppress(Refused):
            code(engine, made, None, checked)
            return True
        return False

    with ThreadPoolExecutor(12) as pool:
        counted = list(pool.map(guess, range(36)))
    assert counted.count(True) == len(checked) == MOST
    with pytest.raises(Refused, match="too many"):
        code(engine, made, 101)


def code(
    engine: Engine, made: SignIn, step: int | None, checked: list[Person] | None = None
) -> Person | None:
    """Give the code of a time step; None is one that is wrong."""

    def step_of(person: Person) -> int | None:
        if checked is not None:
            checked.append(person)
        return step

    proven = sign_ins.second_factor(engine, made, "code:anna", {sign_ins.MINUTE: MOST}, step_of)
    return None if proven is None else proven[0]


def test_a_cookie_from_before_the_second_factor_ends_with_it(engine: Engine) -> None:
    """Somebody may know it, or have planted it: the proof is for another one."""
    home = came(engine, admin(engine), "home")
    accounts.set_totp(engine, ANNA, "JBSWY3DPEHPK3PXP", 100, keep=home.id)
    made = came(engine, found(engine, ANNA), "planted")
    limits = {sign_ins.MINUTE: MOST}
    assert sign_ins.second_factor(engine, made, "code:anna", limits, lambda _: None, "new") is None
    assert sign_ins.find_sign_in(engine, "planted") is not None
    assert sign_ins.find_sign_in(engine, "new") is None
    proven = sign_ins.second_factor(engine, made, "code:anna", limits, lambda _: 101, "new")
    assert proven is not None
    assert sign_ins.find_sign_in(engine, "planted") is None
    kept = sign_ins.find_sign_in(engine, "new")
    assert kept is not None
    assert (kept[0], kept[0].second_factor, kept[0].address) == (proven[1], True, made.address)
    with pytest.raises(Conflict, match="signed out meanwhile"):
        sign_ins.second_factor(engine, made, "code:anna", limits, lambda _: 102, "newer")
    assert found(engine, ANNA).totp_step == 101


def test_a_lost_admin_comes_back_without_second_factor_and_sign_ins(engine: Engine) -> None:
    made = came(engine, admin(engine), "cookie")
    accounts.set_totp(engine, ANNA, "JBSWY3DPEHPK3PXP", 1, keep=made.id)
    accounts.rescue_link(engine, ANNA, "rescue")
    assert sign_ins.find_sign_in(engine, "cookie") is None
    back = accounts.use_link(engine, "rescue", "another")
    assert (back.role, back.totp, back.password) == (Role.ADMIN, None, "another")


def test_what_is_told_of_accounts_holds_no_secret(desk: Desk, engine: Engine) -> None:
    made = came(engine, admin(engine), "cookie-digest")
    accounts.set_totp(engine, ANNA, "JBSWY3DPEHPK3PXP", 1, keep=made.id)
    accounts.invite(engine, BEN, "Ben", Role.REVIEWER, "ben-digest", ANNA)
    accounts.change_password(engine, ANNA, "another-hash", keep=None)
    sign_ins.end_sign_in(engine, ANNA, None, ANNA)
    told = b"".join(entry.body for entry in desk.entries())
    for secret in (b"JBSWY", b"-digest", b"-hash", HASH.encode()):
        assert secret not in told
    kinds = set(desk.kinds())
    assert {Kind.PERSON_INVITED, Kind.PERSON_CHANGED, Kind.SIGNED_IN, Kind.SIGNED_OUT} <= kinds


def test_a_member_of_slack_and_a_time_away_are_kept(engine: Engine) -> None:
    admin(engine)
    accounts.set_slack(engine, ANNA, "T1 U1", ANNA)
    accounts.set_away(engine, ANNA, 10**12, ANNA)
    accounts.rename(engine, ANNA, "Anna B.", ANNA)
    kept = found(engine, ANNA)
    assert (kept.slack, kept.away_until, kept.name) == ("T1 U1", 10**12, "Anna B.")


def test_an_identity_is_linked_once(engine: Engine) -> None:
    admin(engine)
    accounts.set_oidc(engine, ANNA, "https://issuer 1", "the sign-on")
    with pytest.raises(Conflict):
        accounts.set_oidc(engine, ANNA, "https://issuer 2", "the sign-on")
    assert found(engine, ANNA).oidc == "https://issuer 1"


def test_an_address_with_a_letter_that_becomes_another_is_nobodys(engine: Engine) -> None:
    """The Kelvin sign in lower case is a ``k``: its owner would come in as somebody else."""
    accounts.invite(engine, "kim@example.com", "Kim", Role.REVIEWER, "one", ANNA)
    with pytest.raises(BadArguments, match="only looks like"):
        accounts.person_id("\u212aim@example.com")
    assert accounts.person_id("Kim@Example.com") == "kim@example.com"
    assert accounts.person_id("Straße@example.com") == "straße@example.com"
