"""The bytes an entry is sealed by: fixed for ever, and different for different entries."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from handrail.journal.entry import encode, leaf_of
from handrail.words.entry import Entry, Kind, StoredEntry
from tests.unit.journal.logbook import entry

TASK = 'ticket "ł"\n'
DONE = Entry(Kind.DONE, 1_700_000_000_123, b'{"ok":true}', "act_1", "support", "refund", "ses_1", TASK)
FULL = StoredEntry(7, DONE)


def test_the_bytes_of_an_entry_never_change() -> None:
    """Whatever changes here makes every log that exists look tampered with."""
    line = '[1,7,"done",1700000000123,"act_1","support","refund","ses_1","ticket \\"ł\\"\\n"]'
    assert encode(FULL) == line.encode() + b'\n{"ok":true}'
    assert leaf_of(FULL).hex() == "9aa298a2a578f1a87e9d4ca5d7d3ea82fa37778099ab41110580f563ef00cb50"


def test_an_entry_without_action_or_task_says_null() -> None:
    bare = StoredEntry(1, Entry(Kind.HALTED, 5, b"{}"))
    assert encode(bare) == b'[1,1,"halted",5,null,null,null,null,null]\n{}'


def test_the_first_line_is_json_whatever_the_fields_hold() -> None:
    """A reader in any language splits at the first line feed: no field can smuggle one in."""
    wild = entry(1, task='a\nb\r\u2028"],\\', agent="\x00\x1f")
    head, _, body = encode(wild).partition(b"\n")
    assert json.loads(head)[-1] == 'a\nb\r\u2028"],\\'
    assert body == wild.entry.body


@pytest.mark.parametrize(
    "change",
    [
        {"kind": Kind.DECIDED},
        {"at": 1},
        {"body": b'{"n":2}'},
        {"action": "act_2"},
        {"action": None},
        {"agent": "other"},
        {"tool": "other"},
        {"session": "other"},
        {"task": "other"},
        {"task": None},
        {"task": "null"},
    ],
    ids=str,
)
def test_every_field_counts(change: dict[str, object]) -> None:
    assert leaf_of(entry(1, **change)) != leaf_of(entry(1))


def test_the_number_counts_and_the_place_in_the_log_does_not() -> None:
    """The leaf index is the leaf's own affair; an entry is written before it has one."""
    assert leaf_of(replace(FULL, seq=8)) != leaf_of(FULL)
    assert leaf_of(replace(FULL, leaf=3)) == leaf_of(FULL)


def test_values_cannot_move_from_one_field_to_the_next() -> None:
    assert encode(entry(1, agent="ab", tool="c")) != encode(entry(1, agent="a", tool="bc"))
    assert encode(entry(1, agent="a", tool=None)) != encode(entry(1, agent=None, tool="a"))


def test_a_kind_read_back_as_plain_text_gives_the_same_bytes() -> None:
    """The store need not know a kind to verify it."""
    assert encode(entry(1, kind="proposed")) == encode(entry(1))


@pytest.mark.parametrize(
    ("change", "error"), [({"body": "text"}, TypeError), ({"task": "\ud800"}, ValueError)]
)
def test_what_no_entry_holds_is_refused(change: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        encode(entry(1, **change))
