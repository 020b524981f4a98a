"""The store's contract for the journal: append, read, search, stream, seal."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from handrail.ports import Store, Transaction
from handrail.words.entry import Kind
from handrail.words.errors import BadArguments, Conflict
from handrail.words.query import EntryFilter
from handrail.words.seal import Head, Leaf
from tests.contract.conftest import Opener
from tests.contract.things import AT, action, add, entry, seal_all, write


def append(store: Store, *bodies: bytes) -> list[int]:
    """Entries with these bodies; their numbers."""
    write(store, lambda tx: tx.journal.append([entry(body=body) for body in bodies]))
    found = store.read(lambda tx: tx.journal.newest(EntryFilter(limit=len(bodies))))
    return [stored.seq for stored in reversed(found)]


def test_an_entry_comes_back_as_it_was_written(store: Store) -> None:
    """Every field, byte for byte, and its number."""
    full = entry(
        Kind.PROPOSED,
        '{"input":"zażółć \\u0000"}'.encode(),
        action="a",
        agent="support",
        tool="t",
        session="s",
        task="k",
    )
    bare = entry(Kind.HALTED)
    write(store, lambda tx: tx.journal.append([full, bare]))
    found = store.read(lambda tx: tx.journal.after(0, 9))
    assert [stored.entry for stored in found] == [full, bare]
    assert found[0].seq < found[1].seq


def test_no_entries_are_no_work(store: Store) -> None:
    """An empty list is fine."""
    write(store, lambda tx: tx.journal.append([]))
    assert store.read(lambda tx: tx.journal.newest(EntryFilter())) == []


def test_entries_of_one_action_come_in_order(store: Store) -> None:
    """And nobody else's."""
    mine = [entry(kind, action="a") for kind in (Kind.PROPOSED, Kind.DECIDED, Kind.DONE)]
    write(store, lambda tx: tx.journal.append([mine[0], entry(action="b"), *mine[1:]]))
    assert [stored.entry for stored in store.read(lambda tx: tx.journal.of("a"))] == mine


def test_reading_goes_on_page_by_page(store: Store) -> None:
    """Newest first with `before`, oldest first with `after`."""
    seqs = append(store, b"1", b"2", b"3", b"4")
    first = store.read(lambda tx: tx.journal.newest(EntryFilter(limit=2)))
    assert [stored.seq for stored in first] == [seqs[3], seqs[2]]
    rest = store.read(lambda tx: tx.journal.newest(EntryFilter(before=first[-1].seq)))
    assert [stored.seq for stored in rest] == [seqs[1], seqs[0]]
    assert [stored.seq for stored in store.read(lambda tx: tx.journal.after(seqs[1], 1))] == [seqs[2]]


def test_a_look_back_is_bounded_by_number_and_by_time(store: Store) -> None:
    """The number after which it looks is excluded, and so is the end of the time."""
    entries = [entry(at=at) for at in (10, 20, 30, 40)]
    write(store, lambda tx: tx.journal.append(entries))
    seqs = [stored.seq for stored in store.read(lambda tx: tx.journal.after(0, 10))]

    def found(**wanted: Any) -> list[int]:
        return [each.seq for each in store.read(lambda tx: tx.journal.newest(EntryFilter(**wanted)))]

    assert found(after=seqs[1]) == [seqs[3], seqs[2]]
    assert found(after=seqs[1], before=seqs[3]) == [seqs[2]]
    assert found(since=20, until=40) == [seqs[2], seqs[1]]


@pytest.mark.parametrize("field", ["kind", "action", "agent", "tool", "session", "task"])
def test_each_filter_narrows(store: Store, field: str) -> None:
    """To the one entry that differs in this field."""
    plain: dict[str, Any] = {"action": "a", "agent": "a", "tool": "a", "session": "a", "task": "a"}
    other = entry(**(plain | {field: Kind.DONE if field == "kind" else "other"}))
    write(store, lambda tx: tx.journal.append([entry(**plain), other, entry(**plain)]))
    wanted = EntryFilter(**{field: getattr(other, field)})
    assert [stored.entry for stored in store.read(lambda tx: tx.journal.newest(wanted))] == [other]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ORD-0001", [0]),
        ("ord-0001", [0]),
        ("100%", [1]),
        ("0%_", []),
        ("a_b", [2]),
        ("!", [3]),
        ("żółw", [4]),
        ("ticket-9", [5]),
        ("nothing like it", []),
    ],
)
def test_a_search_finds_text_wherever_an_entry_has_it(store: Store, text: str, found: list[int]) -> None:
    """In the body or the names beside it, in any case, with `%` and `_` meaning themselves."""
    bodies = ['"ORD-0001"', '"100% sure"', '"a_b"', '"oh!"', '"żółw"', '"axb"']
    entries = [entry(body=body.encode()) for body in bodies]
    entries[5] = replace(entries[5], task="Ticket-9")
    write(store, lambda tx: tx.journal.append(entries))
    hits = store.read(lambda tx: tx.journal.newest(EntryFilter(text=text)))
    assert [entries.index(stored.entry) for stored in hits] == found


class TestSettled:
    def test_a_stream_goes_on_from_its_cursor(self, store: Store) -> None:
        """Every entry once, in an order that stays."""
        bodies = [b"%d" % number for number in range(5)]
        for body in bodies:
            append(store, body)
        found, after = [], None
        while page := store.read(lambda tx, after=after: tx.journal.settled(after, 2)):  # type: ignore[misc]
            found += [stored.entry.body for _, stored in page]
            after = page[-1][0]
        assert found == bodies
        append(store, b"5")
        ((_, stored),) = store.read(lambda tx: tx.journal.settled(after, 9))
        assert stored.entry.body == b"5"

    def test_a_stream_can_begin_now(self, store: Store) -> None:
        """After everything that was; in an empty journal, at its beginning."""
        assert store.read(lambda tx: tx.journal.newest_cursor()) is None
        append(store, b"1", b"2")
        newest = store.read(lambda tx: tx.journal.newest_cursor())
        assert newest == store.read(lambda tx: tx.journal.settled(None, 9))[-1][0]
        assert store.read(lambda tx: tx.journal.settled(newest, 9)) == []

    @pytest.mark.parametrize(
        "cursor", ["", "1", "1.", ".1", "-1.1", "1.1.1", "a.b", "1.1 ", "9" * 19 + ".1", "1.1\n", "²"]
    )
    def test_what_is_no_cursor_is_refused(self, store: Store, cursor: str) -> None:
        """The twin is one that a store gave."""
        with pytest.raises(BadArguments, match="is no cursor of the journal"):
            store.read(lambda tx: tx.journal.settled(cursor, 9))
        assert store.read(lambda tx: tx.journal.settled("0.0", 9)) == []

    def test_nothing_ever_comes_before_what_was_settled(self, postgres_opener: Opener) -> None:
        """A transaction that began earlier and commits later holds back what came after it, and no more."""
        one, other = postgres_opener(), postgres_opener()
        append(one, b"before")
        inside, over = threading.Event(), threading.Event()

        def slowly(tx: Transaction) -> None:
            tx.journal.append([entry(body=b"early")])
            inside.set()
            assert over.wait(120)

        def settled() -> list[bytes]:
            return [stored.entry.body for _, stored in other.read(lambda tx: tx.journal.settled(None, 9))]

        with ThreadPoolExecutor() as pool:
            slow = pool.submit(write, one, slowly)
            assert inside.wait(120)
            append(other, b"late")
            newest = other.read(lambda tx: tx.journal.newest_cursor())
            assert settled() == [b"before"]
            over.set()
            slow.result()
        assert settled() == [b"before", b"early", b"late"]
        rest = other.read(lambda tx: tx.journal.settled(newest, 9))
        assert [stored.entry.body for _, stored in rest] == [b"early", b"late"]


def test_an_entry_is_gone_with_the_transaction_that_it_tells_of(store: Store) -> None:
    """Nothing tells of what did not happen."""

    def work(tx: Transaction) -> None:
        tx.journal.append([entry()])
        raise LookupError

    with pytest.raises(LookupError):
        write(store, work)
    assert store.read(lambda tx: tx.journal.newest(EntryFilter())) == []


class TestSeal:
    def test_a_new_store_has_no_seal(self, store: Store) -> None:
        """Nothing sealed, nothing to seal."""
        assert store.read(lambda tx: tx.journal.last_head()) is None
        assert write(store, lambda tx: tx.journal.unsealed(None, 9)) == []

    def test_entries_are_sealed_in_order_and_once(self, store: Store) -> None:
        """What one round sealed, the next does not see."""
        seqs = append(store, b"1", b"2", b"3")
        found = write(store, lambda tx: tx.journal.unsealed(None, 2))
        assert [stored.seq for stored, _ in found] == seqs[:2]
        assert write(store, seal_all) == 3
        assert write(store, seal_all) == 0
        more = append(store, b"4")
        head = store.read(lambda tx: tx.journal.last_head())
        assert [s.seq for s, _ in write(store, lambda tx: tx.journal.unsealed(head, 9))] == more

    def test_a_transactions_entries_may_be_sealed_in_two_rounds(self, store: Store) -> None:
        """A limit may fall in the middle of one."""
        seqs = append(store, b"1", b"2", b"3")

        def seal_one(tx: Transaction) -> int:
            head = tx.journal.last_head()
            ((stored, xid),) = tx.journal.unsealed(head, 1)
            size = head.size if head else 0
            tx.journal.seal(Head(size + 1, b"r", b"f", xid, stored.seq, AT), [Leaf(size, stored.seq, b"h")])
            return stored.seq

        assert [write(store, seal_one) for _ in seqs] == seqs

    def test_a_head_comes_back_as_it_was_written(self, store: Store) -> None:
        """Bytes and the writing transaction's number included."""
        append(store, b"1", b"2")
        write(store, seal_all)
        head = store.read(lambda tx: tx.journal.last_head())
        assert head is not None
        assert (head.size, head.root, head.frontier, head.sealed_at) == (2, b"r" * 32, b"f" * 40, AT)

    @pytest.mark.parametrize("leaves", [[Leaf(0, 99, b"h")], [Leaf(9, 1, b"h")]])
    def test_a_place_in_the_log_is_taken_once(self, store: Store, leaves: list[Leaf]) -> None:
        """A second sealer with the same index, or the same entry, is told that somebody was faster."""
        (seq,) = append(store, b"1")
        write(store, lambda tx: tx.journal.seal(Head(1, b"r", b"f", 0, seq, AT), [Leaf(0, seq, b"h")]))
        second = [replace(leaf, seq=seq) if leaf.seq == 1 else leaf for leaf in leaves]
        with pytest.raises(Conflict):
            write(store, lambda tx: tx.journal.seal(Head(2, b"r", b"f", 0, seq, AT), second))
        head = store.read(lambda tx: tx.journal.last_head())
        assert head is not None
        assert head.size == 1

    def test_a_size_is_sealed_once(self, store: Store) -> None:
        """Two heads of one size would be two truths."""
        write(store, lambda tx: tx.journal.seal(Head(1, b"r", b"f", 0, 1, AT), []))
        with pytest.raises(Conflict):
            write(store, lambda tx: tx.journal.seal(Head(1, b"x", b"f", 0, 1, AT), []))


def test_the_audit_streams_everything_in_order(store: Store) -> None:
    """Entries by number, each with whether it lies in the sealed part; leaves by index; heads by size."""
    seqs = append(store, b"1", b"2")
    write(store, seal_all)
    late = append(store, b"3")
    streams = store.audit()
    entries, leaves = streams.entries(), streams.leaves()
    first, leaf = next(entries), next(leaves)  # both are open at the same time
    assert (first[0].seq, first[1], leaf.index) == (seqs[0], True, 0)
    assert [(stored.seq, sealed) for stored, sealed in entries] == [(seqs[1], True), (late[0], False)]
    assert [each.index for each in leaves] == [1]
    assert [head.size for head in streams.heads()] == [2]
    streams.close()


def test_the_audit_sees_one_moment(store: Store) -> None:
    """What is written while it reads is not in it, and writing does not wait for it."""
    append(store, b"1")
    streams = store.audit()
    assert next(streams.heads(), None) is None  # the first row that is read fixes the moment
    append(store, b"2")
    assert [stored.entry.body for stored, _ in streams.entries()] == [b"1"]
    streams.close()


def test_an_audit_left_in_the_middle_is_closed_whole(store: Store) -> None:
    """Its snapshot ends though a stream was not read to its end, and the store goes on."""
    append(store, b"1", b"2")
    streams = store.audit()
    next(streams.entries())
    streams.close()
    append(store, b"3")


def test_the_audit_gives_entries_action_by_action(store: Store) -> None:
    """Those between two ids that fit the filter, each action's in order."""
    new = [add(store, action()).id for _ in range(3)]
    for kind in (Kind.PROPOSED, Kind.DECIDED):
        told = [entry(kind, action=known, agent="support") for known in reversed(new)]
        write(store, lambda tx, told=told: tx.journal.append([entry(), *told]))  # type: ignore[misc]
    streams = store.audit()
    found = [
        (stored.entry.action, stored.entry.kind)
        for stored in streams.by_action(EntryFilter(agent="support"), new[1], "f")
    ]
    assert found == [(known, kind) for known in new[1:] for kind in (Kind.PROPOSED, Kind.DECIDED)]
    assert list(streams.by_action(EntryFilter(agent="sales"), "", "f")) == []
    streams.close()


def test_another_process_reads_what_was_written(opener: Opener) -> None:
    """Entries, seal and numbers are the same through another store object."""
    one, other = opener(), opener()
    seqs = append(one, b"1", b"2")
    write(other, seal_all)
    assert [stored.seq for stored in other.read(lambda tx: tx.journal.after(0, 9))] == seqs
    assert one.read(lambda tx: tx.journal.last_head()) == other.read(lambda tx: tx.journal.last_head())
