"""The banner: on every page, also before anybody signed in, until this browser puts it away."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect

from handrail.words.person import Role
from tests.browser.conftest import SECONDS, sign_in
from tests.browser.looks import flawless
from tests.support.rail import LEAD, POLICY
from tests.support.server import account, served

TEXT = "This is the <b>test</b> system. Nothing here is real."


def banner(page: Page) -> Locator:
    """What stands there."""
    return page.get_by_role("region", name="About this board")


def test_it_stands_on_every_page_as_text_until_it_is_put_away_and_again_when_it_is_another_one(
    browser: Browser, tmp_path: Path
) -> None:
    with served(tmp_path, POLICY, env={"HANDRAIL_BANNER": TEXT}) as server:
        with server.engine() as engine:
            account(engine, LEAD, Role.REVIEWER)
        context = browser.new_context(base_url=server.url)
        context.set_default_timeout(SECONDS)
        page = context.new_page()
        page.goto("/sign-in")
        expect(banner(page)).to_contain_text(TEXT)
        sign_in(page)
        page.goto("/log?tool=refund")
        expect(banner(page)).to_contain_text(TEXT)
        flawless(page, "banner")
        banner(page).get_by_role("button", name="Put this away").click()
        expect(banner(page)).to_have_count(0)
        assert page.url == f"{server.url}/log?tool=refund"
        page.goto("/questions")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(banner(page)).to_have_count(0)
        kept = context.cookies()
        context.close()
    with served(tmp_path, env={"HANDRAIL_BANNER": "This is another one."}) as server:
        context = browser.new_context(base_url=server.url)
        context.add_cookies([each for each in kept if each["name"] == "handrail_banner"])  # type: ignore[misc]
        page = context.new_page()
        page.goto("/sign-in")
        expect(banner(page)).to_contain_text("This is another one.")
        context.close()


def test_without_one_there_is_nothing(visit: Page) -> None:
    visit.goto("/sign-in")
    expect(visit.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(banner(visit)).to_have_count(0)
