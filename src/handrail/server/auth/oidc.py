"""The company's sign-on (OpenID Connect): authorization code with PKCE, state, nonce, signed ID tokens."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from handrail.engine.identity import accounts
from handrail.server.errors import Problem, logger
from handrail.words.errors import BadArguments, HandrailError, Refused
from handrail.words.person import Person, Role

if TYPE_CHECKING:
    import httpx

    from handrail.engine.core import Engine
    from handrail.server.settings import Settings

SIGNED_WITH = ("RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519")
SECONDS = 10.0
FRESH = 3600.0
"""Seconds that the provider's description is believed."""
LEEWAY = 60
"""Seconds by which its clock may be off."""
SCOPE = "openid email profile"
BY = "the company's sign-on"
NO_LUCK = "The company's sign-on did not vouch for you. Try again; if it stays so, tell an admin."


@dataclass(frozen=True, slots=True)
class Going:
    """What a browser keeps for us while it is at the provider."""

    state: str
    nonce: str
    verifier: str
    to: str


@dataclass(frozen=True, slots=True)
class Mapped:
    """Who gets an account by a claim: ``claim`` holds ``value``, then ``role``."""

    claim: str
    value: str
    role: Role


class SignOn:
    """One provider, as the settings name it."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is fetched before somebody signs in.

        Raises:
            BadArguments: the settings don't fit together.
        """
        self.issuer = (settings.oidc_issuer or "").rstrip("/")
        self._id = settings.oidc_client_id or ""
        secret = settings.oidc_client_secret
        self._secret = None if secret is None else secret.get_secret_value()
        self._back = f"{settings.address()}/oidc/callback"
        self.mapped = mapped(settings.oidc_roles)
        self._known: tuple[float, Mapping[str, Any], Mapping[str, Any]] | None = None
        if not self._id:
            raise BadArguments("HANDRAIL_OIDC_ISSUER needs HANDRAIL_OIDC_CLIENT_ID")
        _must_be_safe(self.issuer, "HANDRAIL_OIDC_ISSUER")
        _needs_extra()

    def begin(self, to: str) -> tuple[str, dict[str, str]]:
        """Where to send the browser, and what it is to keep for us.

        Raises:
            Problem: the provider does not answer.
        """
        from authlib.oauth2.client import OAuth2Client

        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        going = Going(state, nonce, verifier, to)
        client = OAuth2Client(
            None, self._id, scope=SCOPE, redirect_uri=self._back, code_challenge_method="S256"
        )
        url, _ = client.create_authorization_url(
            self._metadata()["authorization_endpoint"],
            state=going.state,
            code_verifier=going.verifier,
            nonce=going.nonce,
        )
        return str(url), asdict(going)

    def finish(self, going: Going, given: Mapping[str, str]) -> Mapping[str, Any]:
        """What the provider says of who came back.

        Raises:
            Problem: it says nothing that can be believed.
        """
        if not secrets.compare_digest(given.get("state", "").encode(), going.state.encode()):
            raise Problem(400, "This sign-in was not begun in this browser. Begin it again.")
        issuer = given.get("iss", self.issuer).rstrip("/")
        if "code" not in given or issuer != self.issuer:
            logger.warning("the sign-on answered without a code: %.200r", given.get("error"))
            raise Problem(401, NO_LUCK)
        answer = self._exchange(given["code"], going.verifier)
        return self._claims(str(answer.get("id_token", "")), going.nonce)

    def _exchange(self, code: str, verifier: str) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._back,
            "code_verifier": verifier,
        }
        if self._secret is None:
            return self._fetch("token_endpoint", {**form, "client_id": self._id})
        return self._fetch("token_endpoint", form, (quote(self._id, ""), quote(self._secret, "")))

    def _claims(self, token: str, nonce: str) -> Mapping[str, Any]:
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        options = {"iss": {"values": [self._metadata()["issuer"]]}, "aud": {"values": [self._id]}}
        params = {"nonce": nonce, "client_id": self._id}
        for again in (False, True):
            keys = KeySet.import_key_set(self._keys(again=again))  # type: ignore[arg-type]
            try:
                read = jwt.decode(token, keys, algorithms=SIGNED_WITH)
                claims = CodeIDToken(read.claims, read.header, options, params)
                claims.validate(now=int(time.time()), leeway=LEEWAY)
            except (JoseError, ValueError) as error:
                logger.warning("an ID token was refused: %s", type(error).__name__)
            else:
                return dict(claims)
        raise Problem(401, NO_LUCK)

    def _metadata(self) -> Mapping[str, Any]:
        return self._description(again=False)[0]

    def _keys(self, *, again: bool) -> Mapping[str, Any]:
        """The provider's keys; ``again`` when one is missing: it may have a new one."""
        return self._description(again=again)[1]

    def _description(self, *, again: bool) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        import httpx

        now = time.monotonic()
        if self._known is None or again or now - self._known[0] > FRESH:
            found = _json(httpx.Request("GET", f"{self.issuer}/.well-known/openid-configuration"))
            if str(found.get("issuer", "")).rstrip("/") != self.issuer:
                raise Problem(502, "The company's sign-on calls itself otherwise than the settings do.")
            for each in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                _must_be_safe(str(found.get(each, "")), each)
            self._known = (now, found, _json(httpx.Request("GET", found["jwks_uri"])))
        return self._known[1], self._known[2]

    def _fetch(
        self, endpoint: str, form: dict[str, str], auth: tuple[str, str] | None = None
    ) -> Mapping[str, Any]:
        import httpx

        request = httpx.Request("POST", self._metadata()[endpoint], data=form)
        if auth is not None:
            request = next(httpx.BasicAuth(*auth).auth_flow(request))
        return _json(request)


def mapped(text: str | None) -> tuple[Mapped, ...]:
    """Which claim gives which role: ``groups:board=viewer,groups:leads=reviewer``.

    Raises:
        BadArguments: it is not written so.
    """
    found = []
    for part in (text or "").split(","):
        if part.strip():
            where, _, role = part.strip().rpartition("=")
            claim, _, value = where.partition(":")
            if not claim or not value or role not in set(Role):
                roles = ", ".join(Role)
                raise BadArguments(
                    f"HANDRAIL_OIDC_ROLES: {part!r}; expected claim:value=role, with one of the roles {roles}"
                )
            found.append(Mapped(claim, value, Role(role)))
    return tuple(found)


def person_of(engine: Engine, sign_on: SignOn, claims: Mapping[str, Any]) -> Person:
    """The account of whom the provider vouches for: known, invited by address, or given by a claim.

    Where claims give roles, they decide at each sign-in: without one of them nobody comes in this way.

    Raises:
        Problem: there is none.
    """
    identity = f"{sign_on.issuer} {claims['sub']}"
    role = _role(sign_on.mapped, claims)
    found = engine.store.read(lambda tx: tx.people.by_oidc(identity))
    if sign_on.mapped and role is None:
        raise Problem(403, "The company's sign-on puts you in no group that may come in here.")
    try:
        if found is None:
            found = _first_time(engine, identity, claims, role)
        elif role is not None and role is not found.role:
            found = _regraded(engine, found, role)
    except HandrailError as error:
        raise Problem(403, str(error)) from error
    if not found.active:
        raise Problem(403, "Your account here is switched off.")
    return found


def _first_time(engine: Engine, identity: str, claims: Mapping[str, Any], role: Role | None) -> Person:
    email = claims.get("email")
    if not isinstance(email, str) or claims.get("email_verified") is not True:
        raise Refused("the company's sign-on does not say that your address was verified")
    address = accounts.person_id(email)
    invited = engine.store.read(lambda tx: tx.people.get(address))
    if invited is not None:
        return accounts.set_oidc(engine, invited.id, identity, BY) if invited.active else invited
    if role is None:
        raise Refused(f"nobody has invited {address} yet; ask an admin")
    name = claims.get("name")
    return accounts.join(
        engine, address, name if isinstance(name, str) and name.strip() else address, role, identity
    )


def _regraded(engine: Engine, person: Person, role: Role) -> Person:
    """The role that the claim gives now; the last admin stays one."""
    try:
        return accounts.set_role(engine, person.id, role, BY)
    except Refused:
        logger.warning("%s stays an admin: there would be none left", person.id)
        return person


def _role(rows: tuple[Mapped, ...], claims: Mapping[str, Any]) -> Role | None:
    """The highest role that the claims give."""
    order = list(Role)
    given = [row.role for row in rows if row.value in _values(claims.get(row.claim))]
    return max(given, key=order.index, default=None)


def _values(claim: object) -> list[object]:
    return list(claim) if isinstance(claim, list | tuple) else [claim]


def _json(request: httpx.Request) -> Mapping[str, Any]:
    import httpx

    try:
        with httpx.Client(timeout=SECONDS) as client:
            found = client.send(request).raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        logger.warning("the sign-on at %s failed: %s", request.url.host, type(error).__name__)
        raise Problem(502, "The company's sign-on does not answer as it should.") from error
    if not isinstance(found, dict):
        raise Problem(502, "The company's sign-on does not answer as it should.")
    return found


def _must_be_safe(url: str, what: str) -> None:
    """Addresses of the provider are https, but on this very machine."""
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        raise BadArguments(f"{what} is {url!r}; expected an https address")


def _needs_extra() -> None:
    try:
        import authlib  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise Refused("the company's sign-on needs 'pip install handrail[oidc]'") from error
