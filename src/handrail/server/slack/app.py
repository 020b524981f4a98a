"""The Bolt app: over HTTP at POST /slack/events, or through a websocket of ours (socket mode)."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from slack_bolt import App, BoltRequest
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import WebClient
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from handrail.channels.slack import TIMEOUT
from handrail.engine.core import logger
from handrail.engine.ids import new_secret
from handrail.server.slack import clicks, commands
from handrail.server.slack.desk import WORKERS, Desk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import FastAPI

    from handrail.engine.core import Engine
    from handrail.server.slack.settings import SlackSettings

PATH = "/slack/events"
LONGEST_STAMP = 20
"""Digits of a time stamp: Bolt can't read a number of thousands of them."""
FAREWELL = 1.0
"""Seconds that the websocket gets to close."""
LONGEST_PAUSE = 60.0
"""Seconds between two attempts to reach Slack."""


def bolt(engine: Engine, settings: SlackSettings, url: str) -> App:
    """The app with every handler. It asks nothing of Slack before it has acknowledged a request."""
    desk = Desk(engine, settings, url)
    app = App(
        name="handrail",
        # in socket mode no HTTP request is to be believed: nobody knows this secret
        signing_secret=settings.secret or new_secret(),
        client=WebClient(base_url=settings.url, timeout=TIMEOUT, retry_handlers=[]),
        authorize=lambda enterprise_id, team_id: AuthorizeResult(
            enterprise_id=enterprise_id, team_id=team_id, bot_token=settings.token
        ),
        listener_executor=ThreadPoolExecutor(WORKERS, "handrail-slack-listener"),
    )
    clicks.install(app, desk)
    commands.install(app, desk)
    return app


def add_route(made: FastAPI, engine: Engine, settings: SlackSettings, url: str) -> None:
    """Add the route that Slack calls."""
    app = bolt(engine, settings, url)

    @made.post(PATH, include_in_schema=False)
    async def events(request: Request) -> Response:
        return await _dispatched(app, request)


async def _dispatched(app: App, request: Request) -> Response:
    """The answer to one request; its signature is checked over the body as it came."""
    body = (await request.body()).decode("utf-8", "replace")
    stamp = request.headers.get("x-slack-request-timestamp", "")
    if not stamp.isdecimal() or len(stamp) > LONGEST_STAMP:
        return Response("", 401)
    headers: dict[str, str | Sequence[str]] = {name: [value] for name, value in request.headers.items()}
    said = await run_in_threadpool(app.dispatch, BoltRequest(body=body, headers=headers))
    return Response(said.body, said.status, said.first_headers_without_set_cookie())


class Socket:
    """Socket mode: one websocket to Slack, kept open until the server stops."""

    def __init__(self, app: App, token: str) -> None:
        """Nothing is opened yet."""
        self._handler = SocketModeHandler(app, app_token=token)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Open it beside the requests: a Slack that is down keeps no server from starting."""
        self._task = asyncio.create_task(self._open())

    async def stop(self) -> None:
        """Close it; its threads may take the time of a ping to notice, which nobody waits for."""
        if self._task is not None:
            self._task.cancel()
        closing = threading.Thread(target=self._handler.close, name="handrail-slack-close", daemon=True)
        closing.start()
        await run_in_threadpool(closing.join, FAREWELL)

    async def _open(self) -> None:
        pause = 1.0
        while True:
            try:
                await run_in_threadpool(self._handler.connect)
            except (SlackApiError, SlackClientError, OSError, ValueError) as error:
                logger.warning("Slack can't be reached and is tried again in %.0f s: %s", pause, error)
            else:
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
