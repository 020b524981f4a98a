"""People steer over HTTP: policy versions, grants, accounts, their own account, manual runs, channels."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pyotp
import pytest

from handrail.words.person import Role
from tests.support.agent import V1, found
from tests.support.rail import POLICY
from tests.support.server import PASSWORD, Served, served

TOOLS = """
import handrail
rail = handrail.connect("handrail.yaml")

@rail.tool
def refund(order: str, amount: float, reason: str = "late") -> str:
    if amount == 13:
        raise ValueError("the bank is closed")
    return f"{order}: {amount}"
"""
FILES = {"handrail.yaml": POLICY}
NEWER = {"handrail.yaml": POLICY.replace('"amount > 100"', '"amount > 200"')}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as running:
        yield running


@pytest.fixture
def admin(server: Served) -> Iterator[httpx.Client]:
    with server.signed_in() as client:
        yield client


def test_a_policy_with_a_mistake_is_told_with_line_and_column_and_changes_nothing(
    admin: httpx.Client,
) -> None:
    bad = {"handrail.yaml": POLICY.replace("does: pay", "does: pray")}
    checked = found(admin.post(f"{V1}/policy/check", json={"name": "handrail.yaml", "files": bad}))
    assert (checked["ok"], checked["problems"][0]["line"] > 1) == (False, True)
    running = found(admin.get(f"{V1}/policy"))["digest"]
    body = {"name": "handrail.yaml", "files": bad, "reason": "a test", "expected": running}
    refused = admin.post(f"{V1}/policy/activate", json=body)
    assert (refused.status_code, refused.json()["errors"] != []) == (422, True)
    assert found(admin.get(f"{V1}/policy"))["digest"] == running


def test_a_version_is_taken_up_after_the_one_that_was_seen_and_no_other(admin: httpx.Client) -> None:
    before = found(admin.get(f"{V1}/policy"))
    checked = found(admin.post(f"{V1}/policy/check", json={"name": "handrail.yaml", "files": NEWER}))
    assert (checked["ok"], "amount > 200" in checked["diff"]) == (True, True)
    assert [each["name"] for each in checked["changes"]] == ["big"]
    body = {"name": "handrail.yaml", "files": NEWER, "reason": "more room", "expected": "0" * 64}
    assert admin.post(f"{V1}/policy/activate", json=body).status_code == 409
    done = found(admin.post(f"{V1}/policy/activate", json={**body, "expected": before["digest"]}))
    assert done["digest"] == checked["digest"]
    again = {**body, "files": FILES, "expected": before["digest"]}
    assert admin.post(f"{V1}/policy/activate", json=again).status_code == 409
    versions = found(admin.get(f"{V1}/policy/versions"))["items"]
    assert [(each["digest"], each["active"]) for each in versions] == [
        (done["digest"], True),
        (before["digest"], False),
    ]
    older = found(admin.get(f"{V1}/policy/versions/{before['digest']}"))
    assert older["files"] == before["files"]


def test_a_rung_is_set_by_hand_up_to_the_ceiling(admin: httpx.Client) -> None:
    path = f"{V1}/grants/support/refund"
    assert found(admin.put(path, json={"rung": "suggest", "reason": "two mistakes"}))["rung"] == "suggest"
    assert admin.put(path, json={"rung": "autonomous", "reason": "no"}).status_code == 403
    grants = {(each["agent"], each["tool"]): each for each in found(admin.get(f"{V1}/grants"))["items"]}
    assert grants["support", "refund"]["override"]
    assert not grants["sales", "refund"]["override"]


def test_a_person_is_invited_changed_and_switched_off(server: Served, admin: httpx.Client) -> None:
    invited = found(admin.post(f"{V1}/people", json={"id": "Lea@example.com", "role": "viewer"}), 201)
    assert invited["person"] == "lea@example.com"
    assert "/set-up?link=" in invited["link"]
    assert admin.post(f"{V1}/people", json={"id": "lea@example.com", "role": "viewer"}).status_code == 409
    path = f"{V1}/people/lea@example.com"
    assert found(admin.patch(path, json={"role": "reviewer"}))["role"] == "reviewer"
    away = found(admin.patch(path, json={"away_until": "2099-01-01T00:00:00Z"}))["away_until"]
    assert away == "2099-01-01T00:00:00.000Z"
    assert found(admin.patch(path, json={"away_until": None, "active": False}))["away_until"] is None
    with server.signed_in("viewer@example.com", Role.VIEWER) as viewer:
        seen = {each["id"]: each for each in found(viewer.get(f"{V1}/people"))["items"]}
        assert (seen["lea@example.com"]["active"], seen["lea@example.com"]["password"]) == (False, None)
        assert viewer.patch(path, json={"role": "admin"}).status_code == 403


def test_a_second_factor_is_begun_used_and_ended(server: Served) -> None:
    with server.signed_in("second@example.com", Role.REVIEWER) as person, server.client() as stranger:
        offered = found(person.post(f"{V1}/me/totp"))
        assert person.post(f"{V1}/me/totp/confirm", json={"code": "abc"}).status_code == 422
        code = pyotp.TOTP(offered["secret"]).now()
        assert found(person.post(f"{V1}/me/totp/confirm", json={"code": code}))["second_factor"]
        said = {"person": "second@example.com", "password": PASSWORD}
        assert stranger.post(f"{V1}/sign-in", json=said).status_code == 401
        assert stranger.get(f"{V1}/me").status_code == 401
        assert person.request("DELETE", f"{V1}/me/totp", json={"code": code}).status_code == 422, (
            "used already"
        )
        assert found(person.get(f"{V1}/me"))["second_factor"]


def test_an_admin_ends_a_lost_second_factor_and_only_when_told_to(
    server: Served, admin: httpx.Client
) -> None:
    path = f"{V1}/people/second@example.com/reset"
    with server.signed_in("second@example.com", Role.REVIEWER) as person:
        offered = found(person.post(f"{V1}/me/totp"))
        code = pyotp.TOTP(offered["secret"]).now()
        found(person.post(f"{V1}/me/totp/confirm", json={"code": code}))
        assert person.post(path, json={"second_factor": "end"}).status_code == 403
        assert "/set-up?link=" in found(admin.post(path))["link"]
        assert found(person.get(f"{V1}/me"))["second_factor"]
        assert admin.post(path, json={"second_factor": "off"}).status_code == 422
        assert "/set-up?link=" in found(admin.post(path, json={"second_factor": "end"}))["link"]
        assert person.get(f"{V1}/me").status_code == 401
    people = {each["id"]: each for each in found(admin.get(f"{V1}/people"))["items"]}
    assert people["second@example.com"]["second_factor"] is False


def test_a_person_signs_in_changes_the_password_and_signs_out(server: Served, admin: httpx.Client) -> None:
    said = {"person": "admin@example.com", "password": PASSWORD}
    with server.client() as browser:
        assert found(browser.post(f"{V1}/sign-in", json=said))["role"] == "admin"
        assert found(browser.patch(f"{V1}/me", json={"name": "Ada"}))["name"] == "Ada"
        change = {"old": PASSWORD, "password": "another good passphrase"}
        assert browser.post(f"{V1}/me/password", json=change).status_code == 204
        assert admin.get(f"{V1}/me").status_code == 401, "every other sign-in has ended"
        here = found(browser.get(f"{V1}/me/sign-ins"))["items"]
        assert [each["here"] for each in here] == [True]
        assert browser.post(f"{V1}/sign-out").status_code == 204
        assert browser.get(f"{V1}/me").status_code == 401
        assert browser.post(f"{V1}/sign-in", json=said).status_code == 401


def test_the_server_runs_by_hand_what_it_has_also_while_agents_are_halted(tmp_path: Path) -> None:
    (tmp_path / "desk.py").write_text(TOOLS, encoding="utf-8")
    with served(tmp_path, args=("--app", "desk:rail")) as server, server.signed_in() as admin:
        found(admin.post(f"{V1}/halts", json={"reason": "a test"}), 201)
        body = {"tool": "refund", "args": {"order": "o", "amount": 7}, "reason": "the agent is halted"}
        done = found(admin.post(f"{V1}/manual-actions", json=body), 201)
        assert (done["state"], done["person"]) == ("done", "admin@example.com")
        assert found(admin.get(f"{V1}/actions/{done['id']}/payload"))["output"] == "o: 7.0"
        failed = found(
            admin.post(f"{V1}/manual-actions", json={**body, "args": {"order": "o", "amount": 13}}), 201
        )
        assert (failed["state"], "the bank is closed" in failed["error"]) == ("failed", True)
        wrong = admin.post(f"{V1}/manual-actions", json={**body, "args": {"order": "o"}})
        assert wrong.status_code == 422
        assert admin.post(f"{V1}/manual-actions", json={**body, "tool": "wipe"}).status_code == 404


def test_a_test_of_a_channel_is_a_delivery(tmp_path: Path) -> None:
    with served(tmp_path, env={"HANDRAIL_NOTIFY_ONCALL": "json://127.0.0.1:9"}) as server:
        admin = server.signed_in()
        made = found(admin.post(f"{V1}/deliveries/test", json={"channel": "notify:oncall"}), 202)
        assert made["id"] in [each["id"] for each in found(admin.get(f"{V1}/deliveries"))["items"]]


def test_a_test_that_nobody_would_send_is_refused_with_what_to_set(admin: httpx.Client) -> None:
    refused = admin.post(f"{V1}/deliveries/test", json={"channel": "notify:oncall"})
    assert (refused.status_code, "HANDRAIL_NOTIFY_NAME" in refused.json()["detail"]) == (422, True)
    assert admin.post(f"{V1}/deliveries/test", json={"channel": "pigeon"}).status_code == 422
    assert found(admin.get(f"{V1}/deliveries"))["items"] == []


def test_what_is_no_json_or_not_called_so_is_refused_with_a_reason(admin: httpx.Client) -> None:
    path, json = f"{V1}/halts", {"content-type": "application/json"}
    assert admin.post(path, content="{", headers=json).status_code == 400
    assert admin.post(path, content=b'{"reason": "\xff"}', headers=json).status_code == 400
    assert admin.post(path, content="[" * 100_000, headers=json).status_code in {400, 422}
    assert admin.post(path, content='{"reason": "x"}').status_code == 415
    wrong = admin.post(path, json={"reason": 5})
    assert wrong.headers["content-type"] == "application/problem+json"
    assert wrong.json()["errors"] == [{"pointer": "/body/reason", "detail": "Expected `str`, got `int`"}]
    assert found(admin.get(path))["items"] == []


@pytest.mark.parametrize("way", ["api", "page"])
def test_a_halt_that_was_thrown_by_sql_is_lifted_as_any_other_by_its_own_id(
    way: str, server: Served, admin: httpx.Client
) -> None:
    with closing(sqlite3.connect(server.folder / "handrail.db")) as by_hand, by_hand:
        by_hand.execute("insert into halts (id, reason, person, at) values ('by-hand-1', 'odd', 'ann', 1)")
    [halt] = found(admin.get(f"{V1}/halts"))["items"]
    with server.signed_in("rev@example.com", Role.REVIEWER) as reviewer:
        assert reviewer.post(f"{V1}/halts/{halt['id']}/lift", json={"reason": "fine"}).status_code == 403
    if way == "api":
        lifted = found(admin.post(f"{V1}/halts/{halt['id']}/lift", json={"reason": "fine"}))
        assert lifted == {"items": []}
    else:
        assert admin.post(f"/halts/{halt['id']}/lift", data={"reason": "fine"}).status_code == 303
    assert found(admin.get(f"{V1}/halts"))["items"] == []
    kinds = [each["kind"] for each in found(admin.get(f"{V1}/entries"))["items"]]
    assert "lifted" in kinds
