"""People steer budgets over HTTP: what is left, more room, freezing, and what was spent."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from handrail.words.person import Role
from tests.support.agent import SMALL, V1, Agent, agent, found
from tests.support.rail import POLICY
from tests.support.server import Served, served

MONEY = POLICY.replace(
    "  - {id: few, tools: note, actions: 3, per: day}\n",
    "  - {id: refunds, tools: refund, amount: 12, per: day, each: args.order}\n"
    "  - {id: all, tools: refund, actions: 100, per: month}\n"
    "  - {id: lately, tools: refund, actions: 50, per: 24h, alert_at: [2%]}\n",
)
WHY = {"reason": "the sale ends tonight"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("budgets")
    with served(folder, policy=MONEY) as running:
        yield running


@pytest.fixture
def admin(server: Served) -> Iterator[httpx.Client]:
    with server.signed_in() as client:
        yield client


@pytest.fixture
def support(server: Served) -> Iterator[Agent]:
    with server.with_key() as client:
        yield agent(client)


def balance(client: httpx.Client, budget: str) -> dict[str, object]:
    """The fullest scope of a budget."""
    (first, *_) = found(client.get(f"{V1}/budgets", params={"budget": budget}))["items"]
    return dict(first)


def refund(support: Agent, why: str) -> str:
    """The state of a refund of 5 after it was proposed, and run when it may run."""
    made = support.proposed(SMALL, order=why)
    if made["run"] is not None:
        found(support.report(made))
    return str(made["state"])


def test_what_is_left_is_told_exactly_and_in_words(admin: httpx.Client, support: Agent) -> None:
    assert refund(support, "told") == "running"
    told = balance(admin, "refunds")
    assert (told["unit"], told["whose"], told["used"], told["left"]) == (
        "amount",
        "told",
        5_000_000_000,
        7_000_000_000,
    )
    assert (told["used_words"], told["share"]) == ("$5", 42)
    assert str(told["limit_words"]).startswith("$12 today")
    assert found(admin.get(f"{V1}/budgets", params={"budget": "nothing"}), 422)["detail"].startswith(
        "the policy has no budget 'nothing'"
    )


def test_more_room_is_given_to_a_window_and_taken_again(admin: httpx.Client, support: Agent) -> None:
    assert [refund(support, "room") for _ in range(3)] == ["running", "running", "denied"]
    made = found(admin.post(f"{V1}/budgets/refunds/top-up", json={"quantity": 5_000_000_000, **WHY}), 201)
    assert refund(support, "room") == "running"
    assert [each["id"] for each in found(admin.get(f"{V1}/budgets/raises"))["items"]] == [made["id"]]
    assert not found(admin.post(f"{V1}/budgets/raises/{made['id']}/end", json=WHY))["items"]
    assert refund(support, "room") == "denied"
    later = {"until": "2099-01-01T00:00:00Z", "quantity": 5_000_000_000, **WHY}
    raised = found(admin.post(f"{V1}/budgets/refunds/raise", json=later), 201)
    assert refund(support, "other") == "running"
    found(admin.post(f"{V1}/budgets/raises/{raised['id']}/end", json=WHY))
    over = {**later, "until": "2020-01-01T00:00:00Z"}
    assert "over already" in found(admin.post(f"{V1}/budgets/refunds/raise", json=over), 403)["detail"]
    assert admin.post(f"{V1}/budgets/refunds/top-up", json={"quantity": 0, **WHY}).status_code == 422
    assert admin.post(f"{V1}/budgets/refunds/top-up", json={"quantity": 1}).status_code == 422


def test_a_frozen_budget_lets_nothing_start_until_it_is_thawed(admin: httpx.Client, support: Agent) -> None:
    assert [each["budget"] for each in found(admin.post(f"{V1}/budgets/all/freeze", json=WHY))["items"]] == [
        "all"
    ]
    assert refund(support, "frozen") == "denied"
    frozen = balance(admin, "all")["frozen"]
    assert isinstance(frozen, dict)
    assert frozen["reason"] == "the sale ends tonight"
    assert found(admin.post(f"{V1}/budgets/all/freeze", json=WHY), 409)
    assert not found(admin.post(f"{V1}/budgets/all/thaw", json=WHY))["items"]
    assert refund(support, "frozen") == "running"


def test_costs_are_put_together_by_what_one_asks(admin: httpx.Client, support: Agent) -> None:
    assert refund(support, "costs") == "running"
    by = {each["unit"]: each for each in found(admin.get(f"{V1}/costs", params={"by": "tool"}))["items"]}
    assert by["amount"]["name"] == by["actions"]["name"] == "refund"
    assert by["amount"]["quantity"] == by["actions"]["quantity"] * 5_000_000_000
    one = {"by": "task", "budget": "all", "since": "2020-01-01T00:00:00Z"}
    (task,) = found(admin.get(f"{V1}/costs", params=one))["items"]
    assert (task["name"], task["unit"]) == ("t-1", "actions")
    assert not found(admin.get(f"{V1}/costs", params={"until": "2020-01-01T00:00:00Z"}))["items"]
    assert admin.get(f"{V1}/costs", params={"by": "mood"}).status_code == 422


def test_a_reviewer_gives_room_for_a_window_but_neither_raises_nor_thaws(server: Served) -> None:
    with server.signed_in("rita@example.com", Role.REVIEWER) as reviewer:
        body = {"quantity": 1, **WHY}
        assert reviewer.post(f"{V1}/budgets/all/top-up", json=body).status_code == 201
        later = {"until": "2099-01-01T00:00:00Z", **body}
        assert reviewer.post(f"{V1}/budgets/all/raise", json=later).status_code == 403
        assert reviewer.post(f"{V1}/budgets/all/thaw", json=WHY).status_code == 403


def test_the_page_of_one_that_looks_back_shows_all_that_counts(
    server: Served, admin: httpx.Client, support: Agent
) -> None:
    """Also what was spent an hour ago, which is another piece of the time that it looks back."""
    assert refund(support, "an hour ago") == "running"
    with closing(sqlite3.connect(server.database.removeprefix("sqlite:///"))) as database, database:
        for table, columns in (("holds", ("at", "starts_at")), ("budget_windows", ("starts_at",))):
            earlier = ", ".join(f"{each} = {each} - 3600000" for each in columns)
            database.execute(f"update {table} set {earlier} where budget = 'lately'")
        database.execute("update budget_alerts set at = at - 3600000, starts_at = starts_at - 3600000")
    used = balance(admin, "lately")["used"]
    page = admin.get("/budgets/lately?by=tool").raise_for_status().text
    spent = page[page.index('id="spenders"') :]
    assert f'<td class="n">{used} actions</td>'.replace("1 actions", "1 action") in spent
    assert "Nothing was spent" not in page
    assert "<strong>2 %</strong> reached" in page


def test_more_room_says_for_whom_it_is(admin: httpx.Client) -> None:
    for scope, told in ((None, "for every one"), ('["each","o-9"]', "for o-9")):
        given = {"quantity": 1_000_000_000, "scope": scope, **WHY}
        made = found(admin.post(f"{V1}/budgets/refunds/top-up", json=given), 201)
        assert f"<strong>$1 more</strong> {told} in this window" in admin.get("/budgets/refunds").text
        admin.post(f"{V1}/budgets/raises/{made['id']}/end", json=WHY).raise_for_status()
    typed = {"quantity": 1, "scope": "o-9", **WHY}
    refused = admin.post(f"{V1}/budgets/refunds/top-up", json=typed)
    assert (refused.status_code, "no scope of the budget refunds" in refused.text) == (422, True)


def test_the_page_shows_what_everything_spends_from_before_what_is_counted_apart(
    admin: httpx.Client, support: Agent
) -> None:
    """Though the value of an order is the fuller one, and in money."""
    assert refund(support, "page") == "running"
    page = admin.get("/budgets").raise_for_status().text
    assert (
        page.index('href="/budgets/all"')
        < page.index("Counted apart")
        < page.index('href="/budgets/refunds"')
    )
    nav = page[page.index("<nav") : page.index("</nav>")]
    assert nav.index("/budgets") < nav.index('<a href="/calls">Models</a>') < nav.index("/log")
