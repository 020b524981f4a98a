"""People who have the same question open see each other, on any server, and only while they look."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from handrail.words.entry import Kind
from handrail.words.person import Role
from tests.browser.conftest import SECONDS, Office, sign_in
from tests.browser.test_answering import opened
from tests.support.rail import LEAD, POLICY, SECOND
from tests.support.rail import opened as rail_opened
from tests.support.server import VIEWER, account, served

NOBODY = "Nobody else is looking at this"


@contextmanager
def somebody(browser: Browser, url: str, person: str) -> Iterator[Page]:
    """A page of somebody who is signed in, in a browser of their own."""
    context = browser.new_context(base_url=url)
    context.set_default_timeout(SECONDS)
    page = context.new_page()
    sign_in(page, person)
    yield page
    context.close()


def test_who_else_has_a_question_open_is_told_and_gone_when_they_leave(
    browser: Browser, visit: Page, office: Office
) -> None:
    """In both browsers, without moving what one is about to press, and in no journal."""
    action, elsewhere = office.ask(770), office.ask(771)
    with office.served.engine() as engine:
        account(engine, SECOND, Role.REVIEWER)
    sign_in(visit)
    opened(visit, office, action)
    before = office.desk.kinds()
    mine = visit.locator("#lookers")
    expect(mine).to_have_text(NOBODY)
    place = visit.get_by_role("button", name="Approve").bounding_box()
    with somebody(browser, office.served.url, SECOND) as other:
        opened(other, office, action)
        expect(other.locator("#lookers")).to_have_text("lead is looking at this too")
        expect(mine).to_have_text("second is looking at this too", timeout=SECONDS)
        assert visit.get_by_role("button", name="Approve").bounding_box() == place
        opened(other, office, elsewhere)
        expect(mine).to_have_text(NOBODY, timeout=SECONDS)
        expect(other.locator("#lookers")).to_have_text(NOBODY)
    assert set(office.desk.kinds()[len(before) :]) == {Kind.SIGNED_IN}


def test_whoever_looks_only_is_seen_too_and_a_question_that_ended_shows_nobody(
    browser: Browser, visit: Page, office: Office
) -> None:
    action = office.ask(772)
    with office.served.engine() as engine:
        account(engine, VIEWER, Role.VIEWER)
    sign_in(visit)
    with somebody(browser, office.served.url, VIEWER) as other:
        opened(other, office, action)
        opened(visit, office, action)
        expect(visit.locator("#lookers")).to_have_text("viewer is looking at this too", timeout=SECONDS)
        office.desk.vote(action)
        expect(visit.locator("#answer")).to_contain_text("This question is approved")
        expect(visit.locator("#lookers")).to_have_count(0)


def test_people_on_two_servers_see_each_other(
    browser: Browser, tmp_path: Path, postgres_database: str
) -> None:
    """Each server has its own process; what they share is the store."""
    with (
        served(tmp_path, POLICY, database=postgres_database) as first,
        served(tmp_path, POLICY, database=postgres_database) as second,
        rail_opened(tmp_path, postgres_database) as desk,
    ):
        with first.engine() as engine:
            account(engine, LEAD, Role.REVIEWER)
            account(engine, SECOND, Role.REVIEWER)

        @desk.rail.tool
        def refund(amount: int, reason: str) -> str:
            return f"{amount} refunded: {reason}"

        action = Office(first, desk, refund).ask(773)
        question = desk.question(action).id
        with somebody(browser, first.url, LEAD) as one:
            one.goto(f"/questions/{question}")
            with somebody(browser, second.url, SECOND) as other:
                other.goto(f"/questions/{question}")
                expect(other.locator("#lookers")).to_have_text("lead is looking at this too", timeout=SECONDS)
                expect(one.locator("#lookers")).to_have_text("second is looking at this too", timeout=SECONDS)
            expect(one.locator("#lookers")).to_have_text(NOBODY, timeout=2 * SECONDS)
