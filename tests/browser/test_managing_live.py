"""The managing pages are as new as the word in their head says, and take nothing away that one types."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from handrail.engine.identity.accounts import set_active
from handrail.engine.identity.keys import make_key, revoke_key
from handrail.engine.identity.sign_ins import end_sign_in
from handrail.engine.questions.standings import make_standing, revoke_standing
from handrail.engine.restrict import activate, halt, lift, set_rung
from handrail.engine.toolbox import register
from handrail.policy.load import load
from handrail.server.auth.keys import digest_of
from handrail.words.level import Rung
from handrail.words.person import KeyKind, Role
from tests.browser.conftest import SECONDS, Office, sign_in
from tests.support.rail import LEAD, POLICY
from tests.support.server import ADMIN, account, served

SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
CHANGED = {"type": "object", "properties": {"text": {"type": "string"}, "to": {"type": "string"}}}


def looked_at(page: Page, path: str) -> None:
    """Open a page and mark it, so that a reload would be seen."""
    page.goto(path)
    expect(page.locator("#live")).to_have_text("live")
    page.evaluate("window.untouched = true")


def untouched(page: Page) -> bool:
    """It is still the page that was opened."""
    return page.evaluate("window.untouched") is True


def test_agents_keys_and_changed_tools_appear_while_one_looks(visit: Page, office: Office) -> None:
    engine = office.desk.app.engine
    sign_in(visit, ADMIN)
    main = visit.locator("main")
    looked_at(visit, "/agents")
    make_key(engine, KeyKind.AGENT, "night shift", ["sales"], digest_of("night"), LEAD, opens_sessions=True)
    expect(main.get_by_role("link", name="night shift")).to_be_visible()
    register(engine, "wipe", SCHEMA, "support", "key 1")
    register(engine, "wipe", CHANGED, "support", "key 1")
    expect(main).to_contain_text("Tools that changed, and wait to be accepted")
    assert untouched(visit)


def test_a_step_appears_on_the_agents_page_and_under_a_half_filled_form(visit: Page, office: Office) -> None:
    engine = office.desk.app.engine
    sign_in(visit, ADMIN)
    looked_at(visit, "/agents/agent?name=sales")
    row = visit.locator("main").get_by_role("listitem").filter(has_text="offer")
    expect(row).to_contain_text("within limits")
    set_rung(engine, "sales", "offer", Rung.SUGGEST, "It promised too much.", LEAD)
    expect(row).to_contain_text("It promised too much.")
    looked_at(visit, "/agents/rung?agent=sales&tool=offer")
    visit.get_by_label("Set it to").select_option("preapproved")
    why = visit.get_by_label("Why")
    why.fill("half a rea")
    set_rung(engine, "sales", "offer", Rung.SHADOW, "Look again.", LEAD)
    expect(visit.locator("main")).to_contain_text("It stands at on trial")
    expect(visit.get_by_label("Set it to")).to_have_value("preapproved")
    expect(why).to_have_value("half a rea")
    expect(why).to_be_focused()
    assert untouched(visit)


def test_people_appear_and_an_invitation_that_is_half_typed_stays(visit: Page, office: Office) -> None:
    sign_in(visit, ADMIN)
    looked_at(visit, "/people")
    visit.get_by_label("Address").fill("half@typed")
    visit.get_by_label("What they may do").select_option("viewer")
    with office.served.engine() as engine:
        account(engine, "gerda@example.com", Role.VIEWER)
    expect(visit.get_by_role("listitem").filter(has_text="gerda@example.com")).to_be_visible()
    expect(visit.get_by_label("Address")).to_have_value("half@typed")
    expect(visit.get_by_label("What they may do")).to_have_value("viewer")
    assert untouched(visit)


def test_a_persons_sign_ins_and_role_are_followed(visit: Page, office: Office) -> None:
    client = office.served.signed_in("hugo@example.com", Role.VIEWER)
    sign_in(visit, ADMIN)
    looked_at(visit, "/people/person?who=hugo@example.com")
    visit.get_by_label("Role").select_option("admin")
    visit.get_by_label("Back on").fill("2090-01-31")
    expect(visit.get_by_role("button", name="Sign out there")).to_have_count(1)
    with office.served.engine() as engine:
        end_sign_in(engine, "hugo@example.com", None, ADMIN)
    expect(visit.locator("main")).to_contain_text("Nowhere.")
    expect(visit.get_by_label("Role")).to_have_value("admin")
    expect(visit.get_by_label("Back on")).to_have_value("2090-01-31")
    with office.served.engine() as engine:
        set_active(engine, "hugo@example.com", active=False, by=ADMIN)
    expect(visit.get_by_role("button", name="Switch it on again")).to_be_visible()
    assert untouched(visit)
    assert client.get("/api/v1/me").status_code == 401


def test_a_key_that_somebody_else_ends_is_seen_to_have_ended(visit: Page, office: Office) -> None:
    engine = office.desk.app.engine
    made = make_key(engine, KeyKind.AGENT, "day", ["sales"], digest_of("day"), LEAD, opens_sessions=True)
    sign_in(visit, ADMIN)
    looked_at(visit, f"/agents/keys/key?id={made.id}")
    visit.get_by_label("Why").fill("I wanted to")
    revoke_key(engine, made.id, LEAD, "faster")
    expect(visit.locator("main")).to_contain_text("This key has ended")
    assert untouched(visit)


def test_a_version_of_the_policy_appears_and_the_text_that_is_edited_stays(
    browser: Browser, tmp_path: Path
) -> None:
    context = browser.new_context()
    context.set_default_timeout(SECONDS)
    page = context.new_page()
    with served(tmp_path, POLICY) as server, server.engine() as engine:
        account(engine, ADMIN, Role.ADMIN)
        page.goto(f"{server.url}/sign-in")
        page.get_by_label("Your address").fill(ADMIN)
        page.get_by_label("Password").fill("correct horse battery staple")
        page.get_by_role("button", name="Sign in").click()
        looked_at(page, f"{server.url}/policy")
        engine.refresh()
        changed = load(POLICY.replace("amount > 1000", "amount > 900"), "handrail.yaml")
        activate(engine, changed, LEAD, "Nine hundred is enough.")
        expect(page.locator("main")).to_contain_text("Nine hundred is enough.")
        expect(page.locator(".numbered")).to_contain_text("amount > 900")
        assert untouched(page)
    context.close()


def test_a_standing_approval_appears_and_goes(visit: Page, office: Office) -> None:
    engine = office.desk.app.engine
    approval = office.desk.question(office.ask(251, task="live standing"))
    sign_in(visit)
    looked_at(visit, "/standings")
    made = make_standing(
        engine,
        agent="support",
        tool="refund",
        asks=approval.asks,
        when=None,
        actions=3,
        amount=900_000_000_000,
        expires_at=engine.clock() + 3_600_000,
        person=LEAD,
        reason="Parcels.",
        verified=True,
    )
    heading = visit.get_by_role("heading", name="The next 3 of support with refund")
    expect(heading).to_be_visible()
    revoke_standing(engine, made.id, LEAD)
    expect(heading).to_have_count(0)
    assert untouched(visit)


def test_a_stop_appears_on_its_page_and_a_half_typed_reason_to_let_go_stays(
    visit: Page, office: Office
) -> None:
    engine = office.desk.app.engine
    first, _ = halt(engine, "One.", LEAD, "sales")
    sign_in(visit, ADMIN)
    looked_at(visit, "/halts")
    visit.get_by_label("Which tool").select_option("note")
    reason = visit.get_by_label("Why may it run again?")
    reason.fill("half a rea")
    second, _ = halt(engine, "Two.", LEAD, None, "wipe")
    expect(visit.locator("main").get_by_role("heading", name=re.compile("wipe"))).to_be_visible()
    expect(visit.locator(f"#l{first}")).to_have_value("half a rea")
    expect(visit.locator(f"#l{first}")).to_be_focused()
    expect(visit.get_by_label("Which tool")).to_have_value("note")
    lift(engine, second, "mended", LEAD)
    expect(visit.locator("main").get_by_role("heading", name=re.compile("wipe"))).to_have_count(0)
    lift(engine, first, "mended", LEAD)
    expect(visit.locator("main")).to_contain_text("Nothing is")
    assert untouched(visit)


def test_what_became_of_a_channels_test_is_seen_without_a_reload(browser: Browser, tmp_path: Path) -> None:
    """Nothing listens there: the first try fails, and the page says why by itself."""
    policy = POLICY.replace("if_no_answer: heads}", "if_no_answer: heads, via: ['notify:oncall']}", 1)
    context = browser.new_context()
    context.set_default_timeout(SECONDS)
    page = context.new_page()
    with served(tmp_path, policy, env={"HANDRAIL_NOTIFY_ONCALL": "json://127.0.0.1:9/hush"}) as server:
        with server.engine() as engine:
            account(engine, ADMIN, Role.ADMIN)
        page.goto(f"{server.url}/sign-in")
        page.get_by_label("Your address").fill(ADMIN)
        page.get_by_label("Password").fill("correct horse battery staple")
        page.get_by_role("button", name="Sign in").click()
        looked_at(page, f"{server.url}/settings")
        page.get_by_role("button", name="Test").click()
        expect(page.get_by_role("status")).to_contain_text("is on its way through notify:oncall")
        expect(page.locator("#settings")).to_contain_text(
            "notify:oncall did not take it", timeout=4 * SECONDS
        )
        assert "hush" not in page.content()
    context.close()
