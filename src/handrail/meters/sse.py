"""Server-sent events out of bytes that come in any pieces, each with the bytes that it came as."""

from __future__ import annotations

import re
from collections.abc import Iterator

LARGEST = 16 * 1024 * 1024
"""Bytes of one event at most; a longer one is passed on and not read."""
_END = re.compile(rb"\r\n\r\n|\n\n|\r\r|\r\n\n|\n\r\n")
_LINES = re.compile(rb"\r\n|\n|\r")


class Events:
    """Cuts a stream into events. What is left when it ends is in ``rest``."""

    def __init__(self) -> None:
        """Nothing came yet."""
        self._waiting = bytearray()
        self._seen = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The raw bytes of each event that is whole now, with the empty line that ends it."""
        self._waiting += piece
        begin = 0
        while (end := _END.search(self._waiting, max(begin, self._seen))) is not None:
            # a pair of line ends may come in two pieces: "\r\n\r" is not yet the end that "\r\n\r\n" is
            yield bytes(self._waiting[begin : end.end()])
            begin = end.end()
            self._seen = begin
        del self._waiting[:begin]
        self._seen = max(0, len(self._waiting) - 3)
        if len(self._waiting) > LARGEST:
            yield self.rest()

    def rest(self) -> bytes:
        """What has come of an event that is not whole."""
        found = bytes(self._waiting)
        self._waiting.clear()
        self._seen = 0
        return found


def data_of(event: bytes) -> bytes:
    """The data of one event, its lines joined; empty when it has none."""
    found = []
    for line in _LINES.split(event):
        if line.startswith(b"data:"):
            value = line[5:]
            found.append(value[1:] if value.startswith(b" ") else value)
    return b"\n".join(found)
