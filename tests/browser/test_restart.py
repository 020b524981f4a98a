"""A server restarts under open pages: they say since when they are not live, and then catch up."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from handrail.engine.restrict import set_rung
from handrail.words.approval import Choice
from handrail.words.level import Rung
from handrail.words.person import Role
from tests.browser.conftest import SECONDS, Office, sign_in
from tests.support.rail import LEAD, POLICY, opened
from tests.support.server import ADMIN, account, served

LONG = 4 * SECONDS


def looked_at(page: Page, path: str) -> Page:
    """Opened, live, and marked, so that a reload would be seen."""
    page.goto(path)
    expect(page.locator("#live")).to_have_text("live")
    page.evaluate("window.untouched = true")
    return page


def test_open_pages_live_through_a_restart_and_keep_what_is_half_typed(
    browser: Browser, tmp_path: Path
) -> None:
    """A question and two managing pages, each changed while no server was there."""
    with served(tmp_path, POLICY) as first, opened(tmp_path, first.database) as desk:
        with first.engine() as engine:
            account(engine, ADMIN, Role.ADMIN)
            account(engine, LEAD, Role.REVIEWER)

        @desk.rail.tool
        def refund(amount: int, reason: str) -> str:
            return f"{amount} refunded: {reason}"

        action = Office(first, desk, refund).ask(330)
        question = f"/questions/{desk.question(action).id}"
        leads, admins = (browser.new_context(base_url=first.url) for _ in range(2))
        for context in (leads, admins):
            context.set_default_timeout(LONG)
        asked, people, agent = leads.new_page(), admins.new_page(), admins.new_page()
        sign_in(asked, LEAD)
        asked.wait_for_url("**/")
        sign_in(people, ADMIN)
        people.wait_for_url("**/")
        looked_at(asked, question).get_by_label("Why not?").fill("half a thou")
        looked_at(people, "/people").get_by_label("Address").fill("half@typed")
        looked_at(agent, "/agents/agent?name=sales")
        first.stop()
        for page in (asked, people, agent):
            expect(page.locator("#live")).to_have_text(re.compile(r"not live since \d"), timeout=LONG)
        expect(asked.get_by_label("Why not?")).to_have_value("half a thou")
        with first.engine() as engine:
            account(engine, "nobody-saw@example.com", Role.VIEWER)
            engine.refresh()
            set_rung(engine, "sales", "offer", Rung.SHADOW, "Nobody saw it.", ADMIN)
        desk.vote(action, choice=Choice.REJECT, reason="Decided meanwhile.")
        with served(tmp_path, POLICY, args=("--port", str(first.port))):
            for page in (asked, people, agent):
                expect(page.locator("#live")).to_have_text("live", timeout=LONG)
            expect(asked.locator("#answer")).to_contain_text("Decided meanwhile.", timeout=LONG)
            expect(people.locator("#people")).to_contain_text("nobody-saw@example.com", timeout=LONG)
            expect(agent.locator("#agent")).to_contain_text("Nobody saw it.", timeout=LONG)
            expect(people.get_by_label("Address")).to_have_value("half@typed")
            assert [page.evaluate("window.untouched") for page in (asked, people, agent)] == [True] * 3
        for context in (leads, admins):
            context.close()
