"""Agents and keys in a real browser: rungs by hand, keys shown once, changed tools that wait."""

from __future__ import annotations

import re

import httpx
from playwright.sync_api import Page, expect

from handrail.engine.toolbox import register
from handrail.words.level import Rung
from handrail.words.person import Key, Role
from tests.browser.conftest import Office, sign_in
from tests.browser.looks import flawless
from tests.support.rail import LEAD
from tests.support.server import ADMIN

SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
CHANGED = {"type": "object", "properties": {"text": {"type": "string"}, "to": {"type": "string"}}}


def keys(office: Office, name: str) -> list[Key]:
    """Every key of this name, newest first."""
    found = office.desk.app.store.read(lambda tx: tx.keys.listing())
    return [each for each in found if each.name == name]


def works(office: Office, key: str) -> bool:
    """Whether the server lets a key in."""
    headers = {"authorization": f"Bearer {key}"}
    return httpx.get(f"{office.served.url}/api/v1/agents/support", headers=headers).status_code == 200


def shown(page: Page) -> str:
    """The secret that is shown once."""
    return page.get_by_label("To be copied").input_value().strip()


def test_an_admin_sets_a_rung_by_hand_and_says_why(visit: Page, office: Office) -> None:
    sign_in(visit, ADMIN)
    visit.goto("/agents")
    main = visit.locator("main")
    expect(main).to_contain_text("No program has a key")
    main.get_by_role("link", name="support", exact=True).click()
    row = main.get_by_role("listitem").filter(has_text="refund")
    expect(row).to_contain_text("within limits")
    expect(main).to_contain_text("You may use these tools and no others: refund, find")
    flawless(visit, "agent")
    row.get_by_role("link", name="Set by hand").click()
    flawless(visit, "rung")
    assert main.get_by_label("Set it to").locator("option").count() == 4
    main.get_by_label("Set it to").select_option("suggest")
    main.get_by_role("button", name="Set it by hand").click()
    main.get_by_label("Why").fill("Two wrong refunds today.")
    main.get_by_role("button", name="Set it by hand").click()
    expect(visit.get_by_role("status")).to_contain_text("refund of support now stands at: asks.")
    expect(row).to_contain_text(
        re.compile("by admin@example.com: Two wrong refunds today.*set by hand", re.DOTALL)
    )
    grants = office.desk.app.store.read(lambda tx: tx.restrictions.read()).grants
    assert grants["support", "refund"].rung is Rung.SUGGEST


def test_a_rung_above_the_ceiling_is_refused_in_a_sentence(office: Office) -> None:
    client = office.served.signed_in(ADMIN)
    form = {"agent": "support", "tool": "note", "rung": "autonomous", "reason": "faster"}
    told = client.post("/agents/rung", data=form, follow_redirects=True)
    assert "the policy allows note at most bounded" in told.text
    told = client.post("/agents/rung", data={**form, "rung": "top"}, follow_redirects=True)
    assert "is no rung" in told.text
    assert client.get("/agents/rung", params={"agent": "support", "tool": "nothing"}).status_code == 404
    assert client.get("/agents/agent", params={"name": "nobody"}).status_code == 404


def test_a_key_is_shown_once_rotated_with_overlap_and_revoked(visit: Page, office: Office) -> None:
    sign_in(visit, ADMIN)
    visit.goto("/agents")
    main = visit.locator("main")
    main.get_by_role("link", name="Make a key").click()
    flawless(visit, "new-key")
    main.get_by_label("What uses it").fill("host 3")
    main.get_by_role("button", name="Make the key").click()
    expect(visit.get_by_role("alert")).to_contain_text("an agent's key is for exactly one agent")
    main.get_by_label("What uses it").fill("host 3")
    main.get_by_label("support").check()
    main.get_by_role("button", name="Make the key").click()
    first = shown(visit)
    assert first.startswith("hr_a_")
    assert works(office, first)
    main.get_by_role("link", name="Done, I have it").click()
    assert first not in visit.content()
    expect(main.get_by_role("listitem").filter(has_text="host 3")).to_contain_text("agent support · used")
    flawless(visit, "agents")
    main.get_by_role("link", name="host 3").click()
    flawless(visit, "key")
    main.get_by_label("This one ends").select_option("after an hour")
    main.get_by_role("button", name="Make the next key").click()
    second = shown(visit)
    assert works(office, first)
    assert works(office, second)
    main.get_by_role("link", name="Done, I have it").click()
    main.get_by_role("link", name="host 3").first.click()
    main.get_by_label("Why").fill("The host was lost.")
    main.get_by_role("button", name="Revoke the key").click()
    expect(visit.get_by_role("status")).to_contain_text("no server lets it in any more")
    assert not works(office, second)
    assert works(office, first)
    assert len(keys(office, "host 3")) == 2
    visit.goto(f"/agents/keys/key?id={keys(office, 'host 3')[0].id}")
    expect(main).to_contain_text("This key has ended")


def test_a_changed_tool_waits_and_is_compared_and_accepted(visit: Page, office: Office) -> None:
    with office.served.engine() as engine:
        engine.refresh()
        register(engine, "wipe", SCHEMA, "support", "key 1")
        waits = register(engine, "wipe", CHANGED, "support", "key 1")
    sign_in(visit, ADMIN)
    visit.goto("/agents")
    main = visit.locator("main")
    main.get_by_role("link", name="wipe").click()
    expect(main.locator(".line.added").first).to_contain_text("+")
    expect(main).to_contain_text("another one, accepted")
    flawless(visit, "schema")
    main.get_by_role("button", name="Accept this version").click()
    expect(visit.get_by_role("status")).to_contain_text("Accepted")
    pinned = office.desk.app.store.read(lambda tx: tx.toolbox.pinned())
    assert [each.binding for each in pinned if each.tool == "wipe"] == [waits.binding]
    visit.goto(f"/agents/schema?tool=wipe&binding={waits.binding}")
    expect(main).to_contain_text("This version counts.")


def test_whoever_is_no_admin_sees_rungs_and_no_keys(visit: Page, office: Office) -> None:
    sign_in(visit)
    visit.goto("/agents")
    main = visit.locator("main")
    expect(main).to_contain_text("An admin makes keys")
    expect(main.get_by_role("button")).to_have_count(0)
    expect(main).not_to_contain_text("Keys of programs")
    main.get_by_role("link", name="support", exact=True).click()
    expect(main.get_by_role("link", name="Set by hand")).to_have_count(0)
    client = office.served.signed_in(LEAD, Role.REVIEWER)
    assert client.get("/agents/keys/new").status_code == 403
    for path, form in (
        ("/agents/rung", {"agent": "support", "tool": "note", "rung": "shadow", "reason": "x"}),
        ("/agents/keys", {"kind": "agent", "name": "x", "agent": "support"}),
        ("/agents/keys/rotate", {"key": "x"}),
        ("/agents/keys/revoke", {"key": "x"}),
        ("/agents/schema/accept", {"tool": "wipe", "binding": "x"}),
    ):
        assert client.post(path, data=form).status_code == 403
