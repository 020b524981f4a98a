"""How the demo ends: by itself, by Enter, by a signal, or by force; and nothing of it is left running."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from handrail.demo.folder import Folder
from handrail.demo.run import INTERRUPTED
from tests.support.processes import SECONDS, children, gone, until
from tests.support.terminal import terminal

DEMO = [sys.executable, "-m", "handrail", "demo", "--dir", "demo"]
LINK = r"http://127\.0\.0\.1:\d+/demo\?link=[\w-]+"
pytestmark = pytest.mark.timeout(900)


def _environment(**more: str) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("HANDRAIL_", "OPENAI_"))
    }
    for name in ("ANTHROPIC_API_KEY", "DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        kept.pop(name, None)
    return {**kept, **more}


def _headless(place: Path, env: Mapping[str, str]) -> subprocess.Popen[str]:
    """A headless demo that is at work: its first tickets are told."""
    process = subprocess.Popen(
        [*DEMO, "--headless"], cwd=place, env=dict(env), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert any("t-103" in line for line in process.stdout)
    return process


def _running(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "handrail.db")) as db:
        [(count,)] = db.execute("select count(*) from actions where state = 'running'")
    return int(count)


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_a_headless_demo_with_a_summary_and_nothing_under_way(
    tmp_path: Path, sig: signal.Signals
) -> None:
    process = _headless(tmp_path, _environment())
    started = children(process.pid)
    assert started
    process.send_signal(sig)
    said, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == INTERRUPTED
    assert re.search(r"\d+ actions of \d agents", said)
    gone(started)
    assert _running(tmp_path / "demo") == 0


def test_the_server_ends_even_when_the_demo_is_killed(tmp_path: Path) -> None:
    process = _headless(tmp_path, _environment())
    started = children(process.pid)
    assert started
    process.kill()
    process.communicate(timeout=SECONDS)
    gone(started)


def test_a_demo_whose_server_dies_says_so_and_fails(tmp_path: Path) -> None:
    with terminal([*DEMO, "--no-browser"], tmp_path, _environment()) as seat:
        seat.expect("t-101")
        [server] = children(seat.process.pid)
        os.kill(server, signal.SIGKILL)
        seat.expect(r"the demo's\s+server\s+stopped|did\s+not\s+answer")
        assert seat.end() != 0
        gone({server})


def test_the_visitors_browser_is_opened_and_enter_ends_a_day_that_is_done(tmp_path: Path) -> None:
    """A browser that only notes where it was sent; the day goes as fast as it can."""
    noted = tmp_path / "noted"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {shlex.quote(str(noted))}.new\nmv {noted}.new {noted}\n')
    browser.chmod(0o755)
    env = _environment(BROWSER=str(browser))
    with terminal([*DEMO, "--pace", "0"], tmp_path, env) as seat:
        link = seat.expect(LINK)[0]
        seat.expect("Your browser is opening it")
        until(noted.exists)
        assert noted.read_text().strip() == link
        seat.type("")
        seat.expect("Ctrl-C ends the demo; link and Enter")
        seat.expect(r"(\d+) questions wait for you")
        started = children(seat.process.pid)
        seat.type("")
        assert seat.end() == 0
        gone(started)
    assert re.search(r"for 153 tickets", seat.text)
    assert "handrail admin reset you@copperandthyme.example" in re.sub(r"\s+", " ", seat.text)


def test_without_a_window_the_link_is_all_there_is(tmp_path: Path) -> None:
    """Over ssh too: it says so, and a taken port is nobody's trouble."""
    with socket.create_server(("127.0.0.1", 0)), terminal(DEMO, tmp_path, _environment()) as seat:
        link = seat.expect(LINK)[0]
        seat.expect("no browser with a window was found here")
        with httpx.Client(follow_redirects=True, trust_env=False) as client:
            assert "You, the owner" in client.get(link).text
            assert client.get(f"{link.partition('/demo')[0]}/api/v1/me").json()["role"] == "admin"
        assert seat.stop(signal.SIGINT) == 0


def test_a_second_demo_in_the_same_folder_is_refused_and_elsewhere_it_runs(tmp_path: Path) -> None:
    with terminal([*DEMO, "--no-browser"], tmp_path, _environment()) as seat:
        seat.expect("t-101")
        second = subprocess.run(
            [*DEMO, "--headless"],
            cwd=tmp_path,
            env=_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 2
        assert "a demo is running in demo" in second.stdout
        assert Folder(tmp_path / "demo").database.is_file()
        (tmp_path / "other").mkdir()
        other = _headless(tmp_path / "other", _environment())
        other.terminate()
        other.communicate(timeout=SECONDS)
        assert seat.stop(signal.SIGINT) == 0


def test_who_presses_ctrl_c_again_does_not_wait_and_leaves_no_process_either(tmp_path: Path) -> None:
    with terminal([*DEMO, "--no-browser"], tmp_path, _environment()) as seat:
        seat.expect("t-101")
        started = children(seat.process.pid)
        seat.process.send_signal(signal.SIGINT)
        seat.expect("Ctrl-C again does not wait")
        assert seat.stop(signal.SIGINT) in {0, INTERRUPTED}
        gone(started)
