"""Fixtures for tests of the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from handrail.cli.tree import app
from tests.integration.cli.shop import Shop, opened

Run = Callable[..., Result]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop in the current folder, with no store yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name in ("HANDRAIL_DATABASE_URL", "HANDRAIL_SESSION", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    return opened(tmp_path)


@pytest.fixture
def run(shop: Shop) -> Run:
    """Run a command in the shop's folder, in this process and with no terminal."""
    return lambda *args: CliRunner().invoke(app, list(args))


@pytest.fixture
def documents(run: Run) -> Callable[..., list[Any]]:
    """Run a command with --json and give every line's document."""

    def lines(*args: str) -> list[Any]:
        result = run(*args, "--json")
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]

    return lines


@pytest.fixture
def document(run: Run) -> Callable[..., Any]:
    """Run a command with --json and give its one document."""

    def one(*args: str) -> Any:
        return json.loads(run(*args, "--json").stdout)

    return one
