"""The demo as its visitor meets it: a link from the terminal, a board that fills, and answers that count."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from handrail.demo.company import tickets
from handrail.demo.folder import Folder
from handrail.demo.live import WAVE
from tests.browser.looks import flawless
from tests.support.processes import children, gone, until
from tests.support.terminal import Terminal, terminal

SECONDS = 60_000
LINK = r"http://127\.0\.0\.1:\d+/demo\?link=[\w-]+"
FIRST_TICKET = 101
HAIKU = next(ticket.id for ticket in tickets() if ticket.slug == "haiku")
PATIENT = """
import runpy
from handrail.demo import live
live.LEFT_ALONE = float("inf")
runpy.run_module("handrail", run_name="__main__", alter_sys=True)
"""
"""The demo in which no colleague is faster than the visitor, however slow the machine is."""
pytestmark = pytest.mark.timeout(900)


@dataclass(frozen=True, slots=True)
class Live:
    """A running demo, the link that it told, and the visitor's page, to which that link led."""

    seat: Terminal
    link: str
    page: Page
    folder: Folder

    def question(self, ticket: str, tool: str) -> dict[str, Any]:
        """The open question of a ticket about a tool."""
        items = self.page.request.get("/api/v1/approvals?limit=200").json()["items"]
        return next(each for each in items if (each["task"], each["tool"]) == (ticket, tool))

    def opened(self, ticket: str, tool: str) -> str:
        """Look at that question; its action."""
        found = self.question(ticket, tool)
        self.page.goto(f"/questions/{found['id']}")
        return str(found["action"])

    def state(self, action: str) -> str:
        """What became of an action."""
        return str(self.page.request.get(f"/api/v1/actions/{action}").json()["state"])

    def books(self, sql: str) -> list[tuple[Any, ...]]:
        """Look into the company's books."""
        with closing(sqlite3.connect(self.folder.database)) as db:
            return db.execute(sql).fetchall()

    def running(self) -> int:
        """How many actions are under way."""
        items = self.page.request.get("/api/v1/actions?limit=200").json()["items"]
        return len([each for each in items if each["state"] == "running"])

    def follows(self, answer: str) -> None:
        """Wait until the terminal tells what came of an answer."""
        self.seat.expect(answer)

    def letters(self, to: str) -> list[str]:
        """The mail that was really sent to somebody."""
        return [path.read_text("utf-8") for path in sorted(self.folder.outbox.glob(f"*-{to}.eml"))]


@pytest.fixture(scope="module")
def live(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The demo on a terminal, once its board is full, with the visitor at it."""
    place = tmp_path_factory.mktemp("live")
    command = [sys.executable, "-c", PATIENT, "demo", "--no-browser", "--pace", "2", "--dir", "demo"]
    env = {name: value for name, value in os.environ.items() if "_API_KEY" not in name}
    with terminal(command, place, env) as seat:
        link = seat.expect(LINK)[0]
        context = browser.new_context(base_url=link.partition("/demo")[0], locale="en-GB")
        context.set_default_timeout(SECONDS)
        page = context.new_page()
        page.goto(link)
        seat.expect(rf"t-{FIRST_TICKET + WAVE - 1} ")
        yield Live(seat, link, page, Folder(place / "demo"))
        context.close()


def test_the_link_leads_to_a_full_board_and_a_banner_says_what_to_try(live: Live) -> None:
    live.page.goto("/")
    banner = live.page.get_by_role("region", name="About this board")
    expect(banner).to_contain_text("a shop that does not exist")
    expect(banner).to_contain_text("change the amount")
    expect(banner).to_contain_text("press Stop")
    expect(banner).to_contain_text("no real model, and nothing is spent for it")
    expect(live.page.get_by_role("banner")).to_contain_text("You, the owner")
    ladder = live.page.locator("#agent1 tr").filter(has_text="send_replacement")
    expect(ladder).to_contain_text("on trial")
    assert live.page.request.get("/api/v1/approvals?limit=200").json()["items"]
    flawless(live.page, "demo")


def test_the_link_lets_one_browser_in_and_no_second_one(live: Live, browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    answer = page.goto(live.link)
    assert answer is not None
    assert answer.status == 404
    expect(page.locator("main")).to_contain_text("Type link in the demo's terminal")
    live.seat.type("link")
    other = live.seat.expect(rf"(?s){re.escape(live.link)}.*?({LINK})")[1]
    page.goto(other)
    expect(page.get_by_role("banner")).to_contain_text("You, the owner")
    context.close()


def test_what_the_visitor_approves_is_paid_and_told_to_the_customer(live: Live) -> None:
    action = live.opened("t-119", "issue_refund")
    live.page.get_by_role("button", name="Approve", exact=True).click()
    expect(live.page.get_by_role("status")).to_contain_text("approved")
    live.page.goto(f"/actions/{action}")
    expect(live.page.locator("main")).to_contain_text("EUR 189.00 paid back for o-5102")
    live.follows(r"You says yes to: pay back €189\.00")
    assert live.state(action) == "done"
    assert live.books("select amount_cents from refunds where order_id = 'o-5102'") == [(18_900,)]
    assert "the fist has been reported" in live.letters("g.papadakis@mailbox.example")[-1]


def test_the_amount_that_the_visitor_changes_is_what_is_paid_and_told(live: Live) -> None:
    action = live.opened("t-156", "issue_refund")
    live.page.get_by_text("Edit, and let that run").click()
    live.page.get_by_label("amount").fill("200")
    live.page.get_by_label("Why", exact=True).first.fill("Half the way.")
    live.page.get_by_role("button", name="Let this run instead").first.click()
    expect(live.page.get_by_role("status")).to_contain_text("Edited")
    live.follows(r"You changed it to: pay back €200\.00")
    assert live.state(action) == "superseded"
    assert live.books("select amount_cents from refunds where order_id = 'o-5105'") == [(20_000,)]
    [letter] = live.letters("jakub.horak@schranka.example")
    assert "EUR 200.00 paid back" in letter
    assert "419.00" not in letter


def test_what_the_visitor_rejects_goes_to_a_person_with_the_reason(live: Live) -> None:
    action = live.opened("t-136", "issue_refund")
    live.page.get_by_label("Why not?").fill("Send her the seal instead.")
    live.page.get_by_role("button", name="Reject").click()
    live.follows(r"You says no to: pay back €8\.00")
    assert live.state(action) == "rejected"
    assert live.books("select status from tickets where id = 't-136'") == [("with people",)]
    [(note,)] = live.books("select note from ticket_notes where ticket_id = 't-136'")
    assert "Send her the seal instead." in note


def test_under_a_halt_nothing_runs_and_once_it_is_lifted_it_goes_on(live: Live) -> None:
    page = live.page
    page.goto("/")
    page.locator("details.stop summary").click()
    page.get_by_label("Reason for the stop").fill("I want to see it.")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Stop it now").click()
    expect(page.locator(".band")).to_contain_text("Stopped: everything")
    action = live.opened("t-129", "issue_refund")
    page.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("approved")
    live.follows("Stopped by you@copperandthyme.example: everything")
    until(lambda: live.running() == 0)
    assert live.state(action) == "approved"
    assert live.books("select count(*) from refunds where order_id = 'o-5202'") == [(0,)]
    page.goto("/halts")
    page.get_by_label("Why may it run again?").fill("I have seen it.")
    page.get_by_role("button", name="Let it go on").click()
    live.follows("It goes on")
    live.follows(r"You says yes to: pay back €76\.00")
    assert live.state(action) == "done"
    assert live.books("select amount_cents from refunds where order_id = 'o-5202'") == [(7_600,)]


def test_the_visitor_sees_what_models_cost_and_which_ticket_may_ask_no_more(live: Live) -> None:
    """From the day's money to the ticket that wrote its answer anew until a person got it."""
    page = live.page
    page.goto("/budgets")
    first = [page.locator("article.budget h2").nth(place).inner_text() for place in (0, 1)]
    assert sorted(first) == ["models", "refunds-a-day"]
    apart = page.locator("article.budget").filter(has_text="models-for-a-ticket")
    expect(apart.locator("li").first).to_contain_text(f"task {HAIKU}")
    page.get_by_role("navigation").get_by_role("link", name="Models").click()
    expect(page.locator("tbody tr").first).to_contain_text("stand-in")
    flawless(page, "calls of the demo")
    page.goto(f"/calls?task={HAIKU}")
    assert page.locator("tbody tr").count() > 10
    page.locator("tbody tr a").first.click()
    expect(page.locator("main")).to_contain_text("Write it again.")
    expect(page.locator("main")).to_contain_text("Lieber Herr Demir / Der Fingerschutz kommt bestimmt")
    expect(page.get_by_role("listitem").filter(has_text="escalate_ticket")).to_contain_text("ran")
    flawless(page, "a call of the demo")
    page.get_by_role("link", name="everything it did in this run").click()
    expect(page.locator(".timeline li").filter(has_text="asked a model").nth(9)).to_be_visible()
    [(note,)] = live.books(f"select note from ticket_notes where ticket_id = '{HAIKU}'")
    assert "of €0.10 of the budget models-for-a-ticket are used" in note


def test_the_banner_is_put_away_on_every_page(live: Live) -> None:
    live.page.goto("/log?tool=issue_refund")
    banner = live.page.get_by_role("region", name="About this board")
    banner.get_by_role("button", name="Put this away").click()
    expect(live.page).to_have_url(re.compile(r"/log\?tool=issue_refund$"))
    expect(banner).to_have_count(0)
    live.page.goto("/questions")
    expect(live.page.get_by_role("heading", level=1)).to_be_visible()
    expect(banner).to_have_count(0)


def test_a_signal_ends_it_in_good_order_and_leaves_no_process(live: Live) -> None:
    """Also when the browser was closed before."""
    started = children(live.seat.process.pid)
    assert started
    live.page.close()
    assert live.seat.stop(signal.SIGTERM) == 0
    assert re.search(r"\d+ actions of 2 agents", live.seat.text)
    gone(started)
    with closing(sqlite3.connect(live.folder.path / "handrail.db")) as db:
        assert db.execute("select count(*) from actions where state = 'running'").fetchone() == (0,)
