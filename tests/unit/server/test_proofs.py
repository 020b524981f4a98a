"""What people prove with: passwords, codes of an app, and small values that browsers keep for us."""

from __future__ import annotations

import pyotp
import pytest
from argon2 import PasswordHasher

from handrail.server.auth import passwords, signed, totp
from handrail.words.errors import BadArguments
from handrail.words.person import Person, Role, SignIn

GOOD = "correct horse battery"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
KEY = b"k" * 32
NOW = 1_800_000_015_000
STEP = NOW // 30_000


def test_a_password_matches_its_own_hash_only() -> None:
    kept = passwords.hashed(GOOD, "anna@example.com", again=GOOD)
    assert kept.startswith("$argon2id$")
    assert passwords.matches(GOOD, kept)
    assert not passwords.matches(GOOD + " ", kept)
    assert not passwords.matches("", kept)


def test_nobodys_password_matches_nothing_not_even_the_decoy() -> None:
    assert not passwords.matches("the password of somebody who does not exist", None)
    assert not passwords.matches(GOOD, "not a hash")


@pytest.mark.parametrize("text", ["short", "elevenchars", "aaaaaaaaaaaaaaa", "anna@example.com", "x" * 1_001])
def test_a_weak_password_is_refused(text: str) -> None:
    with pytest.raises(BadArguments):
        passwords.hashed(text, "anna@example.com")


def test_a_password_that_was_repeated_wrong_is_refused() -> None:
    with pytest.raises(BadArguments, match="not the same"):
        passwords.hashed(GOOD, again=GOOD + "x")


def test_a_weaker_hash_is_outdated() -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(GOOD)
    assert passwords.matches(GOOD, weak)
    assert passwords.outdated(weak)
    assert not passwords.outdated(passwords.hashed_anew(GOOD))


def test_a_code_counts_near_its_time_and_after_the_last_one() -> None:
    code = pyotp.TOTP(SECRET).at(NOW // 1000)
    assert totp.step_of(SECRET, code, NOW, 0) == STEP
    assert totp.step_of(SECRET, f" {code[:3]} {code[3:]} ", NOW + 30_000, 0) == STEP
    assert totp.step_of(SECRET, code, NOW, STEP) is None
    assert totp.step_of(SECRET, code, NOW + 90_000, 0) is None
    assert totp.step_of(SECRET, code, NOW - 90_000, 0) is None


@pytest.mark.parametrize("text", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "12 34"])
def test_what_is_no_code_is_refused(text: str) -> None:
    assert totp.step_of(SECRET, text, NOW, 0) is None


def test_an_offered_secret_is_of_one_sign_in_and_changes_with_use() -> None:
    person = Person("anna@example.com", "Anna", Role.ADMIN, 0)
    here, there = (SignIn(each, each, person.id, 0, 0, 0, second_factor=False) for each in "ab")
    secret = totp.proposed_secret(KEY, person, here)
    assert secret == totp.proposed_secret(KEY, person, here)
    used = Person("anna@example.com", "Anna", Role.ADMIN, 0, totp_step=1)
    others = {
        totp.proposed_secret(KEY, person, there),
        totp.proposed_secret(KEY, used, here),
        totp.proposed_secret(b"x", person, here),
    }
    assert secret not in others
    assert len(others) == 3
    address = totp.otpauth(secret, person.id, "desk.example")
    assert pyotp.parse_uri(address).secret == secret
    assert totp.picture(address).startswith("data:image/svg+xml")


def test_a_signed_value_comes_back_in_time_and_for_its_own_use() -> None:
    text = signed.sealed(KEY, "said", {"text": "Done."}, 1_000)
    assert signed.opened(KEY, "said", text, 999) == {"text": "Done."}
    assert signed.opened(KEY, "said", text, 1_000) is None
    assert signed.opened(KEY, "oidc", text, 999) is None
    assert signed.opened(b"another", "said", text, 999) is None


@pytest.mark.parametrize("text", [None, "", "x", "é", "A" * 64, "AAAA" * 30, "="])
def test_what_was_not_signed_is_nothing(text: str | None) -> None:
    assert signed.opened(KEY, "said", text, 0) is None
