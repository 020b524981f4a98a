"""A real server process: the first link, signing in, what ends it, and stopping in good order."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pyotp
import pytest

from handrail.engine.identity import accounts
from handrail.words.person import Role
from tests.support.rail import LEAD
from tests.support.server import ADMIN, PASSWORD, Served, account, link_secret, served

ANNA = "anna@example.com"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("server")) as found:
        yield found


def come_in(client: httpx.Client, person: str, password: str = PASSWORD, to: str = "/") -> httpx.Response:
    """Fill the form in."""
    return client.post("/sign-in", data={"person": person, "password": password, "to": to})


def test_the_first_link_makes_an_admin_and_only_using_it_uses_it_up(server: Served) -> None:
    assert server.first_link is not None
    client = server.client()
    form = {"link": link_secret(server.first_link), "person": ANNA, "password": PASSWORD, "again": PASSWORD}
    for _ in range(3):
        assert "Make the first admin" in client.get(server.first_link).text
    assert client.post("/set-up", data={**form, "again": "another"}).status_code == 422
    assert client.post("/set-up", data={**form, "password": "short", "again": "short"}).status_code == 422
    assert client.post("/set-up", data=form).headers["location"] == "/sign-in"
    assert client.post("/set-up", data=form).status_code == 404
    assert come_in(client, ANNA).headers["location"] == "/"
    assert client.get("/account").status_code == 200


def test_a_cookie_is_out_of_reach_of_scripts_and_other_sites(server: Served) -> None:
    with server.engine() as engine:
        account(engine, LEAD, Role.REVIEWER)
    cookie = come_in(server.client(), LEAD).headers["set-cookie"]
    assert re.search(r"^handrail=[\w-]{43};.*HttpOnly;.*Path=/;.*SameSite=lax", cookie)
    assert "Secure" not in cookie


def test_on_https_the_cookie_is_bound_to_the_host(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("https")
    env = {"HANDRAIL_URL": "https://desk.example", "HANDRAIL_TRUSTED_PROXIES": "127.0.0.1"}
    with served(folder, env=env) as server:
        assert server.url == "https://desk.example"
        with server.engine() as engine:
            account(engine, LEAD, Role.REVIEWER)
        port = server.port
        answer = httpx.post(
            f"http://127.0.0.1:{port}/sign-in",
            data={"person": LEAD, "password": PASSWORD},
            headers={"origin": server.url, "x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.7"},
        )
        assert re.search(r"^__Host-handrail=.*Secure$", answer.headers["set-cookie"])
        assert "max-age" in answer.headers["strict-transport-security"]
        with server.engine() as engine:
            [sign_in] = engine.store.read(lambda tx: tx.people.sign_ins(LEAD))
        assert sign_in.address == "192.0.2.7"


def test_wrong_passwords_and_unknown_people_are_told_the_same_and_then_wait(server: Served) -> None:
    with server.engine() as engine:
        account(engine, "guess@example.com", Role.VIEWER)
    told = [come_in(server.client(), person, "wrong") for person in ("guess@example.com", "none@example.com")]
    assert {each.status_code for each in told} == {401}
    assert len({re.sub(r'value="[^"]*"', "", each.text) for each in told}) == 1
    for _ in range(4):
        come_in(server.client(), "guess@example.com", "wrong")
    late = come_in(server.client(), "guess@example.com")
    assert late.status_code == 429
    assert "handrail" not in late.cookies
    with server.engine() as engine:
        account(engine, "calm@example.com", Role.VIEWER)
    assert come_in(server.client(), "calm@example.com").status_code == 303


def test_guesses_at_the_same_moment_gain_nothing(server: Served) -> None:
    with server.engine() as engine:
        account(engine, "many@example.com", Role.VIEWER)
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(lambda _: come_in(server.client(), "many@example.com", "wrong").status_code, range(16))
        )
    assert set(answers) <= {401, 429, 503}
    assert come_in(server.client(), "many@example.com").status_code == 429


def test_another_site_can_not_act_for_who_is_signed_in(server: Served) -> None:
    client = server.signed_in()
    evil = {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}
    assert client.post("/halts", data={"reason": "x"}, headers=evil).status_code == 403
    with server.engine() as engine:
        assert not engine.store.read(lambda tx: tx.restrictions.read()).halts
    assert client.post("/account/name", data={"name": "Ada"}).status_code == 303


def test_signing_out_ends_the_sign_in_itself(server: Served) -> None:
    client = server.signed_in()
    kept = client.cookies.get("handrail") or ""
    assert client.get("/account").status_code == 200
    client.post("/sign-out")
    again = server.client(cookies={"handrail": kept})
    assert again.get("/account", headers={"accept": "text/html"}).headers["location"].startswith("/sign-in")


def test_a_role_that_was_taken_away_is_gone_at_once(server: Served) -> None:
    client = server.signed_in("boss@example.com", Role.ADMIN)
    assert client.get("/halts/new?reason=x").status_code == 200
    with server.engine() as engine:
        account(engine, ADMIN, Role.ADMIN)
        accounts.set_role(engine, "boss@example.com", Role.VIEWER, ADMIN)
    assert client.get("/halts/new?reason=x").status_code == 403
    assert client.get("/halts").status_code == 200


def test_the_second_factor_is_needed_and_a_code_works_once(server: Served) -> None:
    with server.engine() as engine:
        account(engine, "totp@example.com", Role.REVIEWER)
    client = server.client()
    come_in(client, "totp@example.com")
    page = client.get("/account/second-factor").text
    found = re.search(r'class="secret">([A-Z2-7 ]+)<', page)
    assert found is not None
    totp = pyotp.TOTP(found[1].replace(" ", ""))
    assert client.post("/account/second-factor", data={"code": "000000"}).status_code == 422
    code = totp.now()
    assert client.post("/account/second-factor", data={"code": code}).status_code == 303

    other = server.client()
    assert come_in(other, "totp@example.com", to="/halts").headers["location"] == "/sign-in/code?to=%2Fhalts"
    page_only = {"accept": "text/html"}
    assert other.get("/account", headers=page_only).headers["location"].startswith("/sign-in")
    assert other.post("/sign-in/code", data={"code": code}).status_code == 401
    before = other.cookies["handrail"]
    assert other.post("/sign-in/code", data={"code": totp.at(totp_next(totp, code))}).status_code == 303
    assert other.get("/account").status_code == 200
    # a cookie that somebody knew, or planted, before the proof lets nobody in
    assert other.cookies["handrail"] != before
    planted = server.client(cookies={"handrail": before})
    assert planted.get("/account", headers=page_only).headers["location"].startswith("/sign-in")
    assert planted.get("/api/v1/me").status_code == 401


def totp_next(totp: pyotp.TOTP, code: str) -> int:
    """A moment of the time step after the one of this code: the server accepts one step of drift."""
    now = int(time.time())
    return next(at + 30 for at in (now - 30, now, now + 30) if totp.at(at) == code)


def test_a_page_is_told_to_people_and_a_problem_to_programs(server: Served) -> None:
    assert server.client().get("/nope").headers["content-type"] == "application/problem+json"
    page = server.client(headers={"accept": "text/html"}).get("/nope")
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")


def test_the_log_holds_no_link_and_no_password(server: Served) -> None:
    told = "".join(path.read_text() for path in server.folder.glob("*.log"))
    assert server.first_link is not None
    assert link_secret(server.first_link) not in told
    assert PASSWORD not in told


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_finishes_what_is_under_way_and_says_first_that_it_is_not_ready(
    tmp_path_factory: pytest.TempPathFactory, sig: int
) -> None:
    with served(tmp_path_factory.mktemp("stop"), env={"HANDRAIL_DRAIN": "1"}) as server:
        with server.engine() as engine:
            account(engine, LEAD, Role.REVIEWER)
        answers: list[int] = []
        slow = threading.Thread(target=lambda: answers.append(come_in(server.client(), LEAD).status_code))
        assert server.client().get("/ready").status_code == 200
        server.process.send_signal(sig)
        slow.start()
        ready = server.client()
        while (status := ready.get("/ready").status_code) == 200:
            pass
        assert status == 503
        slow.join(120)
        assert server.process.wait(120) == 0
        assert answers == [303]
    log = "".join(path.read_text() for path in server.folder.glob("*.log"))
    assert "Traceback" not in log


def test_an_address_that_is_taken_is_told(server: Served, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("taken")
    taken = served(folder, args=("--port", str(server.port)))
    with pytest.raises(AssertionError, match="can't listen at"), taken:
        pass


def test_open_streams_and_long_polls_end_at_once_when_the_server_stops(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with served(tmp_path_factory.mktemp("streams"), env={"HANDRAIL_GRACE": "600"}) as server:
        client = server.signed_in()
        with client.stream("GET", "/api/v1/stream") as stream:
            assert stream.status_code == 200
            server.process.send_signal(signal.SIGTERM)
            for _ in stream.iter_raw():
                pass
        assert server.process.wait(120) == 0


def test_a_second_interrupt_does_not_wait(tmp_path_factory: pytest.TempPathFactory) -> None:
    with served(
        tmp_path_factory.mktemp("twice"), env={"HANDRAIL_DRAIN": "2", "HANDRAIL_GRACE": "600"}
    ) as server:
        server.process.send_signal(signal.SIGINT)
        ready = server.client()
        while ready.get("/ready").status_code == 200:
            pass
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(120) == 0


def test_who_fails_at_an_account_locks_it_only_where_its_owner_never_was(server: Served) -> None:
    mine, strange, other = server.client(), server.client(), "locked@example.com"
    with server.engine() as engine:
        account(engine, other, Role.VIEWER)
        account(engine, "else@example.com", Role.VIEWER)
    assert come_in(mine, other).status_code == 303
    mine.post("/sign-out")
    failed = [come_in(strange, other, "wrong").status_code for _ in range(8)]
    assert (failed[0], failed[-1]) == (401, 429)
    assert come_in(strange, other).status_code == 429
    assert come_in(mine, other).status_code == 303
    mine.post("/sign-out")
    failed = [come_in(mine, other, "wrong").status_code for _ in range(8)]
    assert (failed[0], failed[-1]) == (401, 429), "a browser that is known may guess no more than another"
    strange.cookies.set("handrail_device", mine.cookies["handrail_device"] + "A")
    assert come_in(strange, other).status_code == 429
