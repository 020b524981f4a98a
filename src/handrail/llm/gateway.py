"""The model gateway as an ASGI application: claim, forward, pass the answer on, settle."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from handrail.llm import headers as names
from handrail.llm import shapes
from handrail.llm.claiming import Came, Claimed, Claims
from handrail.llm.pool import Pool, host_of
from handrail.llm.relay import Relay
from handrail.llm.routes import MOUNT, Route, route_of, upstream_of
from handrail.llm.shapes import Refusal
from handrail.llm.warden import Warden
from handrail.words.model_call import CallState, ModelEnded

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from handrail.engine.core import Engine
    from handrail.llm.door import Door
    from handrail.llm.settings import LlmSettings, Upstream
    from handrail.ports import ModelGate

Scope = dict[str, "Any"]
Message = dict[str, "Any"]
logger = logging.getLogger("handrail.llm")
THREADS = 8
"""Claims and settlements that are written at one moment: they commit for each other."""
SMALL = 256 * 1024
"""Bytes of a body that is read before its key is looked at."""
TRIES = 3
"""How often a budget that can't pay for a whole answer is looked at again while calls give something back."""
JSON = (b"content-type", b"application/json")


class Gone(Exception):
    """The client hung up before its request was here."""


class Gateway:
    """Requests under ``/llm/``. One for each server process."""

    def __init__(self, engine: Engine, gate: ModelGate, door: Door, settings: LlmSettings) -> None:
        """``settings`` name the upstreams."""
        self._settings, self._gate, self._door = settings, gate, door
        self._claims = Claims(engine, gate, door, settings)
        self._pool = Pool(settings.silence)
        self._threads = ThreadPoolExecutor(THREADS, "handrail-llm")
        self._warden = Warden(gate, self._threads)
        self._settling: set[asyncio.Future[None]] = set()
        self._hosts = {name: host_of(upstream) for name, upstream in settings.upstreams.items()}

    async def __call__(
        self, scope: Scope, receive: Callable[[], Any], send: Callable[[Message], Any]
    ) -> None:
        """Answer one request."""
        upstream = upstream_of(self._settings.upstreams, scope["path"])
        api = "openai" if upstream is None else upstream.api
        try:
            came = await self._came(scope, receive, upstream)
            if came.route.api is None:
                await self._list(came, scope["method"], send)
                return
            claimed = await self._claim(came)
        except Refusal as refusal:
            await _refuse(send, api, refusal)
        except Gone:
            logger.debug("whoever sent %s went away", scope["path"])
        except Exception:
            logger.exception("%s %s failed before it was forwarded", scope["method"], scope["path"])
            await _refuse(
                send, api, Refusal(500, "Something went wrong here; nothing was forwarded.", "ours")
            )
        else:
            await self._carry(came, claimed, receive, send)

    async def close(self) -> None:
        """Close the connections to upstreams, once nothing runs any more."""
        while self._settling:
            await asyncio.wait(tuple(self._settling))
        self._warden.close()
        await self._pool.close()
        self._threads.shutdown()

    async def _came(self, scope: Scope, receive: Callable[[], Any], upstream: Upstream | None) -> Came:
        address = (scope.get("client") or ("unknown",))[0]
        if not self._door.address_may(address):
            raise Refusal(429, "Too many requests from this address.", "too_many", again=True)
        if upstream is None:
            known = ", ".join(sorted(self._settings.upstreams)) or "none"
            raise Refusal(
                404, f"There is no such upstream here: expected {MOUNT}NAME/…; set up: {known}.", "unmetered"
            )
        query = scope["query_string"].decode("latin-1")
        route = route_of(upstream, scope["method"], scope["path"], query)
        came = Came(route, scope["headers"], query, address)
        if route.api is None:
            return came
        if _may_be_large(scope["headers"]):
            # strangers may not fill the memory; a small body is not worth a look of its own
            await self._known(came)
        return replace(came, body=await self._body(scope, receive))

    async def _known(self, came: Came) -> None:
        """Refuse whoever has no key of ours.

        Raises:
            Refusal: it is nobody whom we know.
        """
        await asyncio.get_running_loop().run_in_executor(self._threads, self._claims.caller, came)

    async def _body(self, scope: Scope, receive: Callable[[], Any]) -> bytes:
        limit = self._settings.body_limit
        too_large = Refusal(413, f"The body is larger than {limit:,} bytes.", "too_large")
        said = names.one(scope["headers"], b"content-length") or "0"
        if not said.isdigit() or int(said[:18]) > limit:
            raise too_large
        if names.one(scope["headers"], b"content-encoding") not in {None, "identity"}:
            raise Refusal(400, "Send the body as it is, without a content-encoding.", "bad_request")
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Gone
            part = message.get("body", b"")
            size += len(part)
            if size > limit:
                raise too_large
            parts.append(part)
            if not message.get("more_body", False):
                return b"".join(parts)

    async def _claim(self, came: Came) -> Claimed:
        """Claim. Calls that have just ended give back what they did not use before an answer is cut short."""
        loop = asyncio.get_running_loop()
        for _ in range(TRIES):
            ending = tuple(self._settling)
            if not ending:
                break
            try:
                return await loop.run_in_executor(
                    self._threads, partial(self._claims.claim, came, whole=True)
                )
            except Refusal as refusal:
                if refusal.status != shapes.EXHAUSTED:
                    raise
                await asyncio.wait(ending)
        return await loop.run_in_executor(self._threads, self._claims.claim, came)

    async def _carry(
        self, came: Came, claimed: Claimed, receive: Callable[[], Any], send: Callable[[Message], Any]
    ) -> None:
        """Forward a call that is paid for, and settle it whatever becomes of it."""
        headers = self._headers(came, len(claimed.payload))
        relay = Relay(claimed, self._pool, headers, send, self._ending)
        gone = asyncio.ensure_future(_gone(receive))
        await asyncio.sleep(
            0
        )  # whoever hung up while it was claimed is known now, and nothing is sent for them
        task = asyncio.ensure_future(_nothing() if gone.done() else relay.run())
        self._warden.watch(claimed.call, relay, task)
        try:
            await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                relay.gone()
                task.cancel()
                await asyncio.wait({task})
        finally:
            # a server that stops cancels this very coroutine: what it carries is settled all the same
            gone.cancel()
            task.cancel()
            self._warden.forget(claimed.call)
            await asyncio.shield(asyncio.ensure_future(self._settle(claimed, relay, task)))

    def _ending(self) -> asyncio.Future[None]:
        """A call ends: what it gives back is not there yet."""
        ends: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._settling.add(ends)
        return ends

    async def _settle(self, claimed: Claimed, relay: Relay, task: asyncio.Future[None]) -> None:
        await asyncio.wait({task})
        failed = None if task.cancelled() else task.exception()
        if failed is not None:
            logger.error("call %s of a model failed here", claimed.call.id, exc_info=failed)
        ended = relay.ended(failed)
        loop = asyncio.get_running_loop()
        ends = relay.ends or self._ending()
        try:
            await loop.run_in_executor(self._threads, self._write, claimed, relay, ended)
        except BaseException:
            self._gate.let_go(claimed.call)
            raise
        finally:
            self._settling.discard(ends)
            ends.set_result(None)

    def _write(self, claimed: Claimed, relay: Relay, ended: ModelEnded) -> None:
        if ended.state is CallState.DONE:
            ended = relay.priced(ended, self._claims.cost)
        self._gate.settle(claimed.call, ended)

    async def _list(self, came: Came, method: str, send: Callable[[Message], Any]) -> None:
        """The list of models: nobody bills for it, and it is no call."""
        await self._known(came)
        await Relay.listing(came.route, method, self._pool, self._headers(came, 0), send)

    def _headers(self, came: Came, size: int) -> names.Headers:
        route: Route = came.route
        return names.to_upstream(came.headers, route.upstream, self._hosts[route.upstream.name], size)


def _may_be_large(headers: names.Headers) -> bool:
    said = names.one(headers, b"content-length")
    return said is None or not said.isdigit() or int(said[:18]) > SMALL


async def _nothing() -> None:
    """In place of a call that nobody waits for any more."""


async def _gone(receive: Callable[[], Any]) -> None:
    """Until the client hangs up, or has its answer."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _refuse(send: Callable[[Message], Any], api: str, refusal: Refusal) -> None:
    data = shapes.body(api, refusal)
    headers = [*shapes.headers(refusal), JSON, (b"content-length", b"%d" % len(data))]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": data})
