"""The import contract bites: on a small house, each planted import breaks just the contract against it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
HOUSE = "The house: imports run one way"
GATE = "The gate's measures do not know each other; only decide knows them all"
PURE = "Pure rooms do no I/O, read no clock and draw no random numbers"
MODULES = (
    *("__init__", "app", "ports", "words/__init__", "policy/__init__", "journal/__init__", "learn/__init__"),
    *("gate/__init__", "gate/decide", "gate/halt", "gate/level"),
    *("engine/__init__", "store/__init__", "mcp/__init__", "cli/__init__", "demo/__init__"),
)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Build a house with every kind of room and the real contract."""
    shutil.copy(ROOT / ".importlinter", tmp_path)
    for module in MODULES:
        path = tmp_path / "handrail" / f"{module}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def _broken(house: Path) -> list[str]:
    lint = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"]
    run = subprocess.run(
        lint, check=False, cwd=house, capture_output=True, text=True, env={"PYTHONPATH": str(house)}
    )
    names = [line.removesuffix(" BROKEN") for line in run.stdout.splitlines() if line.endswith(" BROKEN")]
    assert (run.returncode != 0) == bool(names), run.stdout + run.stderr
    assert "KEPT" in run.stdout, run.stdout + run.stderr
    return names


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("words/clock", "import time", PURE),
        ("policy/files", "from pathlib import Path", PURE),
        ("words/up", "from handrail import policy", HOUSE),
        ("learn/evidence", "from handrail.gate import decide", HOUSE),
        ("engine/loop", "from handrail import store", HOUSE),
        ("mcp/proxy", "from handrail import cli", HOUSE),
        ("gate/halt", "from handrail.gate import level", GATE),
        ("stray", "", HOUSE),
    ],
)
def test_an_import_against_the_contract_is_found(house: Path, module: str, line: str, contract: str) -> None:
    (house / "handrail" / f"{module}.py").write_text(line + "\n", "utf-8")
    assert _broken(house) == [contract]


def test_imports_with_the_stream_are_fine(house: Path) -> None:
    for module, line in {
        "policy/load": "from handrail import words",
        "gate/decide": "from handrail.gate import halt, level",
        "engine/loop": "from handrail import gate, ports\nimport time",
        "cli/demo": "from handrail import demo",
    }.items():
        (house / "handrail" / f"{module}.py").write_text(line + "\n", "utf-8")
    assert not _broken(house)
