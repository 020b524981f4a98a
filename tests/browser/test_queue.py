"""The queue of questions in a real browser: keys, fields, the next ones alike, others who answer too."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from handrail.words.approval import Choice
from handrail.words.lifecycle import State
from handrail.words.person import Role
from tests.browser.conftest import Office, sign_in
from tests.browser.test_answering import GOES, opened
from tests.browser.test_hostile_text import planted, unharmed
from tests.support.accessible import barriers
from tests.support.rail import HEAD
from tests.support.server import VIEWER, account

EVERYTHING = "for (const each of document.querySelectorAll('main details')) each.open = true"


def cleared(office: Office) -> None:
    """Nothing waits from an earlier test."""
    for each in office.desk.actions(State.HELD):
        office.desk.vote(each.id, choice=Choice.REJECT, reason="cleared")
        if office.state(each.id) == State.HELD:
            office.desk.vote(each.id, HEAD, Choice.REJECT, "cleared")


def press(page: Page, key: str) -> None:
    """Press a key once the page's scripts listen, which is before it is live."""
    expect(page.locator("#live")).to_have_text("live")
    page.keyboard.press(key)


def test_keys_go_through_the_queue_and_answer(visit: Page, office: Office) -> None:
    cleared(office)
    first, second = office.ask(810, task="key one"), office.ask(820, task="key two")
    sign_in(visit)
    opened(visit, office, first)
    press(visit, "j")
    expect(visit.get_by_role("heading", level=1)).to_contain_text("820")
    press(visit, "k")
    expect(visit.get_by_role("heading", level=1)).to_contain_text("810")
    press(visit, "?")
    expect(visit.locator("#keys dl")).to_be_visible()
    press(visit, "e")
    expect(visit.get_by_label("amount")).to_be_focused()
    visit.keyboard.type("a")
    assert office.state(first) == State.HELD, "a key that is typed into a field answers nothing"
    visit.get_by_role("heading", level=1).click()
    press(visit, "a")
    expect(visit.get_by_role("status")).to_contain_text("approved")
    assert office.state(first) in GOES
    opened(visit, office, second)
    press(visit, "r")
    visit.keyboard.type("No, not this.")
    visit.get_by_role("button", name="Reject").click()
    expect(visit.get_by_role("status")).to_contain_text("rejected")


def test_keys_tick_in_the_list(visit: Page, office: Office) -> None:
    cleared(office)
    for each in range(3):
        office.ask(830 + each, task=f"tick {each}")
    sign_in(visit)
    visit.goto("/questions")
    for key in ("j", "a", "j", "j", "a"):
        press(visit, key)
    expect(visit.get_by_role("checkbox", checked=True)).to_have_count(2)
    expect(visit.get_by_role("checkbox", name=re.compile("831"))).not_to_be_checked()


def test_what_the_keys_do_is_seen_wherever_one_is_in_a_long_list(visit: Page, office: Office) -> None:
    cleared(office)
    for each in range(12):
        office.ask(700 + each, task=f"long {each}")
    sign_in(visit)
    visit.goto("/questions")
    press(visit, "?")
    expect(visit.locator("#keys dl")).to_be_in_viewport(ratio=1)
    assert not barriers(visit)
    press(visit, "?")
    expect(visit.locator("#keys dl")).not_to_be_visible()


def test_fields_of_the_tools_schema_are_edited(visit: Page, office: Office) -> None:
    action = office.ask(840)
    sign_in(visit)
    opened(visit, office, action)
    visit.get_by_text("Edit, and let that run").click()
    visit.get_by_label("amount").fill("half")
    visit.locator("#edit").get_by_label("reason").fill("typed and kept")
    visit.get_by_role("button", name="Let this run instead").click()
    expect(visit.locator("#edit")).to_contain_text("'half' is no whole number")
    expect(visit.locator("#edit").get_by_label("reason")).to_have_value("typed and kept")
    visit.get_by_label("amount").fill("90")
    visit.get_by_role("button", name="Let this run instead").click()
    expect(visit.get_by_role("status")).to_contain_text("Edited")
    assert office.state(action) == State.SUPERSEDED
    replaced = office.desk.action(action).superseded_by
    visit.goto(f"/actions/{action}")
    visit.get_by_role("link", name=f"action …{(replaced or '')[-8:]}").click()
    expect(visit.locator(".story")).to_contain_text("typed and kept")


def test_the_next_ones_alike_are_approved_and_that_is_ended(visit: Page, office: Office) -> None:
    action = office.ask(850)
    sign_in(visit)
    opened(visit, office, action)
    visit.get_by_text("Also approve the next ones like this").click()
    form = visit.locator("#standing form")
    form.get_by_label("How many at most").fill("2")
    form.get_by_label("Up to how much in all").fill("lots")
    form.get_by_label("Why").fill("The parcels of Monday.")
    form.get_by_role("button").click()
    told = expect(form.get_by_role("alert"))
    told.to_contain_text("'lots' is no number: say up to how much in all, as a number such as 12.50")
    expect(form.get_by_label("Why")).to_have_value("The parcels of Monday.")
    form.get_by_label("Up to how much in all").fill("500")
    form.get_by_role("button").click()
    expect(visit.get_by_role("heading", name="The next 2 of support with refund")).to_be_visible()
    assert not barriers(visit)
    with office.desk.rail.session(agent="support", task="alike"):
        office.refund(amount=200, reason="late")
    visit.reload()
    expect(
        visit.get_by_role("heading", name="The next 1 of support with refund, up to 300.00 USD")
    ).to_be_visible()
    visit.get_by_role("button", name="End it").click()
    expect(visit.locator("main")).to_contain_text("None is in force")
    assert office.state(office.ask(200, task="after")) == State.HELD


def test_what_is_typed_and_ticked_stays_while_news_comes(visit: Page, office: Office) -> None:
    cleared(office)
    office.ask(860, task="stay one")
    office.ask(861, task="stay two")
    sign_in(visit)
    visit.goto("/questions")
    expect(visit.locator("#live")).to_have_text("live")
    tick = visit.get_by_role("checkbox", name=re.compile("860"))
    tick.check()
    action = office.ask(862, task="stay three")
    expect(visit.get_by_role("checkbox")).to_have_count(3)
    expect(tick).to_be_checked()
    opened(visit, office, action)
    expect(visit.locator("#live")).to_have_text("live")
    visit.get_by_label("Why not?").fill("half a thou")
    visit.get_by_label("Why not?").press("End")
    office.ask(863, task="stay four")
    expect(visit.locator("a[rel=next]")).to_be_visible()
    expect(visit.get_by_label("Why not?")).to_have_value("half a thou")
    expect(visit.get_by_label("Why not?")).to_be_focused()


def test_two_people_answer_at_once_and_the_second_is_told(
    browser: Browser, visit: Page, office: Office
) -> None:
    action = office.ask(870)
    with office.served.engine() as engine:
        account(engine, "second@example.com", Role.REVIEWER)
    context = browser.new_context(base_url=office.served.url, java_script_enabled=False)
    other = context.new_page()
    sign_in(visit)
    sign_in(other, "second@example.com")
    opened(visit, office, action)
    opened(other, office, action)
    visit.get_by_role("button", name="Approve").click()
    expect(visit.get_by_role("status")).to_contain_text("approved")
    other.get_by_label("Why not?").fill("Too much.")
    other.get_by_role("button", name="Reject").click()
    expect(other.get_by_role("alert")).to_be_visible()
    assert office.state(action) in GOES
    context.close()


def test_an_answer_of_somebody_else_is_seen_at_once(visit: Page, office: Office) -> None:
    action = office.ask(880)
    sign_in(visit)
    opened(visit, office, action)
    expect(visit.locator("#live")).to_have_text("live")
    office.desk.vote(action, "second@example.com", Choice.REJECT, "Somebody was faster.")
    expect(visit.locator("#answer")).to_contain_text("Somebody was faster.")
    expect(visit.get_by_role("button", name="Approve")).to_have_count(0)


def test_little_time_is_counted_down(visit: Page, office: Office) -> None:
    action = office.ask(890)
    question, soon = office.desk.question(action).id, office.desk.app.engine.clock() + 90_000
    office.desk.sql(f"update seats set expires_at = {soon} where approval = '{question}'")
    sign_in(visit)
    opened(visit, office, action)
    expect(visit.locator("[data-until]")).to_have_text(re.compile(r"^1:\d\d left$"))


def test_everybody_can_use_the_queue(visit: Page, office: Office) -> None:
    cleared(office)
    action = office.ask(900, rationale="It came late.", task="all one")
    office.ask(901, task="all two")
    sign_in(visit)
    for path in ("/questions", f"/questions/{office.desk.question(action).id}", "/standings"):
        for scheme in ("light", "dark"):
            visit.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            visit.set_viewport_size({"width": 400, "height": 900})
            visit.goto(path)
            visit.evaluate(EVERYTHING)
            assert not barriers(visit), path
            assert visit.evaluate("document.documentElement.scrollWidth") <= 400


def test_hostile_text_is_text_in_fields_and_standing_approvals(visit: Page, office: Office) -> None:
    action = planted(office, 910)
    sign_in(visit)
    opened(visit, office, action)
    visit.evaluate(EVERYTHING)
    unharmed(visit, office)
    form = visit.locator("#standing form")
    form.get_by_label("Up to how much in all").fill("<b>1</b>")
    form.get_by_label("Why").fill("\"'><script>alert(1)</script>")
    form.get_by_role("button").click()
    unharmed(visit, office)
    form.get_by_label("Up to how much in all").fill("10")
    form.get_by_role("button").click()
    expect(visit.locator("main")).to_contain_text("\"'><script>alert(1)</script>")
    unharmed(visit, office)
    visit.get_by_role("button", name="End it").click()


def test_whoever_looks_only_ends_no_standing_approval(visit: Page, office: Office) -> None:
    with office.served.engine() as engine:
        account(engine, VIEWER, Role.VIEWER)
    sign_in(visit, VIEWER)
    visit.goto("/standings")
    expect(visit.locator("main")).to_contain_text("None is in force")
    expect(visit.locator("main form")).to_have_count(0)
