"""The floor of a server: a bare ASGI application, served as Handrail is, that sends back what comes."""

from __future__ import annotations

import sys
from typing import Any

import uvicorn


async def app(_: dict[str, Any], receive: Any, send: Any) -> None:
    """Send the body back."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        more = message.get("more_body", False)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def main(port: int) -> None:
    """Serve until told to stop."""
    uvicorn.run(app, port=port, log_level="warning", access_log=False, server_header=False, lifespan="off")


if __name__ == "__main__":
    main(int(sys.argv[1]))
