"""Whatever single thing is done to a random log, verification finds and names it; a clean log stays clean."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from handrail.journal.entry import leaf_of
from handrail.journal.merkle import Frontier
from handrail.journal.report import Fault, Finding, Proof, Standing
from handrail.words.entry import Kind, StoredEntry
from tests.unit.journal.logbook import Logbook, entry, seal

TEXTS = st.none() | st.text(st.characters(codec="utf-8"), max_size=4)
FIELDS: dict[str, st.SearchStrategy[object]] = {
    "kind": st.sampled_from(Kind),
    "at": st.integers(0, 2**53),
    "body": st.binary(max_size=6),
    "action": TEXTS,
    "agent": TEXTS,
    "tool": TEXTS,
    "session": TEXTS,
    "task": TEXTS,
}


@st.composite
def logs(draw: st.DrawFn) -> Logbook:
    """A clean log: gaps in the numbers, any batches, neighbours sealed in swapped order, a tail unsealed."""
    numbers = sorted(draw(st.sets(st.integers(1, 200), min_size=2, max_size=30)))
    entries = [entry(seq, task=draw(TEXTS)) for seq in numbers]
    sealed = draw(st.integers(2, len(entries)))
    batches: list[int] = []
    while sum(batches) < sealed:
        batches.append(draw(st.integers(1, sealed - sum(batches))))
    order = entries[:sealed]
    for at in draw(st.lists(st.integers(0, sealed - 2), max_size=6)):
        order[at], order[at + 1] = order[at + 1], order[at]
    log = seal(order + entries[sealed:], batches)
    log.entries.sort(key=lambda stored: stored.seq)
    return log


def sealed_places(log: Logbook) -> st.SearchStrategy[int]:
    """The position of any entry that is sealed."""
    return st.integers(0, len(log.leaves) - 1)


def named(findings: tuple[Finding, ...], fault: Fault) -> list[tuple[int | None, str | None, str | None]]:
    """What the findings of one fault name."""
    return [(found.seq, found.kind, found.action) for found in findings if found.fault is fault]


def name(stored: StoredEntry) -> tuple[int, str, str | None]:
    return stored.seq, stored.entry.kind.value, stored.entry.action


@given(logs(), st.data())
@settings(max_examples=100)
def test_a_clean_log_is_clean_and_every_root_it_ever_had_proves_it(log: Logbook, data: st.DataObject) -> None:
    assert log.verify().standing is Standing.CONSISTENT
    size = data.draw(st.integers(1, len(log.leaves)))
    report = log.verify(Frontier().extend(leaf[2] for leaf in log.leaves[:size]).root())
    assert report.standing is Standing.PROVEN
    assert report.proof == Proof(size, max(leaf[1] for leaf in log.leaves[:size]))
    assert report.unsealed.count == len(log.entries) - len(log.leaves)


@given(logs(), st.sampled_from(sorted(FIELDS)), st.data())
@settings(max_examples=150)
def test_a_changed_field_of_a_sealed_entry_is_found_and_named(
    log: Logbook, field: str, data: st.DataObject
) -> None:
    at = data.draw(sealed_places(log))
    old = log.entries[at]
    value = data.draw(FIELDS[field].filter(lambda value: value != getattr(old.entry, field)))
    log.entries[at] = replace(old, entry=replace(old.entry, **{field: value}))  # type: ignore[arg-type]  # drawn
    report = log.verify()
    assert report.counts == {Fault.CHANGED: 1}
    assert named(report.findings, Fault.CHANGED) == [name(log.entries[at])]


@given(logs(), st.data())
@settings(max_examples=60)
def test_a_changed_number_is_found_as_one_removed(log: Logbook, data: st.DataObject) -> None:
    at = data.draw(sealed_places(log))
    old = log.entries[at]
    taken = {stored.seq for stored in log.entries}
    seq = data.draw(st.integers(1, 250).filter(lambda seq: seq not in taken))
    log.entries[at] = replace(old, seq=seq)
    report = log.verify()
    assert [found.seq for found in report.findings if found.fault is Fault.REMOVED] == [old.seq]
    assert (report.counts[Fault.INSERTED] == 1) == (seq <= log.sealed_through)


@given(logs(), st.data())
@settings(max_examples=60)
def test_a_removed_entry_is_found_and_named(log: Logbook, data: st.DataObject) -> None:
    gone = log.entries.pop(data.draw(sealed_places(log)))
    report = log.verify()
    assert report.counts == {Fault.REMOVED: 1}
    assert report.findings[0].seq == gone.seq


@given(logs(), st.data())
@settings(max_examples=60)
def test_an_entry_inserted_into_the_sealed_part_is_found_and_named(log: Logbook, data: st.DataObject) -> None:
    taken = {stored.seq for stored in log.entries}
    free = [seq for seq in range(-3, log.sealed_through) if seq not in taken]
    added = entry(data.draw(st.sampled_from(free)))
    log.entries.append(added)
    report = log.verify()
    assert report.counts == {Fault.INSERTED: 1}
    assert named(report.findings, Fault.INSERTED) == [name(added)]


@given(logs(), st.data())
@settings(max_examples=60)
def test_two_entries_that_swapped_places_are_both_found(log: Logbook, data: st.DataObject) -> None:
    first, second = data.draw(st.lists(sealed_places(log), min_size=2, max_size=2, unique=True))
    one, two = log.entries[first], log.entries[second]
    log.entries[first], log.entries[second] = replace(two, seq=one.seq), replace(one, seq=two.seq)
    report = log.verify()
    assert report.counts == {Fault.CHANGED: 2}
    assert [found.seq for found in report.findings] == sorted((one.seq, two.seq))


@given(logs(), st.data())
@settings(max_examples=60)
def test_a_tail_of_entries_cut_off_is_found_entry_by_entry(log: Logbook, data: st.DataObject) -> None:
    keep = data.draw(sealed_places(log))
    gone = [stored.seq for stored in log.entries[keep : len(log.leaves)]]
    del log.entries[keep:]
    report = log.verify()
    assert report.counts == {Fault.REMOVED: len(gone)}
    assert [found.seq for found in report.findings] == gone


@given(logs(), st.sampled_from(["hash", "remove", "swap", "tail", "rewrite", "head", "last head"]), st.data())
@settings(max_examples=150)
def test_whatever_is_done_to_the_seal_alone_is_found(log: Logbook, how: str, data: st.DataObject) -> None:
    """``rewrite`` changes an entry and its leaf alike: the batch it was sealed in is named."""
    at = data.draw(st.integers(0, len(log.leaves) - 1))
    index, seq, digest = log.leaves[at]
    other = data.draw(st.integers(0, len(log.leaves) - 1).filter(lambda other: other != at))
    if how == "hash":
        log.leaves[at] = (index, seq, bytes(32))
    elif how == "remove":
        del log.leaves[at]
    elif how == "swap":
        log.leaves[at], log.leaves[other] = (index, *log.leaves[other][1:]), (other, seq, digest)
    elif how == "tail":
        del log.leaves[at:]
    elif how == "rewrite":
        place = [stored.seq for stored in log.entries].index(seq)
        log.entries[place] = entry(seq, body=b"rewritten")
        log.leaves[at] = (index, seq, leaf_of(log.entries[place]))
    elif how == "head":
        which = data.draw(st.integers(0, len(log.heads) - 1))
        log.heads[which] = (log.heads[which][0], bytes(32))
    else:
        del log.heads[-1]
    report = log.verify()
    assert report.standing is Standing.TAMPERED
    if how in ("hash", "swap", "rewrite"):
        (broken,) = (found.leaves for found in report.findings if found.fault is Fault.HEAD)
        assert broken is not None
        assert broken[0] <= at
        assert how == "swap" or at <= broken[1]


@given(logs(), st.data())
@settings(max_examples=60)
def test_a_log_rewritten_as_a_whole_is_found_with_the_old_root_only(
    log: Logbook, data: st.DataObject
) -> None:
    kept = log.root()
    at = data.draw(sealed_places(log))
    batches = [len(log.leaves)]
    log.entries[at] = entry(log.entries[at].seq, body=b"rewritten")
    log.reseal(batches)
    assert log.verify().standing is Standing.CONSISTENT
    assert log.verify(kept).standing is Standing.NOT_MATCHING
