"""A client of an AI provider with a meter in its way, below its own methods: whatever it sends is claimed.

Both providers' clients send through an HTTP client that can be replaced in a copy. The copy made here shares
its connections and settings with the one that was there, and claims each request on its last step, so that
retries, streams, raw responses and copies of the client are metered too.
"""

from __future__ import annotations

import copy
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self

from handrail.words.errors import BadArguments, HandrailError, ModelRefused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from handrail.meters.metering import Carry, Meter

UNSENT = ("ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol", "ProxyError")
"""Errors of an HTTP library after which provably nothing was sent."""
TRANSPORT, MOUNTS = "_transport", "_mounts"
"""Where an HTTP client keeps its way out, and those for some addresses."""
SOCKETS = "websocket_base_url"
"""Where a provider's client keeps the address of its WebSockets, which pass by its HTTP client."""


def metered(client: Any, meter: Meter) -> Any:
    """A copy of a provider's client, of the same class, whose requests all pass the meter.

    Raises:
        BadArguments: its HTTP client is not one that is known here.
    """
    inner = client._client  # noqa: SLF001 - what the provider's own copy() takes
    http = _library(inner)
    address = client.base_url
    wrap = _AsyncWay if isinstance(inner, http.AsyncClient) else _Way
    outer = copy.copy(inner)
    # a copy that is forgotten must not close what the one that was there still uses
    outer.__class__ = next(kind for kind in type(inner).__mro__ if "__del__" not in vars(kind))
    for name in (TRANSPORT, MOUNTS):
        if not hasattr(inner, name):
            raise BadArguments(
                f"this version of {http.__name__} has no {name}: its requests can't be metered"
            )
    setattr(outer, TRANSPORT, wrap(inner, getattr(inner, TRANSPORT), meter, http, address))
    mounts = getattr(inner, MOUNTS)
    setattr(
        outer,
        MOUNTS,
        {
            at: None if each is None else wrap(inner, each, meter, http, address)
            for at, each in mounts.items()
        },
    )
    if not hasattr(client, SOCKETS):
        return client.with_options(http_client=outer)
    return client.with_options(http_client=outer, **{SOCKETS: _nowhere(http)})


def is_metered(client: Any) -> bool:
    """Whether a client has a meter in its way already."""
    return isinstance(getattr(client._client, TRANSPORT, None), _Wrapped)  # noqa: SLF001 - as above


def _library(inner: Any) -> Any:
    """The HTTP library of a client: httpx, or what took its place."""
    for kind in type(inner).__mro__:
        root = kind.__module__.partition(".")[0]
        if root in {"httpx", "httpx2"}:
            return import_module(root)
    raise BadArguments(f"a client that sends by {type(inner).__qualname__} can't be metered")


@cache
def _nowhere(http: Any) -> Any:
    """The address of WebSockets that nobody meters: whoever would open one is refused."""

    class Nowhere(http.URL):  # type: ignore[misc]
        """Raises as soon as the path of a socket is to be put behind it."""

        @property
        def raw_path(self) -> bytes:
            raise ModelRefused(
                "Handrail does not meter WebSockets, so none was opened: ask without one.", "unmetered"
            )

    # by its own name it leads nowhere, too: a client that takes it for a text finds no such host
    return Nowhere("wss://unmetered.invalid")


class _Wrapped:
    """A way out with a meter in it. It keeps the client that was there, whose connections it uses."""

    def __init__(self, owner: Any, way: Any, meter: Meter, http: Any, address: Any) -> None:
        self._owner, self._way, self._meter, self._http = owner, way, meter, http
        self._address = address

    def _request(self, request: Any, payload: bytes) -> Any:
        """The request with the body that was claimed, for an answer that can be read as it comes."""
        headers = [
            (name, value)
            for name, value in request.headers.raw
            if name.lower() not in {b"content-length", b"transfer-encoding", b"accept-encoding"}
        ]
        headers.append((b"accept-encoding", b"identity"))
        return self._http.Request(
            request.method, request.url, headers=headers, content=payload, extensions=request.extensions
        )

    def _place(self, request: Any) -> tuple[str, str, list[str]]:
        """Method, path behind the client's address, and what is named in the query."""
        url, home = request.url, self._address
        base = home.path if home.path.endswith("/") else f"{home.path}/"
        if (url.scheme, url.host, url.port) != (home.scheme, home.host, home.port) or not url.path.startswith(
            base
        ):
            raise ModelRefused(
                f"This client is metered for {home} only, so {url.host} was not asked.", "unmetered"
            )
        return request.method, url.path[len(base) :], list(url.params.keys())

    def _unspent(self, error: BaseException) -> bool:
        return type(error).__name__ in UNSENT

    def _answer(self, response: Any, stream: Any, *, longer: bool) -> Any:
        headers = [
            (name, value)
            for name, value in response.headers.raw
            if not (longer and name.lower() == b"content-length")
        ]
        return self._http.Response(
            response.status_code, headers=headers, stream=stream, extensions=response.extensions
        )

    def _refusing(self, request: Any, error: Exception) -> Any:
        """An answer that raises ``error`` where a client looks at its status: clients retry other errors."""
        response = _refusal(self._http)(403, request=request)
        response.refused_by = error
        return response


class _Way(_Wrapped):
    """For clients that block."""

    def handle_request(self, request: Any) -> Any:
        """Claim, send, and let the answer be read."""
        try:
            carry = self._meter.claim(*self._place(request), request.read())
        except HandrailError as error:
            return self._refusing(request, error)
        if carry is None:
            return self._way.handle_request(request)
        try:
            response = self._way.handle_request(self._request(request, carry.payload))
        except BaseException as error:
            carry.end(error, unspent=self._unspent(error))
            raise
        longer = carry.answered(response.status_code, response.headers.raw)
        return self._answer(response, _blocking(self._http)(response.stream, carry), longer=longer)

    def close(self) -> None:
        """Close the connections, which the client that was there shares."""
        self._way.close()

    def __enter__(self) -> Self:
        """Open already."""
        return self

    def __exit__(self, *_: object) -> None:
        """As ``close``."""
        self.close()


class _AsyncWay(_Wrapped):
    """For clients that await. Claims and settlements wait for the store, so they do it in a thread."""

    async def handle_async_request(self, request: Any) -> Any:
        """Claim, send, and let the answer be read."""
        from anyio import to_thread

        try:
            place, body = self._place(request), await request.aread()
            carry = await to_thread.run_sync(lambda: self._meter.claim(*place, body))
        except HandrailError as error:
            return self._refusing(request, error)
        if carry is None:
            return await self._way.handle_async_request(request)
        try:
            response = await self._way.handle_async_request(self._request(request, carry.payload))
        except BaseException as error:
            await _end(carry, error, unspent=self._unspent(error))
            raise
        longer = carry.answered(response.status_code, response.headers.raw)
        return self._answer(response, _awaiting(self._http)(response.stream, carry), longer=longer)

    async def aclose(self) -> None:
        """Close the connections, which the client that was there shares."""
        await self._way.aclose()

    async def __aenter__(self) -> Self:
        """Open already."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """As ``aclose``."""
        await self.aclose()


async def _end(carry: Carry, error: BaseException | None = None, *, unspent: bool = False) -> None:
    """Settle, also in a task that is being cancelled."""
    from anyio import CancelScope, to_thread

    with CancelScope(shield=True):
        await to_thread.run_sync(lambda: carry.end(error, unspent=unspent))


@cache
def _refusal(http: Any) -> Any:
    """The class of answers to what was not sent, for one HTTP library."""

    class Refusal(http.Response):  # type: ignore[misc]
        """Says why, in whichever way a client asks whether all went well."""

        refused_by: Exception

        @property
        def is_success(self) -> bool:
            raise self.refused_by

        def raise_for_status(self) -> Any:
            raise self.refused_by

    return Refusal


@cache
def _blocking(http: Any) -> Any:
    """The class of answers that are read while they pass, for one HTTP library's clients that block."""

    class Blocking(http.SyncByteStream):  # type: ignore[misc]
        """Passes pieces on; closing it settles the call."""

        def __init__(self, inner: Any, carry: Carry) -> None:
            self._inner, self._carry = inner, carry
            self._error: Exception | None = None

        def __iter__(self) -> Iterator[bytes]:
            try:
                for piece in self._inner:
                    self._carry.stopped()
                    if gone := self._carry.feed(piece):
                        yield gone
                if left := self._carry.rest():
                    yield left
            except Exception as error:
                self._error = error
                raise

        def close(self) -> None:
            try:
                self._inner.close()
            finally:
                self._carry.end(self._error)

        def __del__(self) -> None:
            self._carry.let_go()

    return Blocking


@cache
def _awaiting(http: Any) -> Any:
    """The same for clients that await."""

    class Awaiting(http.AsyncByteStream):  # type: ignore[misc]
        """Passes pieces on; closing it settles the call."""

        def __init__(self, inner: Any, carry: Carry) -> None:
            self._inner, self._carry = inner, carry
            self._error: Exception | None = None

        async def __aiter__(self) -> AsyncIterator[bytes]:
            from anyio import to_thread

            try:
                async for piece in self._inner:
                    await to_thread.run_sync(self._carry.stopped)
                    if gone := self._carry.feed(piece):
                        yield gone
                if left := self._carry.rest():
                    yield left
            except Exception as error:
                self._error = error
                raise

        async def aclose(self) -> None:
            try:
                await self._inner.aclose()
            finally:
                await _end(self._carry, self._error)

        def __del__(self) -> None:
            self._carry.let_go()

    return Awaiting
