"""An upstream that does nothing but answer: what a call costs without the gateway. It prints its address."""

from __future__ import annotations

import asyncio
import json

from tests.support.upstream_apis import Generated, chat

ANSWER = json.dumps(chat(Generated("gpt-5-mini", 300, 60))).encode()
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(ANSWER)


class Answering(asyncio.Protocol):
    """One connection: a whole request in, an answer out."""

    def __init__(self) -> None:
        """Nothing came yet."""
        self._got = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        if not isinstance(transport, asyncio.WriteTransport):
            raise AssertionError("a connection can be written to")  # noqa: TRY004 - never so
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer what is whole."""
        self._got += data
        while (end := self._got.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._got[:end]).lower()
            size = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            if len(self._got) < end + 4 + size:
                return
            del self._got[: end + 4 + size]
            self._transport.write(HEAD + ANSWER)


async def main() -> None:
    """Answer until the end."""
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
