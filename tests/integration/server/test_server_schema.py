"""Schemathesis over the whole API: whatever is sent, the answer is one that the document describes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS

from handrail.server.roles import ADMIN, AGENT, ANONYMOUS
from handrail.words.person import Role
from tests.support.server import Served, served

CHECKED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "missing_required_header",
)
ENDLESS = ("/api/v1/stream",)
"""A stream never ends by itself; its own tests follow it."""
SIGN_OUT = "/api/v1/sign-out"
"""It would end the sign-in that the other requests need; the test of the roles tries it."""
TIME = 60.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(
        tmp_path_factory.mktemp("schema"), env={"HANDRAIL_RATE": "100000", "PYTHONFAULTHANDLER": "1"}
    ) as running:
        yield running


@pytest.fixture(scope="module")
def headers(server: Served) -> dict[str, dict[str, str]]:
    admin = server.signed_in("admin@example.com", Role.ADMIN)
    agent = server.with_key("support")
    found = {
        ADMIN: {"cookie": f"handrail={admin.cookies['handrail']}", "origin": server.url},
        AGENT: {"authorization": agent.headers["authorization"]},
        ANONYMOUS: {},
    }
    admin.close()
    agent.close()
    return found


@pytest.fixture(scope="module")
def api(server: Served) -> Any:
    found = schemathesis.openapi.from_url(f"{server.url}/openapi.json", wait_for_schema=10)
    found.config.generation.update(with_security_parameters=False)
    return found.exclude(path=[*ENDLESS, SIGN_OUT])


EXAMPLES = {ADMIN: 5, AGENT: 3, ANONYMOUS: 2}
"""Of each operation and mode: most of what strangers send is answered alike."""


def often(role: str) -> settings:
    return settings(
        max_examples=EXAMPLES[role],
        derandomize=True,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("role", [ADMIN, AGENT, ANONYMOUS])
def test_every_answer_is_one_that_the_document_describes(
    role: str, mode: GenerationMode, api: Any, headers: dict[str, dict[str, str]]
) -> None:
    checks: Any = [CHECKS.get_one(name) for name in CHECKED]
    for found in api.get_all_operations():
        operation = found.ok()

        @often(role)
        @given(case=operation.as_strategy(generation_mode=mode))
        def answered(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate(headers=headers[role], checks=checks, timeout=TIME)

        if mode is GenerationMode.POSITIVE or operation.body or any(operation.iter_parameters()):
            answered()
