"""A program on a terminal of its own, as somebody sits before it: read what it prints, and type lines."""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

SECONDS = 300.0
"""An end for what hangs: a program that ends is noticed at once."""
LINES, COLUMNS = 50, 240
_OTHERS = frozenset({"TERM", "COLUMNS", "LINES"})
"""What tells of the terminal on which the tests run, if there is one."""
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Terminal:
    """One program before which somebody sits."""

    def __init__(self, process: subprocess.Popen[bytes], screen: int) -> None:
        self.process, self._screen = process, screen
        self.text = ""
        """Everything that it printed, without colours."""

    def expect(self, pattern: str, seconds: float = SECONDS) -> re.Match[str]:
        """Read on until this was printed."""
        end = time.monotonic() + seconds
        while (found := re.search(pattern, self.text)) is None:
            if not self._read(end - time.monotonic()):
                raise AssertionError(f"{pattern!r} was not printed:\n{self.text[-3000:]}")
        return found

    def type(self, line: str) -> None:
        """Type a line and Enter."""
        os.write(self._screen, f"{line}\n".encode())

    def stop(self, sig: int = signal.SIGTERM, seconds: float = SECONDS) -> int:
        """Send a signal, read to the end, and give the exit code."""
        self.process.send_signal(sig)
        return self.end(seconds)

    def end(self, seconds: float = SECONDS) -> int:
        """Read to the end, and give the exit code."""
        end = time.monotonic() + seconds
        while self._read(end - time.monotonic()):
            pass
        return self.process.wait(seconds)

    def _read(self, seconds: float) -> bool:
        """Whether there was something to read."""
        ready, _, _ = select.select([self._screen], [], [], max(seconds, 0))
        try:
            found = os.read(self._screen, 65_536) if ready else b""
        except OSError:  # nobody has the other end open any more
            return False
        self.text += _CONTROL.sub("", found.decode(errors="replace"))
        return bool(found)


@contextmanager
def terminal(command: Sequence[str], folder: Path, env: Mapping[str, str]) -> Iterator[Terminal]:
    """Run a program on a new terminal, as wide wherever the tests run; it is ended with the block."""
    screen, inside = os.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    ours = {name: value for name, value in env.items() if name not in _OTHERS} | {"TERM": "xterm"}
    process = subprocess.Popen(
        command, cwd=folder, env=ours, stdin=inside, stdout=inside, stderr=inside, start_new_session=True
    )
    os.close(inside)
    try:
        yield Terminal(process, screen)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(screen)
