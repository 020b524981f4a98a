"""A real terminal for tests: the command runs on a pty, and the test types what a person would type.

By default it runs in this process, on a thread, with the pty as its standard streams, which spares the start
of an interpreter; with `process=True` as people run it.
"""

from __future__ import annotations

import fcntl
import importlib
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from typer.testing import CliRunner

from handrail.cli.tree import app

SECONDS = 120.0
COMMAND = (sys.executable, "-m", "handrail")
QUESTION = "anything else to leave it: "


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without what would change the outcome."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HANDRAIL_")}
    return {**kept, "NO_COLOR": "1", "TERM": "xterm", **(extra or {})}


def piped(
    folder: Path, *args: str, typed: str = "", extra: Mapping[str, str] | None = None, process: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run the command with `typed` in a pipe, as a program would."""
    if not process:
        forget_applications()
        found = CliRunner().invoke(app, list(args), input=typed, env={"NO_COLOR": "1", **(extra or {})})
        return subprocess.CompletedProcess(args, found.exit_code, found.stdout, found.stderr)
    return subprocess.run(
        [*COMMAND, *args],
        cwd=folder,
        input=typed,
        capture_output=True,
        text=True,
        env=environment(extra),
        timeout=SECONDS,
        check=False,
    )


def forget_applications() -> None:
    """A new process would import the shop's application anew."""
    for name in ("desk", "broken"):
        sys.modules.pop(name, None)
    importlib.invalidate_caches()


class Terminal:
    """One run of the command on a terminal of its own."""

    def __init__(
        self,
        folder: Path,
        *args: str,
        columns: int = 120,
        extra: Mapping[str, str] | None = None,
        process: bool = False,
    ) -> None:
        """Start it; use it as a context manager."""
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self.seen = ""
        self._run: _Process | _Thread
        if process:
            self._run = _Process(folder, args, slave, environment(extra))
            os.close(slave)
        else:
            self._run = _Thread(args, slave, {"NO_COLOR": "1", **(extra or {})})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run.stop(self._master)
        os.close(self._master)

    def until(self, text: str) -> str:
        """Read until `text` was printed; everything so far."""
        end = time.monotonic() + SECONDS
        while text not in self.seen:
            if time.monotonic() > end or not self._read():
                raise AssertionError(f"{text!r} was not printed, but:\n{self.seen}")
        return self.seen

    def type(self, text: str) -> None:
        """Type `text` and Enter."""
        os.write(self._master, f"{text}\n".encode())

    def answer(self, text: str) -> int:
        """Wait for the question, answer it, and give the exit code."""
        self.until(QUESTION)
        self.type(text)
        return self.code()

    def code(self) -> int:
        """Read to the end; the exit code."""
        while self._read():
            pass
        return self._run.code()

    def _read(self) -> bool:
        ready, _, _ = select.select([self._master], [], [], SECONDS)
        if not ready:
            return False
        try:
            found = os.read(self._master, 65_536)
        except OSError:  # Linux says so when the other side is closed
            return False
        self.seen += found.decode(errors="replace").replace("\r\n", "\n")
        return bool(found)


class _Process:
    """The command as people run it."""

    def __init__(self, folder: Path, args: tuple[str, ...], slave: int, env: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [*COMMAND, *args], cwd=folder, stdin=slave, stdout=slave, stderr=slave, env=env
        )

    def code(self) -> int:
        return self._process.wait(SECONDS)

    def stop(self, _: int) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()


class _Thread:
    """The command in this process, with the pty as its standard streams."""

    def __init__(self, args: tuple[str, ...], slave: int, env: Mapping[str, str]) -> None:
        self._code: list[int] = []
        self._thread = threading.Thread(target=self._work, args=(args, slave, env))
        self._thread.start()

    def code(self) -> int:
        self._thread.join(SECONDS)
        return self._code[0]

    def stop(self, master: int) -> None:
        """End the input of whoever still asks."""
        if self._thread.is_alive():
            os.write(master, b"\x04\n")
        self._thread.join(SECONDS)

    def _work(self, args: tuple[str, ...], slave: int, env: Mapping[str, str]) -> None:
        forget_applications()
        with _streams(slave), _set(env):
            try:
                app(list(args), prog_name="handrail")
            except SystemExit as end:
                self._code.append(int(end.code or 0))


@contextmanager
def _streams(slave: int) -> Iterator[None]:
    before = sys.stdin, sys.stdout, sys.stderr
    with (
        os.fdopen(slave, encoding="utf-8") as reading,
        os.fdopen(os.dup(slave), "w", encoding="utf-8") as writing,
    ):
        sys.stdin, sys.stdout, sys.stderr = reading, writing, writing
        try:
            yield
        finally:
            sys.stdin, sys.stdout, sys.stderr = before


@contextmanager
def _set(env: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in env}
    os.environ.update(env)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
