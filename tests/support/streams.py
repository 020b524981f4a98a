"""A stream of the API that is open, as a program without our library reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.support.agent import V1, Sent, events


@contextmanager
def stream(client: httpx.Client, after: str | None = None, **params: str) -> Iterator[Iterator[Sent]]:
    """The events of a stream that is open: its first bytes are here."""
    headers = {} if after is None else {"last-event-id": after}
    with client.stream("GET", f"{V1}/stream", params=params, headers=headers) as answer:
        assert answer.status_code == 200
        lines = answer.iter_lines()
        assert next(lines).startswith("retry:")
        yield events(lines)
