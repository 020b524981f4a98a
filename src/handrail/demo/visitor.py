"""The visitor: how the board is opened for them, what they type, and how they end the demo."""

from __future__ import annotations

import faulthandler
import os
import select
import signal
import sys
import threading
import webbrowser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from queue import SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
AT_ONCE = 130
"""The exit code of who did not wait."""
SHOW_CURSOR = b"\x1b[?25h"
LONGEST_LINE = 1_000
OPENING = 5.0
"""Seconds after which a browser that has not returned is one that runs until it is closed."""
IN_THE_TERMINAL = frozenset({"www-browser", "links", "elinks", "lynx", "w3m"})
"""Browsers that would draw over what the demo prints."""


class What(StrEnum):
    """What the demo waits for."""

    ENDED = "told to end"
    TYPED = "a line was typed"
    DONE = "the agents are done"
    BROKE = "something broke"


class News(NamedTuple):
    """One thing that happened."""

    what: What
    line: str = ""
    error: Exception | None = None


Mailbox = SimpleQueue[News]
"""Where everything that the demo's main thread must hear of arrives."""


@contextmanager
def heard(mailbox: Mailbox) -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and a closed terminal arrive in ``mailbox`` while the block runs."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    # a thread hears of them: a handler runs only once the main thread does something, and it may be asleep
    ear, mouth = os.pipe()
    os.set_blocking(mouth, False)
    listening = threading.Thread(target=_hear, args=(ear, mailbox), name="signals", daemon=True)
    listening.start()
    handled = signal.set_wakeup_fd(mouth, warn_on_full_buffer=False)
    before = {each: signal.signal(each, _noted) for each in SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        signal.set_wakeup_fd(handled)
        os.close(mouth)
        listening.join()
        os.close(ear)


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """End the process, and tell where each of its threads stands, if the block takes longer than that."""
    end_within(seconds)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def end_within(seconds: float) -> None:
    """Likewise if the process itself takes longer: with its last threads, and with letting go of modules."""
    if sys.__stderr__ is not None:
        # a watchdog in C, which no lock of ours or of a library can stop
        faulthandler.dump_traceback_later(seconds, exit=True, file=sys.__stderr__)


def listen(mailbox: Mailbox) -> None:
    """Let every typed line arrive in ``mailbox``, where there is somebody who can type."""
    if sys.stdin is not None and sys.stdin.isatty():
        descriptor = sys.stdin.fileno()
        threading.Thread(target=_read, args=(mailbox, descriptor), name="typing", daemon=True).start()


def browse(link: str, environment: Mapping[str, str]) -> bool:
    """Open a link in the visitor's browser; False when there is none that opens a window."""
    window = any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
    far = any(environment.get(name) for name in ("SSH_CONNECTION", "SSH_TTY"))
    if not window and (sys.platform != "darwin" or far):
        return False
    opened: list[bool] = []
    opening = threading.Thread(target=lambda: opened.append(_open(link)), name="browser", daemon=True)
    opening.start()
    opening.join(OPENING)
    return opened[0] if opened else True


def _noted(_signal: int, _frame: FrameType | None) -> None:
    """That it came stands in the pipe already."""


def _hear(ear: int, mailbox: Mailbox) -> None:
    """Pass signals on. Who presses Ctrl-C again does not wait: the server ends with its pipe to us."""
    pressed = 0
    while came := os.read(ear, 1):
        pressed += came[0] == signal.SIGINT
        if pressed > 1:
            if os.isatty(1):
                os.write(1, SHOW_CURSOR)
            os._exit(AT_ONCE)
        mailbox.put(News(What.ENDED))


def _open(link: str) -> bool:
    try:
        found = webbrowser.get()
        if getattr(found, "basename", getattr(found, "name", "")) in IN_THE_TERMINAL:
            return False
        return found.open(link)
    except (webbrowser.Error, OSError):
        return False


def _read(mailbox: Mailbox, descriptor: int) -> None:
    # not sys.stdin: its lock, held by this thread for ever, would stop the interpreter from ending
    while True:
        select.select([descriptor], [], [])
        try:
            typed = os.read(descriptor, LONGEST_LINE)
        except OSError:
            return
        if not typed:
            return
        mailbox.put(News(What.TYPED, typed.decode(errors="replace").strip().lower()))
