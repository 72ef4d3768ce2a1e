"""What can go wrong with state."""

from __future__ import annotations

from ledger.errors import LedgerError


class StateError(LedgerError):
    """Base of all errors of the state room."""


class RlpMalformed(StateError):
    """Bytes are not the one canonical RLP encoding of what was expected."""


class NodeMissing(StateError):
    """A trie node that a root leads to is not stored: unknown root, or a damaged store."""

    def __init__(self, node_hash: bytes) -> None:
        super().__init__(
            f"trie node 0x{node_hash.hex()} is not stored: "
            "the root is unknown here, or the store is damaged"
        )
        self.node_hash = node_hash


class CodeMissing(StateError):
    """An account names code that is not stored."""

    def __init__(self, code_hash: bytes) -> None:
        super().__init__(f"code 0x{code_hash.hex()} is not stored: the store is damaged")
        self.code_hash = code_hash


class StateInconsistent(StateError):
    """Flat accounts and slots that do not belong together, or are not in order."""


class AllocationInvalid(StateError):
    """A genesis allocation has a value out of range."""


class ProofInvalid(StateError):
    """A Merkle-Patricia proof does not lead from the root to the claimed value."""
