"""The company's sign-on, with a real provider: whom it vouches for comes in, and nobody by any flaw."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from handrail.engine.identity import accounts
from handrail.words.person import Person, Role
from tests.support.oidc import Provider, provider
from tests.support.server import ADMIN, Served, account, served


@pytest.fixture(scope="module")
def idp() -> Iterator[Provider]:
    with provider() as found:
        yield found


@pytest.fixture(scope="module")
def server(idp: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("sign-on"), env=idp.environment()) as found:
        with found.engine() as engine:
            account(engine, ADMIN, Role.ADMIN)
        yield found


@pytest.fixture(scope="module")
def by_claim(idp: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server at which groups give roles."""
    roles = {"HANDRAIL_OIDC_ROLES": "groups:leads=reviewer,groups:bosses=admin"}
    with served(tmp_path_factory.mktemp("claims"), env={**idp.environment(), **roles}) as found:
        with found.engine() as engine:
            account(engine, ADMIN, Role.ADMIN)
        yield found


def go(server: Served) -> tuple[httpx.Response, httpx.Client]:
    """Sign in at the provider, as a browser does; where that ends."""
    client = server.client(follow_redirects=True)
    return client.get("/oidc/start?to=/account"), client


def found(server: Served, person: str) -> Person | None:
    """An account."""
    with server.engine() as engine:
        return engine.store.read(lambda tx: tx.people.get(person))


def test_somebody_invited_comes_in_by_the_verified_address_and_then_by_identity(
    server: Served, idp: Provider
) -> None:
    with server.engine() as engine:
        accounts.invite(engine, "ida@example.com", "Ida", Role.REVIEWER, "ida", ADMIN)
    idp.vouch("s-ida", "Ida@Example.com")
    answer, _ = go(server)
    assert (answer.status_code, answer.url.path) == (200, "/account")
    assert "ida@example.com" in answer.text
    idp.vouch("s-ida", "renamed@example.com")
    assert "ida@example.com" in go(server)[0].text
    idp.vouch("s-other", "ida@example.com")
    assert go(server)[0].status_code == 403


def test_a_claim_gives_an_account_and_changes_its_role(by_claim: Served, idp: Provider) -> None:
    server = by_claim
    idp.vouch("s-leo", "leo@example.com", name="Leo", groups=["staff", "leads"])
    assert go(server)[0].status_code == 200
    made = found(server, "leo@example.com")
    assert made is not None
    assert (made.role, made.name) == (Role.REVIEWER, "Leo")
    idp.vouch("s-leo", "leo@example.com", groups=["bosses"])
    assert go(server)[0].status_code == 200
    raised = found(server, "leo@example.com")
    assert raised is not None
    assert raised.role is Role.ADMIN
    idp.vouch("s-leo", "leo@example.com", groups=[])
    assert go(server)[0].status_code == 403


def test_a_stranger_and_an_unverified_address_stay_out(server: Served, idp: Provider) -> None:
    idp.vouch("s-stranger", "stranger@example.com")
    answer, client = go(server)
    assert answer.status_code == 403
    assert not client.cookies.get("handrail")
    idp.vouch("s-admin", ADMIN, email_verified=False)
    assert go(server)[0].status_code == 403
    assert found(server, "stranger@example.com") is None


def test_whoever_is_switched_off_stays_out(server: Served, idp: Provider) -> None:
    with server.engine() as engine:
        account(engine, "off@example.com", Role.VIEWER)
        accounts.set_active(engine, "off@example.com", active=False, by=ADMIN)
    idp.vouch("s-off", "off@example.com")
    assert go(server)[0].status_code == 403


@pytest.mark.parametrize(
    "wrong", ["issuer", "audience", "expired", "nonce", "key", "unsigned", "symmetric", "state"]
)
def test_a_flawed_word_lets_nobody_in(server: Served, idp: Provider, wrong: str) -> None:
    idp.vouch("s-ada", ADMIN, wrong=wrong)
    answer, client = go(server)
    assert answer.status_code in {400, 401}
    assert not client.cookies.get("handrail")
    idp.vouch("s-ada", ADMIN)
    assert go(server)[0].status_code == 200


def test_a_callback_that_was_not_begun_here_is_refused(server: Served, idp: Provider) -> None:
    idp.vouch("s-ada", ADMIN)
    away = server.client().get("/oidc/start").headers["location"]
    back = httpx.get(away).headers["location"]
    assert server.client().get(back).status_code == 400
    assert httpx.get(back).status_code == 400


def test_a_provider_that_is_gone_is_told_plainly(tmp_path_factory: pytest.TempPathFactory) -> None:
    with provider() as gone:
        settings = gone.environment()
    with served(tmp_path_factory.mktemp("gone"), env=settings) as server:
        answer = server.client(headers={"accept": "text/html"}).get("/oidc/start")
        assert answer.status_code == 502
        assert "does not answer" in answer.text
        assert server.client().get("/sign-in").status_code == 200
