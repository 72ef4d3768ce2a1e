"""The Merkle tree is that of RFC 6962, and nothing but the right proof verifies."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.tlog import (
    EMPTY_ROOT,
    ConsistencyError,
    InclusionError,
    TlogError,
    consistency_path,
    inclusion_path,
    leaf_hash,
    node_hash,
    root_from_inclusion,
    root_of,
    verify_consistency,
    verify_inclusion,
)

pytestmark = pytest.mark.feature("L4")

VECTORS_COUNT = 196
LEAVES = [leaf_hash(b"leaf %d" % index) for index in range(80)]


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH, word for word as in section 2.1."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(naive_root(leaves[:split]), naive_root(leaves[split:]))


def naive_path(leaves: list[bytes], index: int) -> tuple[bytes, ...]:
    """PATH, word for word as in section 2.1.1."""
    if len(leaves) == 1:
        return ()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return (*naive_path(leaves[:split], index), naive_root(leaves[split:]))
    return (*naive_path(leaves[split:], index - split), naive_root(leaves[:split]))


def test_empty_root_is_the_hash_of_nothing() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_leaves_and_nodes_hash_into_different_domains() -> None:
    assert leaf_hash(b"").hex() == (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )
    assert node_hash(LEAVES[0], LEAVES[1]) != leaf_hash(LEAVES[0] + LEAVES[1])


@pytest.mark.parametrize("size", range(66))
def test_root_and_paths_equal_the_definition(size: int) -> None:
    leaves = LEAVES[:size]
    assert root_of(leaves) == naive_root(leaves)
    for index in range(size):
        assert inclusion_path(leaves, index) == naive_path(leaves, index)


def test_every_path_of_every_small_tree_verifies_in_its_own_place_only() -> None:
    for size in range(1, 34):
        root = root_of(LEAVES[:size])
        for index in range(size):
            path = inclusion_path(LEAVES[:size], index)
            verify_inclusion(LEAVES[index], index, size, path, root)
            for other in range(size):
                if other != index:
                    with pytest.raises(InclusionError):
                        verify_inclusion(LEAVES[index], other, size, path, root)


def test_every_pair_of_small_sizes_is_consistent() -> None:
    for size2 in range(1, 66):
        for size1 in range(1, size2 + 1):
            path = consistency_path(LEAVES[:size2], size1)
            root1, root2 = root_of(LEAVES[:size1]), root_of(LEAVES[:size2])
            verify_consistency(size1, size2, path, root1, root2)
            with pytest.raises(ConsistencyError):
                verify_consistency(size1, size2, path, root_of(LEAVES[1 : size1 + 1]), root2)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_paths_outside_the_tree_are_refused(index: int, size: int) -> None:
    with pytest.raises(IndexError):
        inclusion_path(LEAVES[:size], index)
    with pytest.raises(InclusionError):
        verify_inclusion(LEAVES[0], index, size, (), LEAVES[0])


@pytest.mark.parametrize("size1", [0, 4, -1])
def test_consistency_outside_the_tree_is_refused(size1: int) -> None:
    with pytest.raises(IndexError):
        consistency_path(LEAVES[:3], size1)
    with pytest.raises(ConsistencyError):
        verify_consistency(size1, 3, (), LEAVES[0], LEAVES[0])


@given(st.data())
def test_a_changed_inclusion_proof_never_verifies(data: Any) -> None:
    size = data.draw(st.integers(1, 70))
    index = data.draw(st.integers(0, size - 1))
    path = list(inclusion_path(LEAVES[:size], index))
    root = root_of(LEAVES[:size])
    leaf = LEAVES[index]
    changes = ["leaf", "root", "longer", "index"] + (["hash", "shorter", "swap"] if path else [])
    change = data.draw(st.sampled_from(changes))
    if change == "hash":
        place = data.draw(st.integers(0, len(path) - 1))
        path[place] = flipped(path[place], data.draw(st.integers(0, 255)))
    elif change == "shorter":
        path.pop(data.draw(st.integers(0, len(path) - 1)))
    elif change == "longer":
        path.insert(data.draw(st.integers(0, len(path))), data.draw(st.sampled_from(LEAVES)))
    elif change == "swap":
        path = path[::-1] if len(path) > 1 else [*path, *path]
    elif change == "index":
        index = data.draw(st.integers(-2, size + 2).filter(lambda other: other != index))
    elif change == "leaf":
        leaf = flipped(leaf, data.draw(st.integers(0, 255)))
    else:
        root = flipped(root, data.draw(st.integers(0, 255)))
    with pytest.raises(InclusionError):
        verify_inclusion(leaf, index, size, path, root)


@given(st.data())
def test_a_changed_consistency_proof_never_verifies(data: Any) -> None:
    size2 = data.draw(st.integers(2, 70))
    size1 = data.draw(st.integers(1, size2 - 1))
    path = list(consistency_path(LEAVES[:size2], size1))
    root1, root2 = root_of(LEAVES[:size1]), root_of(LEAVES[:size2])
    change = data.draw(st.sampled_from(["hash", "shorter", "longer", "root1", "root2", "swap"]))
    if change == "hash":
        place = data.draw(st.integers(0, len(path) - 1))
        path[place] = flipped(path[place], data.draw(st.integers(0, 255)))
    elif change == "shorter":
        path.pop(data.draw(st.integers(0, len(path) - 1)))
    elif change == "longer":
        path.insert(data.draw(st.integers(0, len(path))), data.draw(st.sampled_from(LEAVES)))
    elif change == "swap":
        root1, root2 = root2, root1
    elif change == "root1":
        root1 = flipped(root1, data.draw(st.integers(0, 255)))
    else:
        root2 = flipped(root2, data.draw(st.integers(0, 255)))
    with pytest.raises(ConsistencyError):
        verify_consistency(size1, size2, path, root1, root2)


def flipped(value: bytes, bit: int) -> bytes:
    return (int.from_bytes(value, "big") ^ (1 << bit)).to_bytes(len(value), "big")


@given(
    st.integers(-1, 2**64), st.integers(-1, 2**64), st.lists(st.binary(max_size=33), max_size=70)
)
def test_no_input_does_more_than_raise(index: int, size: int, path: list[bytes]) -> None:
    with pytest.raises(InclusionError):
        verify_inclusion(LEAVES[0], index, size, path, LEAVES[1])
    with pytest.raises(ConsistencyError):
        verify_consistency(index, size, path, LEAVES[0], LEAVES[1])


def test_a_leaf_of_a_huge_tree_may_be_computed() -> None:
    path = [LEAVES[level] for level in range(63)]
    root = root_from_inclusion(LEAVES[70], 2**62 + 5, 2**63 - 1, path)
    verify_inclusion(LEAVES[70], 2**62 + 5, 2**63 - 1, path, root)


def test_all_public_vectors_behave_as_they_state(shared_data: Path) -> None:
    """RFC 6962 proof vectors of transparency-dev/merkle, most of which must be refused."""
    paths = sorted((shared_data / "merkle").rglob("*.json"))
    assert len(paths) == VECTORS_COUNT
    wrong = []
    for path in paths:
        vector = json.loads(path.read_bytes())
        refused = _refused(vector)
        if refused != vector["wantErr"]:
            wrong.append(f"{path.relative_to(shared_data)}: refused={refused}")
    assert not wrong


def _refused(vector: dict[str, Any]) -> bool:
    def octets(name: str) -> bytes:
        return base64.b64decode(vector[name] or "")

    path = [base64.b64decode(value) for value in vector["proof"] or []]
    try:
        if "leafIdx" in vector:
            place = vector["leafIdx"], vector["treeSize"]
            verify_inclusion(octets("leafHash"), *place, path, octets("root"))
        else:
            sizes = vector["size1"], vector["size2"]
            verify_consistency(*sizes, path, octets("root1"), octets("root2"))
    except TlogError:
        return True
    return False
