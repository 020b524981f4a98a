"""What every route of a server has at hand."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handrail.server.auth.keys import KeyRing
from handrail.server.auth.oidc import SignOn
from handrail.server.auth.sign_in import SignIns
from handrail.server.limits import Limits, limits_of
from handrail.server.live import Live

if TYPE_CHECKING:
    from handrail.app import App
    from handrail.engine.core import Engine
    from handrail.ports import Store
    from handrail.server.settings import Settings


@dataclass(frozen=True, slots=True)
class ServerState:
    """One server process. It is ``app.state.server``; ``closing`` is set when the server is told to stop."""

    app: App
    settings: Settings
    keys: KeyRing
    sign_ins: SignIns
    limits: Limits
    live: Live
    closing: asyncio.Event
    sign_on: SignOn | None = None
    """The company's sign-on, where the settings name one."""

    @property
    def engine(self) -> Engine:
        """The engine."""
        return self.app.engine

    @property
    def store(self) -> Store:
        """The store."""
        return self.app.store


def server_state(app: App, settings: Settings) -> ServerState:
    """What a server needs over an open engine."""
    keys, sign_ins = KeyRing(app.engine), SignIns(app.engine)
    limits = limits_of(settings.rate, settings.streams)
    closing = asyncio.Event()
    app.engine.open_questions = settings.open_questions
    sign_on = None if settings.oidc_issuer is None else SignOn(settings)
    return ServerState(app, settings, keys, sign_ins, limits, Live(app.store, closing), closing, sign_on)
