"""The Budgets pages: how full each is, more room, freezing, and who spends, without a reload."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from handrail.words.errors import Denied
from handrail.words.person import Role
from tests.browser.conftest import DESK, Office, sign_in
from tests.browser.looks import flawless
from tests.support.rail import LEAD, POLICY, opened
from tests.support.server import ADMIN, account, served

MONEY = POLICY.replace(
    "  - {id: few, tools: note, actions: 3, per: day}\n",
    "  - {id: refunds, tools: refund, amount: 20, per: week, each: args.reason, alert_at: [50%, 75%]}\n"
    "  - {id: all, tools: refund, actions: 100, per: day, alert_at: [90%]}\n",
)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A server with budgets in money, and an agent over the same store."""
    folder: Path = tmp_path_factory.mktemp("budgets")
    (folder / "desk.py").write_text(DESK)
    with served(folder, policy=MONEY) as server, opened(folder, server.database, MONEY) as desk:

        @desk.rail.tool
        def refund(amount: float, reason: str, order: str = "") -> str:
            return f"{amount} refunded: {reason}"

        with server.engine() as engine:
            account(engine, ADMIN, Role.ADMIN)
            account(engine, LEAD, Role.REVIEWER)
        yield Office(server, desk, refund)


def spend(office: Office, amount: float, reason: str) -> None:
    with office.desk.rail.session(agent="support", task=f"ticket {reason}"):
        office.refund(amount=amount, reason=reason)


def test_what_is_spent_appears_while_one_looks(visit: Page, office: Office) -> None:
    sign_in(visit)
    visit.goto("/budgets")
    expect(visit.locator("#live")).to_have_text("live")
    spend(office, 12.5, "live & <b>late</b>")
    card = visit.locator(".budget", has_text="refunds")
    expect(card).to_contain_text("$12.50 of $20 this week")
    expect(card.locator(".whose")).to_have_text("live & <b>late</b>")
    flawless(visit, "budgets")
    card.get_by_role("link", name="refunds").click()
    expect(visit.get_by_role("heading", level=1)).to_have_text("refunds")
    expect(visit.locator("#budget")).to_contain_text("50 % reached")
    expect(visit.locator("#spenders ~ table")).to_contain_text("$12.50")
    flawless(visit, "budget")
    visit.get_by_role("link", name="by task").click()
    expect(visit.locator("#spenders ~ table")).to_contain_text("ticket live & <b>late</b>")


def test_more_room_is_given_with_a_reason_and_ended(visit: Page, office: Office) -> None:
    spend(office, 20, "room")
    with pytest.raises(Denied, match="refunds"):
        spend(office, 5, "room")
    sign_in(visit)
    visit.goto("/budgets/refunds")
    visit.get_by_label("How much more, until this window ends").fill("much")
    visit.locator("#why-more").fill("the sale ends tonight")
    visit.get_by_role("button", name="Top it up").click()
    expect(visit.get_by_role("alert")).to_contain_text("expected an amount such as 12.50")
    expect(visit.get_by_label("How much more, until this window ends")).to_have_value("much")
    expect(visit.locator("#why-more")).to_have_value("the sale ends tonight")
    visit.get_by_label("How much more, until this window ends").fill("7.50")
    visit.get_by_role("button", name="Top it up").click()
    expect(visit.get_by_role("status")).to_contain_text("more room now")
    spend(office, 5, "room")
    visit.get_by_label("Why it ends").fill("enough")
    visit.get_by_role("button", name="End it").click()
    expect(visit.get_by_role("status")).to_contain_text("It has ended")
    with pytest.raises(Denied):
        spend(office, 1, "room")


def test_a_reviewer_freezes_and_an_admin_thaws(visit: Page, browser: Browser, office: Office) -> None:
    sign_in(visit, LEAD)
    visit.goto("/budgets/all")
    expect(visit.get_by_text("Raise it for some days")).to_have_count(0)
    visit.locator("#why-freeze").fill("billed twice")
    visit.get_by_role("button", name="Freeze it").click()
    expect(visit.locator(".band")).to_contain_text("billed twice")
    with pytest.raises(Denied, match="frozen"):
        spend(office, 1, "frozen")
    visit.goto("/")
    expect(visit.locator(".bars .full", has_text="all")).to_contain_text("of 100 actions today: frozen")
    visit.goto("/budgets/all")
    expect(visit.get_by_role("button", name="Thaw it")).to_have_count(0)
    context = browser.new_context(base_url=office.served.url)
    try:
        admin = context.new_page()
        sign_in(admin, ADMIN)
        admin.goto("/budgets/all")
        admin.get_by_label("Why it may be spent from again").fill("it was not")
        admin.get_by_role("button", name="Thaw it").click()
        expect(admin.get_by_role("status")).to_contain_text("spent from again")
    finally:
        context.close()
    spend(office, 1, "frozen")
    expect(visit.locator("#budget .band")).to_have_count(0)


def test_what_is_counted_apart_is_full_without_alarm_and_renews_in_the_readers_time(
    browser: Browser, office: Office
) -> None:
    spend(office, 20, "apart")
    context = browser.new_context(
        base_url=office.served.url, timezone_id="Asia/Tokyo", locale="en-GB", color_scheme="light"
    )
    try:
        page = context.new_page()
        sign_in(page)
        page.goto("/budgets")
        line = page.locator(".tanks li", has_text="apart")
        expect(line).to_contain_text("$20 of $20 this week, for the same reason: used up")
        expect(line.locator(".n")).to_have_css("color", "rgb(22, 25, 31)")
        expect(line.locator("xpath=ancestor::article")).to_contain_text("It renews Mon, ")
        expect(line.locator("xpath=ancestor::article")).to_contain_text("09:00 GMT+9")
    finally:
        context.close()


def test_an_unknown_budget_is_said_and_costs_are_a_file(visit: Page, office: Office) -> None:
    spend(office, 1, "file")
    sign_in(visit)
    visit.goto("/budgets/nothing")
    expect(visit.locator("main")).to_contain_text("The policy has no budget 'nothing'")
    visit.goto("/budgets")
    with visit.expect_download() as found:
        visit.get_by_role("link", name="Costs by agent, as a table file").click()
    text = Path(found.value.path()).read_text()
    assert text.splitlines()[0] == "name,unit,quantity,spent,count"
    assert "support,amount," in text
