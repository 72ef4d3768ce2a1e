"""The Merkle tree of RFC 6962, section 2.1, with SHA-256. Pure functions over hashes.

A *path* is a sequence of 32-byte hashes, from the leaf's side to the root's.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from ledger.tlog.errors import ConsistencyError, InclusionError

HASH_SIZE_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
"""Root of the tree without leaves."""


def leaf_hash(data: bytes) -> bytes:
    """Hash of a leaf: SHA-256(0x00 ‖ data)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


def split_point(size: int) -> int:
    """The largest power of two less than `size`. Requires size >= 2."""
    return 1 << (size - 1).bit_length() - 1


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """MTH of a list of leaf hashes, in one pass level by level."""
    if not leaf_hashes:
        return EMPTY_ROOT
    level = list(leaf_hashes)
    while len(level) > 1:
        above = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            above.append(level[-1])
        level = above
    return level[0]


def inclusion_path(leaf_hashes: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """PATH(index, D[n]) of section 2.1.1. Raises `IndexError` unless 0 <= index < n."""
    if not 0 <= index < len(leaf_hashes):
        raise IndexError(f"leaf {index} of a tree of {len(leaf_hashes)}")
    path: list[bytes] = []
    level = list(leaf_hashes)
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        above = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            above.append(level[-1])
        level = above
        index >>= 1
    return tuple(path)


def consistency_path(leaf_hashes: Sequence[bytes], size1: int) -> tuple[bytes, ...]:
    """PROOF(size1, D[n]) of section 2.1.2. Raises `IndexError` unless 1 <= size1 <= n."""
    if not 1 <= size1 <= len(leaf_hashes):
        raise IndexError(f"size {size1} within a tree of {len(leaf_hashes)}")
    return _subproof(leaf_hashes, size1, whole=True)


def _subproof(leaf_hashes: Sequence[bytes], size1: int, *, whole: bool) -> tuple[bytes, ...]:
    size2 = len(leaf_hashes)
    if size1 == size2:
        return () if whole else (root_of(leaf_hashes),)
    split = split_point(size2)
    left, right = leaf_hashes[:split], leaf_hashes[split:]
    if size1 <= split:
        return (*_subproof(left, size1, whole=whole), root_of(right))
    return (*_subproof(right, size1 - split, whole=False), root_of(left))


def path_length(index: int, size: int) -> int:
    """Number of hashes in the inclusion path. Requires 0 <= index < size."""
    inner = (index ^ (size - 1)).bit_length()
    return inner + (index >> inner).bit_count()


def root_from_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that an inclusion path leads to (RFC 9162, section 2.1.3.2).

    Raises `InclusionError` where index, size and path cannot belong together.
    """
    if not 0 <= index < size:
        raise InclusionError(f"leaf index {index} is not within a tree of size {size}")
    _require_hashes((leaf, *path), InclusionError)
    if len(path) != path_length(index, size):
        raise InclusionError(
            f"the path has {len(path)} hashes, {path_length(index, size)} belong to leaf "
            f"{index} of {size}"
        )
    root, last = leaf, size - 1
    for sibling in path:
        if index & 1 or index == last:
            while not index & 1:
                index, last = index >> 1, last >> 1
            root = node_hash(sibling, root)
        else:
            root = node_hash(root, sibling)
        index, last = index >> 1, last >> 1
    return root


def verify_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> None:
    """Check that the leaf hash `leaf` stands at `index` of the tree of `size` and `root`.

    Raises `InclusionError`.
    """
    _require_hashes((root,), InclusionError)
    if root_from_inclusion(leaf, index, size, path) != root:
        raise InclusionError(f"the path from leaf {index} of {size} leads to another root")


def verify_consistency(
    size1: int, size2: int, path: Sequence[bytes], root1: bytes, root2: bytes
) -> None:
    """Check that the tree of `size2` begins with the tree of `size1` (RFC 9162, 2.1.4.2).

    `size1` must be at least 1: every tree begins with the empty one, so a proof says nothing.
    Raises `ConsistencyError`.
    """
    if not 1 <= size1 <= size2:
        raise ConsistencyError(f"no proof leads from size {size1} to size {size2}")
    if size1 == size2:
        if path or root1 != root2:
            raise ConsistencyError(f"two different roots, or a needless path, for size {size1}")
        return
    _require_hashes((root1, root2, *path), ConsistencyError)
    hashes = [root1, *path] if size1.bit_count() == 1 else list(path)
    if not path:
        raise ConsistencyError("the path is empty")
    found1, found2 = _consistency_roots(size1, size2, hashes)
    if found1 != root1:
        raise ConsistencyError(f"the path does not lead to the root of size {size1}")
    if found2 != root2:
        raise ConsistencyError(f"the path does not lead to the root of size {size2}")


def _consistency_roots(size1: int, size2: int, hashes: list[bytes]) -> tuple[bytes, bytes]:
    node, last = size1 - 1, size2 - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    found1 = found2 = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise ConsistencyError("the path is too long")
        if node & 1 or node == last:
            found1 = node_hash(sibling, found1)
            found2 = node_hash(sibling, found2)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            found2 = node_hash(found2, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise ConsistencyError("the path is too short")
    return found1, found2


def _require_hashes(
    hashes: Sequence[bytes], error: type[InclusionError] | type[ConsistencyError]
) -> None:
    for value in hashes:
        if len(value) != HASH_SIZE_BYTES:
            raise error(f"a hash of {len(value)} bytes instead of {HASH_SIZE_BYTES}")
