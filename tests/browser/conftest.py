"""Fixtures for tests in a real browser, against a real server and an agent in another process's place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from handrail.words.errors import Held
from handrail.words.person import Role
from tests.support.chromium import chromium
from tests.support.rail import LEAD, POLICY, Desk, opened
from tests.support.server import ADMIN, PASSWORD, Served, account, served

SECONDS = 60_000
"""Milliseconds that a page gets: an end for what hangs, never a claim."""
DESK = """
import handrail

rail = handrail.connect("handrail.yaml")


@rail.tool
def refund(amount: int, reason: str) -> str:
    return f"{amount} refunded: {reason}"
"""


@dataclass(frozen=True, slots=True)
class Office:
    """A server, and an agent's rail over the same store."""

    served: Served
    desk: Desk
    refund: Callable[..., Any]

    def ask(self, amount: int = 250, reason: str = "late", task: str = "ticket 7", **said: Any) -> str:
        """The agent asks for a refund that people must answer; the action's id."""
        with self.desk.rail.session(agent="support", task=task), self.desk.rail.about(**said):
            try:
                self.refund(amount=amount, reason=reason)
            except Held as held:
                return held.action_id
        raise AssertionError("it was not held")

    def state(self, action: str) -> str:
        """What became of it."""
        return self.desk.action(action).state.value


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for all of these tests; it ends with them: its event loop stands in others' way."""
    expect.set_options(timeout=SECONDS)
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A server with an admin and a lead, and an agent beside it."""
    folder: Path = tmp_path_factory.mktemp("office")
    (folder / "desk.py").write_text(DESK)
    with (
        served(folder, POLICY, args=("--app", "desk:rail")) as server,
        opened(folder, server.database) as desk,
    ):
        with server.engine() as engine:
            account(engine, ADMIN, Role.ADMIN)
            account(engine, LEAD, Role.REVIEWER)

        @desk.rail.tool
        def refund(amount: int, reason: str) -> str:
            return f"{amount} refunded: {reason}"

        yield Office(server, desk, refund)


@pytest.fixture
def visit(browser: Browser, office: Office) -> Iterator[Page]:
    """A page in a browser of its own; a dialog, or anything that the console complains of, fails the test."""
    context = browser.new_context(base_url=office.served.url)
    context.set_default_timeout(SECONDS)
    page = context.new_page()
    wrong: list[str] = []

    def refuse(dialog: Dialog) -> None:
        wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("dialog", refuse)
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    context.close()
    assert not [each for each in wrong if "status of 4" not in each]


def sign_in(page: Page, person: str = LEAD, password: str = PASSWORD) -> None:
    """Sign a person in, as the person does."""
    page.goto("/sign-in")
    page.get_by_label("Your address").fill(person)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
