"""Ethereum state: flat latest values, Merkle-Patricia trie of every past one, proofs."""

from ledger.state.account import (
    NEW_ACCOUNT,
    decode_account,
    decode_slot_value,
    encode_account,
)
from ledger.state.changes import seal_changes, write_changes
from ledger.state.errors import (
    AllocationInvalid,
    CodeMissing,
    NodeMissing,
    ProofInvalid,
    RlpMalformed,
    StateError,
    StateInconsistent,
)
from ledger.state.flat_trie import FlatTrie
from ledger.state.genesis import EmptyState, GenesisAccount, build_genesis_state
from ledger.state.keccak import EMPTY_CODE_HASH, EMPTY_TRIE_ROOT, keccak
from ledger.state.proofs import AccountProof, SlotProof, prove, verify_account_proof
from ledger.state.protocol import Account, StateChanges, StateReader
from ledger.state.readers import STATE_ROOT_KEY, FlatState, TrieState
from ledger.state.trie import Trie, ordered_root

__all__ = [
    "EMPTY_CODE_HASH",
    "EMPTY_TRIE_ROOT",
    "NEW_ACCOUNT",
    "STATE_ROOT_KEY",
    "Account",
    "AccountProof",
    "AllocationInvalid",
    "CodeMissing",
    "EmptyState",
    "FlatState",
    "FlatTrie",
    "GenesisAccount",
    "NodeMissing",
    "ProofInvalid",
    "RlpMalformed",
    "SlotProof",
    "StateChanges",
    "StateError",
    "StateInconsistent",
    "StateReader",
    "Trie",
    "TrieState",
    "build_genesis_state",
    "decode_account",
    "decode_slot_value",
    "encode_account",
    "keccak",
    "ordered_root",
    "prove",
    "seal_changes",
    "verify_account_proof",
    "write_changes",
]
