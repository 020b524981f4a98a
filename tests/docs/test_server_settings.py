"""Every setting of a server stands in the page that tells how to run one, and every one there exists."""

from __future__ import annotations

import re
from pathlib import Path

from handrail.server.settings import Settings

PAGES = Path(__file__).resolve().parents[2] / "docs" / "howto"


def test_every_setting_is_told() -> None:
    told = set(re.findall(r"`HANDRAIL_([A-Z_]+)`", (PAGES / "serve.md").read_text("utf-8")))
    sign_on = set(
        re.findall(r"HANDRAIL_(OIDC_[A-Z_]+?)(?:_FILE)?=", (PAGES / "sign-on.md").read_text("utf-8"))
    )
    fields = {name.upper() for name in Settings.model_fields}
    assert {name for name in fields if name.startswith("OIDC_")} == sign_on
    assert {name for name in fields if not name.startswith("OIDC_")} <= told
