"""Draw every page of the board from the demo's data: `make screenshots`, into docs/images; ARGS=log for one.

The demo runs once without a screen; a real server then shows what it left, to an admin in a real browser.
"""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

from playwright.sync_api import Browser, BrowserContext, Page, expect

from handrail.engine.identity.accounts import set_totp
from handrail.engine.questions.standings import make_standing
from handrail.engine.restrict import halt, lift
from handrail.server.auth import links
from handrail.words.approval import ApprovalState
from handrail.words.model_call import CallFilter
from handrail.words.person import Role
from handrail.words.query import ActionFilter
from tests.support.chromium import chromium
from tests.support.server import PASSWORD, Served, account, served

if TYPE_CHECKING:
    from handrail.engine.core import Engine

OUT = Path(__file__).parents[1] / "docs" / "images"
ADMIN = "you@copperandthyme.example"
LOOKS: dict[str, tuple[Literal["light", "dark"], int, int]] = {
    "light": ("light", 1280, 800),
    "dark": ("dark", 1280, 800),
    "narrow": ("light", 400, 860),
}
WANTED = frozenset(sys.argv[1:])
"""The pages that are wanted; all if none is named."""
QUALITY = 60
PATIENCE = 120_000
"""Milliseconds: nothing is measured here, and the machine may be busy."""
HOUR, NANO = 3_600_000, 1_000_000_000
SECOND, NEW = "tomas@copperandthyme.example", "nora@copperandthyme.example"
"""Who signs in with a second factor, and who is invited."""
PAID, RAN = "issue_refund", "done"
"""What was done in the session that is shown: between it the agent asked a model."""


def main() -> None:
    """Draw them all."""
    OUT.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=PATIENCE)
    with TemporaryDirectory() as place:
        folder = Path(place) / "demo"
        command = [sys.executable, "-m", "handrail", "demo", "--headless", "--dir", str(folder)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        env = {"HANDRAIL_DATABASE_SHOP": f"sqlite:///{folder / 'company.db'}"}
        with served(folder, args=("--app", "desk:rail"), env=env) as server, chromium() as browser:
            with server.engine() as engine:
                account(engine, ADMIN, Role.ADMIN)
                account(engine, SECOND, Role.REVIEWER)
                set_totp(engine, SECOND, "JBSWY3DPEHPK3PXP", 1, keep=None)
                stand(engine)
                invitation = links.invite(engine, server.url, NEW, "Nora", Role.REVIEWER, ADMIN)
            draw(browser, server, invitation)


def stand(engine: Engine) -> None:
    """A standing approval of the admin, for what is asked now."""
    engine.refresh()
    [asked] = engine.store.read(lambda tx: tx.approvals.listing(ApprovalState.OPEN, 1))
    action = engine.store.read(lambda tx: tx.actions.get(asked.action))
    assert action is not None
    make_standing(
        engine,
        agent=action.agent,
        tool=action.tool,
        asks=asked.asks,
        when=None,
        actions=20,
        amount=400 * NANO,
        expires_at=engine.clock() + 24 * HOUR,
        person=ADMIN,
        reason="Parcels of the broken delivery of Monday.",
        verified=True,
    )


def draw(browser: Browser, server: Served, invitation: str) -> None:
    """Every page in every look."""
    found = paths(server)
    for look, (scheme, width, height) in LOOKS.items():
        context = browser.new_context(
            base_url=server.url,
            color_scheme=scheme,
            locale="en-GB",
            viewport={"width": width, "height": height},
        )
        context.set_default_timeout(PATIENCE)
        draw_outside(context, look, invitation)
        page = sign_in(context, ADMIN)
        page.wait_for_url(f"{server.url}/")
        for name, path in found.items():
            page.goto(path)
            expect(page.locator("#live")).to_have_text("live")
            take(page, name, look)
        draw_states(page, server, look)
        context.close()


def draw_outside(context: BrowserContext, look: str, invitation: str) -> None:
    """What whoever is not signed in sees."""
    page = context.new_page()
    for name, path in (("sign-in", "/sign-in"), ("invite", invitation)):
        page.goto(path)
        take(page, name, look)
    page.close()
    page = sign_in(context, SECOND)
    expect(page.get_by_role("heading", level=1)).to_have_text("One more step")
    take(page, "code", look)
    context.clear_cookies()
    page.close()


def draw_states(page: Page, server: Served, look: str) -> None:
    """What is not always so: stopped, and not live."""
    with server.engine() as engine:
        engine.refresh()
        stop, _ = halt(engine, "It promised a refund that nobody may give.", ADMIN, None, "issue_refund")
        for name, path in (("stopped", "/"), ("halts", "/halts")):
            page.goto(path)
            expect(page.locator("#live")).to_have_text("live")
            take(page, name, look)
        lift(engine, stop, "The picture is taken.", ADMIN)
    page.route("**/live?**", lambda route: route.abort())
    page.goto("/questions")
    expect(page.locator("#live")).to_contain_text("not live since")
    take(page, "not-live", look)


def sign_in(context: BrowserContext, person: str) -> Page:
    """A page of a person who has just signed in."""
    page = context.new_page()
    page.goto("/sign-in")
    page.get_by_label("Your address").fill(person)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    return page


def paths(server: Served) -> dict[str, str]:
    """Where each page is, with something on it."""
    with server.engine() as engine:
        asked = engine.store.read(lambda tx: tx.approvals.listing(ApprovalState.OPEN, 1))
        [action] = engine.store.read(lambda tx: tx.actions.listing(ActionFilter(limit=1)))
        [paid] = engine.store.read(lambda tx: tx.actions.listing(ActionFilter(tool=PAID, state=RAN, limit=1)))
        [call] = engine.store.read(lambda tx: tx.model_calls.listing(CallFilter(task=paid.task, limit=1)))
        agent = action.agent
    question = {"question": f"/questions/{asked[0].id}"} if asked else {}
    return {
        "overview": "/",
        "questions": "/questions",
        **question,
        "budgets": "/budgets",
        "budget": "/budgets/models",
        "calls": "/calls",
        "call": f"/calls/{call.id}",
        "log": "/log",
        "action": f"/actions/{action.id}",
        "sessions": "/sessions",
        "session": f"/sessions/{paid.session}",
        "agents": "/agents",
        "agent": f"/agents/agent?name={agent}",
        "policy": "/policy",
        "people": "/people",
        "manual": "/manual/tool?name=issue_refund",
        "settings": "/settings",
        "standings": "/standings",
        "account": "/account",
        "second-factor": "/account/second-factor",
        "not-found": "/nowhere",
    }


def take(page: Page, name: str, look: str) -> None:
    """A small picture of what is seen without scrolling, if it is wanted."""
    if WANTED and name not in WANTED:
        return
    session = page.context.new_cdp_session(page)
    shot = session.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    (OUT / f"{name}-{look}.webp").write_bytes(base64.b64decode(shot["data"]))
    session.detach()


if __name__ == "__main__":
    main()
