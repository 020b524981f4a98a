"""Where a page's news goes on: at what was so before anything of it was read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from handrail.engine.restrict import halt
from handrail.server.app import make_app
from handrail.server.pages.doing import fresh
from handrail.server.settings import Settings
from handrail.words.entry import Kind
from handrail.words.person import Role
from tests.support.rail import LEAD, Desk, opened
from tests.support.server import sign_in

HERE = "http://desk.example"
DRAWN_BY = "handrail.server.pages.halts.fresh"
STOPPED = "It writes nonsense."


async def page(desk: Desk, path: str, **headers: str) -> str:
    """A page as a person sees it, from an application in this process."""
    secret = sign_in(desk.app.engine, LEAD, Role.REVIEWER)
    transport = httpx.ASGITransport(make_app(desk.app, Settings()))
    cookie = {"cookie": f"handrail={secret}"}
    async with httpx.AsyncClient(transport=transport, base_url=HERE, headers=cookie | headers) as client:
        found = await client.get(path)
    assert found.status_code == 200, found.text
    return found.text


def news_after(desk: Desk, drawn: str) -> list[Kind]:
    """What the page's stream tells first."""
    cursor = re.search(r'data-cursor="([^"]*)"', drawn)
    assert cursor is not None
    told = desk.app.store.read(lambda tx: tx.journal.settled(cursor[1], 9))
    return [stored.entry.kind for _, stored in told]


async def test_what_changes_while_a_page_is_drawn_is_news_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path, "memory:", keeper=False) as desk:

        def slow(*given: Any, **values: Any) -> Any:
            halt(desk.app.engine, STOPPED, LEAD)
            return fresh(*given, **values)

        monkeypatch.setattr(DRAWN_BY, slow)
        assert news_after(desk, await page(desk, "/halts")) == [Kind.HALTED]
        monkeypatch.setattr(DRAWN_BY, fresh)
        again = await page(desk, "/halts")
        assert STOPPED in again
        assert news_after(desk, again) == []


async def test_a_part_of_a_page_asks_for_no_cursor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is drawn at each change for everybody who looks on: it reads nothing that it does not show."""
    asked: list[str] = []
    with opened(tmp_path, "memory:", keeper=False) as desk:
        monkeypatch.setattr("handrail.server.pages.drawing._newest", lambda _: asked.append("asked"))
        await page(desk, "/stopped", **{"hx-request": "true"})
        assert asked == []
        await page(desk, "/halts")
        assert asked == ["asked"]


def test_files_of_the_pages_are_found_before_any_route_is_tried(tmp_path: Path) -> None:
    with opened(tmp_path, "memory:", keeper=False) as desk:
        found = [getattr(each, "path", None) for each in make_app(desk.app, Settings()).routes]
        assert found.count("/static") == 1
        assert found.index("/static") < min(found.index("/health"), found.index(None)), "routers have no path"
