"""Every program in the documentation runs, and prints what stands below it.

On each page, ``python`` blocks run in order in one process, in a folder with the page's last policy (a
``yaml`` block that begins with ``handrail: 1``). A ``text`` block right after a program is what it prints.
Where programs read ``HANDRAIL_URL``, a server with this policy runs, and they have a key for ``support``;
where they call models through it, or through a meter, a local upstream answers.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import zip_longest
from pathlib import Path

import pytest

from tests.support.server import make_key, served
from tests.support.upstream import upstream

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
ACTION_ID = re.compile(r"\b[0-9a-f]{28}\b")
MARK = "print('=== end of block ===', flush=True)\n"


def blocks(page: str) -> list[tuple[str, str]]:
    """Every code block of a page, with its language."""
    return BLOCK.findall(page)


def programs(page: str) -> list[tuple[str, str | None]]:
    """Every python block, with what it is said to print."""
    found = list(BLOCK.finditer(page))
    return [
        (block.group(2), _printed(page, block, after))
        for block, after in zip_longest(found, found[1:])
        if block.group(1) == "python"
    ]


def _printed(page: str, block: re.Match[str], after: re.Match[str] | None) -> str | None:
    """The text block right after a program, with nothing but blank lines between."""
    if after is None or after.group(1) != "text" or page[block.end() : after.start()].strip():
        return None
    return after.group(2)


@contextmanager
def surroundings(source: str, folder: Path) -> Iterator[dict[str, str]]:
    """The environment of a page's programs, with a server where they want one."""
    if "rail.meter(" in source:
        with upstream() as up:
            yield {**os.environ, "OPENAI_BASE_URL": f"{up.url}/v1", "OPENAI_API_KEY": "sk-of-the-provider"}
        return
    if "HANDRAIL_URL" not in source:
        yield dict(os.environ)
        return
    with ExitStack() as stack:
        env = stack.enter_context(upstream()).environment() if "/llm" in source else {}
        server = stack.enter_context(served(folder, env=env))
        with server.engine() as engine:
            key = make_key(engine, "support")
        yield {**os.environ, "HANDRAIL_URL": server.url, "HANDRAIL_KEY": key}


PAGES = [path for path in sorted((ROOT / "docs").rglob("*.md")) if programs(path.read_text("utf-8"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_programs_of_a_page_run_and_print_what_it_says(page: Path, tmp_path: Path) -> None:
    """The page can be followed from top to bottom."""
    text = page.read_text("utf-8")
    policies = [body for kind, body in blocks(text) if kind == "yaml" and body.startswith("handrail: 1")]
    if policies:
        (tmp_path / "handrail.yaml").write_text(policies[-1], "utf-8")
    source = "".join(body + MARK for body, _ in programs(text))
    with surroundings(source, tmp_path) as env:
        done = subprocess.run(
            [sys.executable, "-c", source], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    printed = done.stdout.split("=== end of block ===\n")
    for output, (body, said) in zip(printed, programs(text), strict=False):
        if said is not None:
            assert ACTION_ID.sub("…", output) == said, body


def test_there_are_pages_with_programs() -> None:
    """The rule above is not kept by there being nothing to run."""
    assert ROOT / "docs" / "tutorial.md" in PAGES
