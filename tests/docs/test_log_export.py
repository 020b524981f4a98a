"""The exported log's page has every field in the order in which it is printed, and every decision."""

from __future__ import annotations

import re
from pathlib import Path

from handrail.journal.export import FIRST, Said, record
from handrail.words.entry import Entry, Kind, StoredEntry
from handrail.words.verdict import Measure

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "log-export.md").read_text("utf-8")


def _rows(heading: str) -> list[str]:
    """The names in the first column of the table below a heading."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


def test_the_ten_first_fields_are_described_in_their_order() -> None:
    assert tuple(_rows("The first ten fields")) == FIRST


def test_every_detail_is_described_in_its_order() -> None:
    entry = Entry(Kind.PROPOSED, 0, b"{}", "a", "agent", "tool", "session", None)
    printed = list(record([StoredEntry(1, entry)]))
    assert printed[:10] == list(FIRST)
    assert _rows("Details") == printed[10:]


def test_every_decision_is_described() -> None:
    assert _rows("decision") == [said.value for said in Said]


def test_every_measure_s_name_is_described() -> None:
    judged_later = {Measure.CHECK, Measure.JUDGE}
    assert _rows("safety_checks") == [f"{measure}_ok" for measure in Measure if measure not in judged_later]
