"""Verification finds what was done to a sealed log, names it in plain words, and says what it can't know."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from handrail.journal import verify as room
from handrail.journal.entry import leaf_of
from handrail.journal.merkle import EMPTY_ROOT, Frontier
from handrail.journal.report import Fault, Proof, Standing, Unsealed
from handrail.journal.verify import EntryRow, verify
from handrail.words.seal import Head, Leaf
from tests.unit.journal.logbook import LeafRow, Logbook, book, entry, seal

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_a_log_that_nobody_touched_is_consistent_and_not_proven() -> None:
    report = book(sealed=10, unsealed=2).verify()
    assert report.standing is Standing.CONSISTENT
    assert report.ok
    assert (report.size, report.through, report.entries) == (10, 10, 12)
    assert report.unsealed == Unsealed(2, 11, 12)
    first, second = report.sentences()
    assert first == (
        f"Consistent, not proven: a log of 10 sealed entries, root {report.root.hex()}. Only a root that was "
        "kept elsewhere can show that the log was not rewritten as a whole or cut short."
    )
    assert second == "Not sealed yet, so not verified: 2 entries, from 11 to 12."


def test_an_empty_log_is_consistent_and_its_own_root_proves_it() -> None:
    assert book(0, 0).verify().standing is Standing.CONSISTENT
    assert book(0, 0).verify(EMPTY_ROOT).standing is Standing.PROVEN


def test_a_log_that_the_sealer_has_not_reached_has_only_unsealed_entries() -> None:
    report = book(0, 5).verify()
    assert report.standing is Standing.CONSISTENT
    assert report.unsealed == Unsealed(5, 1, 5)


def test_a_head_of_the_empty_log_is_no_fault_and_a_wrong_one_is() -> None:
    log = book()
    log.heads.insert(0, (0, EMPTY_ROOT))
    assert log.verify().ok
    for wrong in ((0, bytes(32)), (-1, EMPTY_ROOT)):
        log.heads[0] = wrong
        assert log.verify().counts == {Fault.HEAD: 1}


def test_the_newest_root_proves_the_whole_sealed_part() -> None:
    log = book()
    report = log.verify(log.root())
    assert report.standing is Standing.PROVEN
    assert report.proof == Proof(10, 10)
    assert next(report.sentences()).endswith(
        "The given root proves the first 10 leaves, through entry 10; 0 sealed entries came after."
    )


@pytest.mark.parametrize("size", range(1, 11))
def test_a_root_of_any_earlier_size_proves_that_much(size: int) -> None:
    """Whether a head was written at that size (4, 8, 10) or not."""
    log = book()
    root = Frontier().extend(leaf[2] for leaf in log.leaves[:size]).root()
    report = log.verify(root)
    assert report.standing is Standing.PROVEN
    assert report.proof == Proof(size, size)
    assert f"{10 - size} sealed entr" in next(report.sentences())


def test_the_root_of_the_empty_log_proves_nothing_of_a_log_that_grew() -> None:
    report = book().verify(EMPTY_ROOT)
    assert report.standing is Standing.CONSISTENT
    assert "it proves nothing about what came after" in next(report.sentences())


def test_a_root_of_another_log_does_not_match() -> None:
    report = book().verify(bytes(32))
    assert report.standing is Standing.NOT_MATCHING
    assert not report.ok
    assert "no beginning with the given root" in next(report.sentences())


def test_a_changed_entry_is_named_by_number_kind_and_action() -> None:
    log = book()
    log.entries[4] = entry(5, body=b'{"n":6}')
    report = log.verify()
    assert report.standing is Standing.TAMPERED
    (found,) = report.findings
    assert (found.fault, found.seq, found.kind, found.action) == (Fault.CHANGED, 5, "proposed", "act_5")
    assert found.sentence == (
        "Entry 5 (proposed, action act_5) was changed: it is not what leaf 4 was sealed with."
    )
    assert next(report.sentences()).startswith("Tampered: 1 finding in a log of 10 sealed entries, root ")


def test_a_removed_entry_is_named_by_number() -> None:
    log = book()
    del log.entries[4]
    (found,) = log.verify().findings
    assert (found.fault, found.seq, found.leaves) == (Fault.REMOVED, 5, (4, 4))
    assert found.sentence == "Entry 5 was removed: leaf 4 stands for it and finds none."


def test_an_entry_inserted_into_the_sealed_part_is_named() -> None:
    log = seal([entry(1), entry(2), entry(9)], [3])
    log.entries.append(entry(5))
    (found,) = log.verify().findings
    assert (found.fault, found.seq, found.kind, found.action) == (Fault.INSERTED, 5, "proposed", "act_5")
    assert found.sentence.startswith("Entry 5 (proposed, action act_5) was inserted")


def test_an_early_number_that_committed_late_is_not_sealed_yet_and_no_insertion() -> None:
    """On PostgreSQL an open transaction may hold a lower number; the store says that it was never sealed."""
    log = seal([entry(1), entry(2), entry(9)], [3])
    rows = [(entry(1), True), (entry(2), True), (entry(5), False), (entry(9), True)]
    report = verify(rows, log.leaf_stream, log.head_stream())
    assert report.standing is Standing.CONSISTENT
    assert report.unsealed == Unsealed(1, 5, 5)


def test_a_second_entry_with_a_number_that_is_taken_is_named() -> None:
    log = book()
    log.entries.append(entry(3, body=b"{}"))
    (found,) = log.verify().findings
    assert (found.fault, found.seq) == (Fault.DOUBLE, 3)


def test_a_rewritten_entry_and_leaf_are_found_by_the_next_head() -> None:
    log = book()
    log.entries[4] = entry(5, body=b"{}")
    log.leaves[4] = (4, 5, leaf_of(log.entries[4]))
    (found,) = log.verify().findings
    assert (found.fault, found.leaves) == (Fault.HEAD, (4, 7))
    assert found.sentence == (
        "Leaves 4 to 7 are not what was sealed after entry 4: they don't give the root recorded for 8 leaves."
    )


def test_leaves_in_another_order_are_found_by_the_next_head() -> None:
    log = book()
    log.leaves[0], log.leaves[2] = (0, *log.leaves[2][1:]), (2, *log.leaves[0][1:])
    (found,) = log.verify().findings
    assert (found.fault, found.leaves) == (Fault.HEAD, (0, 3))


def test_an_altered_head_alone_is_named_and_the_ones_after_it_hold() -> None:
    log = book()
    log.heads[0] = (4, bytes(32))
    report = log.verify()
    assert report.counts == {Fault.HEAD: 1}
    assert report.findings[0].leaves == (0, 3)


def test_a_missing_leaf_is_named_and_so_is_its_entry() -> None:
    log = book()
    del log.leaves[4]
    report = log.verify()
    assert report.counts == {Fault.LEAF: 1, Fault.INSERTED: 1, Fault.HEAD: 1}
    assert [found.sentence for found in report.findings if found.fault is Fault.LEAF] == [
        "Leaf 4 is missing."
    ]
    assert report.findings[0].seq == 5


def test_a_second_leaf_at_one_index_is_named() -> None:
    log = book()
    log.leaves.insert(5, (4, 99, bytes(32)))
    report = log.verify()
    assert report.counts == {Fault.LEAF: 1}
    assert report.findings[0].leaves == (4, 4)


@pytest.mark.parametrize(
    "spoilt", [(4, None, b"x" * 32), (4, 5, "x" * 32), (4, 5, b"x" * 33), (4, "5", None)]
)
def test_a_leaf_that_holds_no_hash_is_named_and_does_not_stop_the_rest(spoilt: LeafRow) -> None:
    """Somebody with a hand in the database can put anything there."""
    log = book()
    log.leaves[4] = spoilt
    log.entries[8] = entry(9, task="other")
    report = log.verify(bytes(32))
    assert report.counts[Fault.LEAF] == 1
    assert [found.seq for found in report.findings if found.fault is Fault.CHANGED] == [9]


@pytest.mark.parametrize(
    "spoilt",
    [
        {"body": "text"},
        {"body": None},
        {"at": "soon"},
        {"kind": "invented"},
        {"task": "\ud800"},
        {"agent": 10**30},
    ],
    ids=str,
)
def test_an_entry_altered_into_what_none_can_be_is_named(spoilt: dict[str, object]) -> None:
    log = book()
    log.entries[4] = entry(5, **spoilt)
    (found,) = log.verify().findings
    assert (found.fault, found.seq) == (Fault.CHANGED, 5)


def test_what_a_finding_prints_cannot_steer_a_terminal() -> None:
    log = book()
    log.entries[4] = entry(5, action="\x1b[2J\nall is well")
    (found,) = log.verify().findings
    assert found.action == "\x1b[2J\nall is well"
    assert found.sentence.isprintable()


def test_leaves_beyond_the_last_head_are_named() -> None:
    log = book()
    del log.heads[-1]
    (found,) = log.verify().findings
    assert (found.fault, found.leaves) == (Fault.HEAD, (8, 9))
    assert "that root was removed, or leaves were added" in found.sentence


def test_a_tail_cut_off_entries_and_leaves_is_told_by_the_heads() -> None:
    log = book()
    del log.entries[8:], log.leaves[8:]
    report = log.verify()
    (found,) = report.findings
    assert (found.fault, found.leaves) == (Fault.HEAD, (8, 9))
    assert found.sentence == "Leaves 8 to 9 are missing: a root is recorded for 10 leaves."


def cut(log: Logbook) -> None:
    """Cut entries, leaves and heads back to the first eight."""
    del log.entries[8:], log.leaves[8:], log.heads[2:]
    log.sealed_through = 8


def test_a_tail_cut_off_everything_is_found_only_with_a_root_kept_elsewhere() -> None:
    log = book()
    kept, older = log.root(), log.heads[0][1]
    cut(log)
    assert log.verify().standing is Standing.CONSISTENT
    assert log.verify(kept).standing is Standing.NOT_MATCHING
    assert log.verify(older).proof == Proof(4, 4)


def test_a_log_rewritten_as_a_whole_is_found_only_with_a_root_kept_elsewhere() -> None:
    log = book()
    kept, older = log.root(), log.heads[0][1]
    log.entries[4] = entry(5, body=b"{}")
    log.reseal([4, 4, 2])
    assert log.verify().standing is Standing.CONSISTENT
    assert log.verify(kept).standing is Standing.NOT_MATCHING
    assert log.verify(older).proof == Proof(4, 4)


def test_a_root_that_matches_does_not_excuse_a_changed_entry() -> None:
    log = book()
    log.entries[4] = entry(5, body=b"{}")
    report = log.verify(log.root())
    assert report.standing is Standing.TAMPERED
    assert report.proof == Proof(10, 10)
    assert "The given root proves the first 10 leaves" in next(report.sentences())


def test_findings_are_counted_in_full_and_listed_up_to_a_limit() -> None:
    log = book(sealed=40, unsealed=0)
    log.entries = [replace(stored, entry=replace(stored.entry, at=0)) for stored in log.entries]
    rows = [(stored, True) for stored in log.entries]
    report = verify(rows, log.leaf_stream, log.head_stream(), keep=5)
    assert report.counts == {Fault.CHANGED: 40}
    assert [found.seq for found in report.findings] == [1, 2, 3, 4, 5]
    assert list(report.sentences())[-1] == "35 further findings are counted, not listed."


def test_streams_that_are_not_in_order_are_refused() -> None:
    log = book()
    rows = [(stored, True) for stored in log.entries]
    with pytest.raises(ValueError, match="entry 1 came after entry 2"):
        verify([rows[1], rows[0]], log.leaf_stream, log.head_stream())
    with pytest.raises(ValueError, match="leaf 0 came after leaf 9"):
        verify(rows, lambda: [*log.leaf_stream(), Leaf(*log.leaves[0])], log.head_stream())


def far(log: Logbook) -> Logbook:
    """Seal the last entry first, as a transaction does that began before all others and wrote last."""
    return seal([log.entries[-1], *log.entries[:-1]], [len(log.entries)])


def test_an_entry_sealed_far_out_of_order_finds_its_leaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """More entries lie between than may wait, so the leaf waits instead."""
    monkeypatch.setattr(room, "REACH", 8)
    log = far(book(sealed=50, unsealed=0))
    assert log.verify().standing is Standing.CONSISTENT


def test_many_insertions_are_all_named_though_few_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "REACH", 8)
    sealed = [entry(seq) for seq in [*range(1, 30), *range(1000, 1030)]]
    log = seal(sealed, [59])
    log.entries += [entry(seq) for seq in range(100, 400)]
    report = log.verify()
    assert report.counts == {Fault.INSERTED: 300}
    assert [found.seq for found in report.findings] == list(range(100, 400))


def test_neither_side_lets_more_wait_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """Insertions fill the one side, the leaves behind them the other: memory stays bounded all the same."""
    monkeypatch.setattr(room, "REACH", 8)
    rows = [(entry(seq), True) for seq in range(1, 200)]
    join = room._Join(rows, room._Notes(keep=0))
    for index, (stored, _) in enumerate(rows[100:]):
        join.match(Leaf(index, stored.seq, leaf_of(stored)))
        assert len(join._waiting) <= 8
        assert len(join._parked) <= 8
    join.finish()
    assert join._notes.counts == {Fault.INSERTED: 100}


def test_many_removals_are_all_named_though_few_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "REACH", 8)
    log = book(sealed=400, unsealed=3)
    log.entries = [stored for stored in log.entries if not 100 <= stored.seq < 300]
    report = log.verify()
    assert report.counts == {Fault.REMOVED: 200}
    assert report.unsealed == Unsealed(3, 401, 403)


@pytest.mark.parametrize("wrong", [10**18, -5])
def test_a_leaf_with_a_wild_number_blames_only_its_own_entry(
    wrong: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "REACH", 8)
    log = book(sealed=100, unsealed=0)
    log.leaves[3] = (3, wrong, log.leaves[3][2])
    report = log.verify()
    assert {(found.fault, found.seq) for found in report.findings} == {
        (Fault.INSERTED, 4),
        (Fault.REMOVED, wrong),
    }


def test_a_long_log_is_verified_in_little_memory() -> None:
    """Nothing grows with the log: 8,000 entries of 4 kB pass through in a few hundred kB."""
    count = 8_000
    body = b"x" * 4_000

    def entries() -> Iterator[EntryRow]:
        return ((entry(seq, body=body), True) for seq in range(1, count + 1))

    def leaves() -> Iterator[Leaf]:
        return (Leaf(stored.seq - 1, stored.seq, leaf_of(stored)) for stored, _ in entries())

    def heads() -> Iterator[Head]:
        yield Head(count, Frontier().extend(leaf.hash for leaf in leaves()).root(), b"", 0, 0, 0)

    tracemalloc.start()
    try:
        report = verify(entries(), leaves, heads())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert report.standing is Standing.CONSISTENT
    assert peak < 1_000_000
