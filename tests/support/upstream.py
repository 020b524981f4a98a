"""A local upstream that speaks the providers' APIs, misbehaves on demand, and counts what it bills for.

It is a server of plain sockets in a thread: so it can break a connection in the middle of an answer.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support import upstream_apis as apis
from tests.support.upstream_apis import Generated

NANO = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as the upstream got it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)

    @property
    def credentials(self) -> str:
        """The provider's key, as it was sent."""
        names = ("authorization", "x-api-key", "x-goog-api-key")
        return " ".join(self.headers[name] for name in names if name in self.headers)


@dataclass
class Behaviour:
    """How the upstream behaves. Tests change it between calls."""

    writes: int = 5
    """Tokens that it wants to write; fewer when the request's limit is lower."""
    usage: Any = "right"
    status: int = 200
    dies: str | None = None
    """``early`` without an answer, ``middle`` after some of it."""
    zipped: bool = False
    waits: threading.Event | None = None
    """Before it answers, or after the first event of a stream, it waits for this."""
    redirects: str | None = None
    echoes: bool = False
    """Whether it writes the key that it was sent into a header of every answer, and into an error."""


@dataclass
class Upstream:
    """A running upstream."""

    port: int
    behaviour: Behaviour = field(default_factory=Behaviour)
    asked: list[Asked] = field(default_factory=list)
    billed: int = 0
    """Tokens that were written, over all calls: billed when the work begins, whoever is still there."""
    calls: int = 0
    pictures: int = 0
    reached: threading.Event = field(default_factory=threading.Event)
    """Set as soon as a call has reached it."""
    left: threading.Event = field(default_factory=threading.Event)
    """Set when somebody hung up in the middle."""

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def behaves(self, **how: Any) -> None:
        """Behave like this from now on, and forget what was."""
        self.behaviour = Behaviour(**how)
        self.asked.clear()
        self.billed = self.calls = self.pictures = 0
        self.reached.clear()
        self.left.clear()

    def environment(self) -> dict[str, str]:
        """The settings of a gateway in front of it."""
        return {
            "HANDRAIL_UPSTREAM_OPENAI_URL": f"{self.url}/v1",
            "HANDRAIL_UPSTREAM_OPENAI_KEY": "sk-of-the-provider",
            "HANDRAIL_UPSTREAM_ANTHROPIC_URL": self.url,
            "HANDRAIL_UPSTREAM_ANTHROPIC_KEY": "sk-ant-of-the-provider",
            "HANDRAIL_UPSTREAM_GEMINI_URL": self.url,
            "HANDRAIL_UPSTREAM_GEMINI_KEY": "g-of-the-provider",
            "HANDRAIL_UPSTREAM_LOCAL_URL": f"{self.url}/v1",
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while (asked := await _read(reader)) is not None:
                self.asked.append(asked)
                if not await self._answer(asked, writer):
                    break
        except ConnectionError:
            self.left.set()
        finally:
            writer.close()

    async def _answer(self, asked: Asked, writer: asyncio.StreamWriter) -> bool:
        """Answer; whether the connection goes on."""
        how = self.behaviour
        if how.redirects is not None:
            return await _send(writer, 307, b"", more=f"location: {how.redirects}\r\n")
        path = asked.path.partition("?")[0]
        api = "anthropic" if "messages" in path else "gemini" if ":" in path else "openai"
        echo = f"x-debug-auth: {asked.credentials}\r\n" if how.echoes else ""
        if how.status != 200:
            return await self._refuse(asked, writer, api, echo)
        if path.endswith("/models"):
            return await _send(writer, 200, b'{"object":"list","data":[{"id":"gpt-5","object":"model"}]}')
        if path.endswith("/count_tokens"):
            return await _send(writer, 200, b'{"input_tokens":11}')
        made = self._work(asked, path)
        self.reached.set()
        if how.dies == "early":
            return False
        body = asked.json
        if body.get("stream") is True or "streamGenerateContent" in path:
            return await self._stream(writer, path, made, echo)
        if how.waits is not None:
            await asyncio.to_thread(how.waits.wait, 60)
        data = json.dumps(_whole(path, made)).encode()
        if how.dies == "middle":
            await _send(writer, 200, data[: len(data) // 2], length=len(data))
            return False
        return await _send(writer, 200, data, more=echo, zipped=how.zipped)

    async def _refuse(self, asked: Asked, writer: asyncio.StreamWriter, api: str, echo: str) -> bool:
        how = self.behaviour
        more = f"retry-after: 7\r\nx-request-id: req_1\r\n{echo}"
        told = {**apis.error(api, how.status), **({"sent": asked.credentials} if how.echoes else {})}
        data = json.dumps(told).encode()
        if how.dies == "middle":
            await _send(writer, how.status, data[:-9], more=more, length=len(data))
            return False
        return await _send(writer, how.status, data, more=more, zipped=how.zipped)

    def _work(self, asked: Asked, path: str) -> Generated:
        """What the model makes of it, and the bill."""
        body = asked.json
        config = body.get("generationConfig", body)
        names = ("max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens")
        limits = [config[name] for name in names if config.get(name) is not None]
        choices = body.get("n") or config.get("candidateCount") or 1
        model = body.get("model") or path.partition("models/")[2].partition(":")[0]
        written = min([self.behaviour.writes, *limits])
        made = Generated(model, max(1, len(asked.body) // 4), written, choices, self.behaviour.usage)
        self.calls += 1
        if path.endswith("generations"):
            self.pictures += choices
        elif not path.endswith("embeddings"):
            self.billed += made.all_written
        options = body.get("stream_options") or {}
        return Generated(
            made.model, made.read, written, choices, made.usage, options.get("include_usage") is True
        )

    async def _stream(self, writer: asyncio.StreamWriter, path: str, made: Generated, echo: str) -> bool:
        how = self.behaviour
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
            b"transfer-encoding: chunked\r\nx-request-id: req_1\r\n%b\r\n" % echo.encode()
        )
        events = list(_events(path, made))
        for place, event in enumerate(events):
            if how.dies == "middle" and place == len(events) // 2:
                return False
            writer.write(b"%x\r\n%b\r\n" % (len(event), event))
            await writer.drain()
            if place == 0 and how.waits is not None:
                await asyncio.to_thread(how.waits.wait, 60)
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


def _whole(path: str, made: Generated) -> dict[str, Any]:
    ends = {
        "chat/completions": apis.chat,
        "responses": apis.responses,
        "embeddings": apis.embeddings,
        "images/generations": apis.images,
        "messages": apis.messages,
        "generateContent": apis.gemini,
    }
    return next(make for end, make in ends.items() if path.endswith(end))(made)


def _events(path: str, made: Generated) -> Iterator[bytes]:
    ends = {
        "chat/completions": apis.chat_stream,
        "responses": apis.responses_stream,
        "messages": apis.messages_stream,
        "streamGenerateContent": apis.gemini_stream,
    }
    return next(make for end, make in ends.items() if path.endswith(end))(made)


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.rstrip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    method, path, _ = first.split(" ")
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, path, headers, body)


async def _send(
    writer: asyncio.StreamWriter,
    status: int,
    data: bytes,
    *,
    more: str = "",
    length: int | None = None,
    zipped: bool = False,
) -> bool:
    sent = gzip.compress(data) if zipped else data
    encoding = "content-encoding: gzip\r\n" if zipped else ""
    head = (
        f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nset-cookie: a=b\r\n{more}{encoding}"
        f"content-length: {len(sent) if length is None else length}\r\n\r\n"
    )
    writer.write(head.encode() + sent)
    await writer.drain()
    return True


@contextmanager
def upstream() -> Iterator[Upstream]:
    """An upstream that runs until the end."""
    started = threading.Event()
    found: list[tuple[Upstream, asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def main() -> None:
        running, stop = Upstream(0), asyncio.Event()
        server = await asyncio.start_server(running.serve, "127.0.0.1", 0, limit=2**26)
        running.port = server.sockets[0].getsockname()[1]
        found.append((running, asyncio.get_running_loop(), stop))
        started.set()
        await stop.wait()
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(main()), name="upstream")
    thread.start()
    assert started.wait(30)
    running, loop, stop = found[0]
    try:
        yield running
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
