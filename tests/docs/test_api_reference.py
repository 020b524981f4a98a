"""The page of the API is what the server's document and its role table say."""

from __future__ import annotations

from pathlib import Path

from handrail.server.api.__main__ import page
from handrail.server.roles import ROLES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "api.md").read_text("utf-8")


def test_the_page_is_made_of_the_document_and_the_roles() -> None:
    assert page() == PAGE, "run: python -m handrail.server.api > docs/reference/api.md"


def test_every_route_has_a_heading_and_a_row() -> None:
    for route in ROLES:
        assert f"\n### `{route}`\n" in PAGE
        assert f"\n| `{route}` |" in PAGE
