"""Every route is tried by real requests in every role: who has no row in the table never gets in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from handrail.server.roles import ADMIN, AGENT, ANONYMOUS, EVERY_ROLE, REVIEWER, ROLES, SERVICE, VIEWER
from handrail.words.person import KeyKind, Role
from tests.support.server import PASSWORD, Served, served

NOBODY = "0" * 28
PATHS = {
    "agent": "support",
    "tool": "refund",
    "digest": "0" * 64,
    "person": "nobody@example.com",
}
"""What stands in a path; every other parameter is the id of nothing."""
BODIES: dict[str, dict[str, Any]] = {
    "POST /api/v1/me/password": {"old": PASSWORD, "password": PASSWORD},
    "PATCH /api/v1/me": {"name": "Somebody"},
    "POST /api/v1/halts": {"tool": "nothing", "reason": "a test"},
}
"""What is sent where the document's example would be refused for what it says."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("roles")) as running:
        yield running


@pytest.fixture(scope="module")
def document(server: Served) -> dict[str, Any]:
    with server.client() as client:
        found: dict[str, Any] = client.get("/openapi.json").json()
    return found


@pytest.fixture(scope="module")
def clients(server: Served) -> Iterator[dict[str, httpx.Client]]:
    with ExitStack() as stack:
        yield {
            ANONYMOUS: stack.enter_context(server.client()),
            AGENT: stack.enter_context(server.with_key("support")),
            SERVICE: stack.enter_context(server.with_key("support", KeyKind.SERVICE)),
            VIEWER: stack.enter_context(server.signed_in("viewer@example.com", Role.VIEWER)),
            REVIEWER: stack.enter_context(server.signed_in("reviewer@example.com", Role.REVIEWER)),
            ADMIN: stack.enter_context(server.signed_in("admin@example.com", Role.ADMIN)),
        }


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_every_route_of_the_document_has_a_row_and_every_row_is_a_route(document: dict[str, Any]) -> None:
    assert operations(document).keys() == ROLES.keys()


def test_every_person_may_do_what_a_lower_role_may() -> None:
    for roles in ROLES.values():
        assert VIEWER not in roles or REVIEWER in roles
        assert REVIEWER not in roles or ADMIN in roles


def test_no_program_answers_questions_or_steers() -> None:
    for_people = (
        "vote",
        "edit",
        "answer",
        "settle",
        "lift",
        "activate",
        "accept",
        "grants",
        "keys",
        "people",
    )
    for route, roles in ROLES.items():
        if any(word in route for word in for_people) and not route.startswith("GET"):
            assert not roles & {ANONYMOUS, AGENT, SERVICE}, route


@pytest.mark.parametrize("route", sorted(ROLES))
def test_a_route_lets_in_exactly_the_roles_of_its_row(
    route: str, document: dict[str, Any], clients: dict[str, httpx.Client], server: Served
) -> None:
    for role in EVERY_ROLE:
        status = tried(route, operations(document)[route], role, clients[role], server)
        if role in ROLES[route]:
            assert status not in {401, 403}, (role, status)
        else:
            assert status == (401 if role == ANONYMOUS else 403), (role, status)


def tried(route: str, operation: dict[str, Any], role: str, client: httpx.Client, server: Served) -> int:
    method, _, path = route.partition(" ")
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            value = PATHS.get(parameter["name"], NOBODY)
            path = path.replace(f"{{{parameter['name']}}}", value)
    if route == "POST /api/v1/sign-in":
        return signed_in_anew(client)
    if route == "POST /api/v1/sign-out" and role in ROLES[route]:
        # with a sign-in of its own: the others go on
        with server.signed_in(f"{role}@example.com", Role(role)) as leaving:
            return leaving.post(path).status_code
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    body = BODIES.get(route, content.get("example"))
    with client.stream(method, path, json=body) as response:
        return response.status_code


def signed_in_anew(client: httpx.Client) -> int:
    body = {"person": "admin@example.com", "password": PASSWORD}
    answer = httpx.post(
        client.base_url.join("/api/v1/sign-in"),
        json=body,
        headers={"authorization": client.headers.get("authorization", "")} if _has_key(client) else {},
    )
    return answer.status_code


def _has_key(client: httpx.Client) -> bool:
    return "authorization" in client.headers


def test_a_key_that_does_not_work_is_refused_and_not_treated_as_nobody(server: Served) -> None:
    with httpx.Client(
        base_url=server.url, headers={"authorization": f"Bearer hr_a_{NOBODY}_{'0' * 64}"}
    ) as client:
        assert client.get("/api/v1/actions").status_code == 401
        assert client.get("/health").status_code == 200


def test_the_examples_of_the_document_are_what_the_routes_take(document: dict[str, Any]) -> None:
    for route, operation in operations(document).items():
        content = operation.get("requestBody", {}).get("content", {})
        assert "example" in content.get("application/json", {"example": None}), route


def test_every_operation_is_named_described_and_tagged(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for operation in operations(document).values()]
    assert len(set(names)) == len(names)
    for route, operation in operations(document).items():
        assert operation["summary"], route
        assert operation["tags"], route
        assert {"401", "403"} <= operation["responses"].keys() or not route.count("/api/"), route


def test_the_document_is_openapi_3_1_with_both_ways_to_prove_who_one_is(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert document["components"]["securitySchemes"].keys() == {"key", "sign_in"}


def test_another_role_than_a_known_one_is_nobody(tmp_path: Path) -> None:
    from handrail.server.roles import may

    assert not may("root", "GET /api/v1/actions")
    assert not may(ADMIN, "GET /api/v1/anything-else")
    assert may(ADMIN, "GET /api/v1/actions")
