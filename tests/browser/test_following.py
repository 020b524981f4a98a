"""What happened, in a real browser: an action's story, the log that grows, sessions on one axis."""

from __future__ import annotations

import csv
import io
import re

import pytest
from playwright.sync_api import Page, expect

from handrail.ports import Commit
from handrail.words.errors import Denied
from handrail.words.lifecycle import State
from handrail.words.person import Role
from tests.browser.conftest import Office, sign_in
from tests.browser.test_hostile_text import HOSTILE, INJECTED, MARK, planted
from tests.support.accessible import barriers
from tests.support.server import VIEWER, account

EXTRA = INJECTED.replace("svg, ", "")
"""What nobody injects; the axis of a session is a drawing of ours."""


def narrow(page: Page) -> None:
    """Nothing scrolls sideways at 400 pixels."""
    page.set_viewport_size({"width": 400, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def one_session(office: Office, task: str) -> str:
    """A session with something that ran, something denied and something that waits; its id."""
    with office.desk.rail.session(agent="support", task=task) as session:
        office.refund(amount=20, reason="late")
        with pytest.raises(Denied):
            office.refund(amount=5_000, reason="late")
        del session
    office.ask(260, task=task)
    return office.desk.actions()[-2].session


def unknown(office: Office, task: str) -> str:
    """An action of which nobody knows how it ended."""
    with office.desk.rail.session(agent="support", task=task):
        office.refund(amount=30, reason="late")
    action = office.desk.actions()[-1].id
    office.desk.sql(f"update actions set state = 'unknown' where id = '{action}'")
    return action


class TestAction:
    def test_its_story_stands_in_order_and_grows_while_one_looks(self, visit: Page, office: Office) -> None:
        action = office.ask(610, rationale="It came late.", confidence=0.5)
        sign_in(visit)
        visit.goto(f"/actions/{action}")
        expect(visit.get_by_role("heading", level=1)).to_contain_text("610.00 USD")
        parts = visit.locator(".story > li > h3")
        expect(parts).to_have_text(
            [re.compile("asked for"), re.compile("checked"), re.compile("question put")]
        )
        expect(visit.locator(".story")).to_contain_text("In the agent's own words. Nobody checked them.")
        expect(visit.locator(".steps")).to_contain_text("asks a person")
        visit.get_by_label("Why? The agent is told this.").fill("half a thou")
        office.desk.vote(action)
        expect(visit.locator(".story")).to_contain_text("610 refunded: late")
        expect(visit.locator(".state-line")).to_have_text("ran")

    def test_what_has_not_started_is_taken_back_with_a_reason(self, visit: Page, office: Office) -> None:
        action = office.ask(620)
        sign_in(visit)
        visit.goto(f"/actions/{action}")
        visit.get_by_label("Why? The agent is told this.").fill("  ")
        visit.get_by_role("button", name="Take it back").click()
        expect(visit.get_by_role("alert")).to_contain_text("needs a reason")
        assert office.state(action) == State.HELD
        visit.get_by_label("Why? The agent is told this.").fill("The customer found it.")
        visit.get_by_role("button", name="Take it back").click()
        expect(visit.get_by_role("status")).to_contain_text("Taken back")
        assert office.state(action) == State.CANCELLED
        expect(visit.locator("main")).to_contain_text("The customer found it.")

    def test_an_end_that_nobody_knows_is_settled_by_a_person(self, visit: Page, office: Office) -> None:
        action = unknown(office, "settle")
        sign_in(visit)
        visit.goto(f"/actions/{action}")
        expect(visit.locator(".state-line")).to_have_text("nobody knows how it ended")
        visit.get_by_label("It took effect").check()
        visit.get_by_label("How do you know?").fill("The bank shows it.")
        visit.get_by_role("button", name="Settle it").click()
        expect(visit.get_by_role("status")).to_contain_text("Settled")
        assert office.state(action) == State.DONE

    def test_whoever_looks_only_sees_the_story_and_can_press_nothing(
        self, visit: Page, office: Office
    ) -> None:
        held, lost = office.ask(640), unknown(office, "look")
        with office.served.engine() as engine:
            account(engine, VIEWER, Role.VIEWER)
        sign_in(visit, VIEWER)
        for action in (held, lost):
            visit.goto(f"/actions/{action}")
            expect(visit.locator(".story")).to_contain_text("What the policy hides is hidden here")
            expect(visit.locator("main form")).to_have_count(0)

    def test_one_that_is_not_there_is_said_to_be(self, visit: Page, office: Office) -> None:
        del office
        sign_in(visit)
        visit.goto("/actions/0000")
        expect(visit.locator("main")).to_contain_text("There is no action 0000.")


class TestLog:
    def test_what_comes_appears_while_one_looks(self, visit: Page, office: Office) -> None:
        sign_in(visit)
        visit.goto("/log")
        expect(visit.locator("#live")).to_have_text("live")
        office.ask(650, reason="appears while one looks")
        expect(visit.locator("#rows")).to_contain_text("appears while one looks")

    def test_a_search_stands_in_the_address_and_narrows(self, visit: Page, office: Office) -> None:
        office.ask(660, reason="needle in hay")
        sign_in(visit)
        visit.goto("/log")
        visit.get_by_label("Search").fill("NEEDLE")
        visit.get_by_role("button", name="Search").click()
        expect(visit.locator("#rows tbody tr")).to_have_count(1)
        assert "text=NEEDLE" in visit.url
        visit.get_by_text("Narrow it down, choose columns").click()
        visit.get_by_label("Agent", exact=True).first.select_option("sales")
        visit.get_by_role("checkbox", name="Session").check()
        visit.get_by_role("button", name="Search").click()
        expect(visit.locator("#rows")).to_contain_text("Nothing fits.")
        visit.get_by_label("Agent", exact=True).first.select_option("")
        visit.get_by_role("button", name="Search").click()
        expect(visit.get_by_role("columnheader", name="Session")).to_be_visible()
        visit.locator("#rows tbody a").first.click()
        expect(visit.locator(".story")).to_contain_text("needle in hay")

    def test_pages_go_back_to_the_first_entry(self, visit: Page, office: Office) -> None:
        for each in range(20):
            office.ask(700 + each, task=f"page {each}")
        sign_in(visit)
        visit.goto("/log")
        newest = visit.locator("#rows tr[id]").first.get_attribute("id")
        for _ in range(40):
            older = visit.get_by_role("link", name="Older ones")
            if not older.count():
                break
            older.click()
            visit.wait_for_url("**before=**")
        expect(visit.locator("#rows tr").last).to_contain_text("policy activated")
        visit.get_by_role("link", name="To the newest").click()
        expect(visit.locator(f"#{newest}")).to_be_visible()

    def test_a_time_that_is_none_is_explained(self, visit: Page, office: Office) -> None:
        del office
        sign_in(visit)
        visit.goto("/log?since=yesterday")
        expect(visit.get_by_role("alert")).to_contain_text("'yesterday' is no time")
        visit.goto("/log?kind=nonsense")
        expect(visit.get_by_role("alert")).to_contain_text("nothing that the log tells of")

    def test_it_is_taken_along_as_a_table(self, visit: Page, office: Office) -> None:
        office.ask(670, task="take along")
        sign_in(visit)
        visit.goto("/log?task=take+along")
        with visit.expect_download() as caught:
            visit.get_by_role("link", name="Table (CSV)").click()
        assert caught.value.suggested_filename == "handrail-log.csv"
        [row] = csv.DictReader(io.StringIO(caught.value.path().read_text("utf-8")))
        assert row["task"] == "take along"
        assert row["state"] == "held"


class TestSessions:
    def test_a_session_stands_on_one_axis(self, visit: Page, office: Office) -> None:
        session = one_session(office, "one axis")
        sign_in(visit)
        visit.goto("/sessions?task=one+axis")
        visit.locator("#rows tbody a").last.click()
        visit.goto(f"/sessions/{session}")
        expect(visit.get_by_role("heading", level=1)).to_have_text("support, for one axis")
        expect(visit.locator(".timeline .met")).to_have_text(["ran", "denied"])
        places = [int(each.get_attribute("x") or "") for each in visit.locator(".track .waits").all()]
        assert places == sorted(places)
        visit.locator(".timeline a").first.click()
        expect(visit.locator(".state-line")).to_have_text("ran")

    def test_a_session_is_held_and_released_with_a_reason(self, visit: Page, office: Office) -> None:
        session = one_session(office, "to be held")
        sign_in(visit)
        visit.goto(f"/sessions/{session}")
        visit.get_by_label("Why it is to be held").fill("It looks lost")
        visit.get_by_role("button", name="Hold this session").click()
        expect(visit.locator("#line")).to_contain_text("It looks lost. Nothing of it goes on until")
        visit.goto("/sessions?task=to+be+held")
        expect(visit.locator("#rows")).to_contain_text("held: It looks lost")
        visit.goto(f"/sessions/{session}")
        visit.get_by_label("Why it may go on").fill("It was not")
        visit.get_by_role("button", name="Release it").click()
        expect(visit.get_by_role("status").first).to_contain_text("Released")
        expect(visit.locator("#line")).not_to_contain_text("It looks lost")

    def test_an_empty_list_and_an_unknown_session_are_said(self, visit: Page, office: Office) -> None:
        del office
        sign_in(visit)
        visit.goto("/sessions?task=nothing+like+it")
        expect(visit.locator("#rows")).to_contain_text("No session fits.")
        visit.goto("/sessions/0000")
        expect(visit.locator("main")).to_contain_text("There is no session 0000.")

    def test_a_new_action_appears_while_one_looks(self, visit: Page, office: Office) -> None:
        sign_in(visit)
        with office.desk.rail.session(agent="support", task="still open"):
            office.refund(amount=10, reason="first")
            session = office.desk.actions()[-1].session
            visit.goto(f"/sessions/{session}")
            expect(visit.locator("#live")).to_have_text("live")
            office.refund(amount=11, reason="second")
            expect(visit.locator(".timeline .met")).to_have_count(2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_these_pages(visit: Page, office: Office, scheme: str) -> None:
    session, lost = one_session(office, f"all {scheme}"), unknown(office, "all")
    held = office.ask(680, rationale="It came late.")
    visit.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    sign_in(visit)
    for path in (
        f"/actions/{held}",
        f"/actions/{lost}",
        "/log",
        "/log?text=late&since=x",
        f"/sessions/{session}",
        "/sessions",
    ):
        visit.set_viewport_size({"width": 1280, "height": 900})
        visit.goto(path)
        assert not barriers(visit), path
        narrow(visit)
        assert not barriers(visit), path


def test_hostile_text_is_text_on_these_pages_too(visit: Page, office: Office) -> None:
    action = planted(office, 690)
    session = office.desk.action(action).session
    store = office.desk.app.store
    store.write(
        Commit.PROPOSE, lambda tx: tx.actions.move(action, State.HELD, State.CANCELLED, 1, HOSTILE[0])
    )
    sign_in(visit)
    for path in (
        f"/actions/{action}",
        "/log",
        f"/log?text={HOSTILE[3]}&task={HOSTILE[0]}",
        f"/sessions/{session}",
        f"/sessions?task={HOSTILE[1]}",
    ):
        visit.goto(path)
        expect(visit.locator("main")).to_be_visible()
        assert visit.locator(EXTRA.replace("script, ", "main script, ")).count() == 0, path
        assert visit.evaluate("document.body.id") == ""
        assert MARK not in visit.title() or "<" in visit.title()
        for link in visit.locator("a[href]").all():
            assert re.match(r"^(/|#)", link.get_attribute("href") or "")
        assert not re.search("[\u202e\u2066\u200b\x1b\x07]", visit.locator("body").inner_text())
