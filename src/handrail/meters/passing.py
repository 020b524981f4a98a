"""An answer on its way from the upstream to the client: its bytes pass as they come, and are read beside."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import msgspec

from handrail.meters.sse import Events, data_of
from handrail.meters.usage import NOTHING, Api, Tally, Told, told_raw

if TYPE_CHECKING:
    from handrail.meters.bounds import Request

KEPT = 1024 * 1024
"""Bytes of an answer that are kept for people to look at."""
READ = 64 * 1024 * 1024
"""Bytes of an answer that are read for its usage at most; a longer one counts as telling nothing."""
EVENTS = b"text/event-stream"
GOOD = 2
"""The hundreds of a status that tells of success."""
Decode = Callable[[bytes], bytes]


class Passing:
    """What of each piece goes to the client, and what the whole tells of what was used."""

    def __init__(self, request: Request, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """An answer with this head begins, to this request."""
        api = request.api
        said = {name.lower(): value.lower() for name, value in headers}
        self.good = status // 100 == GOOD
        self._api = api
        self._decode = _decoder(said.get(b"content-encoding", b""))
        streams = self.good and said.get(b"content-type", b"").startswith(EVENTS)
        self._tally = Tally(api, request.draft.choices) if streams else None
        self._events = Events()
        self._whole = bytearray()
        self._size = 0
        plain = said.get(b"content-encoding", b"identity") == b"identity"
        self.strips = self._tally is not None and api is Api.CHAT and not request.told and plain
        """Whether the usage that was asked for on the client's behalf is taken out."""
        self.streams = self._tally is not None
        self.kept = bytearray()
        self.cut = False

    def feed(self, piece: bytes) -> bytes:
        """Take a piece; what of it goes on now."""
        read = self._read(piece)
        if self._tally is None:
            self._whole += read
            return piece
        gone = b"".join(event for event in self._events.feed(read) if self._goes_on(event))
        return gone if self.strips else piece

    def rest(self) -> bytes:
        """What is left when the answer has ended: an event that nobody ended."""
        left = self._events.rest()
        if self._tally is not None and left:
            self._tally.feed(data_of(left))
        return left if self.strips else b""

    @property
    def final(self) -> bool:
        """Whether a stream has said that it is over."""
        return self._tally is not None and self._tally.final

    @property
    def told(self) -> Told:
        """What it tells of what was used."""
        if self._size > READ:
            return NOTHING
        return self._tally.told if self._tally is not None else told_raw(self._api, bytes(self._whole))

    def _goes_on(self, event: bytes) -> bool:
        data = data_of(event)
        if self._tally is not None:
            self._tally.feed(data)
        return not (self.strips and _only_usage(data))

    def _read(self, piece: bytes) -> bytes:
        """A piece as it reads, and as it is kept."""
        if self._decode is None or self._size > READ:
            self.cut = True
            return b"" if not self.strips else piece
        try:
            found = self._decode(piece)
        except zlib.error:
            self._decode = None
            return b""
        self._size += len(found)
        room = KEPT - len(self.kept)
        self.kept += found[:room]
        self.cut = self.cut or len(found) > room
        return found


def _only_usage(data: bytes) -> bool:
    """Whether an event is the one that tells the usage of a chat, and nothing else."""
    if b'"usage"' not in data or b'"choices"' not in data:
        return False
    try:
        event = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return isinstance(event, dict) and event.get("choices") == [] and isinstance(event.get("usage"), dict)


def _decoder(encoding: bytes) -> Decode | None:
    """What makes an encoded answer readable; None where nothing here does. We ask upstreams for none."""
    if encoding in {b"", b"identity"}:
        return lambda piece: piece
    if encoding not in {b"gzip", b"x-gzip", b"deflate"}:
        return None
    unpacked = zlib.decompressobj(47)
    return lambda piece: unpacked.decompress(piece, READ + 1)
