"""A small OpenID Connect provider that really signs: its own process, told by tests whom it vouches for."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote, urlencode

import httpx
import uvicorn
from fastapi import FastAPI, Form, HTTPException, Request
from fastapi.responses import RedirectResponse
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT, SECRET = "handrail", "the client's secret/+"
SECONDS = 120.0
Field = Annotated[str, Form()]


@dataclass(frozen=True, slots=True)
class Provider:
    """A running provider."""

    issuer: str

    def vouch(self, sub: str, email: str, *, wrong: str = "", **claims: Any) -> None:
        """Say who signs in next, and what is `wrong` with the word that is given for it."""
        told = {"sub": sub, "email": email, "email_verified": True, **claims}
        httpx.post(f"{self.issuer}/control", json={"claims": told, "wrong": wrong}).raise_for_status()

    def environment(self) -> dict[str, str]:
        """A server's settings for it."""
        return {
            "HANDRAIL_OIDC_ISSUER": self.issuer,
            "HANDRAIL_OIDC_CLIENT_ID": CLIENT,
            "HANDRAIL_OIDC_CLIENT_SECRET": SECRET,
        }


@contextmanager
def provider() -> Iterator[Provider]:
    """A provider until the end of the block."""
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.oidc"], cwd=root, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        ready, _, _ = select.select([process.stdout], [], [], SECONDS)
        assert ready, "the provider did not start"
        yield Provider(process.stdout.readline().strip())
    finally:
        process.terminate()
        process.wait(SECONDS)
        process.stdout.close()


class _Desk:
    """What the provider knows."""

    def __init__(self) -> None:
        self.issuer = ""
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self.other = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self.claims: dict[str, Any] = {}
        self.wrong = ""
        self.codes: dict[str, dict[str, str]] = {}

    def token(self, asked: dict[str, str]) -> str:
        """An ID token, signed; or with the flaw that a test wants."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.claims,
        }
        flaws: dict[str, dict[str, Any]] = {
            "issuer": {"iss": "https://evil.example"},
            "audience": {"aud": "another"},
            "expired": {"iat": now - 4_000, "exp": now - 3_600},
            "nonce": {"nonce": "another"},
        }
        claims.update(flaws.get(self.wrong, {}))
        if self.wrong == "unsigned":
            return _by_hand({"alg": "none"}, claims, lambda _: b"")
        if self.wrong == "symmetric":
            public = self.key.as_pem(private=False)
            return _by_hand({"alg": "HS256"}, claims, lambda text: hmac.digest(public, text, "sha256"))
        return jwt.encode(
            {"alg": "RS256", "kid": "one"}, claims, self.other if self.wrong == "key" else self.key
        )


def _by_hand(header: dict[str, str], claims: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """A token that no library would make: without a signature, or with the public key as a password."""

    def encoded(part: bytes) -> bytes:
        return base64.urlsafe_b64encode(part).rstrip(b"=")

    text = b".".join(encoded(json.dumps(part).encode()) for part in ({**header, "kid": "one"}, claims))
    return (text + b"." + encoded(sign(text))).decode()


def _app(desk: _Desk) -> FastAPI:
    app = FastAPI()

    @app.get("/.well-known/openid-configuration")
    def describe() -> dict[str, Any]:
        found = {name: f"{desk.issuer}/{name}" for name in ("authorize", "token", "jwks")}
        return {
            "issuer": desk.issuer,
            "authorization_endpoint": found["authorize"],
            "token_endpoint": found["token"],
            "jwks_uri": found["jwks"],
        }

    @app.get("/jwks")
    def keys() -> Any:
        return KeySet([desk.key]).as_dict(private=False)

    @app.post("/control")
    async def control(request: Request) -> None:
        told = await request.json()
        desk.claims, desk.wrong = told["claims"], told["wrong"]

    @app.get("/authorize")
    def authorize(request: Request) -> RedirectResponse:
        asked = dict(request.query_params)
        if (
            asked["client_id"] != CLIENT
            or asked["code_challenge_method"] != "S256"
            or "openid" not in asked["scope"]
        ):
            raise HTTPException(400)
        code = secrets.token_urlsafe()
        desk.codes[code] = asked
        state = "another" if desk.wrong == "state" else asked["state"]
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': state})}", 302)

    @app.post("/token")
    def token(request: Request, code: Field, code_verifier: Field, redirect_uri: Field) -> dict[str, Any]:
        asked = desk.codes.pop(code, None)
        given = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        name, _, secret = given.partition(":")
        digest = hashlib.sha256(code_verifier.encode()).digest()
        proven = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (unquote(name), unquote(secret)) != (CLIENT, SECRET) or asked is None:
            raise HTTPException(401)
        if (asked["code_challenge"], asked["redirect_uri"]) != (proven, redirect_uri):
            raise HTTPException(400)
        return {"access_token": "x", "token_type": "Bearer", "id_token": desk.token(asked)}

    return app


def main() -> None:
    """Serve until told to stop."""
    import socket

    desk = _Desk()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        desk.issuer = f"http://127.0.0.1:{listening.getsockname()[1]}"
        sys.stdout.write(f"{desk.issuer}\n")
        sys.stdout.flush()
        uvicorn.Server(uvicorn.Config(_app(desk), log_level="error")).run(sockets=[listening])


if __name__ == "__main__":
    main()
