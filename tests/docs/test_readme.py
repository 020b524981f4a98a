"""The README keeps its promises: its example runs and prints what it says, its links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
ACTION_ID = re.compile(r"\b[0-9a-f]{28}\b")
LONGEST = 120


def block(language: str) -> str:
    """The first code block of a language."""
    found = re.search(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    assert found is not None, f"the README has no {language} block"
    return found.group(1)


def test_the_example_prints_what_the_readme_says(tmp_path: Path) -> None:
    """Policy and program, copied as they stand, print exactly the lines below them."""
    (tmp_path / "handrail.yaml").write_text(block("yaml"), "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", block("python")], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert ACTION_ID.sub("…", done.stdout) == block("text")


def test_the_example_starts_early_and_the_page_stays_short() -> None:
    """One sees the example without scrolling, and the whole page is short."""
    lines = README.splitlines()
    assert lines.index("    for amount in (40.0, 400.0, 4000.0):") < 30
    assert len(lines) <= LONGEST


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#]+)\)", README))
def test_every_link_leads_to_a_file_of_the_project(target: str) -> None:
    """No link of the README is dead."""
    assert (ROOT / target).exists()
