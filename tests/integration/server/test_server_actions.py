"""An agent proposes over HTTP, people answer, the agent runs and reports; and what it may not do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from handrail.words.person import KeyKind, Role
from tests.support.agent import ASKS, HUGE, REFUND, SMALL, V1, Agent, agent, found, question, vote
from tests.support.rail import HEAD, LEAD
from tests.support.server import Served, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("actions")) as running:
        yield running


@pytest.fixture(scope="module")
def key(server: Served) -> Iterator[httpx.Client]:
    with server.with_key("support") as client:
        yield client


@pytest.fixture
def support(key: httpx.Client, request: pytest.FixtureRequest) -> Agent:
    return agent(key, request.node.name)


@pytest.fixture(scope="module")
def lead(server: Served) -> Iterator[httpx.Client]:
    with server.signed_in(LEAD, Role.REVIEWER) as client:
        yield client


@pytest.fixture(scope="module")
def admin(server: Served) -> Iterator[httpx.Client]:
    with server.signed_in() as client:
        yield client


def test_a_small_refund_may_run_at_once_with_exactly_its_arguments(support: Agent) -> None:
    made = support.proposed(SMALL)
    assert made["state"] == "running"
    assert made["run"]["args"] == {"order": "o-1", "amount": SMALL, "reason": "late"}
    assert found(support.report(made, output={"paid": 5.10}))["state"] == "done"
    assert support.client.get(f"{V1}/actions/{made['id']}/payload").json() == {
        "args": {"order": "o-1", "amount": SMALL, "reason": "late"},
        "facts": None,
        "output": {"paid": 5.1},
    }


def test_numbers_stay_exact_on_the_way(support: Agent) -> None:
    body = support.client.build_request("POST", f"{V1}/actions", json={}).headers
    text = (
        f'{{"session": "{support.session["id"]}", "session_token": "{support.session["token"]}", '
        f'"tool": "refund", "binding": "{support.binding}", '
        '"args": {"order": "o", "amount": 0.10000000000000000055, "reason": "x"}}'
    )
    headers = {"content-type": "application/json"} | {"authorization": body["authorization"]}
    made = support.client.post(f"{V1}/actions", content=text, headers=headers)
    assert '"amount":0.10000000000000000055' not in made.text, "finer than a nano-unit is refused"
    assert made.json()["state"] == "denied"
    fine = support.client.post(f"{V1}/actions", content=text.replace("0000000055", ""), headers=headers)
    assert '"amount":0.1000000' in fine.text
    assert fine.json()["state"] == "running"


def test_a_huge_refund_is_refused_with_a_sentence_for_the_agent(support: Agent) -> None:
    made = support.proposed(HUGE)
    assert (made["state"], made["run"]) == ("denied", None)
    assert "Nobody refunds that much." in made["told"]


def test_a_held_action_is_approved_by_a_person_and_started_by_the_agent(
    support: Agent, lead: httpx.Client
) -> None:
    made = support.proposed(ASKS)
    assert (made["state"], made["run"]) == ("held", None)
    assert found(vote(lead, made["id"], reason="Fine."))["state"] == "approved"
    started = found(support.start(made["id"]))
    assert (started["state"], started["attempt"]) == ("running", 1)
    assert found(support.report(started))["state"] == "done"


def test_a_rejection_is_told_and_nothing_can_be_started(support: Agent, lead: httpx.Client) -> None:
    made = support.proposed(ASKS)
    found(vote(lead, made["id"], "reject", reason="Not this one."))
    after = found(support.start(made["id"]))
    assert (after["state"], after["run"]) == ("rejected", None)
    assert "Not this one." in after["told"]


def test_who_waits_hears_of_the_answer(support: Agent, lead: httpx.Client) -> None:
    made = support.proposed(ASKS)
    answers: list[dict[str, Any]] = []
    waiter = threading.Thread(target=lambda: answers.append(support.action(made["id"], wait=60)))
    waiter.start()
    found(vote(lead, made["id"]))
    waiter.join(120)
    assert [each["state"] for each in answers] == ["approved"]


def test_waiting_for_what_is_not_held_ends_at_once(support: Agent) -> None:
    made = support.proposed(SMALL)
    assert support.action(made["id"], wait=60)["state"] == "running"
    support.report(made)


def test_an_equal_proposal_finds_the_one_that_is_held_and_starts_it_once_approved(
    support: Agent, lead: httpx.Client
) -> None:
    made = support.proposed(ASKS)
    assert support.proposed(ASKS)["id"] == made["id"]
    found(vote(lead, made["id"]))
    again = support.proposed(ASKS)
    assert (again["id"], again["state"]) == (made["id"], "running")
    assert support.proposed(ASKS)["id"] != made["id"], "what runs is not joined: this is a new one"
    found(support.report(again))


def test_a_key_says_that_two_calls_are_the_same(support: Agent) -> None:
    made = support.proposed(SMALL, key="once")
    found(support.report(made, output="paid"))
    again = support.proposed(SMALL, key="once")
    assert (again["id"], again["state"], again["run"]) == (made["id"], "done", None)
    other = support.proposed(SMALL + 1, key="once")
    assert (other["state"], "once" in other["told"]) == ("denied", True)


def test_the_same_report_twice_is_answered_alike_and_another_one_is_a_conflict(support: Agent) -> None:
    made = support.proposed(SMALL)
    first = found(support.report(made, output={"paid": 5}))
    assert found(support.report(made, output={"paid": 5})) == first
    assert support.report(made, output={"paid": 6}).status_code == 409
    assert support.report(made, state="failed", error="no").status_code == 409


def test_a_failure_says_whether_anything_was_done(support: Agent) -> None:
    made = support.proposed(SMALL)
    failed = found(support.report(made, state="failed", error="the bank is closed", nothing_done=True))
    assert (failed["state"], failed["error"]) == ("failed", "the bank is closed")
    bad = support.proposed(SMALL)
    assert support.report(bad, state="done", nothing_done=True).status_code == 422
    found(support.report(bad))


def test_another_token_settles_nothing(support: Agent) -> None:
    made = support.proposed(SMALL)
    stranger = {**made, "run": {"token": "0" * 32}}
    assert support.report(stranger).status_code == 409
    assert support.action(made["id"])["state"] == "running"
    found(support.report(made))


def test_a_beat_extends_the_lease_and_tells_of_a_halt(support: Agent, admin: httpx.Client) -> None:
    made = support.proposed(SMALL)
    beat = f"{V1}/actions/{made['id']}/beat"
    first = found(support.client.post(beat, json={"token": made["run"]["token"]}))
    assert (first["lease_until"] >= made["run"]["lease_until"], first["halted"]) == (True, False)
    halt = found(admin.post(f"{V1}/halts", json={"agent": "support", "reason": "a test"}), 201)
    assert made["id"] in [each["id"] for each in halt["running"]]
    assert found(support.client.post(beat, json={"token": made["run"]["token"]}))["halted"]
    assert support.proposed(SMALL)["state"] == "denied"
    found(admin.post(f"{V1}/halts/{halt['halt']['id']}/lift", json={"reason": "over"}))
    found(support.report(made))
    assert support.client.post(beat, json={"token": made["run"]["token"]}).status_code == 409
    found(support.report(support.proposed(SMALL)))


def test_an_agent_takes_its_own_action_back(support: Agent) -> None:
    made = support.proposed(ASKS)
    taken = found(support.client.post(f"{V1}/actions/{made['id']}/cancel", json={"reason": "not needed"}))
    assert taken["state"] == "cancelled"
    assert support.client.post(f"{V1}/actions/{made['id']}/cancel", json={"reason": "x"}).status_code == 409


def test_another_agent_sees_nothing_and_can_do_nothing(support: Agent, server: Served) -> None:
    made = support.proposed(SMALL)
    path = f"{V1}/actions/{made['id']}"
    with server.with_key("sales") as other:
        assert other.get(path).status_code == 404
        assert other.get(f"{path}/payload").status_code == 404
        assert other.post(f"{path}/start").status_code == 404
        assert other.post(f"{path}/cancel", json={"reason": "x"}).status_code == 404
        assert other.post(f"{path}/beat", json={"token": made["run"]["token"]}).status_code == 404
        said = {"token": made["run"]["token"], "state": "done"}
        assert other.post(f"{path}/outcome", json=said).status_code == 404
        assert found(other.get(f"{V1}/actions"))["items"] == []
        assert found(other.get(f"{V1}/actions", params={"agent": "support"}))["items"] == []
        assert other.get(f"{V1}/agents/support").status_code == 404
        assert other.get(f"{V1}/sessions/{support.session['id']}").status_code == 404
        stolen = Agent(other, support.binding, support.session)
        assert stolen.propose().status_code == 404
    assert found(support.report(made))["state"] == "done"


def test_a_session_needs_its_own_token_and_ends(support: Agent) -> None:
    wrong = Agent(support.client, support.binding, {**support.session, "token": "0" * 64})
    assert wrong.propose().status_code == 404
    other = agent(support.client, "another task")
    mixed = Agent(support.client, support.binding, {**support.session, "token": other.session["token"]})
    assert mixed.propose().status_code == 404
    found(support.client.post(f"{V1}/sessions/{support.session['id']}/end"))
    refused = support.propose()
    assert refused.status_code == 409 or refused.json()["state"] == "denied"
    found(other.report(other.proposed()))


def test_a_key_that_opens_no_sessions_acts_only_in_those_of_a_service(server: Served) -> None:
    with (
        server.with_key("support", opens_sessions=False) as bound,
        server.with_key("support", KeyKind.SERVICE) as service,
    ):
        assert bound.post(f"{V1}/sessions", json={"task": "mine"}).status_code == 403
        asked = {"agent": "support", "task": "t-9", "behalf": LEAD}
        session = found(service.post(f"{V1}/sessions", json=asked), 201)
        tool = found(bound.post(f"{V1}/tools", json={"name": "refund", "schema": REFUND}))
        made = Agent(bound, tool["binding"], session).proposed()
        assert (made["task"], made["state"]) == ("t-9", "running")
        assert service.post(f"{V1}/sessions", json={"agent": "sales"}).status_code == 403


def test_for_whom_an_agent_works_can_not_answer_for_it(server: Served, lead: httpx.Client) -> None:
    with server.with_key("support") as key, server.with_key("support", KeyKind.SERVICE) as service:
        asked = {"agent": "support", "behalf": LEAD}
        session = found(service.post(f"{V1}/sessions", json=asked), 201)
        made = Agent(key, agent(key).binding, session).proposed(ASKS)
        assert vote(lead, made["id"]).status_code == 403
        with server.signed_in("second@example.com", Role.REVIEWER) as second:
            assert found(vote(second, made["id"]))["state"] == "approved"


def test_a_changed_schema_waits_for_a_person_and_its_proposals_are_denied(
    tmp_path: Path,
) -> None:
    changed = {**REFUND, "required": ["order", "amount", "reason"]}
    with served(tmp_path) as alone, alone.with_key("support") as client, alone.signed_in() as admin:
        support = agent(client)
        newer = found(client.post(f"{V1}/tools", json={"name": "refund", "schema": changed}))
        assert not newer["accepted"]
        later = Agent(client, newer["binding"], support.session)
        denied = later.proposed()
        assert (denied["state"], "waits for a person" in denied["told"]) == ("denied", True)
        found(support.report(support.proposed()))
        found(admin.post(f"{V1}/tools/refund/accept", json={"binding": newer["binding"]}))
        found(later.report(later.proposed()))
        assert support.proposed()["state"] == "denied"
        kinds = [each["kind"] for each in found(admin.get(f"{V1}/entries"))["items"]]
        assert (kinds.count("tool_registered"), kinds.count("tool_accepted")) == (2, 1)


def test_a_tool_that_the_policy_does_not_give_to_an_agent_is_not_pinned_by_it(server: Served) -> None:
    with server.with_key("sales") as sales, server.signed_in() as admin:
        for name in ("wipe", "never-heard-of"):
            told = found(sales.post(f"{V1}/tools", json={"name": name, "schema": REFUND}))
            assert not told["accepted"]
        names = {each["tool"] for each in found(admin.get(f"{V1}/tools"))["items"]}
    assert not names & {"wipe", "never-heard-of"}


def test_a_schema_that_does_not_fit_the_policy_is_refused_with_the_place(server: Served) -> None:
    with server.with_key("sales") as sales:
        schema = {"type": "object", "properties": {"to": {"type": "string"}}, "additionalProperties": False}
        answer = sales.post(f"{V1}/tools", json={"name": "refund", "schema": schema})
    assert answer.status_code == 422
    assert "handrail.yaml" in answer.text


def test_a_question_is_told_in_full_to_who_may_answer(support: Agent, lead: httpx.Client) -> None:
    made = support.proposed(ASKS, rationale="It came late.", confidence=0.75)
    sheet = found(lead.get(f"{V1}/approvals/{question(lead, made['id'])['id']}"))
    assert sheet["args"] == {"order": "o-1", "amount": ASKS, "reason": "late"}
    assert (sheet["rationale"], sheet["confidence"]) == ("It came late.", "0.75")
    assert sheet["mine"]
    found(vote(lead, made["id"], "reject", reason="over"))


def test_what_was_not_seen_is_not_answered(support: Agent, lead: httpx.Client) -> None:
    made = support.proposed(ASKS)
    stale = vote(lead, made["id"], seen="0" * 64)
    assert stale.status_code == 409
    assert support.action(made["id"])["state"] == "held"
    found(vote(lead, made["id"], "reject", reason="over"))


def test_several_questions_are_answered_each_by_itself(support: Agent, lead: httpx.Client) -> None:
    asked = [question(lead, support.proposed(ASKS + each)["id"]) for each in range(3)]
    items = [{"id": each["id"], "seen": each["seen"]} for each in asked]
    items[1]["seen"] = "0" * 64
    done = found(lead.post(f"{V1}/approvals/votes", json={"items": items, "choice": "approve"}))
    assert [each["status"] for each in done["items"]] == [200, 409, 200]
    assert support.action(asked[1]["action"])["state"] == "held"
    found(vote(lead, asked[1]["action"], "reject", reason="over"))


def test_an_edit_makes_another_action_that_the_agent_starts_in_its_place(
    support: Agent, lead: httpx.Client
) -> None:
    made = support.proposed(ASKS)
    asked = question(lead, made["id"])
    args = {"order": "o-1", "amount": 50, "reason": "late"}
    body = {"args": args, "reason": "Half of it.", "seen": asked["seen"]}
    edited = found(lead.post(f"{V1}/approvals/{asked['id']}/edit", json=body))
    assert edited["supersedes"] == made["id"]
    started = found(support.start(made["id"]))
    assert (started["id"], started["run"]["args"]) == (edited["id"], args)
    found(support.report(started))


def test_a_person_answers_the_agent_instead(support: Agent, lead: httpx.Client) -> None:
    made = support.proposed(ASKS)
    asked = question(lead, made["id"])
    body = {"text": "Offer a replacement.", "seen": asked["seen"]}
    found(lead.post(f"{V1}/approvals/{asked['id']}/answer", json=body))
    assert "Offer a replacement." in support.action(made["id"])["told"]


def test_a_standing_approval_answers_the_next_ones(support: Agent, lead: httpx.Client) -> None:
    made = support.proposed(ASKS)
    asked = question(lead, made["id"])
    limits = {"actions": 1, "amount": "600", "expires_at": "2099-01-01T00:00:00Z", "reason": "an outage"}
    too_long = lead.post(f"{V1}/standing-approvals", json={"approval": asked["id"], **limits})
    assert too_long.status_code in {403, 422}
    limits["expires_at"] = in_a_day(lead)
    standing = found(lead.post(f"{V1}/standing-approvals", json={"approval": asked["id"], **limits}), 201)
    ran = support.proposed(ASKS + 1)
    assert (ran["state"], ran["standing"]) == ("running", standing["id"])
    found(support.report(ran))
    assert support.proposed(ASKS + 2)["state"] == "held", "only one more was let run"
    for each in found(lead.get(f"{V1}/approvals"))["items"]:
        found(vote(lead, each["action"], "reject", reason="over"))


def in_a_day(client: httpx.Client) -> str:
    """By the server's clock."""
    newest = found(client.get(f"{V1}/actions"))["items"][0]["proposed_at"]
    from datetime import datetime, timedelta

    return (datetime.fromisoformat(newest) + timedelta(days=1)).isoformat()


def test_a_head_is_asked_where_the_policy_says_so(support: Agent, lead: httpx.Client, server: Served) -> None:
    args = {"order": "o-1", "amount": 3, "reason": "legal"}
    made = support.proposed(args=args)
    assert vote(lead, made["id"]).status_code == 403
    with server.signed_in(HEAD, Role.REVIEWER) as head:
        assert found(vote(head, made["id"]))["state"] == "approved"


def test_lists_go_on_where_the_page_before_ended(support: Agent, admin: httpx.Client) -> None:
    made = [support.proposed(HUGE + each)["id"] for each in range(5)]
    seen: list[str] = []
    cursor = None
    while True:
        params = {"session": support.session["id"], "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = found(admin.get(f"{V1}/actions", params=params))
        seen += [each["id"] for each in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == made[::-1]


def test_an_agent_reads_what_it_may_do(support: Agent) -> None:
    told = found(support.client.get(f"{V1}/agents/support"))
    tools = {each["tool"]: each["binding"] for each in told["may"]}
    assert tools["refund"] == support.binding
    assert tools["find"] is None
    assert "refund" in told["boundaries"]


def test_a_person_settles_what_nobody_knew(tmp_path: Path) -> None:
    from handrail.engine.jobs import reap

    with served(tmp_path) as alone, alone.with_key("support") as client, alone.signed_in() as admin:
        support = agent(client)
        made, late = support.proposed(order="a"), support.proposed(order="b")
        with alone.engine() as engine:
            from handrail.ports import Commit

            for each in (made, late):
                token = each["run"]["token"]
                engine.store.write(
                    Commit.BEAT,
                    lambda tx, each=each, token=token: tx.actions.beat(each["id"], token, 1),  # type: ignore[misc]
                )
            assert reap(engine) == 2
        assert support.action(made["id"])["state"] == "unknown"
        body = {"state": "done", "reason": "The bank shows it."}
        assert found(admin.post(f"{V1}/actions/{made['id']}/settle", json=body))["state"] == "done"
        assert found(support.report(late))["state"] == "done", "a late report settles what nobody knew"
