"""The leanest client of a server: plain requests over a kept connection, so that the server is measured."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

NS = 1_000_000_000


@dataclass(slots=True)
class Connection:
    """One kept connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: bytes

    @classmethod
    async def to(cls, url: str, **headers: str) -> Self:
        """Connect."""
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        lines = {"host": parts.netloc, "content-type": "application/json", **headers}
        return cls(reader, writer, "".join(f"{name}: {text}\r\n" for name, text in lines.items()).encode())

    async def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Send and read the answer: its status and body."""
        length = b"content-length: %d\r\n\r\n" % len(body)
        self.writer.write(b"POST %s HTTP/1.1\r\n%s%s%s" % (path.encode(), self.head, length, body))
        head = await self.reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        return int(head[9:12]), await self.reader.readexactly(size)

    async def stream(self, path: str) -> None:
        """Ask for a stream, and read its head."""
        self.writer.write(b"GET %s HTTP/1.1\r\n%s\r\n" % (path.encode(), self.head))
        head = await self.reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise AssertionError(head.decode())

    def close(self) -> None:
        """Let go."""
        self.writer.close()


@dataclass(slots=True)
class Agent:
    """One client that proposes an action and reports its end, again and again."""

    connection: Connection
    fixed: dict[str, Any]
    count: int = 0
    denied: int = 0
    took: list[float] = field(default_factory=list)
    """Nanoseconds of each proposal."""

    async def turn(self) -> None:
        """One action."""
        self.count += 1
        args = {"order_id": f"o-{id(self)}-{self.count}", "amount": 40.25, "reason": "arrived broken"}
        body = json.dumps({**self.fixed, "args": args}).encode()
        begun = time.perf_counter_ns()
        status, text = await self.connection.post("/api/v1/actions", body)
        self.took.append(float(time.perf_counter_ns() - begun))
        found = json.loads(text)
        if status != 201:
            raise AssertionError(text.decode())
        if found["run"] is None:
            self.denied += 1
            return
        said = {"token": found["run"]["token"], "state": "done", "output": "done", "milliseconds": 0.1}
        status, text = await self.connection.post(
            f"/api/v1/actions/{found['id']}/outcome", json.dumps(said).encode()
        )
        if status != 200:
            raise AssertionError(text.decode())


async def together(turns: list[Callable[[], Awaitable[object]]], seconds: float) -> float:
    """Turns per second of all, each again and again."""
    end = time.perf_counter_ns() + round(seconds * NS)

    async def again(turn: Callable[[], Awaitable[object]]) -> int:
        done = 0
        while time.perf_counter_ns() < end:
            await turn()
            done += 1
        return done

    begun = time.perf_counter_ns()
    counts = await asyncio.gather(*(again(turn) for turn in turns))
    return sum(counts) * NS / (time.perf_counter_ns() - begun)
