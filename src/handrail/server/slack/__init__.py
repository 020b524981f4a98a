"""The Slack app: clicks, modals and commands of people whom Handrail knows. Nobody else gets further."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from handrail.server.slack.settings import SlackSettings, slack_settings
from handrail.words.errors import Refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from fastapi import FastAPI

    from handrail.engine.core import Engine
    from handrail.server.state import ServerState

__all__ = ["install", "running"]
EXTRA = "HANDRAIL_SLACK_BOT_TOKEN is set, and Slack needs 'pip install handrail[slack]'"


def install(made: FastAPI, state: ServerState) -> None:
    """Add the route that Slack calls, where a signing secret is set.

    Raises:
        Refused: the extra is not installed.
        BadArguments: the settings don't fit together.
    """
    settings = slack_settings()
    if settings is None or settings.secret is None:
        return
    try:
        from handrail.server.slack.app import add_route
    except ImportError as error:
        raise Refused(EXTRA) from error
    add_route(made, state.engine, settings, state.settings.address())


@asynccontextmanager
async def running(state: ServerState) -> AsyncIterator[None]:
    """Socket mode, while the server serves, where an app token is set.

    Raises:
        Refused: the extra is not installed.
    """
    settings = slack_settings()
    if settings is None or settings.app_token is None:
        yield
        return
    async with _socket(state.engine, settings, settings.app_token, state.settings.address()):
        yield


@asynccontextmanager
async def _socket(engine: Engine, settings: SlackSettings, token: str, url: str) -> AsyncIterator[None]:
    try:
        from handrail.server.slack.app import Socket, bolt
    except ImportError as error:
        raise Refused(EXTRA) from error
    socket = Socket(bolt(engine, settings, url), token)
    socket.start()
    try:
        yield
    finally:
        await socket.stop()
