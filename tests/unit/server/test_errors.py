"""Every refusal in one shape, with the status that its kind has, and nothing of the inside."""

from __future__ import annotations

import json

import httpx
import pytest
from fastapi import FastAPI

from handrail.policy.load import load
from handrail.server.auth.who import EVERYONE, NOBODY, Caller, including, permit
from handrail.server.errors import PROBLEM, Problem, install, problem, problem_of, scrubbed
from handrail.server.pages.drawing import browser_name, ours, span, visible
from handrail.words.errors import (
    BadArguments,
    Conflict,
    HandrailError,
    IllegalMove,
    NotFound,
    PolicyError,
    Refused,
    StoreError,
)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadArguments("x"), 422),
        (NotFound("x"), 404),
        (Conflict("x"), 409),
        (IllegalMove("x"), 409),
        (Refused("x"), 403),
        (StoreError("x"), 503),
        (HandrailError("x"), 409),
        (RuntimeError("x"), 500),
        (Problem(418, "x"), 418),
    ],
)
def test_each_kind_has_its_status(error: Exception, status: int) -> None:
    told = problem_of(error)
    assert told.status_code == status
    assert (told.detail == "x") is (status not in {500, 503})


async def test_what_no_route_takes_is_answered_with_a_sentence_and_a_routes_own_words_are_kept() -> None:
    app = FastAPI()
    install(app)

    @app.get("/halts")
    async def halts() -> None:
        raise NotFound("there is no halt x")

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://desk.example"
    ) as client:
        assert "nothing at this address" in (await client.get("/halt")).json()["detail"]
        assert "does not take this method" in (await client.delete("/halts")).json()["detail"]
        assert (await client.get("/halts")).json()["detail"] == "there is no halt x"


def test_a_policys_mistakes_are_listed() -> None:
    with pytest.raises(PolicyError) as caught:
        load("handrail: 1\nagentz: {}\n", "handrail.yaml")
    told = problem_of(caught.value)
    assert told.status_code == 422
    assert "agentz" in told.errors[0]["detail"]


def test_a_problem_has_the_shape_of_the_standard() -> None:
    found = problem(409, "Somebody was faster.", [{"detail": "x"}], {"retry-after": "1"})
    assert found.media_type == PROBLEM
    assert found.headers["retry-after"] == "1"
    assert json.loads(bytes(found.body)) == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "Somebody was faster.",
        "errors": [{"detail": "x"}],
    }


@pytest.mark.parametrize(
    "text",
    [
        "can't reach postgresql://anna:hunter2@db:5432/x",
        "host=db password=hunter2 port=1",
        "PASSWORD = 'hunter2'",
    ],
)
def test_no_password_of_an_address_is_told(text: str) -> None:
    assert "hunter2" not in scrubbed(text)
    assert "hunter2" not in problem_of(StoreError(text)).detail


def test_a_persons_role_includes_the_lower_ones_and_no_programs() -> None:
    assert including(("viewer",)) == {"viewer", "reviewer", "admin"}
    assert including(("admin", "agent")) == {"admin", "agent"}
    assert including(("service",)) == {"service"}
    with pytest.raises(ValueError, match="boss"):
        including(("boss",))


def test_nobody_is_asked_who_they_are_and_somebody_else_is_refused() -> None:
    allowed = including(("reviewer",))
    for role in EVERYONE:
        if role in {"reviewer", "admin"}:
            assert permit(Caller(role), allowed).role == role
            continue
        with pytest.raises(Problem) as caught:
            permit(Caller(role), allowed)
        assert caught.value.status_code == (401 if role == NOBODY.role else 403)
        assert ("www-authenticate" in (caught.value.headers or {})) is (role == NOBODY.role)


@pytest.mark.parametrize(
    "path",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/a\nb", "", "/é"],
)
def test_after_a_sign_in_one_stays_here(path: str) -> None:
    assert ours(path) == "/"
    assert ours("/questions/1?x=2") == "/questions/1?x=2"


def test_what_can_not_be_seen_is_shown() -> None:
    assert visible("a\u202eb\x1b[2Jc\nd") == "a\\u202eb\\u001b[2Jc\nd"
    assert visible("zażółć 🎉") == "zażółć 🎉"
    assert (visible(None), visible(3)) == ("", 3)


def test_times_and_browsers_are_told_for_people() -> None:
    assert [span(each) for each in (1, 60_000, 3_660_000, 90_000_000, 172_800_000)] == [
        "less than a minute",
        "1 minute",
        "1 hour 1 minute",
        "1 day 1 hour",
        "2 days",
    ]
    assert browser_name("Mozilla/5.0 (X11; Linux x86_64) Chrome/1 Safari/1") == "Chrome on Linux"
    assert browser_name("curl/8") == "curl/8"
    assert browser_name(None) == "an unknown browser"
