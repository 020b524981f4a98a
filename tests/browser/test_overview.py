"""The overview in a real browser: empty and full, live without a reload, narrow, dark, hostile, restarted."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from handrail.engine.restrict import halt, lift
from handrail.words.errors import HandrailError
from handrail.words.person import Role
from tests.browser.conftest import SECONDS, Office, sign_in
from tests.browser.test_hostile_text import planted, unharmed
from tests.support.rail import LEAD, POLICY
from tests.support.server import account, served

WIDTH = 400


def figure(page: Page, word: str) -> int:
    """One of today's numbers."""
    return int(page.locator(".figures li").filter(has_text=word).locator("b").inner_text())


def is_live(page: Page) -> None:
    """The stream stands."""
    expect(page.locator("#live")).to_have_text("live")


def test_it_is_the_first_page_and_tells_where_every_tool_stands(visit: Page, office: Office) -> None:
    del office
    sign_in(visit)
    expect(visit.get_by_role("link", name="Overview")).to_have_attribute("aria-current", "page")
    row = visit.locator("#agent1 tr").filter(has_text="wipe")
    expect(row).to_contain_text("on trial")
    expect(row).to_contain_text("up to within limits")
    expect(visit.locator(".step3")).to_contain_text("within limits")
    expect(visit.locator("meter")).to_have_count(1)
    is_live(visit)


def test_a_question_appears_without_a_reload_and_what_is_opened_stays(visit: Page, office: Office) -> None:
    sign_in(visit)
    is_live(visit)
    visit.get_by_text("The same as a table").click()
    visit.evaluate("window.untouched = true")
    before = figure(visit, "asked")
    action = office.ask(510, task="live ticket")
    link = visit.locator(f"#q{office.desk.question(action).id} a")
    expect(link).to_contain_text("510")
    expect(visit.locator(".figures li").filter(has_text="asked").locator("b")).to_have_text(str(before + 1))
    expect(visit.locator("#each-hour")).to_be_visible()
    assert visit.evaluate("window.untouched") is True
    link.click()
    visit.get_by_role("button", name="Approve").click()
    expect(visit.get_by_role("status")).to_contain_text("approved")


def test_what_is_told_in_several_words_is_fetched_once(visit: Page, office: Office) -> None:
    """A question is news of actions, too."""
    sign_in(visit)
    is_live(visit)
    fetched: list[str] = []
    visit.on("request", lambda request: fetched.append(request.url) if "/overview" in request.url else None)
    for number, amount in enumerate((530, 540), 1):
        action = office.ask(amount, task="told twice")
        expect(visit.locator(f"#q{office.desk.question(action).id}")).to_have_count(1)
        assert len(fetched) == number


def test_news_moves_nothing_that_one_types_or_reads(visit: Page, office: Office) -> None:
    """What is half typed keeps its text and the focus, and the page does not jump."""
    sign_in(visit)
    is_live(visit)
    visit.get_by_text("Stop agents").click()
    reason = visit.get_by_label("Reason for the stop")
    reason.fill("half a rea")
    before = figure(visit, "denied")
    with office.desk.rail.session(agent="support", task="t"), suppress(HandrailError):
        office.refund(amount=2000, reason="late")
    expect(visit.locator(".figures li").filter(has_text="denied").locator("b")).to_have_text(str(before + 1))
    expect(reason).to_have_value("half a rea")
    expect(reason).to_be_focused()
    shift = """new Promise(done => new PerformanceObserver(list => done(
        list.getEntries().reduce((sum, each) => sum + (each.hadRecentInput ? 0 : each.value), 0)
    )).observe({type: 'layout-shift', buffered: true}) || setTimeout(() => done(0), 300))"""
    assert visit.evaluate(shift) < 0.01


def test_a_halt_stands_over_every_page_at_once_and_goes_when_it_is_lifted(
    visit: Page, office: Office
) -> None:
    sign_in(visit)
    visit.goto("/questions")
    is_live(visit)
    known, _ = halt(office.desk.app.engine, "It writes nonsense.", LEAD, "sales")
    band = visit.locator(".band")
    expect(band).to_contain_text("agent sales")
    expect(band).to_contain_text("It writes nonsense.")
    visit.goto("/")
    expect(visit.get_by_role("heading", level=1)).to_have_text("Something is stopped")
    is_live(visit)
    lift(office.desk.app.engine, known, "mended", LEAD)
    expect(band).to_have_count(0)
    expect(visit.get_by_role("heading", level=1)).not_to_have_text("Something is stopped")


def test_the_stop_in_the_head_takes_two_steps(visit: Page, office: Office) -> None:
    sign_in(visit)
    visit.get_by_text("Stop agents").click()
    visit.get_by_label("Agent to stop").select_option("sales")
    visit.get_by_label("Reason for the stop").fill("A mistake.")
    visit.get_by_role("button", name="Go on").click()
    expect(visit.get_by_role("heading", level=1)).to_have_text("Stop agent sales?")
    assert not office.desk.app.store.read(lambda tx: tx.restrictions.read()).halts
    visit.get_by_role("button", name="Stop it now").click()
    expect(visit.get_by_role("status")).to_contain_text("Stopped")
    [known] = office.desk.app.store.read(lambda tx: tx.restrictions.read()).halts
    lift(office.desk.app.engine, known.id, "mended", LEAD)


def test_without_a_script_everything_is_there_as_of_when_it_was_loaded(
    browser: Browser, office: Office
) -> None:
    context = browser.new_context(base_url=office.served.url, java_script_enabled=False)
    context.set_default_timeout(SECONDS)
    page = context.new_page()
    sign_in(page)
    expect(page.locator("#live")).to_have_text(re.compile(r"as of \d\d:\d\d"))
    expect(page.locator("#agent1 tr").filter(has_text="refund")).to_contain_text("within limits")
    expect(page.locator("#chart")).to_be_hidden()
    page.get_by_text("Stop agents").click()
    page.get_by_label("Reason for the stop").fill("A drill.")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Stop everything?")
    context.close()


def test_it_shows_hostile_text_as_text_also_when_it_comes_live(visit: Page, office: Office) -> None:
    sign_in(visit)
    is_live(visit)
    before = figure(visit, "asked")
    planted(office, 430)
    expect(visit.locator(".figures li").filter(has_text="asked").locator("b")).to_have_text(str(before + 1))
    unharmed(visit, office)
    visit.goto("/")
    is_live(visit)
    unharmed(visit, office)


def test_it_fits_a_telephone(visit: Page, office: Office) -> None:
    del office
    visit.set_viewport_size({"width": WIDTH, "height": 800})
    sign_in(visit)
    for path in ("/", "/questions", "/halts", "/account"):
        visit.goto(path)
        assert visit.evaluate("document.documentElement.scrollWidth") <= WIDTH, path


def test_an_empty_store_says_that_it_is_fine_so_and_a_restart_is_seen(
    browser: Browser, tmp_path: Path
) -> None:
    """With the time since when it is not live; the stream comes back by itself, and all is fetched anew."""
    context = browser.new_context()
    context.set_default_timeout(4 * SECONDS)
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    with served(tmp_path, POLICY) as first:
        with first.engine() as engine:
            account(engine, LEAD, Role.REVIEWER)
        page.goto(f"{first.url}/sign-in")
        page.get_by_label("Your address").fill(LEAD)
        page.get_by_label("Password").fill("correct horse battery staple")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Nothing happened yet today")
        expect(page.locator("main")).to_contain_text("No question waits for an answer.")
        is_live(page)
        page.evaluate("window.untouched = true")
        assert not wrong
        first.stop()
        expect(page.locator("#live")).to_have_text(re.compile(r"not live since \d"))
        with first.engine() as engine:
            halt(engine, "Nobody saw it.", LEAD)
        with served(tmp_path, POLICY, args=("--port", str(first.port))):
            expect(page.locator("#live")).to_have_text("live", timeout=4 * SECONDS)
            expect(page.get_by_role("heading", level=1)).to_have_text("Something is stopped")
            assert page.evaluate("window.untouched") is True
    context.close()
    assert not [each for each in wrong if "ERR_" not in each and "fetch" not in each]


def test_a_tab_that_nobody_sees_gives_its_connection_back_and_catches_up(visit: Page, office: Office) -> None:
    """The browser is told that the tab is hidden, and then that it is seen again."""
    visit.clock.install()
    sign_in(visit)
    is_live(visit)
    hide = """hidden => {
        Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
        document.dispatchEvent(new Event('visibilitychange'));
    }"""
    visit.evaluate(hide, True)  # noqa: FBT003 - what the script takes
    visit.clock.fast_forward(31_000)
    before = figure(visit, "asked")
    office.ask(520, task="while hidden")
    with visit.expect_response("**/overview"):
        visit.evaluate(hide, False)  # noqa: FBT003 - what the script takes
    expect(visit.locator(".figures li").filter(has_text="asked").locator("b")).to_have_text(str(before + 1))
