"""Whatever an agent writes is text: markup, scripts, links and hidden signs in every field run nowhere."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from handrail.words.errors import Held
from tests.browser.conftest import Office, sign_in
from tests.support.rail import LEAD

MARK = "planted"
HOSTILE = (
    f"<script>document.title='{MARK}';alert(1)</script>",
    f"<img src=x onerror=\"document.body.id='{MARK}';alert(1)\">",
    f"<svg/onload=alert('{MARK}')>",
    f"\"'><iframe srcdoc=\"<script>parent.document.title='{MARK}'</script>\"></iframe>",
    f"javascript:alert('{MARK}')",
    f"</textarea></pre></title></style><script>document.title='{MARK}'</script>",
    f"<a href=\"javascript:document.title='{MARK}'\">approve</a><form action=//evil.example>",
    "{{ 7 * 7 }}{% for x in y %}${7*7}<%= 7*7 %>",
    "<style>main{display:none}</style><link rel=stylesheet href=//evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=//evil.example'><base href=//evil.example>",
    "safe\u202egnp.exe\u2066\u200b\x1b[2J\x07",
)
INJECTED = (
    "body script, iframe, object, embed, svg, main style, main link, main meta, main img, [onerror], [onload]"
)


def everything() -> str:
    """All of it in one text."""
    return "\n".join(HOSTILE)


def unharmed(page: Page, office: Office) -> None:
    """Nothing ran, nothing was injected, and the page is still ours."""
    page.wait_for_load_state()
    assert MARK not in page.title() or "<" in page.title()
    assert page.evaluate("document.body.id") == ""
    assert page.locator(INJECTED).count() == 0
    assert page.url.startswith(office.served.url)
    for link in page.locator("a[href]").all():
        assert re.match(r"^(/|#)", link.get_attribute("href") or "")
    for form in page.locator("form[action]").all():
        assert (form.get_attribute("action") or "").startswith("/")
    text = page.locator("body").inner_text()
    assert not re.search("[\u202e\u2066\u200b\x1b\x07]", text)
    assert "49${" not in text
    expect(page.locator("main")).to_be_visible()


def planted(office: Office, amount: int, reason: str = "") -> str:
    """A question with hostile text wherever an agent can write one."""
    text = everything()
    with (
        office.desk.rail.session(agent="support", task=text[:480]),
        office.desk.rail.about(rationale=text, confidence=0.5, key=f"{amount}{text[:400]}"),
    ):
        try:
            office.refund(amount=amount, reason=reason or text)
        except Held as held:
            return held.action_id
    raise AssertionError("it was not held")


def test_every_page_shows_hostile_text_as_text(visit: Page, office: Office) -> None:
    requests: list[str] = []
    visit.on("request", lambda request: requests.append(request.url))
    first, second = planted(office, 410), planted(office, 420)
    sign_in(visit)
    answer = visit.goto("/questions")
    assert answer is not None
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    unharmed(visit, office)
    visit.goto(f"/questions/{office.desk.question(first).id}")
    unharmed(visit, office)
    shown = visit.locator("main").inner_text()
    for text in HOSTILE[:-1]:
        assert text in shown
    assert "safe\\u202egnp.exe" in shown
    visit.get_by_label("Why not?").fill(everything())
    visit.get_by_role("button", name="Reject").click()
    unharmed(visit, office)
    visit.goto(f"/questions/{office.desk.question(second).id}")
    visit.get_by_text("Tell the agent something instead").click()
    visit.get_by_label("The agent gets this text").fill(everything())
    visit.get_by_role("button", name="Send").click()
    unharmed(visit, office)
    assert all(each.startswith((office.served.url, "data:")) for each in requests)


def test_keys_of_arguments_and_outputs_are_text_too(visit: Page, office: Office) -> None:
    text = everything()

    @office.desk.rail.tool
    def offer(terms: dict[str, str]) -> dict[str, str]:
        return {text: text, **terms}

    with office.desk.rail.session(agent="support", task="x"):
        offer(terms={each: each for each in HOSTILE})
    action = planted(office, 430)
    sign_in(visit)
    visit.goto(f"/questions/{office.desk.question(action).id}")
    visit.get_by_text("Edit it as JSON").click()
    visit.get_by_label("The arguments, as JSON").fill(text)
    visit.get_by_role("button", name="Let this run instead").click()
    expect(visit.get_by_role("alert")).to_be_visible()
    unharmed(visit, office)
    assert visit.get_by_label("The arguments, as JSON").input_value().startswith("<script>")


def test_a_hostile_reason_of_a_halt_and_a_hostile_name_are_text(visit: Page, office: Office) -> None:
    sign_in(visit)
    visit.goto("/halts")
    visit.get_by_label("Which agent").select_option("sales")
    visit.get_by_label("Why").fill(everything())
    visit.get_by_role("button", name="Go on to stop it").click()
    unharmed(visit, office)
    visit.get_by_role("button", name="Stop it now").click()
    unharmed(visit, office)
    visit.goto("/account")
    visit.get_by_label("The name that others see").fill(HOSTILE[1])
    visit.get_by_role("button", name="Change it").click()
    unharmed(visit, office)
    expect(visit.get_by_role("banner")).to_contain_text("<img src=x")


def test_hostile_addresses_stay_here(visit: Page, office: Office) -> None:
    for to in ("//evil.example", "javascript:alert(1)", "/\\evil.example"):
        visit.goto(f"/sign-in?to={to}")
        visit.get_by_label("Your address").fill(LEAD)
        visit.get_by_label("Password").fill("correct horse battery staple")
        visit.get_by_role("button", name="Sign in").click()
        visit.wait_for_url(f"{office.served.url}/")
        visit.get_by_role("button", name="Sign out").click()
    visit.goto(f"/{HOSTILE[1]}")
    unharmed(visit, office)


def test_another_sites_form_changes_nothing(browser: Browser, office: Office) -> None:
    """A page of another origin posts with the person's own cookie: the server refuses it."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{office.served.url}/sign-in")
    page.get_by_label("Your address").fill(LEAD)
    page.get_by_label("Password").fill("correct horse battery staple")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")
    before = len(office.desk.app.store.read(lambda tx: tx.restrictions.read()).halts)
    target = f"{office.served.url}/halts"
    page.goto("about:blank")
    page.set_content(
        f"<form method=post action='{target}'><input name=reason value=evil><button>go</button></form>"
    )
    page.get_by_role("button").click()
    page.wait_for_url(target)
    assert "another site" in (page.locator("body").inner_text())
    assert len(office.desk.app.store.read(lambda tx: tx.restrictions.read()).halts) == before
    context.close()
