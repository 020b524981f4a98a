"""One call on its way: its request to the upstream, the answer back, and what there is to say of it then."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from handrail.llm import shapes
from handrail.llm.connection import Broken
from handrail.llm.headers import Headers, to_client
from handrail.llm.hiding import shown
from handrail.llm.pool import Answer, Pool
from handrail.llm.shapes import Refusal
from handrail.meters.passing import Passing
from handrail.words.model_call import CallState, ModelEnded

if TYPE_CHECKING:
    from handrail.llm.claiming import Claimed
    from handrail.llm.routes import Route
    from handrail.meters.usage import Told

Send = Callable[[dict[str, Any]], Any]
GONE = "the client hung up"
CALL = b"x-handrail-call"
"""The header in which a client finds the id of its call."""
MAY_BE_BILLED = frozenset({408})
"""Statuses from 400 to 499 after which an upstream may have worked: it waited, and gave up."""


class Relay:
    """Carries one call. ``run`` is a task that others may cancel, once they said why."""

    def __init__(
        self,
        claimed: Claimed,
        pool: Pool,
        headers: Headers,
        send: Send,
        ending: Callable[[], asyncio.Future[None]],
    ) -> None:
        """``ending`` is told as soon as the answer is whole, before the client has its last byte."""
        self._claimed, self._pool, self._headers, self._send = claimed, pool, headers, send
        self._ending = ending
        self.ends: asyncio.Future[None] | None = None
        self._passing: Passing | None = None
        self._status: int | None = None
        self._begun = False
        self._first: int | None = None
        self._whole = False
        self._unsent = True
        self._why: str | None = None
        self._refusal: Refusal | None = None

    def gone(self) -> None:
        """It is about to be cancelled, because nobody waits for it any more."""
        self._why = self._why or GONE

    def stop(self, refusal: Refusal) -> None:
        """It is about to be cancelled, and the client is told why; the first reason counts."""
        if self._why is None:
            self._why, self._refusal = refusal.message, refusal

    async def run(self) -> None:
        """Forward, and pass on what comes back."""
        route, api = self._claimed.route, self._claimed.route.upstream.api
        try:
            # from here on it may reach the upstream, unless the pool says otherwise
            self._unsent = False
            payload = self._claimed.payload
            async with self._pool.ask(route.upstream, "POST", route.target, self._headers, payload) as answer:
                await self._pass(answer)
        except Broken as broken:
            self._unsent = broken.unsent
            self._why = self._why or f"{route.upstream.name}: {broken.why}"
            await self._tell(api, _told(route.upstream.name, broken))
        except asyncio.CancelledError:
            if self._refusal is None:
                raise
            # the client is still there, and learns why it gets no more
            await self._tell(api, self._refusal)

    async def _pass(self, came: Answer) -> None:
        if came.status // 100 == ELSEWHERE:
            raise Broken(f"it redirects ({came.status}), and nothing follows", unsent=False)
        self._status = came.status
        answer = await shown(came, self._claimed.route.upstream)
        passing = self._passing = Passing(self._claimed.request, answer.status, answer.headers)
        headers = [*to_client(answer.headers, edited=passing.strips), (CALL, self._claimed.call.id.encode())]
        self._begun = True
        await self._send({"type": "http.response.start", "status": answer.status, "headers": headers})
        async for piece in answer.pieces:
            if self._first is None:
                self._first = _now()
            if gone := passing.feed(piece):
                await self._send({"type": "http.response.body", "body": gone, "more_body": True})
        self._whole = True
        self.ends = self._ending()
        await self._send({"type": "http.response.body", "body": passing.rest()})

    async def _tell(self, api: str, refusal: Refusal) -> None:
        """Tell the client in its own terms that there is no more; a stream has begun, or nothing has."""
        if not self._begun:
            data = shapes.body(api, refusal)
            headers = [*shapes.headers(refusal), (b"content-type", b"application/json")]
            headers.append((CALL, self._claimed.call.id.encode()))
            headers.append((b"content-length", b"%d" % len(data)))
            await self._send({"type": "http.response.start", "status": refusal.status, "headers": headers})
            await self._send({"type": "http.response.body", "body": data})
        elif self._passing is not None and self._passing.streams:
            await self._send({"type": "http.response.body", "body": shapes.event(api, refusal)})
        # an answer of a known length that stops in the middle is an error to any client

    def ended(self, failed: BaseException | None) -> ModelEnded:
        """How it ended. Only a whole answer can be priced; what provably reached nobody cost nothing."""
        passing = self._passing
        kept = bytes(passing.kept) if passing is not None else b""
        status = self._status
        free = status is not None and status // 100 == CLIENTS and status not in MAY_BE_BILLED
        # clients close a stream as soon as it says that it is over, before its connection does
        good = passing is not None and passing.good and (self._whole or passing.final)
        return ModelEnded(
            state=CallState.DONE if good else CallState.FAILED,
            unspent=not good and (free or (self._unsent and failed is None)),
            status=status,
            error=None if good else self._why or _fault(status, failed),
            first_byte_at=self._first,
            response=kept,
            cut=passing is not None and passing.cut,
        )

    def priced(self, ended: ModelEnded, price: Callable[[Claimed, Told], int | None]) -> ModelEnded:
        """With what was used, and what it cost. It may take a while: a long answer is read."""
        if self._passing is None:
            return ended
        told = self._passing.told
        return replace(ended, usage=told.usage, cost=price(self._claimed, told))

    @staticmethod
    async def listing(route: Route, method: str, pool: Pool, headers: Headers, send: Send) -> None:
        """Pass on what nobody bills for.

        Raises:
            Refusal: there is no answer.
        """
        begun = False
        try:
            async with pool.ask(route.upstream, method, route.target, headers, b"") as came:
                answer = await shown(came, route.upstream)
                begun = True
                head = to_client(answer.headers, edited=False)
                await send({"type": "http.response.start", "status": answer.status, "headers": head})
                async for piece in answer.pieces:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
        except Broken as broken:
            if not begun:
                raise _told(route.upstream.name, broken) from broken


ELSEWHERE = 3
"""The hundreds of a status by which an upstream names another address: only settings do that here."""
CLIENTS = 4
"""The hundreds of a status by which an upstream refuses a request, and bills nothing."""


def _told(upstream: str, broken: Broken) -> Refusal:
    """No retry by itself: what may have been spent would be spent again."""
    status = 504 if broken.late else 502
    spent = "Nothing was spent." if broken.unsent else "What it cost is presumed spent."
    return Refusal(
        status, f"No answer from {upstream}: {broken.why}. {spent}", "upstream", again=broken.unsent
    )


def _fault(status: int | None, failed: BaseException | None) -> str:
    if failed is not None:
        return f"failed inside the gateway: {type(failed).__name__}"
    return "no answer" if status is None else f"the upstream answered {status}"


def _now() -> int:
    return time.time_ns() // 1_000_000
