"""Running the application until it is told to stop, and stopping without losing what is under way."""

from __future__ import annotations

import asyncio
import math
import signal
import socket
from typing import TYPE_CHECKING

import uvicorn

from handrail.words.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from fastapi import FastAPI
    from starlette.types import ASGIApp

    from handrail.server.settings import Settings
    from handrail.server.state import ServerState

BACKLOG = 2048


class Server(uvicorn.Server):
    """Uvicorn, which first says that it is not ready, ends open streams, and only then stops accepting."""

    def __init__(self, config: uvicorn.Config, state: ServerState, started: Callable[[], None]) -> None:
        """``started`` is called once requests are taken."""
        super().__init__(config)
        self._state, self._started = state, started
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self.started:
            self._started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Not ready; then no new connections; then what is under way has its time of grace."""
        self._state.closing.set()
        await asyncio.sleep(self._state.settings.drain)
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Stop; a second Ctrl-C does not wait. The signal is not raised again: the store is to be closed."""
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._state.closing.set)


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        Refused: somebody else does, or the address is not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise Refused(f"can't listen at {host} port {port}: {error.strerror or error}") from error


def serve(
    made: FastAPI,
    settings: Settings,
    listening: socket.socket,
    started: Callable[[], None],
    outer: ASGIApp | None = None,
) -> None:
    """Answer requests until a signal says to stop. What was opened for the engine is closed by the caller.

    ``outer`` is the application with something around it, where there is something.
    """
    config = uvicorn.Config(
        made if outer is None else outer,
        log_level="warning",
        access_log=False,  # paths hold one-time links, which belong in no log
        server_header=False,
        ws="none",
        lifespan="on",
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or "",
        timeout_graceful_shutdown=math.ceil(settings.grace),
    )
    server = Server(config, made.state.server, started)
    server.run(sockets=[listening])
    if not server.started:
        raise Refused("the server could not start; its log says why")
