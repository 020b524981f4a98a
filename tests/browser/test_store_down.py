"""The store goes away and comes back: each page says what is wrong and what to do, and goes on by itself."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from handrail.words.lifecycle import State
from handrail.words.person import Role
from tests.browser.conftest import SECONDS, Office, sign_in
from tests.browser.test_accessible import PATHS, places
from tests.support.accessible import barriers
from tests.support.postgres import FAST, Server, server
from tests.support.rail import LEAD, POLICY, opened
from tests.support.server import ADMIN, account, served

LONG = 4 * SECONDS
TITLE, WHAT = "The store does not answer", "Look whether it happened before you try it again."


@dataclass(frozen=True, slots=True)
class Shaky:
    """A server over a PostgreSQL that can be stopped, an agent beside it, and a browser."""

    postgres: Server
    office: Office
    page: Page


@pytest.fixture
def shaky(browser: Browser, tmp_path: Path) -> Iterator[Shaky]:
    with server(FAST) as postgres:
        url = postgres.start()
        with served(tmp_path, POLICY, database=url) as board, opened(tmp_path, url) as desk:
            with board.engine() as engine:
                account(engine, ADMIN, Role.ADMIN)
                account(engine, LEAD, Role.REVIEWER)

            @desk.rail.tool
            def refund(amount: int, reason: str) -> str:
                return f"{amount} refunded: {reason}"

            context = browser.new_context(base_url=board.url)
            context.set_default_timeout(LONG)
            yield Shaky(postgres, Office(board, desk, refund), context.new_page())
            context.close()
            postgres.start()


def test_every_page_says_that_the_store_is_away_and_comes_back_by_itself(shaky: Shaky) -> None:
    """With the store back, the page that was asked for is drawn without anybody pressing anything."""
    page, known = shaky.page, places(shaky.office, 310)
    client = shaky.office.served.signed_in(ADMIN)
    client.headers["accept"] = "text/html"
    addresses = [each.format(**known) for each in PATHS if each != "/nowhere" and "tool?" not in each]
    for address in addresses:
        assert client.get(address).status_code == 200, address
    sign_in(page, ADMIN)
    page.wait_for_url("**/")
    shaky.postgres.stop()
    for address in addresses:
        told = client.get(address)
        assert (told.status_code, told.headers["refresh"]) == (503, "5"), address
        assert TITLE in told.text, address
        assert WHAT in told.text, address
    page.goto("/questions")
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    assert not barriers(page)
    shaky.postgres.start()
    expect(page.get_by_role("heading", level=1)).to_have_text("Questions", timeout=LONG)
    expect(page.locator("main")).to_contain_text("310")


def test_an_answer_that_could_not_be_kept_is_not_taken_and_is_given_once_the_store_is_back(
    shaky: Shaky,
) -> None:
    """The page that was open says since when it is not live, and is live again without a reload."""
    page, office = shaky.page, shaky.office
    action = office.ask(320)
    question = f"/questions/{office.desk.question(action).id}"
    sign_in(page)
    page.wait_for_url("**/")
    page.goto(question)
    expect(page.locator("#live")).to_have_text("live")
    page.evaluate("window.untouched = true")
    page.get_by_label("Why not?").fill("half a thou")
    shaky.postgres.stop()
    expect(page.locator("#live")).to_have_text(re.compile("not live since"), timeout=LONG)
    expect(page.get_by_label("Why not?")).to_have_value("half a thou")
    shaky.postgres.start()
    expect(page.locator("#live")).to_have_text("live", timeout=LONG)
    assert page.evaluate("window.untouched") is True
    shaky.postgres.stop()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLE)
    expect(page.locator("main")).to_contain_text(WHAT)
    shaky.postgres.start()
    assert office.state(action) == State.HELD
    page.goto(question)
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_contain_text("approved", timeout=LONG)


def test_a_store_that_somebody_locks_is_read_and_says_that_nothing_is_written(
    browser: Browser, tmp_path: Path
) -> None:
    """SQLite, whose one writer is another program: pages are drawn, an act says what is wrong, then works."""
    context = browser.new_context()
    context.set_default_timeout(LONG)
    page = context.new_page()
    with served(tmp_path, POLICY) as board:
        with board.engine() as engine:
            account(engine, ADMIN, Role.ADMIN)
        page.goto(f"{board.url}/sign-in")
        page.get_by_label("Your address").fill(ADMIN)
        page.get_by_label("Password").fill("correct horse battery staple")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/")
        page.goto(f"{board.url}/people")
        other = sqlite3.connect(tmp_path / "handrail.db", isolation_level=None)
        other.execute("begin immediate")
        page.reload()
        page.get_by_label("Address").fill("new@example.com")
        page.get_by_role("button", name="Make a link for them").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(TITLE, timeout=2 * LONG)
        other.execute("rollback")
        other.close()
        page.goto(f"{board.url}/people")
        expect(page.locator("main")).not_to_contain_text("new@example.com")
        page.get_by_label("Address").fill("new@example.com")
        page.get_by_role("button", name="Make a link for them").click()
        expect(page.get_by_label("To be copied")).to_be_visible()
    context.close()
