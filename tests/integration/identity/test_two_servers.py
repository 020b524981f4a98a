"""Two servers over one PostgreSQL serve the same people: what ends at one has ended at the other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from handrail.engine.identity import keys
from handrail.server.auth.keys import parsed
from handrail.words.person import Role
from tests.support import postgres
from tests.support.rail import LEAD
from tests.support.server import PASSWORD, Served, account, served


@pytest.fixture(scope="module")
def pair(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Served]]:
    """Two processes over one database."""
    folder = tmp_path_factory.mktemp("pair")
    with (
        postgres.database(postgres_url) as url,
        served(folder, database=url) as one,
        served(folder, database=url) as other,
    ):
        yield one, other


def test_a_sign_in_of_one_is_known_to_the_other_and_ends_in_both(pair: tuple[Served, Served]) -> None:
    one, other = pair
    here = one.signed_in(LEAD, Role.REVIEWER)
    there = other.client(cookies={"handrail": here.cookies["handrail"]})
    assert there.get("/account").status_code == 200
    assert here.post("/sign-out").status_code == 303
    assert there.get("/account").status_code == 401


def test_failures_at_both_count_together(pair: tuple[Served, Served]) -> None:
    with pair[0].engine() as engine:
        account(engine, "guess@example.com", Role.VIEWER)
    form = {"person": "guess@example.com", "password": "wrong"}
    for each in range(5):
        assert pair[each % 2].client().post("/sign-in", data=form).status_code == 401
    for server in pair:
        assert server.client().post("/sign-in", data={**form, "password": PASSWORD}).status_code == 429


def test_a_key_revoked_at_one_is_refused_by_the_other_at_once(pair: tuple[Served, Served]) -> None:
    one, other = pair
    program = other.with_key()
    assert program.get("/api/v1/agents/support").status_code == 200
    found = parsed(program.headers["authorization"].removeprefix("Bearer "))
    assert found is not None
    with one.engine() as engine:
        keys.revoke_key(engine, found[1], "a test")
    assert program.get("/api/v1/agents/support").status_code == 401


def test_both_offer_a_first_link_and_one_makes_the_admin(pair: tuple[Served, Served]) -> None:
    links = [each.first_link for each in pair]
    assert all(links)
    assert links[0] != links[1]


ODD = ("\x00", "\u202e", "x" * 5_000, "[" * 5_000, "0001-01-01", "")


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_odd_input_is_refused_and_breaks_nothing(pair: tuple[Served, Served], text: str) -> None:
    client = pair[0].signed_in()
    fields = (
        "person",
        "password",
        "link",
        "again",
        "item",
        "agent",
        "reason",
        "name",
        "back",
        "code",
        "args",
    )
    form = {**dict.fromkeys(fields, text), "seen": text, "text": text, "old": text}
    paths = ("/sign-in", "/set-up", "/questions/approve", "/questions/none/edit", "/questions/none/answer")
    more = (
        "/account/name",
        "/account/away",
        "/account/password",
        "/account/second-factor",
        "/halts/none/lift",
    )
    for path in (*paths, *more):
        assert client.post(path, data=form).status_code in {303, 401, 404, 409, 422}
    for path in ("/set-up", "/questions/none", "/halts/new", "/sign-in"):
        found = client.get(path, params={"link": text[:500], "reason": text[:500], "to": text[:500]})
        assert found.status_code in {200, 303, 404}
    assert client.get("/account").status_code == 200
