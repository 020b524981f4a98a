"""The demo's server as the demo sees it: started in a process of its own, and stopped in good order."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handrail.words.errors import StoreError

if TYPE_CHECKING:
    from handrail.demo.folder import Folder

ENTRANCE = "/demo"
"""Where a one-time link of the demo leads."""
START = 60.0
"""Seconds in which it must begin to serve; a busy machine needs a few."""
STOP = 30.0
"""Seconds after which a server that was told to stop is ended by force."""
ELSEWHERE = ("HANDRAIL_", "OPENAI_", "ANTHROPIC_")
TOLD = 2_000
"""Characters of its log that are told when it could not start."""


@dataclass(frozen=True, slots=True)
class Site:
    """One running server."""

    url: str
    process: subprocess.Popen[str]


@contextmanager
def serving(folder: Folder, settings: Mapping[str, str]) -> Iterator[Site]:
    """A server over ``folder`` while the block runs, with ``settings`` in its environment.

    Raises:
        StoreError: it did not start; the text has the end of its log.
    """
    with folder.log.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-P", "-m", "handrail.demo.board", str(folder.path.resolve())],
            env={**_environment(), **settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,  # Ctrl-C is for us: we end it when nobody needs it any more
        )
    try:
        yield Site(_address(process, folder), process)
    finally:
        _stop(process)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def _stop(process: subprocess.Popen[str]) -> None:
    """End it, and wait until it is gone."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _environment() -> dict[str, str]:
    """The environment without what it says of another server, another store, real channels or providers."""
    return {name: value for name, value in os.environ.items() if not name.startswith(ELSEWHERE)}


def _address(process: subprocess.Popen[str], folder: Folder) -> str:
    if process.stdout is None:
        raise AssertionError("it was started with a pipe")
    ready, _, _ = select.select([process.stdout], [], [], START)
    line = process.stdout.readline() if ready else ""
    if not line:
        process.kill()
        process.wait()
        said = folder.log.read_text(encoding="utf-8", errors="replace").strip()[-TOLD:]
        raise StoreError(f"the demo's server did not start; {folder.log} says: {said or 'nothing'}")
    return str(json.loads(line))
