"""The Merkle log against the published vectors of Certificate Transparency, and at its edges."""

from __future__ import annotations

import pytest

from handrail.journal.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)

INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
LEAVES = [leaf_hash(data) for data in INPUTS]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


@pytest.mark.parametrize("size", range(9))
def test_a_log_has_the_published_root_at_every_size(size: int) -> None:
    assert Frontier().extend(LEAVES[:size]).root().hex() == ROOTS[size]


def test_the_empty_log_has_the_root_of_the_rfc() -> None:
    assert Frontier().root() == EMPTY_ROOT == bytes.fromhex(ROOTS[0])


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_inclusion_proofs_are_the_published_ones_and_hold(index: int, size: int) -> None:
    proof = inclusion_proof(index, size, LEAVES.__getitem__)
    assert [step.hex() for step in proof] == INCLUSION[index, size]
    assert verify_inclusion(LEAVES[index], index, size, proof, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("old", "new"), CONSISTENCY)
def test_consistency_proofs_are_the_published_ones_and_hold(old: int, new: int) -> None:
    proof = consistency_proof(old, new, LEAVES.__getitem__)
    assert [step.hex() for step in proof] == CONSISTENCY[old, new]
    assert verify_consistency(old, new, bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[new]), proof)


def test_a_node_never_passes_for_a_leaf() -> None:
    """The bytes of two child hashes, given as data, hash to something else than their parent."""
    assert leaf_hash(LEAVES[0] + LEAVES[1]) != Frontier().extend(LEAVES[:2]).root()


def test_a_frontier_comes_back_from_its_bytes_and_goes_on() -> None:
    half = Frontier.from_bytes(Frontier().extend(LEAVES[:5]).to_bytes())
    assert half.extend(LEAVES[5:]).root().hex() == ROOTS[8]


@pytest.mark.parametrize("spoil", [b"", b"\0" * 7], ids=["nothing", "half a size"])
def test_bytes_that_are_no_frontier_are_refused(spoil: bytes) -> None:
    with pytest.raises(ValueError, match="a frontier of 0 leaves has 8 bytes"):
        Frontier.from_bytes(spoil)


def test_a_frontier_with_a_byte_too_few_or_too_many_is_refused() -> None:
    data = Frontier().extend(LEAVES[:3]).to_bytes()
    for wrong in (data[:-1], data + b"\0"):
        with pytest.raises(ValueError, match="a frontier of 3 leaves has 72 bytes"):
            Frontier.from_bytes(wrong)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_leaf_that_is_no_hash_is_refused(length: int) -> None:
    """Otherwise two neighbours could trade bytes and keep their parent."""
    with pytest.raises(ValueError, match=f"leaf 1 has {length} bytes"):
        Frontier().append(LEAVES[0]).append(b"x" * length)


def test_neighbours_that_trade_a_byte_prove_nothing() -> None:
    proof = inclusion_proof(0, 2, LEAVES.__getitem__)
    root = bytes.fromhex(ROOTS[2])
    moved = LEAVES[0] + proof[0][:1]
    assert not verify_inclusion(moved, 0, 2, (proof[0][1:],), root)
    assert verify_inclusion(LEAVES[0], 0, 2, proof, root)


@pytest.mark.parametrize(("index", "size"), [(-1, 8), (8, 8), (0, 0)])
def test_there_is_no_proof_for_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match=f"no leaf {index} in a log of {size} leaves"):
        inclusion_proof(index, size, LEAVES.__getitem__)
    assert not verify_inclusion(LEAVES[0], index, size, (), bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("old", "new"), [(0, 8), (5, 4), (-1, 2)])
def test_there_is_no_proof_that_a_log_shrank_or_grew_from_nothing(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="can't be the beginning"):
        consistency_proof(old, new, LEAVES.__getitem__)
    assert not verify_consistency(old, new, EMPTY_ROOT, bytes.fromhex(ROOTS[new]), ())


def test_an_empty_proof_between_different_sizes_proves_nothing() -> None:
    assert not verify_consistency(3, 8, bytes.fromhex(ROOTS[3]), bytes.fromhex(ROOTS[8]), ())
