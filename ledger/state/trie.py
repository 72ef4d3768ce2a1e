"""A Merkle-Patricia trie that changes many keys at once.

A batch of changes is applied in one walk from the root: every touched node is read once, encoded
once and hashed once. Nodes are kept by their hash, so that every past root stays readable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from typing import Protocol

from ledger.state.errors import NodeMissing
from ledger.state.keccak import EMPTY_TRIE_ROOT, keccak
from ledger.state.nodes import (
    EMPTY,
    HASH_PREFIX,
    Branch,
    Extension,
    Leaf,
    Node,
    decode_node,
    encode_node,
    from_nibbles,
    to_nibbles,
)

NodeSource = Callable[[bytes], bytes | None]
"""RLP of a node by its hash, None where it is not stored."""

NO_CHILDREN = (EMPTY,) * 16


class NodeCache(Protocol):
    """Decoded nodes by hash: an LRU, or a plain dict."""

    def get(self, key: bytes, /) -> Node | None: ...

    def __setitem__(self, key: bytes, value: Node, /) -> None: ...


class Trie:
    """One trie under change. Not thread-safe.

    `source` reads stored nodes; new ones go to `new_nodes` (hash to RLP).
    """

    def __init__(
        self,
        source: NodeSource,
        root: bytes = EMPTY_TRIE_ROOT,
        new_nodes: MutableMapping[bytes, bytes] | None = None,
        cache: NodeCache | None = None,
    ) -> None:
        self.root = root
        self.new_nodes: MutableMapping[bytes, bytes] = {} if new_nodes is None else new_nodes
        self._source = source
        self._cache: NodeCache = {} if cache is None else cache

    def get(self, key: bytes) -> bytes | None:
        """Value of a key, None where unset. Raises `NodeMissing`."""
        path = to_nibbles(key)
        node = self._root_node()
        depth = 0
        while node is not None:
            if isinstance(node, Branch):
                node = self._node(node.children[path[depth]])
                depth += 1
            elif isinstance(node, Leaf):
                return node.value if node.path == path[depth:] else None
            elif path.startswith(node.path, depth):
                depth += len(node.path)
                node = self._node(node.child)
            else:
                return None
        return None

    def proof(self, key: bytes) -> list[bytes]:
        """RLP of the nodes from the root towards `key`, as `eth_getProof` lists them (EIP-1186).

        Nodes that stand inside their parent's RLP are not listed apart. An empty trie has no nodes.
        """
        path = to_nibbles(key)
        nodes: list[bytes] = []
        node = self._root_node()
        if node is not None:
            nodes.append(encode_node(node))
        depth = 0
        while node is not None:
            if isinstance(node, Branch):
                reference = node.children[path[depth]]
                depth += 1
            elif isinstance(node, Extension) and path.startswith(node.path, depth):
                reference = node.child
                depth += len(node.path)
            else:
                break
            node = self._node(reference)
            if node is not None and len(reference) == 33:
                nodes.append(encode_node(node))
        return nodes

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """All keys and values, in the order of keys. Requires keys of whole bytes."""
        stack: list[tuple[bytes, Node]] = []
        root = self._root_node()
        if root is not None:
            stack.append((b"", root))
        while stack:
            prefix, node = stack.pop()
            if isinstance(node, Leaf):
                yield from_nibbles(prefix + node.path), node.value
                continue
            if isinstance(node, Extension):
                child = self._node(node.child)
                if child is not None:
                    stack.append((prefix + node.path, child))
                continue
            for nibble in range(15, -1, -1):
                child = self._node(node.children[nibble])
                if child is not None:
                    stack.append((prefix + bytes((nibble,)), child))

    def update(self, changes: Mapping[bytes, bytes | None]) -> bytes:
        """Set keys (None or empty deletes) and return the new root.

        Requires that no key, old or new, is a prefix of another. Raises `NodeMissing`.
        """
        if not changes:
            return self.root
        batch = sorted((to_nibbles(key), value or None) for key, value in changes.items())
        node = self._apply(self._root_node(), batch, 0)
        if node is None:
            self.root = EMPTY_TRIE_ROOT
            return self.root
        data = encode_node(node)
        self.root = keccak(data)
        self._keep(self.root, data, node)
        return self.root

    # -- walking ----------------------------------------------------------------------------

    def _root_node(self) -> Node | None:
        if self.root == EMPTY_TRIE_ROOT:
            return None
        return self._load(self.root)

    def _node(self, reference: bytes) -> Node | None:
        if len(reference) == 33:
            return self._load(reference[1:])
        if reference == EMPTY:
            return None
        return decode_node(reference)

    def _load(self, node_hash: bytes) -> Node:
        node = self._cache.get(node_hash)
        if node is None:
            data = self.new_nodes.get(node_hash)
            if data is None:
                data = self._source(node_hash)
            if data is None:
                raise NodeMissing(node_hash)
            node = decode_node(data)
            self._cache[node_hash] = node
        return node

    def _keep(self, node_hash: bytes, data: bytes, node: Node) -> None:
        self.new_nodes[node_hash] = data
        self._cache[node_hash] = node

    def _reference(self, node: Node) -> bytes:
        data = encode_node(node)
        if len(data) < 32:
            return data
        node_hash = keccak(data)
        self._keep(node_hash, data, node)
        return HASH_PREFIX + node_hash

    # -- changing ---------------------------------------------------------------------------

    def _apply(
        self, node: Node | None, batch: Sequence[tuple[bytes, bytes | None]], depth: int
    ) -> Node | None:
        """The subtree `node`, which stands `depth` nibbles deep, after `batch` (sorted by key)."""
        if node is None:
            return self._build([(key, value) for key, value in batch if value is not None], depth)
        if isinstance(node, Branch):
            return self._apply_to_branch(node.children, batch, depth)
        if isinstance(node, Leaf):
            return self._apply_to_leaf(node, batch, depth)
        return self._apply_to_extension(node, batch, depth)

    def _build(self, entries: Sequence[tuple[bytes, bytes]], depth: int) -> Node | None:
        """A fresh subtree of sorted entries whose keys agree in their first `depth` nibbles."""
        if not entries:
            return None
        first = entries[0][0]
        if len(entries) == 1:
            return Leaf(first[depth:], entries[0][1])
        fork = _common_length(first, entries[-1][0], depth)
        children: list[bytes] = list(NO_CHILDREN)
        start = 0
        total = len(entries)
        while start < total:
            nibble = entries[start][0][fork]
            end = start + 1
            while end < total and entries[end][0][fork] == nibble:
                end += 1
            child = self._build(entries[start:end], fork + 1)
            if child is not None:
                children[nibble] = self._reference(child)
            start = end
        branch = Branch(tuple(children))
        if fork == depth:
            return branch
        return Extension(first[depth:fork], self._reference(branch))

    def _apply_to_leaf(
        self, leaf: Leaf, batch: Sequence[tuple[bytes, bytes | None]], depth: int
    ) -> Node | None:
        key = batch[0][0][:depth] + leaf.path
        entries = [(changed, value) for changed, value in batch if value is not None]
        if all(changed != key for changed, _ in batch):
            entries.append((key, leaf.value))
            entries.sort()
        return self._build(entries, depth)

    def _apply_to_branch(
        self,
        old_children: Sequence[bytes],
        batch: Sequence[tuple[bytes, bytes | None]],
        depth: int,
    ) -> Node | None:
        children: list[bytes | Node] = list(old_children)
        start = 0
        total = len(batch)
        while start < total:
            nibble = batch[start][0][depth]
            end = start + 1
            while end < total and batch[end][0][depth] == nibble:
                end += 1
            changed = self._apply(self._node(old_children[nibble]), batch[start:end], depth + 1)
            children[nibble] = EMPTY if changed is None else changed
            start = end
        return self._branch_or_less(children)

    def _branch_or_less(self, children: Sequence[bytes | Node]) -> Node | None:
        """A branch of these children; what it shrinks to where fewer than two are left."""
        taken = [nibble for nibble, child in enumerate(children) if child != EMPTY]
        if not taken:
            return None
        if len(taken) > 1:
            return Branch(
                tuple(
                    child if isinstance(child, bytes) else self._reference(child)
                    for child in children
                )
            )
        only = children[taken[0]]
        node = self._node(only) if isinstance(only, bytes) else only
        return self._prefixed(bytes((taken[0],)), node)

    def _prefixed(self, path: bytes, node: Node | None) -> Node | None:
        """`node` moved `len(path)` nibbles deeper."""
        if node is None or not path:
            return node
        if isinstance(node, Leaf):
            return Leaf(path + node.path, node.value)
        if isinstance(node, Extension):
            return Extension(path + node.path, node.child)
        return Extension(path, self._reference(node))

    def _apply_to_extension(
        self, extension: Extension, batch: Sequence[tuple[bytes, bytes | None]], depth: int
    ) -> Node | None:
        path = extension.path
        # Deleting what was never under this path changes nothing.
        batch = [
            (key, value) for key, value in batch if value is not None or key.startswith(path, depth)
        ]
        if not batch:
            return extension
        whole = batch[0][0][:depth] + path
        fork = min(
            _common_length(whole, batch[0][0], depth), _common_length(whole, batch[-1][0], depth)
        )
        if fork == len(whole):
            changed = self._apply(self._node(extension.child), batch, fork)
            return self._prefixed(path, changed)
        children = list(NO_CHILDREN)
        rest = whole[fork + 1 :]
        children[whole[fork]] = (
            self._reference(Extension(rest, extension.child)) if rest else extension.child
        )
        return self._prefixed(whole[depth:fork], self._apply_to_branch(children, batch, fork))


def ordered_root(values: Sequence[bytes], keys: Sequence[bytes]) -> bytes:
    """Root of a fresh trie, without keeping its nodes (transactions, receipts)."""
    return Trie(lambda _: None).update(dict(zip(keys, values, strict=True)))


def _common_length(one: bytes, other: bytes, start: int) -> int:
    """First index from `start` where the two differ, or the end of the shorter."""
    limit = min(len(one), len(other))
    while start < limit and one[start] == other[start]:
        start += 1
    return start
