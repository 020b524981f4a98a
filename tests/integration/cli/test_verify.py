"""`log verify` on a real SQLite file that somebody altered with plain SQL: each alteration is named."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from handrail.journal.entry import leaf_of
from handrail.words.entry import Entry, Kind, StoredEntry
from tests.integration.cli.conftest import Run
from tests.integration.cli.shop import Shop

ALTERATIONS = [
    ("update entries set body = replace(body, 'ticket', 'tucket') || ' ' where seq = 5", "changed", 5),
    ("update entries set kind = 'approved' where seq = 5", "changed", 5),
    ("update entries set kind = 'no such kind' where seq = 5", "changed", 5),
    ("update entries set at = at + 1 where seq = 5", "changed", 5),
    ("update entries set agent = 'somebody' where seq = 5", "changed", 5),
    ("update entries set body = cast(x'7bff7d' as text) where seq = 5", "changed", 5),
    ("delete from entries where seq = 5", "removed", 5),
    ("delete from entries where seq = (select max(seq) from entries)", "removed", None),
    ("delete from leaves where seq = 5", "inserted", 5),
]


@pytest.fixture
def sealed(shop: Shop) -> Shop:
    """A shop whose whole log is sealed."""
    with shop.desk() as desk:
        desk.refund(1.0)
        desk.refund(500.0)
        desk.refund(5000.0)
    return shop


@contextmanager
def _by_hand(shop: Shop) -> Iterator[sqlite3.Connection]:
    base = sqlite3.connect(shop.database)
    with base:
        yield base
    base.close()


def _report(run: Run, *more: str) -> tuple[int, dict[str, Any]]:
    result = run("log", "verify", "--json", *more)
    return result.exit_code, json.loads(result.stdout)


def test_an_unaltered_log_is_consistent_and_with_its_root_proven(sealed: Shop, run: Run) -> None:
    code, report = _report(run)
    assert (code, report["standing"]) == (0, "consistent, not proven")
    assert report["unsealed"]["count"] == 0
    code, report = _report(run, "--root", report["root"])
    assert (code, report["standing"]) == (0, "proven")


@pytest.mark.parametrize(("statement", "fault", "seq"), ALTERATIONS)
def test_every_alteration_is_found_and_named(
    sealed: Shop, run: Run, statement: str, fault: str, seq: int | None
) -> None:
    with _by_hand(sealed) as base:
        last = base.execute("select max(seq) from entries").fetchone()[0]
        base.execute(statement)
    code, report = _report(run)
    assert (code, report["standing"]) == (5, "tampered")
    assert (fault, seq or last) in {(each["fault"], each["seq"]) for each in report["findings"]}
    shown = run("log", "verify")
    assert shown.exit_code == 5
    assert f"Entry {seq or last}" in shown.stdout


def test_an_entry_that_was_put_in_between_is_named(sealed: Shop, run: Run) -> None:
    with _by_hand(sealed) as base:
        base.execute("delete from entries where seq = 4")
        base.execute("delete from leaves where seq = 4")
        base.execute("insert into entries (seq, kind, at, body) values (4, 'lifted', 1, '{}')")
    code, report = _report(run)
    assert code == 5
    assert ("inserted", 4) in {(each["fault"], each["seq"]) for each in report["findings"]}


def test_an_entry_rewritten_together_with_its_leaf_is_found_by_the_roots(sealed: Shop, run: Run) -> None:
    with _by_hand(sealed) as base:
        base.execute("update entries set body = '{}' where seq = 5")
        row = base.execute(
            "select seq, kind, at, action, agent, tool, session, task, body from entries where seq = 5"
        ).fetchone()
        names = row[3:8]
        forged = StoredEntry(5, Entry(Kind(row[1]), row[2], row[8].encode(), *names))
        base.execute("update leaves set hash = ? where seq = 5", (leaf_of(forged),))
    code, report = _report(run)
    assert code == 5
    (finding,) = report["findings"]
    assert finding["fault"] == "head"
    first, last = finding["leaves"]
    index = 4
    assert first <= index <= last


def test_a_tail_cut_from_entries_leaves_and_heads_needs_a_root_kept_elsewhere(sealed: Shop, run: Run) -> None:
    with sealed.desk() as desk:
        kept_early = _report(run)[1]["root"]
        desk.refund(2.0)
    kept = _report(run)[1]["root"]
    with _by_hand(sealed) as base:
        sizes = [size for (size,) in base.execute("select size from heads order by size desc limit 2")]
        assert len(sizes) == 2
        base.execute("delete from heads where size = ?", (sizes[0],))
        base.execute("delete from leaves where idx >= ?", (sizes[1],))
        base.execute("delete from entries where seq > (select max(seq) from leaves)")
    assert _report(run)[0] == 0
    code, report = _report(run, "--root", kept)
    assert (code, report["standing"]) == (6, "not matching")
    assert _report(run, "--root", kept_early)[0] == 0


def test_what_is_not_sealed_yet_is_said_and_can_not_be_verified(sealed: Shop, run: Run) -> None:
    with _by_hand(sealed) as base:
        base.execute("insert into entries (kind, at, body) values ('lifted', 1, '{}')")
    code, report = _report(run)
    assert (code, report["unsealed"]["count"]) == (0, 1)
    assert "Not sealed yet" in run("log", "verify").stdout


def test_a_root_that_is_none_is_a_usage_error(sealed: Shop, run: Run) -> None:
    for wrong in ("abc", "g" * 64, ""):
        assert run("log", "verify", "--root", wrong).exit_code == 2, wrong
