"""The Slack app of a real server: signed clicks of members who are people, and everybody else's, refused."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from handrail import Held
from handrail.channels.slack_blocks import ANSWER, APPROVE, EDIT, REJECT
from handrail.engine.identity.slack_links import keep_slack_code
from handrail.engine.toolbox import register
from handrail.words.approval import ApprovalState
from handrail.words.lifecycle import State
from handrail.words.person import Role
from tests.support.rail import HEAD, LEAD, POLICY, SECOND, Desk, find_policy, lose_policy, opened
from tests.support.server import SECONDS, Served, account, served
from tests.support.slack import SECRET, TEAM, TOKEN, SlackStub, form, signed, slack

VIA = POLICY.replace(
    "need: 1, answer_within: 4 h, if_no_answer: heads}",
    'need: 1, answer_within: 4 h, if_no_answer: heads, via: ["slack:#offers"]}',
).replace(
    "need: 1, answer_within: 1 day, if_no_answer: reject}",
    'need: 1, answer_within: 1 day, if_no_answer: reject, via: ["slack:#heads"]}\nalerts: {to: [heads]}',
)
MEMBERS = {
    "ULEAD": LEAD,
    "USECOND": SECOND,
    "UHEAD": HEAD,
    "UVIEW": "viewer@example.com",
    "UADMIN": "admin@example.com",
}
ROLES = {"viewer@example.com": Role.VIEWER, "admin@example.com": Role.ADMIN}
PATH = "/slack/events"


@dataclass(frozen=True, slots=True)
class Office:
    """A server with Slack, and an agent's process beside it."""

    stub: SlackStub
    server: Served
    desk: Desk
    refund: Any

    def ask(self, amount: int = 500, reason: str = "late", behalf: str | None = None) -> str:
        """An action of the agent that waits for the leads."""
        seen = len(self.stub.messages)
        with self.desk.rail.session("support", task="ticket-1") as session:
            with pytest.raises(Held) as held:
                self.refund(amount, reason)
            if behalf is not None:
                self.desk.sql(f"update sessions set behalf = '{behalf}' where id = '{session.id}'")
        self.stub.until(lambda: len(self.stub.messages) > seen)
        return held.value.action_id

    def post(self, body: str, headers: dict[str, str] | None = None) -> httpx.Response:
        """What Slack sends, signed unless other headers are given."""
        with httpx.Client(base_url=self.server.url, timeout=SECONDS) as client:
            return client.post(PATH, content=body, headers=signed(body) if headers is None else headers)

    def click(self, message: dict[str, Any], action: str, user: str) -> str:
        """Click, and what the clicker alone was told."""
        heard = len(self.stub.responses)
        assert self.post(form(self.stub.click(message, action, user))).status_code == 200
        self.stub.until(lambda: len(self.stub.responses) > heard)
        said = self.stub.responses[-1]
        assert said["response_type"] == "ephemeral"
        return str(said["blocks"][0]["text"]["text"])

    def modal(self, message: dict[str, Any], action: str, user: str) -> dict[str, Any]:
        """Click, and the modal that opens."""
        shown = len(self.stub.views)
        assert self.post(form(self.stub.click(message, action, user))).status_code == 200
        self.stub.until(lambda: len(self.stub.views) > shown)
        return self.stub.views[-1]

    def submit(self, view: dict[str, Any], user: str, **values: str) -> dict[str, Any]:
        """Submit a modal; what Slack is answered."""
        said = self.post(form(self.stub.submission(view, user, **values)))
        assert said.status_code == 200
        return dict(said.json()) if said.content else {}

    def command(self, text: str, user: str) -> str:
        """Say ``/handrail text``; what the member alone was told."""
        heard = len(self.stub.responses)
        body = httpx.QueryParams(self.stub.command(text, user))
        assert self.post(str(body)).status_code == 200
        self.stub.until(lambda: len(self.stub.responses) > heard)
        return str(self.stub.responses[-1]["blocks"][0]["text"]["text"])


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """One server with Slack for all of these tests."""
    folder = tmp_path_factory.mktemp("office")
    with slack() as stub:
        env = {
            "HANDRAIL_SLACK_BOT_TOKEN": TOKEN,
            "HANDRAIL_SLACK_SIGNING_SECRET": SECRET,
            "HANDRAIL_SLACK_API_URL": stub.url,
        }
        for user, person in MEMBERS.items():
            stub.member(user, person)
        with (
            served(folder, VIA, env=env) as server,
            opened(folder, server.database, VIA, keeper=False) as desk,
        ):
            for person in MEMBERS.values():
                account(desk.app.engine, person, ROLES.get(person, Role.REVIEWER))
            tool = desk.rail.tool(refund)
            with server.engine() as engine:
                schema = desk.app.engine.tools["refund"].binding.schema
                register(engine, "refund", schema, "support", "a test")
            yield Office(stub, server, desk, tool)


def refund(amount: int, reason: str) -> str:
    """Pay it back."""
    return f"paid {amount}"


def test_a_click_of_who_is_asked_approves_and_the_message_says_so(office: Office) -> None:
    action = office.ask()
    message = office.stub.posted()
    assert message["channel"] == "C0OFFERS"
    assert office.click(message, APPROVE, "ULEAD") == "Approved."
    vote = office.desk.app.store.read(lambda tx: tx.approvals.votes(office.desk.question(action).id))[0]
    assert (vote.person, vote.verified) == (LEAD, True)
    shown = office.stub.until(lambda: "Approved by lead@example.com" in json.dumps(message) and message)
    assert not any(each["action_id"] == APPROVE for each in shown["blocks"][-1]["elements"])
    with office.desk.rail.session("support", task="ticket-1"):
        assert office.desk.rail.resume(action) == "paid 500"
    reply = office.stub.until(
        lambda: [m for m in office.stub.messages if m.get("thread_ts") == message["ts"]]
    )
    assert "It ran" in json.dumps(reply)


def test_a_request_with_a_bad_or_a_stale_signature_is_refused_and_changes_nothing(office: Office) -> None:
    action = office.ask()
    body = form(office.stub.click(office.stub.posted(), APPROVE, "ULEAD"))
    assert office.post(body, signed(body, secret="another")).status_code == 401
    assert office.post(body, signed(body, at=time.time() - 600)).status_code == 401
    for stamp in ("soon", "1" * 5_000):
        assert office.post(body, {**signed(body), "x-slack-request-timestamp": stamp}).status_code == 401
    assert office.post(body + "&x=1", signed(body)).status_code == 401
    assert office.post(body, {"content-type": "application/x-www-form-urlencoded"}).status_code == 401
    assert office.desk.action(action).state is State.HELD
    assert office.post(body).status_code == 200


def test_a_stranger_is_refused_in_words_that_only_they_see(office: Office) -> None:
    action = office.ask()
    message = office.stub.posted()
    office.stub.member("USTRANGER", "stranger@example.com")
    assert "does not know you" in office.click(message, APPROVE, "USTRANGER")
    assert "does not know you" in office.click(message, EDIT, "UNOBODY")
    assert office.desk.action(action).state is State.HELD


@pytest.mark.parametrize(
    "more",
    [
        {"is_email_confirmed": False},
        {"is_restricted": True},
        {"is_ultra_restricted": True},
        {"is_stranger": True},
        {"is_bot": True},
        {"deleted": True},
        {"team_id": "T0OTHER"},
    ],
)
def test_the_right_address_helps_no_guest_bot_or_foreigner(office: Office, more: dict[str, Any]) -> None:
    action = office.ask()
    office.stub.member("UFALSE", LEAD, **more)
    assert "does not know you" in office.click(office.stub.posted(), APPROVE, "UFALSE")
    assert office.desk.action(action).state is State.HELD


def test_the_second_click_is_told_who_answered(office: Office) -> None:
    office.ask()
    message = dict(office.stub.posted())
    assert office.click(message, APPROVE, "ULEAD") == "Approved."
    said = office.click(message, APPROVE, "USECOND")
    assert "approved already" in said
    assert LEAD in said
    assert "approved already" in office.click(message, REJECT, "USECOND")


def test_who_the_agent_works_for_can_not_answer_but_another_can(office: Office) -> None:
    action = office.ask(behalf=LEAD)
    message = dict(office.stub.posted())
    assert "can't answer" in office.click(message, APPROVE, "ULEAD")
    assert office.desk.action(action).state is State.HELD
    assert office.click(message, APPROVE, "USECOND") == "Approved."


def test_who_is_not_asked_or_only_looks_is_refused(office: Office) -> None:
    action = office.ask()
    message = office.stub.posted()
    assert "not among those who are asked" in office.click(message, APPROVE, "UHEAD")
    assert "role of a reviewer" in office.click(message, APPROVE, "UVIEW")
    assert office.desk.action(action).state is State.HELD


def test_a_button_that_showed_something_else_approves_nothing(office: Office) -> None:
    action = office.ask()
    message = json.loads(json.dumps(office.stub.posted()))
    for each in message["blocks"][-1]["elements"]:
        if each["action_id"] == APPROVE:
            approval, _, digits = each["value"].partition(":")
            each["value"] = f"{approval}:{digits[::-1]}"
    assert "shows something else" in office.click(message, APPROVE, "ULEAD")
    assert office.desk.action(action).state is State.HELD


def test_a_rejection_carries_its_reason(office: Office) -> None:
    action = office.ask()
    view = office.modal(office.stub.posted(), REJECT, "ULEAD")
    assert office.submit(view, "ULEAD", reason="Not this <customer>.") == {}
    assert office.desk.action(action).state is State.REJECTED
    assert office.desk.question(action).reason == "Not this <customer>."


def test_an_answer_reaches_the_agent_instead_of_the_action(office: Office) -> None:
    action = office.ask()
    view = office.modal(office.stub.posted(), ANSWER, "ULEAD")
    assert office.submit(view, "ULEAD", field="Ask the customer for the invoice.") == {}
    assert office.desk.question(action).state is ApprovalState.ANSWERED
    assert "Ask the customer" in str(office.desk.action(action).error)


def test_an_edit_is_judged_anew_and_its_mistakes_stand_in_the_modal(office: Office) -> None:
    action = office.ask(700)
    view = office.modal(office.stub.posted(), EDIT, "ULEAD")
    assert json.loads(view["blocks"][1]["element"]["initial_value"]) == {"amount": 700, "reason": "late"}
    said = office.submit(view, "ULEAD", field="{", reason="less")
    assert said["response_action"] == "errors"
    assert "not JSON" in said["errors"]["field"]
    said = office.submit(view, "ULEAD", field='{"amount": 5000, "reason": "late"}', reason="more")
    assert "Nobody refunds that much" in said["errors"]["field"]
    assert office.desk.action(action).state is State.HELD
    assert office.submit(view, "ULEAD", field='{"amount": 300, "reason": "late"}', reason="less") == {}
    edited = office.desk.action(action)
    assert edited.state is State.SUPERSEDED
    assert edited.superseded_by is not None
    assert office.desk.action(edited.superseded_by).state is State.APPROVED


def test_a_stranger_can_not_submit_a_modal_either(office: Office) -> None:
    action = office.ask()
    view = office.modal(office.stub.posted(), REJECT, "ULEAD")
    said = office.submit(view, "UNOBODY", reason="Mine now.")
    assert "does not know you" in said["errors"]["reason"]
    assert office.desk.action(action).state is State.HELD


def test_the_kill_switch_needs_a_reviewer_and_lifting_an_admin(office: Office) -> None:
    assert "role of a reviewer" in office.command("halt tool refund strange", "UVIEW")
    assert "nothing was stopped" in office.command("halt agent suport strange", "ULEAD")
    assert "reason" in office.command("halt agent support", "ULEAD")
    assert not office.desk.app.store.read(lambda tx: tx.restrictions.read()).halts
    assert "Stopped: refund for support" in office.command(
        "halt agent support tool refund strange refunds", "ULEAD"
    )
    halt = office.desk.app.store.read(lambda tx: tx.restrictions.read()).halts[0]
    assert (halt.agent, halt.tool, halt.reason, halt.by) == ("support", "refund", "strange refunds", LEAD)
    assert "strange refunds" in office.command("status", "UVIEW")
    office.stub.until(
        lambda: [m for m in office.stub.messages if "strange refunds" in json.dumps(m["blocks"])]
    )
    assert "role of an admin" in office.command(f"lift {halt.id} all good", "ULEAD")
    assert "goes on" in office.command(f"lift {halt.id} all good", "UADMIN")
    assert not office.desk.app.store.read(lambda tx: tx.restrictions.read()).halts
    assert "does not know you" in office.command("status", "UNOBODY")
    assert "/handrail halt" in office.command("help", "UNOBODY")


def test_a_policy_that_can_not_be_read_stops_no_stop(office: Office) -> None:
    store = office.desk.app.store
    lose_policy(store)
    try:
        assert "Stopped: refund for support" in office.command("halt agent support tool refund odd", "ULEAD")
        assert "odd" in office.command("status", "UVIEW")
        [halt] = store.read(lambda tx: tx.restrictions.read()).halts
        assert "goes on" in office.command(f"lift {halt.id} all good", "UADMIN")
    finally:
        find_policy(office.desk)
    assert "nothing was stopped" in office.command("halt agent suport strange", "ULEAD")


def test_a_code_says_whose_member_this_is_and_works_once(office: Office) -> None:
    with office.server.signed_in("late@example.com", Role.REVIEWER) as me:
        given = me.post("/api/v1/me/slack-code").json()
        assert "does not work" in office.command("link K7QF-2M9X-XXXX", "ULATE")
        said = given["command"].removeprefix("/handrail ").lower().replace("-", " ")
        assert office.command(said, "ULATE") == "You are late@example.com now."
        person = office.desk.app.store.read(lambda tx: tx.people.by_slack(f"{TEAM} ULATE"))
        assert person is not None
        assert person.id == "late@example.com"
        assert "does not work" in office.command(said, "USECOND")
        assert "Questions that wait" in office.command("status", "ULATE")
        assert me.delete("/api/v1/me/slack").status_code == 204
    assert "does not know you" in office.command("status", "ULATE")


def test_codes_can_not_be_guessed_for_long(office: Office) -> None:
    engine = office.desk.app.engine
    account(engine, "guessed@example.com", Role.REVIEWER)
    keep_slack_code(engine, "guessed@example.com", "AAAA-AAAA-AAAA")
    for _ in range(5):
        assert "does not work" in office.command("link WRONG", "UGUESS")
    assert "too many" in office.command("link AAAA-AAAA-AAAA", "UGUESS")


def test_what_an_agent_writes_is_text_and_nothing_else(office: Office) -> None:
    hostile = "<!channel> *bold* <https://evil.example|Approve> `x` :boom: &amp; \u202egnp.exe"
    office.ask(reason=hostile)
    message = office.stub.posted()
    whole = json.dumps(message["blocks"], ensure_ascii=False)
    assert '"mrkdwn"' not in whole
    assert "\u202e" not in whole
    assert "\\\\u202e" in whole
    assert "<" not in message["text"]
    assert message["parse"] == "none"
    assert all(block["type"] in {"header", "section", "rich_text", "actions"} for block in message["blocks"])
    assert '"type": "link"' not in whole
