"""A real Chromium for tests: the system's own, installed when it is missing and we may install it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
MISSING = "there is no Chromium: install the package chromium, or name the program with HANDRAIL_CHROMIUM"


def path() -> str:
    """Where Chromium is; installs it where that is possible, and fails where it is not."""
    found = _found()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "chromium"]):
            subprocess.run(["apt-get", *command], env=environment, check=True, timeout=600)
        found = _found()
    assert found is not None, MISSING
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path(), args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def _found() -> str | None:
    named = os.environ.get("HANDRAIL_CHROMIUM")
    if named:
        return named
    return next((where for name in NAMES if (where := shutil.which(name))), None)
