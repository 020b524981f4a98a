"""Many questions: alike ones rejected together, and mine before those of others, over every page."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from handrail.words.approval import Choice
from handrail.words.lifecycle import State
from tests.browser.conftest import SECONDS, Office, sign_in
from tests.browser.test_answering import opened
from tests.browser.test_queue import cleared, press
from tests.support.rail import HEAD, LEAD


def test_alike_questions_are_rejected_together_with_one_reason(visit: Page, office: Office) -> None:
    """By keys: tick two, write why once. What was not ticked stays."""
    cleared(office)
    actions = [office.ask(870 + each, task=f"no {each}") for each in range(3)]
    sign_in(visit)
    visit.goto("/questions")
    for key in ("j", "a", "j", "a", "r"):
        press(visit, key)
    reason = visit.get_by_label("Why not? Each agent is told this.")
    expect(reason).to_be_focused()
    visit.get_by_role("button", name="Reject them").click()
    assert [office.state(each) for each in actions] == [State.HELD] * 3, "a rejection needs a reason"
    reason.fill("Not before the audit.")
    visit.get_by_role("button", name="Reject them").click()
    expect(visit.get_by_role("status")).to_contain_text("2 of 2 rejected.")
    assert [office.state(each) for each in actions] == [State.REJECTED, State.REJECTED, State.HELD]
    for each in actions[:2]:
        question = office.desk.question(each).id
        [vote] = office.desk.app.store.read(lambda tx, asked=question: tx.approvals.votes(asked))  # type: ignore[misc]
        assert (vote.choice, vote.reason, vote.person) == (Choice.REJECT, "Not before the audit.", LEAD)


def test_what_needs_another_yes_is_not_called_approved(visit: Page, office: Office) -> None:
    """Both need two people, and one has the other's yes: what may run and what waits are told apart."""
    cleared(office)
    first, second = (office.ask(30 + each, reason="pairs", task=f"pair {each}") for each in range(2))
    office.desk.vote(first, "second@example.com")
    sign_in(visit)
    visit.goto("/questions")
    for box in visit.get_by_role("checkbox").all():
        box.check()
    visit.get_by_role("button", name="Approve the ticked ones").click()
    expect(visit.get_by_role("status")).to_have_text("1 of 2 approved. 1 still waits for somebody else.")
    assert office.state(first) != State.HELD
    assert office.state(second) == State.HELD
    office.desk.vote(second, "second@example.com")
    assert office.state(second) != State.HELD


def test_many_are_rejected_without_a_script_and_never_without_a_reason(
    browser: Browser, office: Office
) -> None:
    cleared(office)
    actions = [office.ask(875 + each, task=f"plain {each}") for each in range(2)]
    context = browser.new_context(base_url=office.served.url, java_script_enabled=False)
    context.set_default_timeout(SECONDS)
    page = context.new_page()
    sign_in(page)
    page.goto("/questions")
    page.get_by_text("Reject the ticked ones").click()
    page.get_by_role("checkbox", name=re.compile("876")).check()
    page.get_by_label("Why not? Each agent is told this.").fill("  ")
    page.get_by_role("button", name="Reject them").click()
    expect(page.get_by_role("alert")).to_contain_text("a rejection needs a reason")
    assert office.state(actions[1]) == State.HELD
    page.get_by_text("Reject the ticked ones").click()
    page.get_by_role("checkbox", name=re.compile("876")).check()
    page.get_by_label("Why not? Each agent is told this.").fill("Once is enough.")
    page.get_by_role("button", name="Reject them").click()
    expect(page.get_by_role("status")).to_contain_text("1 of 1 rejected.")
    assert [office.state(each) for each in actions] == [State.HELD, State.REJECTED]
    context.close()


def test_all_that_is_for_me_comes_before_all_that_is_for_others(visit: Page, office: Office) -> None:
    """However old the others' are: mine, the youngest, stands before 31 of theirs, over two pages."""
    cleared(office)
    theirs = [office.ask(20, reason="legal", task=f"theirs {each}") for each in range(31)]
    mine = office.ask(880, task="mine and youngest")
    sign_in(visit)
    visit.goto("/questions")
    expect(visit.locator("#queue h2").first).to_have_text("For you")
    expect(visit.locator("[data-question]").first).to_contain_text("880")
    expect(visit.locator("[data-question]")).to_have_count(30)
    visit.get_by_role("link", name="The next ones").click()
    expect(visit.get_by_role("heading", name="For you")).to_have_count(0)
    expect(visit.locator("[data-question]")).to_have_count(2)
    expect(visit.get_by_role("link", name="The next ones")).to_have_count(0)
    opened(visit, office, mine)
    expect(visit.locator("main")).to_contain_text("No other question waits for you")
    for each in theirs:
        office.desk.vote(each, HEAD, Choice.REJECT, "cleared")


def test_a_very_long_name_makes_no_page_scroll_sideways(visit: Page, office: Office) -> None:
    cleared(office)
    action = office.ask(890, task="T" * 400)
    sign_in(visit)
    session = office.desk.action(action).session
    for path in ("/sessions", f"/sessions/{session}", "/log", "/questions", "/", f"/actions/{action}"):
        for width in (1280, 400):
            visit.set_viewport_size({"width": width, "height": 800})
            visit.goto(path)
            assert visit.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (path, width)
