"""The visitor's browser, which never draws over the terminal; and an end that never takes for ever."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from handrail.demo.visitor import browse

OPEN = "import os; from handrail.demo.visitor import browse; print(browse('http://127.0.0.1:1/', os.environ))"

HANG = """
import sys, threading
from handrail.demo.visitor import bounded

def waits_for_nobody(): threading.Event().wait(float(sys.argv[1]))

with bounded(1.5): waits_for_nobody()
threading.Event().wait(2.0)
"""
SERVER = """
import signal, threading
from handrail.demo import board

board.LONGEST_END = 0.2
signal.signal(signal.SIGTERM, signal.SIG_IGN)
threading.Thread(target=board._end_with_parent, daemon=True).start()
threading.Event().wait({seconds})
"""


def _opened(browser: Path) -> str:
    """What a process of its own says, since a list of browsers is made once for each."""
    browser.write_text(f'#!/bin/sh\necho "$1" > {browser}.noted\n')
    browser.chmod(0o755)
    env = {**os.environ, "BROWSER": str(browser)}
    command = [sys.executable, "-c", OPEN]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout.strip()


def test_a_browser_with_a_window_gets_the_link(tmp_path: Path) -> None:
    assert _opened(tmp_path / "some-browser") == "True"
    assert (tmp_path / "some-browser.noted").read_text() == "http://127.0.0.1:1/\n"


def test_a_browser_in_the_terminal_is_left_alone(tmp_path: Path) -> None:
    assert _opened(tmp_path / "w3m") == "False"
    assert not (tmp_path / "w3m.noted").exists()


@pytest.mark.skipif(sys.platform == "darwin", reason="a Mac needs no variable to have a window")
def test_without_a_window_nothing_is_opened() -> None:
    assert browse("http://127.0.0.1:1/", {}) is False


@pytest.mark.parametrize(("seconds", "code"), [(600, 1), (0, 0)])
def test_an_end_that_hangs_is_ended_and_tells_where_it_hung(seconds: int, code: int) -> None:
    """What ends in time goes on for as long as it wants."""
    command = [sys.executable, "-c", HANG, str(seconds)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == code
    assert ("waits_for_nobody" in ended.stderr) is bool(code)


@pytest.mark.parametrize(("seconds", "code"), [(600, 1), (0, 0)])
def test_a_server_whose_demo_is_gone_ends_by_force_if_it_must(seconds: int, code: int) -> None:
    command = [sys.executable, "-c", SERVER.format(seconds=seconds)]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert ended.returncode == code
