"""Hostile text in every field in which people write on the managing pages is text, and breaks no page."""

from __future__ import annotations

from urllib.parse import quote

import httpx
from playwright.sync_api import Page, expect

from handrail.engine.identity.accounts import invite
from handrail.engine.identity.keys import make_key
from handrail.engine.questions.standings import make_standing, revoke_standing
from handrail.engine.restrict import halt, lift, set_rung
from handrail.engine.toolbox import register
from handrail.server.auth.keys import digest_of
from handrail.words.level import Rung
from handrail.words.person import KeyKind, Role
from tests.browser.conftest import Office, sign_in
from tests.browser.test_hostile_text import HOSTILE, everything, unharmed
from tests.support.rail import LEAD
from tests.support.server import ADMIN

LONG = "Donaudampfschifffahrtsgesellschaft" * 12
TURNED = "\u202eevil\u2069 \u200f" + HOSTILE[1]
WIDEST = """width => document.documentElement.scrollWidth <= width ? [] :
    [...document.querySelectorAll('body *')].filter((each) => each.getBoundingClientRect().right > width)
        .map((each) => `${each.tagName} ${each.className}`).slice(-8)"""
"""What of a page stands out of it, innermost last."""
SCHEMA = {"type": "object", "properties": {HOSTILE[0]: {"type": "string", "description": everything()}}}


def whole(page: Page, office: Office, path: str) -> None:
    """Nothing ran, and nothing is pushed out of a telephone's page, however long a word is."""
    for width in (1280, 400):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(path)
        expect(page.locator("main")).to_be_visible()
        page.evaluate("for (const each of document.querySelectorAll('main details')) each.open = true")
        unharmed(page, office)
        assert page.evaluate(WIDEST, width) == [], (path, width)


def test_what_people_wrote_elsewhere_is_text_on_every_managing_page(visit: Page, office: Office) -> None:
    """Names, reasons, keys, schemas, standing approvals, stops: markup, broken attributes, reversed, long."""
    engine, reason = office.desk.app.engine, f"{everything()} {LONG}"[:480]
    invite(engine, "mal@example.com", f"{HOSTILE[3]}{TURNED}"[:100], Role.VIEWER, digest_of("mal"), ADMIN)
    invite(engine, "long@example.com", LONG[:100], Role.VIEWER, digest_of("long"), ADMIN)
    made = make_key(
        engine, KeyKind.AGENT, TURNED[:60], ["sales"], digest_of("hostile"), LEAD, opens_sessions=True
    )
    set_rung(engine, "sales", "refund", Rung.SUGGEST, reason, LEAD)
    register(engine, "offer", {"type": "object"}, "sales", HOSTILE[0])
    changed = register(engine, "offer", SCHEMA, "sales", f"{TURNED}{LONG}"[:200])
    asked = office.desk.question(office.ask(256, task=LONG[:200]))
    standing = make_standing(
        engine,
        agent="support",
        tool="refund",
        asks=asked.asks,
        when='args.reason == "<img src=x onerror=alert(1)>"',
        actions=3,
        amount=900_000_000_000,
        expires_at=engine.clock() + 3_600_000,
        person=LEAD,
        reason=reason,
        verified=True,
    )
    stop, _ = halt(engine, reason, LEAD, "sales")
    sign_in(visit, ADMIN)
    for path in (
        "/",
        "/questions",
        f"/questions/{asked.id}",
        "/standings",
        "/halts",
        f"/halts/new?agent={quote(TURNED)}&tool={quote(HOSTILE[3])}&reason={quote(reason)}",
        "/agents",
        "/agents/agent?name=sales",
        "/agents/rung?agent=sales&tool=refund",
        f"/agents/keys/key?id={made.id}",
        f"/agents/schema?tool=offer&binding={changed.binding}",
        "/people",
        "/people/person?who=mal@example.com",
        "/people/person?who=long@example.com",
        "/log",
        "/settings",
        "/account",
    ):
        whole(visit, office, path)
    lift(engine, stop, reason, LEAD)
    revoke_standing(engine, standing.id, LEAD)


def test_what_is_typed_and_refused_comes_back_as_text(visit: Page, office: Office) -> None:
    """Each field of each form, sent with what no form would let through, and the page that answers."""
    client = office.served.signed_in(ADMIN)
    client.headers["accept"] = "text/html"
    text = f"{everything()}{TURNED}{LONG}"
    for path, form in (
        ("/people", {"person": text, "name": text, "role": text}),
        ("/people/role", {"who": LEAD, "role": text}),
        ("/people/away", {"who": LEAD, "back": text}),
        ("/people/sign-out", {"who": text, "sign_in": text}),
        ("/agents/rung", {"agent": text, "tool": text, "rung": text, "reason": text}),
        ("/agents/keys", {"kind": text, "name": text, "agent": text, "until": text}),
        ("/agents/keys/rotate", {"key": text, "overlap": text}),
        ("/agents/keys/revoke", {"key": text, "reason": text}),
        ("/agents/schema/accept", {"tool": text, "binding": text}),
        ("/policy/check", {"name": text[:80], f"file.{text[:80]}": text}),
        ("/policy/activate", {"name": text, "files": text, "expected": text, "reason": text}),
        ("/manual/tool?name=refund", {"arg.amount": text, "arg.reason": text, "reason": text, "task": text}),
        ("/settings/test", {"channel": text}),
        ("/halts", {"agent": text, "tool": text, "reason": "  "}),
        ("/account/name", {"name": text}),
        ("/account/away", {"back": text}),
        ("/standings/nothing/end", {}),
        ("/questions/reject", {"item": text, "reason": text}),
    ):
        plain(client.post(path, data=form, follow_redirects=True), path)
    sign_in(visit, ADMIN)
    for path in (
        f"/people/person?who={quote(TURNED)}",
        f"/agents/agent?name={quote(HOSTILE[3])}",
        f"/agents/keys/key?id={quote(HOSTILE[1])}",
        f"/agents/schema?tool={quote(HOSTILE[0])}&binding={quote(TURNED)}",
        f"/policy/version?digest={quote(HOSTILE[0])}",
        f"/manual/tool?name={quote(TURNED)}",
        f"/questions?after={quote(HOSTILE[0])}",
        f"/set-up?link={quote(HOSTILE[1])}",
    ):
        whole(visit, office, path)


def plain(answer: httpx.Response, path: str) -> None:
    """An answer for people, without a crash and without markup that was typed."""
    assert answer.status_code in {200, 404, 409, 422}, (path, answer.status_code)
    assert "text/html" in answer.headers["content-type"], path
    for sign in ("<script>document", "<img src=x", "<iframe", "<svg/onload", "<base", "\u202e"):
        assert sign not in answer.text, (path, sign)
