"""A Merkle-Patricia trie built in one pass from keys in ascending order.

Only the branches on the way to the last key are held: memory does not grow with the trie. Each
node is encoded and hashed once and handed over as soon as nothing can change it any more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ledger.state.keccak import EMPTY_TRIE_ROOT, keccak
from ledger.state.nodes import EMPTY, HASH_PREFIX
from ledger.state.rlp import encode_bytes, encode_list

_NIBBLES: Final = {digit: value for value, digit in enumerate("0123456789abcdef")}
_BRANCH = (EMPTY,) * 17


class SortedTrie:
    """The trie of keys that come in ascending order. Not thread-safe.

    All keys have the same length. `emit` is told of each node: its keccak-256 and its RLP.
    """

    def __init__(self, emit: Callable[[bytes, bytes], object]) -> None:
        self._emit = emit
        self._last: str = ""
        """The last key in hex; its leaf stands nowhere yet."""
        self._value = b""
        self._open: list[tuple[int, list[bytes]]] = []
        """Branches on the way to the last key: how many nibbles deep, and their items."""

    def add(self, key: bytes, value: bytes) -> None:
        """The next key. Raises `ValueError` unless it is greater than the last one."""
        path = key.hex()
        last = self._last
        if last:
            if path <= last or len(path) != len(last):
                raise ValueError("keys of a trie must ascend and have one length")
            common = 0
            while path[common] == last[common]:
                common += 1
            self._close(common)
        self._last = path
        self._value = value

    def root(self) -> bytes:
        """The root, after the last key; nothing may be added any more."""
        if not self._last:
            return EMPTY_TRIE_ROOT
        if not self._open:
            node = _leaf(self._last, self._value)
        else:
            self._close(self._open[0][0])
            depth, items = self._open[0]
            node = encode_list(items)
            if depth:
                node = encode_list((_path(self._last[:depth], False), self._reference(node)))
        root = keccak(node)
        self._emit(root, node)
        return root

    def _close(self, common: int) -> None:
        """Put the last leaf into its branch and close all branches deeper than `common`."""
        last, branches = self._last, self._open
        depth = branches[-1][0] if branches else -1
        if depth < common:
            branches.append((common, list(_BRANCH)))
            depth = common
        leaf = _leaf(last[depth + 1 :], self._value)
        branches[-1][1][_NIBBLES[last[depth]]] = self._reference(leaf)
        while depth > common:
            _, items = branches.pop()
            reference = self._reference(encode_list(items))
            above = branches[-1][0] if branches else -1
            if above < common:
                branches.append((common, list(_BRANCH)))
                above = common
            if depth > above + 1:
                path = _path(last[above + 1 : depth], False)
                reference = self._reference(encode_list((path, reference)))
            branches[-1][1][_NIBBLES[last[above]]] = reference
            depth = above

    def _reference(self, node: bytes) -> bytes:
        """How the parent shows a node: by its hash, or whole where it is short."""
        if len(node) < 32:
            return node
        node_hash = keccak(node)
        self._emit(node_hash, node)
        return HASH_PREFIX + node_hash


def _leaf(path: str, value: bytes) -> bytes:
    return encode_list((_path(path, True), encode_bytes(value)))


def _path(path: str, is_leaf: bool) -> bytes:
    """Hex-prefix encoding (yellow paper, appendix C) as an RLP string."""
    if len(path) & 1:
        return encode_bytes(bytes.fromhex(("3" if is_leaf else "1") + path))
    return encode_bytes(bytes.fromhex(("20" if is_leaf else "00") + path))
