"""Socket mode: the same clicks through a websocket that the server opened itself."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from handrail import Held
from handrail.channels.slack_blocks import APPROVE
from handrail.words.lifecycle import State
from handrail.words.person import Role
from tests.support.rail import LEAD, POLICY, opened
from tests.support.server import account, served
from tests.support.slack import TOKEN, form, signed, slack

VIA = POLICY.replace(
    "need: 1, answer_within: 4 h, if_no_answer: heads}",
    'need: 1, answer_within: 4 h, if_no_answer: heads, via: ["slack:#offers"]}',
)


def refund(amount: int, reason: str) -> str:
    """Pay it back."""
    return "paid"


def test_a_click_through_the_websocket_approves_and_http_is_not_listened_to(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'handrail.db'}"
    with slack() as stub:
        env = {
            "HANDRAIL_SLACK_BOT_TOKEN": TOKEN,
            "HANDRAIL_SLACK_APP_TOKEN": "xapp-test",
            "HANDRAIL_SLACK_API_URL": stub.url,
        }
        stub.member("ULEAD", LEAD)
        with (
            served(tmp_path, VIA, database=database, env=env) as server,
            opened(tmp_path, database, VIA, keeper=False) as desk,
        ):
            account(desk.app.engine, LEAD, Role.REVIEWER)
            tool = desk.rail.tool(refund)
            with desk.rail.session("support", task="t"), pytest.raises(Held) as held:
                tool(500, "late")
            click = stub.click(stub.posted(), APPROVE, "ULEAD")
            body = form(click)
            with server.client() as stranger:
                refused = stranger.post("/slack/events", content=body, headers=signed(body))
            assert refused.status_code in {404, 405}
            assert desk.action(held.value.action_id).state is State.HELD
            stub.push("interactive", click)
            stub.until(lambda: stub.acks)
            stub.until(lambda: stub.responses)
            assert desk.action(held.value.action_id).state is State.APPROVED
            assert server.stop() == 0


def test_a_slack_that_is_down_keeps_no_server_from_starting(tmp_path: Path) -> None:
    with slack() as stub:
        stub.failing["apps.connections.open"] = "internal_error"
        env = {
            "HANDRAIL_SLACK_BOT_TOKEN": TOKEN,
            "HANDRAIL_SLACK_APP_TOKEN": "xapp-test",
            "HANDRAIL_SLACK_API_URL": stub.url,
        }
        with served(tmp_path, VIA, env=env) as server:
            assert httpx.get(f"{server.url}/ready").status_code == 200
            stub.until(lambda: stub.of("apps.connections.open"))
            stub.failing.clear()
            stub.until(lambda: stub.sockets)
            assert server.stop() == 0
