"""Running tools by hand, and the settings, in a real browser."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from handrail.engine.restrict import halt, lift
from handrail.words.action import Action
from handrail.words.lifecycle import State
from handrail.words.person import Role
from tests.browser.conftest import Office, sign_in
from tests.browser.looks import flawless
from tests.support.rail import LEAD, POLICY
from tests.support.server import ADMIN, served


def runs(office: Office) -> list[Action]:
    """What the admin ran by hand."""
    return [each for each in office.desk.actions() if each.person == ADMIN]


def test_a_tool_is_run_by_hand_once_also_while_all_is_stopped(visit: Page, office: Office) -> None:
    stop, _ = halt(office.desk.app.engine, "Something is odd.", LEAD)
    sign_in(visit, ADMIN)
    visit.goto("/manual")
    main = visit.locator("main")
    flawless(visit, "manual")
    main.get_by_role("link", name="refund").click()
    flawless(visit, "manual-tool")
    main.get_by_label("amount").fill("a lot")
    main.get_by_label("reason", exact=True).fill("late parcel")
    main.get_by_label("Why").fill("The agents are stopped.")
    main.get_by_role("button", name="Run it now").click()
    expect(visit.get_by_role("alert").first).to_contain_text("Nothing ran")
    expect(main).to_contain_text("'a lot' is no whole number")
    expect(main.get_by_label("amount")).to_have_value("a lot")
    expect(main.get_by_label("Why")).to_have_value("The agents are stopped.")
    flawless(visit, "manual-wrong")
    assert runs(office) == []
    main.get_by_label("amount").fill("1500")
    form = {each: main.locator(f"[name='{each}']").input_value() for each in ("once", "reason")}
    main.get_by_role("button", name="Run it now").click()
    expect(visit.get_by_role("status").first).to_contain_text("It ran.")
    expect(main).to_contain_text("1500 refunded: late parcel")
    [done] = runs(office)
    assert (done.state, done.tool) == (State.DONE, "refund")
    expect(main).to_contain_text(f"Why, in the words of {ADMIN}.")
    expect(main).not_to_contain_text("the agent's own words")
    client = office.served.signed_in(ADMIN)
    again = client.post(
        "/manual/tool?name=refund",
        data={**form, "arg.amount": "1500", "arg.reason": "late parcel"},
        follow_redirects=True,
    )
    assert done.id in str(again.url)
    assert len(runs(office)) == 1
    lift(office.desk.app.engine, stop, "mended", LEAD)


def test_a_run_needs_a_reason_and_an_admin(office: Office) -> None:
    admin = office.served.signed_in(ADMIN)
    form = {"once": "1", "arg.amount": "5", "arg.reason": "x"}
    told = admin.post("/manual/tool?name=refund", data={**form, "reason": " "})
    assert told.status_code == 422
    assert "needs a reason" in told.text
    assert admin.get("/manual/tool?name=wipe").status_code == 404
    refused = admin.post("/manual/tool?name=refund", data={**form, "arg.amount": "-5", "reason": "y"})
    assert "Nothing ran: the amount can&#39;t be used" in refused.text
    assert "hand the task to a person" not in refused.text
    reviewer = office.served.signed_in(LEAD, Role.REVIEWER)
    assert reviewer.get("/manual").status_code == 403
    assert reviewer.post("/manual/tool?name=refund", data={**form, "reason": "y"}).status_code == 403


def test_a_server_without_tools_says_what_to_do(tmp_path: Path) -> None:
    with served(tmp_path, POLICY) as bare:
        told = bare.signed_in().get("/manual")
        assert told.status_code == 200
        assert "handrail serve --app module:rail" in told.text


def test_settings_tell_what_is_set_up_and_nothing_secret(visit: Page, office: Office) -> None:
    sign_in(visit, ADMIN)
    visit.goto("/settings")
    main = visit.locator("main")
    for text in ("names no channel", "Everything was told", "sign-on is not set up", "SQLite", "refund"):
        expect(main).to_contain_text(text)
    flawless(visit, "settings")
    told = office.served.signed_in(ADMIN).post(
        "/settings/test", data={"channel": "pigeon"}, follow_redirects=True
    )
    assert "is no channel" in told.text
    reviewer = office.served.signed_in(LEAD, Role.REVIEWER)
    assert "refund" in reviewer.get("/settings").text
    assert reviewer.post("/settings/test", data={"channel": "notify:x"}).status_code == 403


def test_a_channel_is_tested_and_what_failed_is_told(tmp_path: Path) -> None:
    policy = POLICY.replace("if_no_answer: heads}", "if_no_answer: heads, via: ['notify:oncall']}", 1)
    secret = "json://127.0.0.1:9/hush"
    with served(tmp_path, policy, env={"HANDRAIL_NOTIFY_ONCALL": secret}) as server:
        admin = server.signed_in()
        assert "tells leads" in admin.get("/settings").text
        told = admin.post("/settings/test", data={"channel": "notify:oncall"}, follow_redirects=True)
        assert "on its way through notify:oncall" in told.text
        assert "hush" not in told.text
        with server.engine() as engine:
            [made] = engine.store.read(lambda tx: tx.deliveries.listing(None, 5))
        assert made.channel == "notify:oncall"
