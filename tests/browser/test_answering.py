"""People answer in a real browser, without a script: sign in, read, approve, reject, edit, answer, halt."""

from __future__ import annotations

import re

import pyotp
from playwright.sync_api import Page, expect

from handrail.engine.restrict import halt, lift
from handrail.words.lifecycle import State
from handrail.words.person import Role
from tests.browser.conftest import Office, sign_in
from tests.support.rail import LEAD
from tests.support.server import ADMIN, account

GOES = {State.APPROVED, State.RUNNING, State.DONE}
"""An approved action, which the server runs when it has the tool."""


def opened(page: Page, office: Office, action: str) -> None:
    """The question of an action."""
    page.goto(f"/questions/{office.desk.question(action).id}")


def test_the_page_that_was_asked_for_comes_after_signing_in(visit: Page, office: Office) -> None:
    action = office.ask(310)
    opened(visit, office, action)
    expect(visit.get_by_role("heading", name="Sign in")).to_be_visible()
    visit.get_by_label("Your address").fill(LEAD)
    visit.get_by_label("Password").fill("wrong, but long enough")
    visit.get_by_role("button", name="Sign in").click()
    expect(visit.get_by_role("alert")).to_contain_text("don't fit together")
    expect(visit.get_by_label("Your address")).to_have_value(LEAD)
    visit.get_by_label("Password").fill("correct horse battery staple")
    visit.get_by_role("button", name="Sign in").click()
    expect(visit.get_by_role("heading", level=1)).to_contain_text("310")


def test_a_question_is_approved_as_it_was_seen(visit: Page, office: Office) -> None:
    action = office.ask(320, rationale="It came late.", confidence=0.75)
    sign_in(visit)
    opened(visit, office, action)
    for text in (
        "320",
        "It can't be undone",
        "In the agent's own words",
        "It came late.",
        "75 %",
        "heads are asked",
    ):
        expect(visit.locator("main")).to_contain_text(text)
    visit.get_by_role("button", name="Approve").click()
    expect(visit.get_by_role("status")).to_contain_text("approved")
    assert office.state(action) in GOES
    [vote] = office.desk.app.store.read(lambda tx: tx.approvals.votes(office.desk.question(action).id))
    assert (vote.person, vote.verified) == (LEAD, True)


def test_what_comes_of_an_answer_appears_by_itself(visit: Page, office: Office) -> None:
    """Whether the run ends before or after the page is drawn: nobody loads it anew."""
    action = office.ask(325)
    sign_in(visit)
    opened(visit, office, action)
    stop, _ = halt(office.desk.app.engine, "Not just now.", LEAD)
    visit.get_by_role("button", name="Approve").click()
    expect(visit.get_by_role("status")).to_contain_text("approved")
    expect(visit.locator("#question")).to_contain_text("it runs only once that is let go")
    lift(office.desk.app.engine, stop, "It may.", LEAD)
    expect(visit.locator("#question .said", has_text="It ran.")).to_be_visible()


def test_a_rejection_needs_a_reason_and_the_agent_is_told_it(visit: Page, office: Office) -> None:
    action = office.ask(330)
    sign_in(visit)
    opened(visit, office, action)
    visit.get_by_role("button", name="Reject").click()
    assert office.state(action) == State.HELD
    visit.get_by_label("Why not?").fill("Not without a receipt.")
    visit.get_by_role("button", name="Reject").click()
    expect(visit.locator("main")).to_contain_text("Not without a receipt.")
    assert office.state(action) == State.REJECTED


def test_an_edit_that_can_not_run_is_kept_and_explained_and_then_runs(visit: Page, office: Office) -> None:
    action = office.ask(340)
    sign_in(visit)
    opened(visit, office, action)
    visit.get_by_text("Edit it as JSON").click()
    field = visit.get_by_label("The arguments, as JSON")
    field.fill('{"amount": 90, "reason": ')
    visit.get_by_role("button", name="Let this run instead").click()
    expect(visit.get_by_role("alert")).to_be_visible()
    expect(field).to_have_value('{"amount": 90, "reason": ')
    field.fill('{"amount": 90, "reason": "half is fair"}')
    visit.get_by_role("button", name="Let this run instead").click()
    expect(visit.get_by_role("status")).to_contain_text("Edited")
    assert office.state(action) == State.SUPERSEDED


def test_an_answer_goes_to_the_agent_and_nothing_runs(visit: Page, office: Office) -> None:
    action = office.ask(350)
    sign_in(visit)
    opened(visit, office, action)
    visit.get_by_text("Tell the agent something instead").click()
    visit.get_by_label("The agent gets this text").fill("Ask the customer for a photo.")
    visit.get_by_role("button", name="Send").click()
    expect(visit.get_by_role("status")).to_contain_text("The agent is told")
    assert office.state(action) == State.CANCELLED


def test_alike_questions_are_ticked_and_approved_together(visit: Page, office: Office) -> None:
    actions = [office.ask(360 + each, task=f"batch {each}") for each in range(3)]
    sign_in(visit)
    visit.goto("/questions")
    for each in range(2):
        visit.get_by_role("checkbox", name=re.compile(f"36{each}")).check()
    visit.get_by_role("button", name="Approve the ticked ones").click()
    expect(visit.get_by_role("status")).to_contain_text("2 of 2 approved.")
    assert {office.state(each) for each in actions[:2]} <= GOES
    assert office.state(actions[2]) == State.HELD


def test_whoever_looks_only_finds_nothing_to_press(visit: Page, office: Office) -> None:
    action = office.ask(370)
    with office.served.engine() as engine:
        account(engine, "look@example.com", Role.VIEWER)
    sign_in(visit, "look@example.com")
    opened(visit, office, action)
    expect(visit.locator("main")).to_contain_text("This question is not for you")
    expect(visit.get_by_role("button", name="Approve")).to_have_count(0)
    visit.goto("/halts")
    expect(visit.get_by_role("button", name="Go on to stop it")).to_have_count(0)


def test_a_halt_takes_two_steps_and_an_admin_lifts_it(visit: Page, office: Office) -> None:
    sign_in(visit)
    visit.get_by_role("link", name="Stops").click()
    visit.get_by_label("Which agent").select_option("sales")
    visit.get_by_label("Why").fill("It writes nonsense.")
    visit.get_by_role("button", name="Go on to stop it").click()
    expect(visit.get_by_role("heading", level=1)).to_have_text("Stop agent sales?")
    assert not office.desk.app.store.read(lambda tx: tx.restrictions.read()).halts
    visit.get_by_role("button", name="Stop it now").click()
    expect(visit.get_by_role("status")).to_contain_text("Stopped")
    assert office.desk.app.store.read(lambda tx: tx.restrictions.read()).halts
    expect(visit.locator("main")).to_contain_text("An admin can let it go on")
    visit.get_by_role("button", name="Sign out").click()
    sign_in(visit, ADMIN)
    visit.goto("/halts")
    visit.get_by_label("Why may it run again?").fill("It was mended.")
    visit.get_by_role("button", name="Let it go on").click()
    expect(visit.get_by_role("status")).to_contain_text("It goes on")
    assert not office.desk.app.store.read(lambda tx: tx.restrictions.read()).halts


def test_a_name_is_changed_where_others_see_it(visit: Page, office: Office) -> None:
    with office.served.engine() as engine:
        account(engine, "second@example.com", Role.REVIEWER)
    sign_in(visit, "second@example.com")
    visit.goto("/account")
    visit.get_by_label("The name that others see").fill("Sandra")
    visit.get_by_role("button", name="Change it").click()
    expect(visit.get_by_role("banner")).to_contain_text("Sandra")


def test_an_authenticator_app_is_added_and_then_asked_for(visit: Page, office: Office) -> None:
    with office.served.engine() as engine:
        account(engine, "app@example.com", Role.REVIEWER)
    sign_in(visit, "app@example.com")
    visit.goto("/account")
    visit.get_by_role("link", name="Add an authenticator app").click()
    assert visit.locator("img.qr").evaluate("picture => picture.naturalWidth") > 100
    totp = pyotp.TOTP(visit.locator(".secret").inner_text().replace(" ", ""))
    visit.get_by_label("Code of your app").fill(totp.now())
    visit.get_by_role("button", name="From now on").click()
    expect(visit.get_by_role("status")).to_contain_text("a code of the app is needed")
    visit.get_by_role("button", name="Sign out").click()
    sign_in(visit, "app@example.com")
    expect(visit.get_by_role("heading", level=1)).to_have_text("One more step")
    visit.goto("/questions")
    expect(visit.get_by_role("heading", name="Sign in")).to_be_visible()
