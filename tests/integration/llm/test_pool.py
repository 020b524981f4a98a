"""Connections to upstreams: what of an answer is believed, and when a connection is used again."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from handrail.llm import pool as pools
from handrail.llm.connection import HEAD, WAITING, Broken
from handrail.llm.pool import Pool
from handrail.llm.settings import Upstream
from tests.support.certificates import certificate

PATH = "/v1/responses"
HOST = (b"host", b"127.0.0.1")
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
Serve = Callable[["Far"], Awaitable[None]]


@dataclass
class Far:
    """The far end of one connection, as a test writes it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    number: int

    async def asked(self) -> bytes:
        """A whole request, whose body is `{}` unless there is none."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        return head + (await self.reader.readexactly(2) if b"content-length" in head else b"")

    async def says(self, *pieces: bytes) -> None:
        """Write, each piece by itself."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()


@dataclass
class Place:
    """An upstream and the pool that asks it."""

    upstream: Upstream
    pool: Pool
    met: list[Far] = field(default_factory=list)

    async def ask(self, method: str = "POST", headers: list[tuple[bytes, bytes]] | None = None) -> bytes:
        """The whole body of an answer."""
        body = b"{}" if method == "POST" else b""
        sent = [HOST, *(headers or []), *([(b"content-length", b"2")] if body else [])]
        async with self.pool.ask(self.upstream, method, PATH, sent, body) as answer:
            return b"".join([piece async for piece in answer.pieces])


@asynccontextmanager
async def upstream(
    serve: Serve, silence: float = 30, secure: ssl.SSLContext | None = None
) -> AsyncIterator[Place]:
    met: list[Far] = []

    async def each(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.append(Far(reader, writer, len(met)))
        try:
            await serve(met[-1])
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(each, "127.0.0.1", 0, ssl=secure)
    port = server.sockets[0].getsockname()[1]
    url = f"http{'s' if secure else ''}://127.0.0.1:{port}"
    found = Place(Upstream("local", url, "openai"), Pool(silence), met)
    try:
        yield found
    finally:
        await found.pool.close()
        server.close()
        await server.wait_closed()


def answers(*pieces: bytes, again: bool = True) -> Serve:
    """Whoever asks gets these pieces; one after the other on a connection, or one."""

    async def serve(far: Far) -> None:
        await far.asked()
        await far.says(*pieces)
        while again:
            await far.asked()
            await far.says(*pieces)

    return serve


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("pieces", "connections"),
    [
        pytest.param((LENGTH,), 1, id="a length"),
        pytest.param(tuple(LENGTH[at : at + 1] for at in range(len(LENGTH))), 1, id="byte by byte"),
        pytest.param((CHUNKED, b"1\r\nh\r\n1\r\n", b"i\r\n0\r\n\r\n"), 1, id="chunks"),
        pytest.param((CHUNKED, b"2\r\nhi\r\n0\r\nX-More: 1\r\n\r\n"), 1, id="chunks and what stands behind"),
        pytest.param((b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", LENGTH), 1, id="announced"),
        pytest.param((LENGTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),), 2, id="not kept"),
        pytest.param((LENGTH.replace(b"1.1", b"1.0"),), 2, id="of old"),
    ],
)
async def test_an_answer_is_read_to_its_end_and_its_connection_used_again_if_kept(
    pieces: tuple[bytes, ...], connections: int
) -> None:
    async with upstream(answers(*pieces)) as place:
        for _ in range(2):
            assert await place.ask() == b"hi"
        assert len(place.met) == connections


async def test_a_body_without_a_length_ends_with_the_connection() -> None:
    async with upstream(answers(b"HTTP/1.1 200 OK\r\n\r\nh", b"i", again=False)) as place:
        for _ in range(2):
            assert await place.ask() == b"hi"
        assert len(place.met) == 2


async def test_an_answer_to_head_has_no_body() -> None:
    async with upstream(answers(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")) as place:
        assert await place.ask("HEAD") == b""


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"", "broke the connection"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "broke the connection"),
        (LENGTH[:-1], "broke the connection"),
        (CHUNKED + b"2\r\nhi\r\n", "broke the connection"),
        (b"SSH-2.0-OpenSSH\r\n", "does not answer in HTTP"),
        (CHUNKED + b"zz\r\nhi", "does not answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 9\r\n\r\nhi", "does not answer in HTTP"),
        (CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Length: 2\r\n\r\n") + b"hi", "does not answer in HTTP"),
        (b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "does not answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * HEAD + b"\r\n", "too long a head"),
    ],
)
async def test_what_is_no_whole_answer_breaks_and_was_sent(said: bytes, why: str) -> None:
    async with upstream(answers(said, again=False)) as place:
        with pytest.raises(Broken, match=why) as broken:
            await place.ask()
    assert not broken.value.unsent


async def test_who_falls_silent_is_given_up_and_who_speaks_now_and_then_is_not() -> None:
    goes_on = asyncio.Event()

    async def serve(far: Far) -> None:
        await far.asked()
        await far.says(LENGTH[:-1], LENGTH[-1:])
        await far.asked()
        await far.says(LENGTH[:-1])
        await goes_on.wait()

    async with upstream(serve, silence=0.2) as place:
        assert await place.ask() == b"hi"
        with pytest.raises(Broken, match="silent") as broken:
            await place.ask()
        goes_on.set()
    assert (broken.value.unsent, broken.value.late) == (False, True)


@pytest.mark.parametrize("more", [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", b"rest"])
async def test_what_comes_behind_an_answer_is_no_answer_to_the_next_request(more: bytes) -> None:
    async with upstream(answers(LENGTH + more)) as place:
        for _ in range(2):
            assert await place.ask() == b"hi"
        assert len(place.met) == 2


async def test_what_comes_while_nobody_asks_ends_the_connection() -> None:
    over = asyncio.Event()

    async def serve(far: Far) -> None:
        await far.asked()
        await far.says(LENGTH)
        if not far.number:
            await far.says(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        assert await far.reader.read() == b""
        over.set()

    async with upstream(serve) as place:
        assert await place.ask() == b"hi"
        await over.wait()
        assert await place.ask() == b"hi"


async def test_a_connection_that_was_left_early_is_not_used_again() -> None:
    async def serve(far: Far) -> None:
        await far.asked()
        await far.says(LENGTH if far.number else LENGTH[:-1])
        await far.reader.read()

    async with upstream(serve) as place:
        async with place.pool.ask(place.upstream, "GET", PATH, [HOST], b"") as answer:
            assert answer.status == 200
        assert await place.ask() == b"hi"
        assert len(place.met) == 2


async def test_a_connection_rests_for_a_while_and_is_closed_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "IDLE", 0.05)
    over = asyncio.Event()

    async def serve(far: Far) -> None:
        await far.asked()
        await far.says(LENGTH)
        assert await far.reader.read() == b""
        over.set()

    async with upstream(serve) as place:
        assert await place.ask() == b"hi"
        await over.wait()
        assert await place.ask() == b"hi"
        assert len(place.met) == 2


async def test_a_slow_reader_makes_the_upstream_wait() -> None:
    size = 64 * WAITING
    sent = 0

    async def serve(far: Far) -> None:
        nonlocal sent
        await far.asked()
        await far.says(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        while sent < size:
            await far.says(b"x" * WAITING)
            sent += WAITING

    async with (
        upstream(serve) as place,
        place.pool.ask(place.upstream, "POST", PATH, [HOST, (b"content-length", b"2")], b"{}") as answer,
    ):
        before = -1
        while before != sent:  # as long as the buffers of both ends take more
            before = sent
            for _ in range(100):
                await asyncio.sleep(0)
        assert sent < size
        assert len(b"".join([piece async for piece in answer.pieces])) == size


async def test_who_can_not_be_reached_was_sent_nothing() -> None:
    async with upstream(answers(LENGTH)) as place:
        pass
    with pytest.raises(Broken, match="reached") as broken:
        await place.ask()
    assert broken.value.unsent


@pytest.mark.parametrize("value", [b"a\r\nx-evil: 1", b"a\nb", b"a\rb", b"a\0b"])
async def test_a_header_that_would_be_two_is_never_sent(value: bytes) -> None:
    async with upstream(answers(LENGTH)) as place:
        with pytest.raises(Broken, match="written") as broken:
            await place.ask(headers=[(b"user-agent", value)])
        assert (broken.value.unsent, place.met) == (True, [])
        assert await place.ask(headers=[(b"user-agent", b"a b")]) == b"hi"


async def test_a_key_goes_only_where_a_certificate_proves_who_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = certificate(tmp_path)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(path)
    async with upstream(answers(LENGTH), secure=theirs) as place:
        with pytest.raises(Broken, match="reached") as broken:
            await place.ask()
        assert (broken.value.unsent, place.met) == (True, [])
        monkeypatch.setattr(pools, "_trust", lambda: ssl.create_default_context(cafile=path))
        for _ in range(2):
            assert await place.ask() == b"hi"
        assert len(place.met) == 1
