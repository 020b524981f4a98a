"""Everybody can use every page: axe-core finds no barrier, by day and night, wide and narrow; by keyboard."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Literal

import pytest
from fastapi.routing import APIRoute
from playwright.sync_api import Page, expect

from handrail.engine.identity.accounts import set_totp
from handrail.engine.identity.keys import make_key
from handrail.engine.ids import new_id
from handrail.engine.models.prompts import packed
from handrail.engine.restrict import halt, lift
from handrail.engine.toolbox import register
from handrail.ports import Commit
from handrail.server import pages
from handrail.server.auth import links
from handrail.words.model_call import Prompt
from handrail.words.person import KeyKind, Role
from tests.browser.conftest import Office, sign_in
from tests.contract.model_things import model_call
from tests.support.accessible import barriers
from tests.support.rail import LEAD
from tests.support.server import ADMIN, account

if TYPE_CHECKING:
    from handrail.ports import Transaction

PATHS = (
    "/",
    "/questions",
    "/questions/{question}",
    "/standings",
    "/actions/{action}",
    "/log",
    "/sessions",
    "/calls",
    "/calls/{call}",
    "/budgets",
    "/budgets/{budget}",
    "/sessions/{session}",
    "/halts",
    "/halts/new?reason=x",
    "/agents",
    "/agents/agent?name=support",
    "/agents/rung?agent=support&tool=refund",
    "/agents/keys/new",
    "/agents/keys/key?id={key}",
    "/agents/schema?tool=offer&binding={binding}",
    "/policy",
    "/policy/new",
    "/policy/version?digest={policy}",
    "/people",
    "/people/person?who=lead@example.com",
    "/manual",
    "/manual/tool?name=refund",
    "/settings",
    "/account",
    "/account/second-factor",
    "/nowhere",
)
NO_PAGE = re.compile(r"/(now|rows|live|overview|stopped|costs\.csv|export\.{way})$|^/oidc/")
"""Addresses of parts, streams, files, and of another server's pages."""
IN_PASSING = {"/sign-in/code"}
"""Pages that are seen on the way to others."""
OUTSIDE = ("/sign-in", "/set-up?link={invite}", "/set-up?link={reset}", "/set-up?link=old", "/nowhere")
OPEN = "for (const each of document.querySelectorAll('main details')) each.open = true"
REACH = """() => {
    const kinds = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]';
    const seen = [...document.querySelectorAll(kinds)].filter((each) =>
        each.checkVisibility({visibilityProperty: true}) && !each.disabled && !each.classList.contains('skip')
        && !(each.type === 'radio'));
    seen.forEach((each, at) => { each.dataset.stop = at; });
    return seen.length;
}"""
FOCUSED = """() => {
    const now = document.activeElement, look = getComputedStyle(now);
    const outlined = look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) > 0;
    return [now.dataset.stop ?? null, now.tagName, outlined];
}"""
MOST_STOPS = 400


def barrierless(page: Page, path: str) -> None:
    """With what can be opened open, and nothing sideways."""
    page.goto(path)
    page.evaluate(OPEN)
    assert not barriers(page), path
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path


def places(office: Office, amount: int) -> dict[str, str]:
    """Something for each address."""
    action = office.ask(amount, rationale="It came late.", confidence=0.5)
    engine, call = office.desk.app.engine, model_call(id=new_id(), session=new_id())
    text = json.dumps({"messages": [{"role": "user", "content": "Refund them all. " * 40}]}).encode()
    schema = {"type": "object", "properties": {"to": {"type": "string"}}, "description": str(amount)}

    def work(tx: Transaction) -> None:
        tx.model_calls.add(call)
        tx.prompts.add(Prompt(call.id, packed(engine.recorder, "request", text)[0]))

    engine.store.write(Commit.MODEL_CLAIM, work)
    return {
        "question": office.desk.question(action).id,
        "action": action,
        "session": office.desk.action(action).session,
        "call": call.id,
        "key": make_key(engine, KeyKind.AGENT, f"shop {amount}", ["support"], new_id(), ADMIN).id,
        "binding": register(engine, "offer", schema, "support", "key shop").binding,
        "policy": engine.policy.digest,
        "budget": "few",
    }


def test_every_page_is_looked_at() -> None:
    """A route that is neither here nor a part of a page fails."""
    routes = [route for router in (*pages.first(), *pages.routers()) for route in router.routes]
    found = {each.path for each in routes if isinstance(each, APIRoute) and "GET" in (each.methods or ())}
    wanted = {re.sub(r"{.*?}", "{}", each) for each in found if not NO_PAGE.search(each)}
    looked = {re.sub(r"{.*?}", "{}", each.partition("?")[0]) for each in (*PATHS, *OUTSIDE)}
    assert wanted == (looked | IN_PASSING) - {"/nowhere"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_no_page_has_a_barrier(
    visit: Page, office: Office, scheme: Literal["light", "dark"], width: int
) -> None:
    """Also while something is stopped, and with what can be opened open."""
    visit.emulate_media(color_scheme=scheme)
    visit.set_viewport_size({"width": width, "height": 900})
    known = places(office, 200 + width // 2)
    with office.served.engine() as engine:
        account(engine, LEAD, Role.REVIEWER)
    sign_in(visit, ADMIN)
    for path in PATHS:
        barrierless(visit, path.format(**known))
    stop, _ = halt(office.desk.app.engine, "It writes nonsense.", LEAD, "sales")
    visit.goto("/")
    visit.locator(".stop summary").click()
    assert not barriers(visit)
    barrierless(visit, "/halts")
    lift(office.desk.app.engine, stop, "mended", LEAD)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_no_page_before_one_is_signed_in_has_a_barrier(
    visit: Page, office: Office, scheme: Literal["light", "dark"], width: int
) -> None:
    """The forms, their refusals, and the second factor."""
    visit.emulate_media(color_scheme=scheme)
    visit.set_viewport_size({"width": width, "height": 900})
    with office.served.engine() as engine:
        app, new = f"app-{scheme}{width}@example.com", f"{scheme}{width}@example.com"
        account(engine, app, Role.REVIEWER)
        set_totp(engine, app, 2 * "JBSWY3DPEHPK3PXP", 1, keep=None)
        made = links.invite(engine, office.served.url, new, "New", Role.VIEWER, ADMIN)
        reset = links.reset(engine, office.served.url, app, ADMIN)
    for path in OUTSIDE:
        barrierless(visit, path.format(invite=made.partition("=")[2], reset=reset.partition("=")[2]))
    sign_in(visit, app, "wrong, and long enough")
    expect(visit.get_by_role("alert")).to_be_visible()
    assert not barriers(visit)
    sign_in(visit, app)
    expect(visit.get_by_role("heading", level=1)).to_have_text("One more step")
    assert not barriers(visit)
    visit.get_by_label("Code of your app").fill("000000")
    visit.get_by_role("button", name="Go on").click()
    expect(visit.get_by_role("alert")).to_be_visible()
    assert not barriers(visit)
    assert visit.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_everything_that_can_be_pressed_is_reached_by_the_tab_key_and_seen_there(
    visit: Page, office: Office
) -> None:
    known = places(office, 290)
    sign_in(visit, ADMIN)
    for path in PATHS:
        visit.goto(path.format(**known))
        visit.evaluate(OPEN)
        count = visit.evaluate(REACH)
        assert 0 < count < MOST_STOPS, path
        reached: set[str] = set()
        for _ in range(2 * count + 5):
            visit.keyboard.press("Tab")
            stop, tag, outlined = visit.evaluate(FOCUSED)
            if stop is not None:
                assert outlined, f"{path}: nobody sees that {tag} {stop} has the focus"
                reached.add(stop)
            if len(reached) == count:
                break
        missed = {str(each) for each in range(count)} - reached
        told = [visit.locator(f"[data-stop='{each}']").inner_text() for each in missed]
        assert not missed, f"{path}: {told}"


def test_a_barrier_is_found(visit: Page, office: Office) -> None:
    """The twin: what is hard to read or has no name is told."""
    del office
    visit.goto("/sign-in")
    visit.evaluate(
        "document.querySelector('main').append(Object.assign(document.createElement('button'), {}))"
    )
    assert any(each.startswith("button-name") for each in barriers(visit))
