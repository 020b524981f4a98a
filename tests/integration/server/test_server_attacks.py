"""Attacks on a real server that once got through, each beside what is allowed."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from handrail.words.person import Role
from tests.support.agent import ASKS, V1, agent, events, found, vote
from tests.support.rail import LEAD
from tests.support.server import ADMIN, VIEWER, Served, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("server")) as running:
        yield running


def log_of(server: Served) -> str:
    """What the server has written down."""
    return "".join(path.read_text() for path in server.folder.glob("server-*.log"))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("halts", {"agent": "support\n", "reason": "a test"}),
        ("halts", {"tool": "refund\n", "reason": "a test"}),
        ("keys", {"kind": "agent", "name": "x", "agents": ["support\n"]}),
        ("keys", {"kind": "agent", "name": "x\n", "agents": ["support"]}),
        ("people", {"id": "x@example.com\n", "role": "viewer"}),
    ],
)
def test_a_name_with_a_line_break_at_its_end_is_no_name(
    server: Served, path: str, body: dict[str, object]
) -> None:
    admin = server.signed_in()
    assert admin.post(f"{V1}/{path}", json=body).status_code == 422
    clean = json.loads(json.dumps(body).replace("\\n", ""))
    made = admin.post(f"{V1}/{path}", json=clean)
    assert made.status_code == 201
    if path == "halts":
        halt = made.json()["halt"]["id"]
        found(admin.post(f"{V1}/halts/{halt}/lift", json={"reason": "a test"}))


def test_an_id_with_a_line_break_is_no_id(server: Served) -> None:
    support = agent(server.with_key())
    name = f"{int(time.time() * 1000):012x}{7:016x}"
    assert support.propose(id=f"{name}\n").status_code == 422
    assert support.proposed(id=name)["id"] == name


@pytest.mark.parametrize("what", ["actions", "approvals", "sessions", "entries", "model-calls"])
def test_a_cursor_that_no_page_gave_is_refused_and_not_taken_for_the_end(server: Served, what: str) -> None:
    with server.signed_in() as admin:
        for wrong in ("hello", "-1", "1:2"):
            assert admin.get(f"/api/v1/{what}", params={"cursor": wrong}).status_code == 422
        given = "17" if what == "entries" else "0193a5e2c4d800000123456789ab"
        assert admin.get(f"/api/v1/{what}", params={"cursor": given}).status_code == 200


@pytest.mark.parametrize("confidence", ["1e-999999", "1e-99999999999", f"0.{'0' * 5_000}1"])
def test_a_confidence_that_would_fill_pages_is_refused(server: Served, confidence: str) -> None:
    support = agent(server.with_key())
    body = {
        "session": support.session["id"],
        "session_token": support.session["token"],
        "tool": "refund",
        "args": {"order": "o-1", "amount": ASKS, "reason": "late"},
        "binding": support.binding,
        "confidence": 0.5,
    }
    text = json.dumps(body)
    kind = {"content-type": "application/json"}
    wrong = support.client.post(
        f"{V1}/actions",
        content=text.replace('"confidence": 0.5', f'"confidence": {confidence}'),
        headers=kind,
    )
    assert (wrong.status_code, "digits" in wrong.json()["detail"]) == (422, True)
    assert support.client.post(f"{V1}/actions", content=text, headers=kind).status_code == 201


def test_a_neighbours_dead_key_does_not_stop_a_good_one(server: Served) -> None:
    good, bad = server.with_key(), server.client(headers={"authorization": "Bearer hr_a_x_y"})
    refused = [bad.get(f"{V1}/actions").status_code for _ in range(15)]
    assert (refused[0], refused[-1]) == (401, 429)
    assert good.get(f"{V1}/actions").status_code == 200


def test_a_halt_of_a_mistyped_name_says_so(server: Served) -> None:
    admin = server.signed_in()
    for name, told in (
        ("suport", ["The policy knows no agent 'suport'; did you mean 'support'?"]),
        ("support", []),
    ):
        made = found(admin.post(f"{V1}/halts", json={"agent": name, "reason": "a test"}), 201)
        found(admin.post(f"{V1}/halts/{made['halt']['id']}/lift", json={"reason": "a test"}))
        assert made["warnings"] == told
    admin.post("/halts", data={"agent": "suport", "reason": "a test"})
    page = admin.get("/halts").text
    assert "did you mean" in page
    [halt] = found(admin.get(f"{V1}/halts"))["items"]
    found(admin.post(f"{V1}/halts/{halt['id']}/lift", json={"reason": "a test"}))


def test_a_slash_too_many_sends_no_key_elsewhere(server: Served) -> None:
    client = server.with_key()
    evil = {"host": "evil.example"}
    assert client.get(f"{V1}/actions/", headers=evil).status_code == 404
    assert client.get(f"{V1}/actions", headers=evil).status_code == 200


def test_who_leaves_in_the_middle_of_a_request_fills_no_log(server: Served) -> None:
    head = b"POST /api/v1/sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\nContent-Type: application/json"
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", server.port)) as gone:
            gone.sendall(head + b"\r\n\r\n{")
    assert server.client().get("/health").status_code == 200
    assert "Traceback" not in log_of(server)


@pytest.mark.parametrize("how", ["sign-out", "role", "switched off"])
def test_a_stream_tells_nothing_after_its_readers_rights_ended(server: Served, how: str) -> None:
    person = f"{how.replace(' ', '-')}@example.com"
    admin, gone, stays = (
        server.signed_in(),
        server.signed_in(person, Role.VIEWER),
        server.signed_in(VIEWER, Role.VIEWER),
    )
    with gone.stream("GET", f"{V1}/stream") as ending, stays.stream("GET", f"{V1}/stream") as going:
        if how == "sign-out":
            # another client: the stream's own one is busy
            other = server.client(cookies={"handrail": gone.cookies["handrail"]})
            assert other.post(f"{V1}/sign-out").status_code == 204
        else:
            change = {"role": "reviewer"} if how == "role" else {"active": False}
            found(admin.patch(f"{V1}/people/{person}", json=change))
        halt = found(admin.post(f"{V1}/halts", json={"reason": "a secret"}), 201)["halt"]["id"]
        found(admin.post(f"{V1}/halts/{halt}/lift", json={"reason": "a test"}))
        told = next(each for each in events(going.iter_lines()) if each.kind == "halted")
        assert told.entry["body"]["reason"] == "a secret"
        if how == "role":
            assert "halted" in (each.kind for each in events(ending.iter_lines()))
        else:
            assert "a secret" not in "".join(ending.iter_lines())


def test_a_person_is_answered_while_their_address_floods(tmp_path: Path) -> None:
    with served(tmp_path, env={"HANDRAIL_RATE": "1"}) as small:
        admin = small.signed_in(ADMIN)
        assert admin.get(f"{V1}/me").status_code == 200
        flood = [httpx.get(f"{small.here}/health").status_code for _ in range(4)]
        assert flood[-1] == 429
        assert admin.get(f"{V1}/me").status_code == 200


def test_arguments_too_long_for_a_list_are_left_to_the_question(tmp_path: Path) -> None:
    with served(tmp_path) as desk:
        support, lead = agent(desk.with_key()), desk.signed_in(LEAD, Role.REVIEWER)
        long = {"order": "o", "amount": ASKS, "reason": "x" * 500_000}
        for order in ("o-1", "o-2"):
            support.proposed(args={**long, "order": order})
            support.proposed(ASKS, order=f"short {order}")
        page = lead.get("/questions").text
        assert (page.count('type="checkbox"'), page.count("too long for this list")) == (2, 2)
        assert len(page) < 100_000
        [asked, *_] = found(lead.get(f"{V1}/approvals"))["items"]
        assert "x" * 500_000 in lead.get(f"/questions/{asked['id']}").text


def test_who_waits_with_a_key_hears_nothing_once_it_is_revoked(server: Served) -> None:
    admin, lead = server.signed_in(), server.signed_in(LEAD, Role.REVIEWER)
    for revoked, status in ((True, 401), (False, 200)):
        client = server.with_key()
        held = agent(client).proposed(ASKS, order=f"waits {revoked}")["id"]
        key = client.headers["authorization"].split("_")[2]
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(client.get, f"{V1}/actions/{held}", params={"wait": 30})
            if revoked:
                found(admin.post(f"{V1}/keys/{key}/revoke"))
            assert vote(lead, held).status_code == 200
            assert waiting.result(120).status_code == status


@pytest.mark.parametrize("person", ["a/b@example.com", "..", "."])
def test_a_person_whom_no_path_can_name_gets_no_account(server: Served, person: str) -> None:
    admin = server.signed_in()
    assert admin.post(f"{V1}/people", json={"id": person, "role": "viewer"}).status_code == 422
    fine = f"{len(person)}.fine@example.com"
    found(admin.post(f"{V1}/people", json={"id": fine, "role": "viewer"}), 201)
    found(admin.patch(f"{V1}/people/{fine}", json={"active": False}))
