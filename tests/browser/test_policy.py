"""The policy in a real browser: read, checked with mistakes on their lines, compared, taken up, refused."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Page, expect

from handrail.policy.load import load
from handrail.words.person import Role
from tests.browser.conftest import Office, sign_in
from tests.browser.looks import flawless
from tests.support.rail import LEAD, POLICY
from tests.support.server import ADMIN

WIDER = POLICY.replace('amount > 100"', 'amount > 200"').replace("[refund, offer]", "[refund, offer, note]")


def running(office: Office) -> str:
    """The digest of the running version."""
    return office.desk.app.store.read(lambda tx: tx.restrictions.read()).policy or ""


def typed(page: Page, text: str) -> None:
    """Type a text and have it checked."""
    page.goto("/policy/new")
    page.get_by_label("handrail.yaml", exact=True).fill(text)
    page.get_by_role("button", name="Check it").click()


def test_mistakes_are_told_on_their_lines_and_what_was_typed_stays(visit: Page, office: Office) -> None:
    before = running(office)
    sign_in(visit)
    visit.goto("/policy")
    main = visit.locator("main")
    expect(main).to_contain_text("Nobody refunds that much.")
    expect(main).to_contain_text("runs now")
    flawless(visit, "policy")
    wrong = POLICY.replace("does: pay", "does: payy").replace("ask: leads", "ask: leeds")
    typed(visit, wrong)
    expect(visit.get_by_role("alert")).to_contain_text("2 mistakes")
    expect(main).to_contain_text("handrail.yaml, line 7")
    expect(main).to_contain_text("Did you mean pay?")
    expect(main).to_contain_text("Did you mean leads?")
    expect(main.locator(".line.removed").first).to_contain_text("refund: {does: payy")
    expect(main.get_by_label("handrail.yaml", exact=True)).to_have_value(wrong)
    flawless(visit, "policy-mistakes")
    assert running(office) == before


def test_a_change_is_told_in_words_and_lines_and_taken_up(visit: Page, office: Office) -> None:
    before = running(office)
    sign_in(visit, ADMIN)
    main = visit.locator("main")
    typed(visit, WIDER)
    expect(main).to_contain_text("2 differences from what runs now. 1 lets agents do more.")
    expect(main).to_contain_text("rules: big changed")
    expect(main.locator(".line.added").last).to_contain_text("amount > 200")
    first = main.get_by_role("listitem").first
    expect(first).to_contain_text("sales may note added")
    expect(first).to_contain_text("lets agents do more")
    flawless(visit, "policy-change")
    main.get_by_label("Why").fill("Refunds were late.")
    main.get_by_role("button", name="Take up this version").click()
    expect(visit.get_by_role("status")).to_contain_text("runs now, on every server")
    assert running(office) == load(WIDER, "handrail.yaml").digest
    expect(main).to_contain_text("taken up by admin@example.com: Refunds were late.")
    visit.goto(f"/policy/version?digest={before}")
    expect(main).to_contain_text("amount > 100")
    main.get_by_label("Why").fill("Back again.")
    main.get_by_role("button", name="Take up this version").click()
    expect(visit.get_by_role("status")).to_contain_text("runs now")
    assert running(office) == before


def test_an_uploaded_file_is_checked_in_place_of_the_typed_one(
    visit: Page, office: Office, tmp_path: Path
) -> None:
    del office
    (tmp_path / "handrail.yaml").write_text(WIDER)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "handrail.yaml").write_bytes(b"handrail: \xff")
    sign_in(visit)
    main = visit.locator("main")
    visit.goto("/policy/new")
    visit.get_by_label("Files instead of these").set_input_files(tmp_path / "handrail.yaml")
    visit.get_by_role("button", name="Check it").click()
    expect(main).to_contain_text("1 lets agents do more")
    expect(main).to_contain_text("An admin takes it up.")
    visit.goto("/policy/new")
    visit.get_by_label("Files instead of these").set_input_files(tmp_path / "bad" / "handrail.yaml")
    visit.get_by_role("button", name="Check it").click()
    expect(main).to_contain_text("is not text in UTF-8")


def test_what_runs_already_is_said_so(visit: Page, office: Office) -> None:
    del office
    sign_in(visit, ADMIN)
    visit.goto("/policy/new")
    visit.get_by_role("button", name="Check it").click()
    main = visit.locator("main")
    expect(main).to_contain_text("Its words mean the same")
    expect(main.get_by_role("button", name="Take up")).to_have_count(0)


def test_a_version_that_was_overtaken_is_refused(office: Office) -> None:
    before = running(office)
    client = office.served.signed_in(ADMIN)
    form = {"name": "handrail.yaml", "files": json.dumps({"handrail.yaml": WIDER}), "reason": "late"}
    told = client.post("/policy/activate", data={**form, "expected": "ab" * 32}, follow_redirects=True)
    assert "is running now; look at it before you go on" in told.text
    told = client.post(
        "/policy/activate", data={**form, "expected": before, "reason": " "}, follow_redirects=True
    )
    assert "with a reason" in told.text
    told = client.post(
        "/policy/activate", data={**form, "expected": before, "files": "["}, follow_redirects=True
    )
    assert "came back damaged" in told.text
    assert running(office) == before
    reviewer = office.served.signed_in(LEAD, Role.REVIEWER)
    assert reviewer.post("/policy/activate", data={**form, "expected": before}).status_code == 403
    assert reviewer.get("/policy/version", params={"digest": "ab" * 32}).status_code == 404
