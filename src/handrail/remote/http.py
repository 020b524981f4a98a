"""Asking the server: bounded in time, tried again when that is safe, every failure one of our errors."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx

from handrail.remote.problems import error_of
from handrail.words.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECT, READ, WRITE, POOL = 5.0, 30.0, 30.0, 10.0
"""Seconds that one step of one try may take."""
PATIENCE = 10.0
"""Seconds after which no other try begins."""
LONGEST_PAUSE = 5.0
"""Seconds between two tries."""
CONNECTIONS = 200
IDLE = 4.0
"""Seconds after which a connection that nobody uses is closed, before the server closes it."""
AGAIN = frozenset({429, 502, 503, 504})
"""Answers after which the same may be asked again: busy, or not there for a moment."""


class Asker:
    """Sends requests with one key to one server. Threads may share it."""

    def __init__(self, address: str, key: str) -> None:
        """Nothing is sent yet."""
        self.address = address
        self._key = key
        self.start_anew()

    def start_anew(self) -> None:
        """With connections of its own; in a forked child, where the parent's must not be used."""
        self._closed = threading.Event()
        self._client = httpx.Client(
            base_url=f"{self.address}/api/v1/",
            headers={"authorization": f"Bearer {self._key}", "accept": "application/json"},
            timeout=httpx.Timeout(connect=CONNECT, read=READ, write=WRITE, pool=POOL),
            limits=httpx.Limits(
                max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS, keepalive_expiry=IDLE
            ),
            # an environment's proxy has no business with plain requests to this very machine
            trust_env=not self.address.startswith("http://"),
        )

    def get(self, path: str, *, wait: float = 0, patience: float | None = None) -> bytes:
        """The answer's JSON. The server may take ``wait`` seconds longer to answer."""
        query = {"wait": f"{wait:.3f}"} if wait else None
        return self._ask("GET", path, params=query, patience=patience, longer=wait)

    def post(self, path: str, body: bytes, *, patience: float | None = None) -> bytes:
        """The answer's JSON. The request must be one that may arrive twice."""
        return self._ask("POST", path, content=body, patience=patience, headers=_JSON)

    def pause(self, seconds: float) -> None:
        """Do nothing for so long, or until this is closed."""
        self._closed.wait(seconds)

    def close(self) -> None:
        """End what waits for another try, and every connection."""
        self._closed.set()
        self._client.close()

    def __repr__(self) -> str:
        """Where it asks, and never with which key."""
        return f"Asker({self.address})"

    def _ask(
        self, method: str, path: str, *, patience: float | None, longer: float = 0, **parts: Any
    ) -> bytes:
        end = time.monotonic() + (PATIENCE if patience is None else patience)
        tried = 0
        if longer:
            parts["timeout"] = httpx.Timeout(connect=CONNECT, read=READ + longer, write=WRITE, pool=POOL)
        while True:
            why, pause = self._once(method, path, parts)
            if isinstance(why, bytes):
                return why
            tried += 1
            pause = max(pause, random.uniform(0.5, 1) * 0.1 * 2**tried)  # noqa: S311 - no secret, only spread
            pause = min(pause, LONGEST_PAUSE)
            if time.monotonic() + pause > end or self._closed.wait(pause):
                raise StoreError(f"the server {self.address} {why}, tried {tried} times")

    def _once(self, method: str, path: str, parts: Mapping[str, Any]) -> tuple[bytes | str, float]:
        """The answer, or why there is none that counts, and how long to wait before another try."""
        if self._closed.is_set():
            raise StoreError("this rail is closed")
        try:
            answer = self._client.request(method, path, **parts)
        except httpx.TransportError as error:
            return f"did not answer ({type(error).__name__})", 0
        except RuntimeError as error:  # closed by another thread meanwhile
            raise StoreError("this rail is closed") from error
        if answer.is_success:
            return answer.content, 0
        if answer.status_code in AGAIN:
            return f"answered {answer.status_code}", _seconds(answer.headers.get("retry-after"))
        raise error_of(answer.status_code, answer.content)


_JSON = {"content-type": "application/json"}


def _seconds(text: str | None) -> float:
    return float(text) if text is not None and text.isdigit() else 0
