"""People and roles in a real browser: invited, changed, signed out; the last admin stays; others look."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from handrail.words.person import Person, Role
from tests.browser.conftest import Office, sign_in
from tests.browser.looks import flawless
from tests.support.rail import LEAD
from tests.support.server import ADMIN, PASSWORD, account

NEW = "nina@example.com"


def person(office: Office, who: str) -> Person:
    """An account as the store has it."""
    found = office.desk.app.store.read(lambda tx: tx.people.get(who))
    assert found is not None
    return found


def opened(page: Page, who: str) -> None:
    """A person's page."""
    page.goto(f"/people/person?who={who}")


def test_an_admin_invites_somebody_who_comes_in_with_the_link(visit: Page, office: Office) -> None:
    sign_in(visit, ADMIN)
    visit.goto("/people")
    expect(visit.get_by_role("link", name="People", exact=True)).to_have_attribute("aria-current", "page")
    expect(visit.locator("main")).to_contain_text("second@example.com, asked as leads, pair")
    flawless(visit, "people")
    visit.get_by_label("Address").fill(NEW)
    visit.get_by_label("Name").fill("Nina <b>bold</b>")
    visit.get_by_label("What they may do").select_option("viewer")
    visit.get_by_role("button", name="Make a link for them").click()
    link = visit.get_by_label("To be copied").input_value().strip()
    assert re.search(r"/set-up\?link=[\w-]{40,}$", link)
    flawless(visit, "once")
    assert person(office, NEW).role is Role.VIEWER
    visit.get_by_role("link", name="Done, I have it").click()
    row = visit.get_by_role("listitem").filter(has_text=NEW)
    expect(row).to_contain_text("Nina <b>bold</b>")
    expect(row).to_contain_text("has not come yet")
    assert link not in visit.content()
    visit.get_by_role("button", name="Sign out").click()
    visit.goto(link[link.index("/set-up") :])
    visit.get_by_label(re.compile("Password|password")).first.fill(PASSWORD)
    visit.get_by_label(re.compile("again")).fill(PASSWORD)
    visit.get_by_role("button").last.click()
    sign_in(visit, NEW)
    expect(visit.get_by_role("banner")).to_contain_text("Nina")


def test_what_was_typed_stays_when_it_can_not_be_used(visit: Page, office: Office) -> None:
    """An invitation and a key: the mistake is told, and nothing is typed twice."""
    del office
    sign_in(visit, ADMIN)
    visit.goto("/people")
    visit.get_by_label("Address").fill("no address")
    visit.get_by_label("Name").fill("Nils")
    visit.get_by_label("What they may do").select_option("admin")
    visit.get_by_role("button", name="Make a link for them").click()
    expect(visit.get_by_role("alert")).to_contain_text("is no person")
    expect(visit.get_by_label("Address")).to_have_value("no address")
    expect(visit.get_by_label("Name")).to_have_value("Nils")
    expect(visit.get_by_label("What they may do")).to_have_value("admin")
    visit.goto("/people")
    expect(visit.get_by_label("Address")).to_have_value("")
    visit.goto("/agents/keys/new")
    visit.get_by_label("What uses it").fill("the night shift")
    visit.get_by_label("It may open sessions itself").uncheck()
    visit.get_by_role("button", name="Make the key").click()
    expect(visit.get_by_role("alert")).to_be_visible()
    expect(visit.get_by_label("What uses it")).to_have_value("the night shift")
    expect(visit.get_by_label("It may open sessions itself")).not_to_be_checked()


def test_an_address_that_is_taken_is_told(visit: Page, office: Office) -> None:
    del office
    sign_in(visit, ADMIN)
    visit.goto("/people")
    visit.get_by_label("Address").fill(LEAD)
    visit.get_by_role("button", name="Make a link for them").click()
    expect(visit.get_by_role("alert")).to_contain_text("has an account already")


def test_an_admin_changes_role_absence_and_password(visit: Page, office: Office) -> None:
    with office.served.engine() as engine:
        account(engine, "carl@example.com", Role.VIEWER)
    sign_in(visit, ADMIN)
    visit.goto("/people")
    visit.get_by_role("link", name="carl").click()
    expect(visit.locator("main")).to_contain_text("Nowhere.")
    flawless(visit, "person")
    visit.get_by_label("Role").select_option("reviewer")
    visit.get_by_role("button", name="Change the role").click()
    expect(visit.get_by_role("status")).to_contain_text("carl is a reviewer now")
    visit.get_by_label("Back on").fill("2090-01-31")
    visit.get_by_role("button", name="Save").click()
    expect(visit.get_by_role("status")).to_contain_text("away until 2090-01-31")
    visit.get_by_role("button", name="Save").click()
    expect(visit.locator("main")).to_contain_text("They are here.")
    visit.get_by_role("button", name="Make a link").click()
    expect(visit.get_by_label("To be copied")).to_have_value(re.compile("/set-up"))
    assert person(office, "carl@example.com").role is Role.REVIEWER
    assert person(office, "carl@example.com").away_until is None


def test_an_account_that_is_switched_off_is_signed_out_at_once(visit: Page, office: Office) -> None:
    client = office.served.signed_in("dora@example.com", Role.REVIEWER)
    assert client.get("/api/v1/me").status_code == 200
    sign_in(visit, ADMIN)
    opened(visit, "dora@example.com")
    visit.get_by_role("button", name="Switch it off").click()
    expect(visit.get_by_role("status")).to_contain_text("is signed out")
    assert client.get("/api/v1/me").status_code == 401
    visit.get_by_role("button", name="Switch it on again").click()
    assert person(office, "dora@example.com").active


def test_somebody_is_signed_out_of_one_browser_and_of_all(visit: Page, office: Office) -> None:
    clients = [office.served.signed_in("emil@example.com", Role.VIEWER) for _ in range(3)]
    sign_in(visit, ADMIN)
    opened(visit, "emil@example.com")
    visit.get_by_role("button", name="Sign out there").first.click()
    expect(visit.get_by_role("status")).to_contain_text("in 1 browser.")
    assert sorted(each.get("/api/v1/me").status_code for each in clients) == [200, 200, 401]
    visit.get_by_role("button", name="Sign out everywhere").click()
    expect(visit.get_by_role("status")).to_contain_text("in 2 browsers")
    assert {each.get("/api/v1/me").status_code for each in clients} == {401}


def test_a_lost_second_factor_is_ended_with_a_link(visit: Page, office: Office) -> None:
    from handrail.engine.identity.accounts import set_totp

    with office.served.engine() as engine:
        account(engine, "fred@example.com", Role.VIEWER)
        set_totp(engine, "fred@example.com", "JBSWY3DPEHPK3PXP", 1, keep=None)
    sign_in(visit, ADMIN)
    opened(visit, "fred@example.com")
    visit.get_by_label("Their second factor is lost").check()
    visit.get_by_role("button", name="Make a link").click()
    expect(visit.get_by_label("To be copied")).to_be_visible()
    assert person(office, "fred@example.com").totp is None


def test_the_last_admin_stays_one(visit: Page, office: Office) -> None:
    sign_in(visit, ADMIN)
    opened(visit, ADMIN)
    visit.get_by_label("Role").select_option("viewer")
    visit.get_by_role("button", name="Change the role").click()
    expect(visit.get_by_role("alert")).to_contain_text("is the last active admin; make another one first")
    visit.get_by_role("button", name="Switch it off").click()
    expect(visit.get_by_role("alert")).to_contain_text("is the last active admin")
    assert person(office, ADMIN).role is Role.ADMIN
    assert person(office, ADMIN).active


def test_whoever_is_no_admin_looks_only(visit: Page, office: Office) -> None:
    sign_in(visit)
    visit.goto("/people")
    expect(visit.locator("main")).to_contain_text("An admin invites people")
    expect(visit.locator("main").get_by_role("button")).to_have_count(0)
    expect(visit.locator("main").get_by_role("link")).to_have_count(0)
    flawless(visit, "people-reviewer")
    answer = visit.goto(f"/people/person?who={ADMIN}")
    assert answer is not None
    assert answer.status == 403
    client = office.served.signed_in(LEAD, Role.REVIEWER)
    for path, form in (
        ("/people", {"person": "x@example.com", "role": "admin"}),
        ("/people/role", {"who": LEAD, "role": "admin"}),
        ("/people/reset", {"who": ADMIN}),
        ("/people/active", {"who": ADMIN, "active": "off"}),
    ):
        assert client.post(path, data=form).status_code == 403


def test_a_person_who_is_not_there_is_told(visit: Page, office: Office) -> None:
    del office
    sign_in(visit, ADMIN)
    opened(visit, "nobody@example.com")
    expect(visit.locator("main")).to_contain_text("There is no account nobody@example.com.")
