"""What people with disabilities could not use of a page, as axe-core finds it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LEAST = 5
"""Rules that any page of ours answers to: with fewer, nothing was looked at."""


def barriers(page: Page) -> list[str]:
    """Every rule that the page breaks, with where; none is what we want."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(f"{AXE};0")
    found = page.evaluate("rules => axe.run({runOnly: {type: 'tag', values: rules}})", RULES)
    assert len(found["passes"]) >= LEAST, "axe-core did not look at the page"
    return [
        f"{broken['id']}: {broken['help']}: {node['html'][:200]}"
        for broken in found["violations"]
        for node in broken["nodes"]
    ]
