"""Writes the reference of the API: ``python -m handrail.server.api > docs/reference/api.md``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from handrail.app import open_app
from handrail.server.api.reference import reference
from handrail.server.app import make_app
from handrail.server.settings import Settings


def page() -> str:
    """The reference, of a server over an empty store in memory."""
    with tempfile.TemporaryDirectory() as folder:
        policy = Path(folder, "handrail.yaml")
        policy.write_text("handrail: 1\n", encoding="utf-8")
        app = open_app(policy, database="memory:")
        try:
            return reference(make_app(app, Settings()).openapi())
        finally:
            app.close()


if __name__ == "__main__":
    sys.stdout.write(page())
