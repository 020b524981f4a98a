"""The overview is drawn once for all who look on; each is let in alone, and nobody gets another's page."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import httpx
import pytest

from handrail.engine.identity.accounts import set_active
from handrail.engine.restrict import halt, set_rung
from handrail.words.level import Rung
from handrail.words.person import Role
from tests.support.server import ADMIN, VIEWER, Served, served, sign_in

HTML = {"accept": "text/html"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server with nothing on its board yet."""
    with served(tmp_path_factory.mktemp("shared")) as found:
        yield found


def cookies(server: Served) -> dict[str, str]:
    """A sign-in of two people, and one that never was."""
    with server.engine() as engine:
        people = {ADMIN: Role.ADMIN, VIEWER: Role.VIEWER}
        return {**{each: sign_in(engine, each, role) for each, role in people.items()}, "nobody": "made up"}


async def asked(server: Served, path: str, known: dict[str, str]) -> dict[str, httpx.Response]:
    """What each gets who asks at the same moment."""
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        answers = await asyncio.gather(
            *(client.get(path, headers={**HTML, "cookie": f"handrail={each}"}) for each in known.values())
        )
    return dict(zip(known, answers, strict=True))


async def test_who_may_see_the_part_gets_the_same_and_who_may_not_gets_nothing(server: Served) -> None:
    found = await asked(server, "/overview", cookies(server))
    assert {who: each.status_code for who, each in found.items()} == {ADMIN: 200, VIEWER: 200, "nobody": 303}
    assert found[ADMIN].text == found[VIEWER].text
    assert "Nothing happened yet today" in found[ADMIN].text
    assert not found["nobody"].text
    for person in (ADMIN, VIEWER):
        assert person not in found[person].text


async def test_a_whole_page_is_each_person_s_own(server: Served) -> None:
    """The name, and what one may do; the part that changes is the same."""
    found = await asked(server, "/", cookies(server))
    assert [found[ADMIN].status_code, found[VIEWER].status_code, found["nobody"].status_code] == [
        200,
        200,
        303,
    ]
    assert '<a class="name" href="/account">admin' in found[ADMIN].text
    assert '<a class="name" href="/account">viewer' in found[VIEWER].text
    assert "Reason for the stop" in found[ADMIN].text
    assert "Reason for the stop" not in found[VIEWER].text


async def test_a_sign_in_that_ended_is_refused_by_the_next_question(server: Served) -> None:
    """While somebody else is answered."""
    known = cookies(server)
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        left = {"cookie": f"handrail={known[VIEWER]}", "origin": server.url}
        assert (await client.post("/sign-out", headers=left)).status_code == 303
    found = await asked(server, "/overview", known)
    assert [found[ADMIN].status_code, found[VIEWER].status_code] == [200, 303]


async def test_whose_account_is_closed_is_refused_by_the_next_question(server: Served) -> None:
    """Although this process knew the cookie a moment ago; who may look on is answered."""
    known = cookies(server)
    for _ in range(2):
        before = await asked(server, "/overview", known)
        assert [before[ADMIN].status_code, before[VIEWER].status_code] == [200, 200]
    with server.engine() as engine:
        set_active(engine, VIEWER, active=False, by=ADMIN)
    found = await asked(server, "/overview", known)
    assert [found[ADMIN].status_code, found[VIEWER].status_code] == [200, 303]
    with server.engine() as engine:
        set_active(engine, VIEWER, active=True, by=ADMIN)
    assert (await asked(server, "/overview", cookies(server)))[VIEWER].status_code == 200


async def test_what_changed_before_the_question_is_in_the_answer(server: Served) -> None:
    """Also for who can't unpack it."""
    known = cookies(server)
    with server.engine() as engine:
        halt(engine, "Too many letters.", ADMIN)
    found = (await asked(server, "/overview", known))[VIEWER]
    assert (found.headers["content-encoding"], found.headers["cache-control"]) == ("gzip", "no-store")
    assert "Something is stopped" in found.text
    plain = {"cookie": f"handrail={known[VIEWER]}", "accept-encoding": "identity"}
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        answer = await client.get("/overview", headers=plain)
    assert "content-encoding" not in answer.headers
    assert answer.text == found.text


def test_only_the_table_of_an_agent_of_which_something_became_is_drawn_anew(server: Served) -> None:
    """And the whole is what a first drawing gives."""
    with server.engine() as engine, server.signed_in(ADMIN) as admin:
        kept = admin.get("/overview").text
        set_rung(engine, "sales", "offer", Rung.SUGGEST, "Too many offers.", ADMIN)
        changed = admin.get("/overview").text
    tables = [
        re.findall(r'<details class="card agent-tools".*?</details>', text, re.DOTALL)
        for text in (kept, changed)
    ]
    assert [before == now for before, now in zip(*tables, strict=True)] == [True, False]
    assert "set by hand" in tables[1][1]
    with served(server.folder, args=("--port", "0")) as fresh, fresh.signed_in(ADMIN) as anew:
        assert anew.get("/overview").text == changed
