"""The pages about the model gateway: every field that is forwarded, and every setting, stands there."""

from __future__ import annotations

import re
from pathlib import Path

from handrail.llm.routes import POSTS
from handrail.llm.settings import ENDS, OURS, PREFIX, from_environment
from handrail.meters.page import page

DOCS = Path(__file__).resolve().parents[2] / "docs"
HOWTO = (DOCS / "howto" / "models.md").read_text("utf-8")


def test_the_page_of_fields_is_what_the_tables_say() -> None:
    """Made anew: ``python -m handrail.meters.page > docs/reference/model-fields.md``."""
    assert (DOCS / "reference" / "model-fields.md").read_text("utf-8") == page()


def test_every_setting_is_told_and_every_one_told_exists() -> None:
    told = set(re.findall(r"`(HANDRAIL_(?:LLM|UPSTREAM_NAME)_[A-Z_]+)`", HOWTO))
    assert {f"{PREFIX}NAME{end}" for end in ENDS} == {name for name in told if name.startswith(PREFIX)}
    ours = {name for name in told if name.startswith(OURS)}
    found = from_environment({**dict.fromkeys(ours, "5000"), "HANDRAIL_UPSTREAM_OPENAI_KEY": "sk"})
    assert (found.body_limit, found.max_tokens, found.silence) == (5_000, 5_000, 5_000)
    assert len(ours) == 3


def test_every_route_is_told() -> None:
    for routes in POSTS.values():
        for _, name in routes.values():
            assert f"`{name}`" in HOWTO
