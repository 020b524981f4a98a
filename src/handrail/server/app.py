"""The application: the API and the pages over one open engine, behind the layers that hold for all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.concurrency import run_in_threadpool

from handrail.server import api, background, errors, pages, security, slack
from handrail.server.api import document
from handrail.server.state import ServerState, server_state
from handrail.words.errors import HandrailError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from handrail.app import App
    from handrail.server.settings import Settings

HERE = Path(__file__).parent
BESIDE: tuple[Callable[[ServerState], AbstractAsyncContextManager[None]], ...] = (
    lambda state: state.live.running(),
    background.running,
    slack.running,
)
"""What runs beside the requests, from the server's start to its end: live news, background work."""
ABOUT = "Handrail lets AI agents act on real systems with exactly the autonomy they have earned."


def make_app(app: App, settings: Settings) -> FastAPI:
    """The ASGI application over an engine that the caller opened and closes.

    ``.state.server`` is its `ServerState`. Set ``.state.server.closing`` to end open streams before a stop.
    """
    state = server_state(app, settings)
    background.check(state)
    made = FastAPI(
        title="Handrail",
        version=version("handrail"),
        description=ABOUT,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # it would send a key or a form on, to whatever host and scheme it was told
        lifespan=_lifespan,
        separate_input_output_schemas=False,
    )
    made.state.server = state
    errors.install(made)
    # routes are tried in turn, and each page asks for several of these
    made.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    _add_health(made, state)
    for router in (*pages.first(), *api.routers()):
        made.include_router(router)
    for router in pages.routers():
        made.include_router(router, dependencies=pages.first_of_all())
    document.install(made)
    slack.install(made, state)
    pages.install(made)
    _protect(made, state)
    return made


def _protect(made: FastAPI, state: ServerState) -> None:
    """The layers, the innermost first."""
    settings = state.settings
    made.add_middleware(security.Turns, limits=state.limits)
    made.add_middleware(security.BodyLimit, limit=settings.body_limit)
    made.add_middleware(security.SameSite, url=settings.url)
    pages.install_ahead(made)
    made.add_middleware(security.Throttle, limits=state.limits)
    made.add_middleware(security.Shield, secure=settings.secure)


def _add_health(made: FastAPI, state: ServerState) -> None:
    @made.get("/health", tags=["operations"], summary="The process answers")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @made.get(
        "/ready", tags=["operations"], summary="It takes requests: the store answers, and it is not stopping"
    )
    async def ready() -> JSONResponse:
        why = "stopping" if state.closing.is_set() else await run_in_threadpool(_missing, state)
        return JSONResponse({"status": why or "ok"}, 503 if why else 200)


def _missing(state: ServerState) -> str | None:
    """What keeps this server from taking requests."""
    try:
        state.store.read(lambda tx: tx.restrictions.generation())
    except HandrailError as error:
        errors.logger.warning("not ready: %s", errors.scrubbed(str(error)))
        return "the store does not answer"
    return None


@asynccontextmanager
async def _lifespan(made: FastAPI) -> AsyncIterator[None]:
    """Whatever runs beside the requests begins and ends with the server."""
    state: ServerState = made.state.server
    async with AsyncExitStack() as stack:
        stack.callback(state.closing.set)
        for beside in BESIDE:
            await stack.enter_async_context(beside(state))
        yield
        state.closing.set()
