"""A local SMTP server that keeps each message as a real ``.eml`` file in a folder, and sends none on."""

from __future__ import annotations

import asyncio
import itertools
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from pathlib import Path
from typing import Any

ACCEPTED = "250 Message accepted for delivery"


class Sink:
    """Where messages go: ``folder``, numbered on in the order they come; aiosmtpd calls ``handle_DATA``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = [int(path.name[:4]) for path in folder.glob("[0-9][0-9][0-9][0-9]-*.eml")]
        self._numbers = itertools.count(max(kept, default=0) + 1)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 -- aiosmtpd's name
        """Keep one message, exactly as it came over the wire, and accept it."""
        content: bytes = envelope.content
        name = f"{next(self._numbers):04d}-{_slug(message_from_bytes(content)['to'])}.eml"
        (self.folder / name).write_bytes(content)
        return ACCEPTED


def _slug(address: str | None) -> str:
    return re.sub(r"[^a-z0-9.@-]+", "-", (address or "nobody").lower())[:60]


@contextmanager
def outbox(folder: Path) -> Iterator[tuple[str, int]]:
    """Run the sink in a thread of its own while the block runs; gives the host and port it listens on.

    Raises:
        ModuleNotFoundError: aiosmtpd, which the ``demo`` extra brings, is not installed.
        OSError: the folder can't be made, or no port is free.
    """
    from aiosmtpd.smtp import SMTP

    folder.mkdir(parents=True, exist_ok=True)
    sink = Sink(folder)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(
        loop.create_server(
            lambda: SMTP(sink, hostname="outbox", enable_SMTPUTF8=True, loop=loop), "127.0.0.1", 0
        )
    )
    thread = threading.Thread(target=loop.run_forever, name="outbox", daemon=True)
    thread.start()
    try:
        host, port = server.sockets[0].getsockname()
        yield host, port
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.run_until_complete(_finish())
        loop.close()


async def _finish() -> None:
    """End the connections that are still open."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
