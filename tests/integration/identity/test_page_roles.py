"""Every page, tried by nobody, by a program and in each role: a page without a row in this table fails."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi.routing import APIRoute

from handrail.server import pages
from handrail.words.person import Role
from tests.support.server import Served, served

OPEN = "everyone"
TABLE = {
    "GET /": "viewer",
    "GET /overview": "viewer",
    "GET /stopped": "viewer",
    "GET /live": "viewer",
    "GET /sign-in": OPEN,
    "POST /sign-in": OPEN,
    "GET /sign-in/code": OPEN,
    "POST /sign-in/code": OPEN,
    "POST /sign-out": OPEN,
    "GET /set-up": OPEN,
    "POST /set-up": OPEN,
    "GET /oidc/start": OPEN,
    "GET /oidc/callback": OPEN,
    "GET /questions": "viewer",
    "GET /questions/{approval_id}": "viewer",
    "POST /questions/approve": "reviewer",
    "POST /questions/reject": "reviewer",
    "POST /questions/{approval_id}/look": "viewer",
    "POST /questions/{approval_id}/look-away": "viewer",
    "POST /banner/away": OPEN,
    "GET /calls": "viewer",
    "GET /calls/rows": "viewer",
    "GET /calls/{call_id}": "viewer",
    "GET /calls/{call_id}/now": "viewer",
    "POST /questions/{approval_id}/approve": "reviewer",
    "POST /questions/{approval_id}/reject": "reviewer",
    "POST /questions/{approval_id}/answer": "reviewer",
    "POST /questions/{approval_id}/edit": "reviewer",
    "POST /questions/{approval_id}/standing": "reviewer",
    "GET /questions/rows": "viewer",
    "GET /questions/{approval_id}/now": "viewer",
    "GET /standings": "viewer",
    "POST /standings/{standing_id}/end": "reviewer",
    "GET /actions/{action_id}": "viewer",
    "GET /actions/{action_id}/now": "viewer",
    "POST /actions/{action_id}/cancel": "reviewer",
    "POST /actions/{action_id}/settle": "reviewer",
    "GET /log": "viewer",
    "GET /log/rows": "viewer",
    "GET /log/export.{way}": "viewer",
    "GET /budgets": "viewer",
    "GET /budgets/costs.csv": "viewer",
    "GET /budgets/{budget}": "viewer",
    "POST /budgets/{budget}/top-up": "reviewer",
    "POST /budgets/{budget}/raise": "admin",
    "POST /budgets/{budget}/end": "reviewer",
    "POST /budgets/{budget}/freeze": "reviewer",
    "POST /budgets/{budget}/thaw": "admin",
    "GET /sessions": "viewer",
    "GET /sessions/rows": "viewer",
    "GET /sessions/{session_id}": "viewer",
    "GET /sessions/{session_id}/now": "viewer",
    "POST /sessions/{session_id}/hold": "reviewer",
    "POST /sessions/{session_id}/release": "reviewer",
    "GET /agents": "viewer",
    "GET /agents/agent": "viewer",
    "GET /agents/rung": "admin",
    "POST /agents/rung": "admin",
    "GET /agents/keys/new": "admin",
    "POST /agents/keys": "admin",
    "GET /agents/keys/key": "admin",
    "POST /agents/keys/rotate": "admin",
    "POST /agents/keys/revoke": "admin",
    "GET /agents/schema": "viewer",
    "POST /agents/schema/accept": "admin",
    "GET /policy": "viewer",
    "GET /policy/version": "viewer",
    "GET /policy/new": "viewer",
    "POST /policy/check": "viewer",
    "POST /policy/activate": "admin",
    "GET /people": "viewer",
    "GET /people/person": "admin",
    "POST /people": "admin",
    "POST /people/role": "admin",
    "POST /people/active": "admin",
    "POST /people/away": "admin",
    "POST /people/reset": "admin",
    "POST /people/sign-out": "admin",
    "GET /manual": "admin",
    "GET /manual/tool": "admin",
    "POST /manual/tool": "admin",
    "GET /settings": "viewer",
    "POST /settings/test": "admin",
    "GET /halts": "viewer",
    "GET /halts/new": "reviewer",
    "POST /halts": "reviewer",
    "POST /halts/{halt_id}/lift": "admin",
    "GET /account": "viewer",
    "POST /account/name": "viewer",
    "POST /account/password": "viewer",
    "GET /account/second-factor": "viewer",
    "POST /account/second-factor": "viewer",
    "POST /account/second-factor/end": "viewer",
    "POST /account/away": "viewer",
    "POST /account/sign-ins/{sign_in_id}/end": "viewer",
}
FORM = dict.fromkeys(("seen", "args", "reason", "text", "code", "old", "password", "again", "name"), "x")
PEOPLE = ["viewer", "reviewer", "admin"]


@pytest.fixture(scope="module")
def callers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, httpx.Client]]:
    """A client in each role."""
    with served(tmp_path_factory.mktemp("pages")) as server:
        yield clients(server)


def clients(server: Served) -> dict[str, httpx.Client]:
    """A client in each role."""
    people = {role: server.signed_in(f"{role}@example.com", Role(role)) for role in PEOPLE}
    return {"anonymous": server.client(), "agent": server.with_key(), **people}


def routes() -> set[str]:
    """Every page, as method and path."""
    routers = [*pages.first(), *pages.routers()]
    found = (route for router in routers for route in router.routes if isinstance(route, APIRoute))
    return {f"{method} {route.path}" for route in found for method in route.methods or ()}


def test_every_page_has_a_row_and_every_row_a_page() -> None:
    assert routes() == set(TABLE)


@pytest.mark.parametrize("route", sorted(TABLE))
def test_a_page_lets_exactly_its_roles_in(callers: dict[str, httpx.Client], route: str) -> None:
    method, _, path = route.partition(" ")
    if TABLE[route] == OPEN:
        assert callers["anonymous"].request(method, path).status_code not in {401, 403, 500}
        return
    lowest = PEOPLE.index(TABLE[route])
    for role, client in callers.items():
        answer = _answer(client, method, re.sub(r"{\w+}", "none", path))
        allowed = role in PEOPLE[lowest:]
        refused = 401 if role == "anonymous" else 403
        told = answer.headers.get("content-type", ""), answer.text
        if allowed:
            assert answer.status_code in {200, 204, 303, 404, 422}, told
        else:
            assert answer.status_code == refused, told


def _answer(client: httpx.Client, method: str, path: str) -> httpx.Response:
    """What a page answers; of a stream, which has no end, only its beginning."""
    if path != "/live":
        return client.request(method, path, data=FORM if method == "POST" else None)
    with client.stream(method, path) as stream:
        if stream.status_code != 200:
            stream.read()
        else:
            stream._content = b""
    return stream
