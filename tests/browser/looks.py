"""Whether everybody can use a page: axe finds nothing, and nothing scrolls sideways when it is narrow."""

from __future__ import annotations

import os

from playwright.sync_api import Page

from tests.support.accessible import barriers

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 400, "height": 800}
PICTURES = os.environ.get("HANDRAIL_PICTURES")
"""A folder that gets a picture of each page that is looked at."""


def flawless(page: Page, name: str) -> None:
    """Look at the page by day and by night, wide and narrow, and find nothing wrong."""
    page.wait_for_load_state("load")
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        page.set_viewport_size(WIDE)  # type: ignore[arg-type]
        assert barriers(page) == []
        picture(page, f"{name}-{theme}")
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert barriers(page) == []
    picture(page, f"{name}-narrow")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]


def picture(page: Page, name: str) -> None:
    """Keep a picture, where somebody wants to look at it."""
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)
