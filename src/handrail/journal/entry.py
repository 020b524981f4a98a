"""The bytes that an entry is sealed by: every field, in one way only, so that no two entries share them.

They are a JSON list on one line, ``[1, seq, kind, at, action, agent, tool, session, task]``, written without
spaces, then a line feed, then the body. JSON escapes line feeds, so the first one always ends the list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from handrail.journal.merkle import leaf_hash

if TYPE_CHECKING:
    from handrail.words.entry import StoredEntry

FORMAT = 1
"""The first item of the list. Another way to write an entry takes another number."""
_json = msgspec.json.Encoder().encode


def encode(stored: StoredEntry) -> bytes:
    """The bytes that stand for the entry in the log.

    Raises TypeError or ValueError for values that no entry has (a body that is not bytes, a lone surrogate).
    """
    entry = stored.entry
    named = (entry.action, entry.agent, entry.tool, entry.session, entry.task)
    return _json((FORMAT, stored.seq, entry.kind, entry.at, *named)) + b"\n" + entry.body


def leaf_of(stored: StoredEntry) -> bytes:
    """The entry's leaf hash, 32 bytes. Raises what ``encode`` raises."""
    return leaf_hash(encode(stored))
