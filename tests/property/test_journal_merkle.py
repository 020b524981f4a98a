"""Properties of the Merkle log, against the definition in RFC 6962 written down naively."""

from __future__ import annotations

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from handrail.journal.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)

LEAVES = st.lists(st.binary(max_size=3).map(leaf_hash), min_size=1, max_size=40)


def naive(leaves: list[bytes]) -> bytes:
    """MTH as the RFC defines it, without any state."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return hashlib.sha256(b"\1" + naive(leaves[:middle]) + naive(leaves[middle:])).digest()


def spoilt(proof: tuple[bytes, ...], at: int, bit: int) -> tuple[bytes, ...]:
    """The proof with one bit flipped."""
    number = int.from_bytes(proof[at], "big") ^ (1 << bit)
    return (*proof[:at], number.to_bytes(32, "big"), *proof[at + 1 :])


@given(LEAVES, st.data())
@settings(max_examples=100)
def test_appending_in_any_portions_gives_the_root_of_the_definition(
    leaves: list[bytes], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(leaves)))
    frontier = Frontier().extend(leaves[:cut])
    frontier = Frontier.from_bytes(frontier.to_bytes()).extend(leaves[cut:])
    assert frontier.root() == naive(leaves)
    assert frontier == Frontier().extend(leaves)


@given(LEAVES, st.data())
@settings(max_examples=100)
def test_any_change_of_one_leaf_changes_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(leaves) - 1))
    other = data.draw(st.binary(min_size=32, max_size=32).filter(lambda leaf: leaf != leaves[at]))
    changed = [*leaves[:at], other, *leaves[at + 1 :]]
    assert Frontier().extend(changed).root() != Frontier().extend(leaves).root()


@given(LEAVES, st.data())
@settings(max_examples=150)
def test_an_inclusion_proof_holds_for_its_leaf_and_for_nothing_else(
    leaves: list[bytes], data: st.DataObject
) -> None:
    size = len(leaves)
    index = data.draw(st.integers(0, size - 1))
    root, leaf = naive(leaves), leaves[index]
    proof = inclusion_proof(index, size, leaves.__getitem__)
    assert verify_inclusion(leaf, index, size, proof, root)
    assert not verify_inclusion(leaf_hash(b"other"), index, size, proof, root)
    assert not verify_inclusion(leaf, index, size, (*proof, leaf), root)
    assert not verify_inclusion(leaf, index, size, proof, bytes(32))
    elsewhere = data.draw(st.integers(0, size - 1))
    assert verify_inclusion(leaf, elsewhere, size, proof, root) <= (leaves[elsewhere] == leaf)
    if proof:
        at, bit = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 255))
        assert not verify_inclusion(leaf, index, size, spoilt(proof, at, bit), root)
        assert not verify_inclusion(leaf, index, size, proof[:-1], root)


@given(LEAVES, st.data())
@settings(max_examples=150)
def test_a_consistency_proof_holds_for_its_two_roots_and_for_no_others(
    leaves: list[bytes], data: st.DataObject
) -> None:
    new = len(leaves)
    old = data.draw(st.integers(1, new))
    roots = naive(leaves[:old]), naive(leaves)
    proof = consistency_proof(old, new, leaves.__getitem__)
    assert verify_consistency(old, new, *roots, proof)
    assert not verify_consistency(old, new, bytes(32), roots[1], proof)
    assert not verify_consistency(old, new, roots[0], bytes(32), proof)
    assert not verify_consistency(old, new, *roots, (*proof, roots[0]))
    if proof:
        at, bit = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 255))
        assert not verify_consistency(old, new, *roots, spoilt(proof, at, bit))
        assert not verify_consistency(old, new, *roots, proof[:-1])


@given(LEAVES, st.data())
@settings(max_examples=100)
def test_no_honest_proof_passes_for_a_history_that_was_rewritten(
    leaves: list[bytes], data: st.DataObject
) -> None:
    """The new log's own leaves prove consistency with its own beginning, never with another one."""
    old = data.draw(st.integers(1, len(leaves)))
    at = data.draw(st.integers(0, old - 1))
    before = [*leaves[:at], leaf_hash(b"what it said before"), *leaves[at + 1 : old]]
    proof = consistency_proof(old, len(leaves), leaves.__getitem__)
    assert not verify_consistency(old, len(leaves), naive(before), naive(leaves), proof)


@given(st.binary(max_size=200))
@settings(max_examples=100)
def test_bytes_are_a_frontier_that_writes_the_same_bytes_or_are_refused(data: bytes) -> None:
    try:
        frontier = Frontier.from_bytes(data)
    except ValueError:
        return
    assert frontier.to_bytes() == data
