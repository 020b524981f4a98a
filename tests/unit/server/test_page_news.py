"""What a page's stream tells: only which kind of thing changed, each once."""

from __future__ import annotations

import re
from pathlib import Path

import handrail.server
from handrail.server.live import Event
from handrail.server.pages.live import MEASURES, wire
from handrail.words.entry import Kind

SCRIPT = (Path(handrail.server.__file__).parent / "static" / "board.js").read_text("utf-8")


def event(kind: Kind, cursor: str = "1.1") -> Event:
    return Event(cursor, kind.value, "a", "support", "refund", b"{}")


def test_each_kind_of_entry_changes_something() -> None:
    assert {kind for kinds in MEASURES.values() for kind in kinds} == set(Kind)


def test_many_entries_become_one_event_a_measure_with_where_to_go_on() -> None:
    found = wire([event(Kind.PROPOSED), event(Kind.DECIDED), event(Kind.ASKED), event(Kind.ASKED, "1.9")])
    assert found == (
        b"event: actions\nid: 1.9\ndata: changed\n\nevent: questions\nid: 1.9\ndata: changed\n\n"
    )
    assert wire([]) == b""


def test_the_script_listens_for_every_measure() -> None:
    named = re.search(r"MEASURES = \[(.*?)\]", SCRIPT)
    assert named is not None
    assert re.findall(r'"(\w+)"', named[1]) == list(MEASURES)
