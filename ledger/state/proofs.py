"""Merkle-Patricia proofs of accounts and slots (EIP-1186, `eth_getProof`), made and verified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.state.account import (
    NEW_ACCOUNT,
    account_key,
    decode_account,
    decode_slot_value,
    slot_key,
)
from ledger.state.errors import NodeMissing, ProofInvalid, RlpMalformed
from ledger.state.keccak import EMPTY_TRIE_ROOT, keccak
from ledger.state.protocol import Account, StateReader
from ledger.state.trie import Trie
from ledger.types import Address, Hash32


@dataclass(frozen=True, slots=True)
class SlotProof:
    """A slot's value and the nodes that lead to it, or to the place where it would stand."""

    slot: int
    value: int
    proof: tuple[bytes, ...]
    """RLP of nodes, from the storage root on. Empty where the account has no storage."""


@dataclass(frozen=True, slots=True)
class AccountProof:
    """An account and the nodes that lead to it, or to the place where it would stand."""

    address: Address
    account: Account | None
    """None where there is no such account."""
    proof: tuple[bytes, ...]
    """RLP of nodes, from the state root on."""
    slots: tuple[SlotProof, ...]


def prove(state: StateReader, address: Address, slots: Sequence[int] = ()) -> AccountProof:
    """Prove an account and some of its slots against `state.root`. Raises `NodeMissing`."""

    def source(node_hash: bytes) -> bytes | None:
        return state.node(Hash32(node_hash))

    trie = Trie(source, state.root)
    key = account_key(address)
    data = trie.get(key)
    account = None if data is None else decode_account(data)
    storage_root = (account or NEW_ACCOUNT).storage_root
    slot_proofs: list[SlotProof] = []
    storage = Trie(source, storage_root)
    for slot in slots:
        value = storage.get(slot_key(slot))
        slot_proofs.append(
            SlotProof(
                slot,
                0 if value is None else decode_slot_value(value),
                tuple(storage.proof(slot_key(slot))),
            )
        )
    return AccountProof(address, account, tuple(trie.proof(key)), tuple(slot_proofs))


def verify_account_proof(proof: AccountProof, state_root: Hash32) -> None:
    """Check an account proof and all its slot proofs, with nothing but `state_root`.

    Raises `ProofInvalid`, naming what failed.
    """
    what = f"account 0x{proof.address.hex()}"
    data = _proven(proof.proof, state_root, account_key(proof.address), what)
    try:
        proven = None if data is None else decode_account(data)
    except RlpMalformed as error:
        raise ProofInvalid(f"{what}: {error}") from error
    if proven != proof.account:
        raise ProofInvalid(f"{what}: the proof shows another account")
    storage_root = (proven or NEW_ACCOUNT).storage_root
    for entry in proof.slots:
        place = f"{what}, slot {entry.slot:#x}"
        value = _proven(entry.proof, storage_root, slot_key(entry.slot), place)
        try:
            number = 0 if value is None else decode_slot_value(value)
        except RlpMalformed as error:
            raise ProofInvalid(f"{place}: {error}") from error
        if number != entry.value:
            raise ProofInvalid(f"{place}: the proof shows value {number:#x}")


def _proven(nodes: Sequence[bytes], root: bytes, key: bytes, what: str) -> bytes | None:
    """What `nodes` show under `key`; None where they show that nothing is there."""
    if root == EMPTY_TRIE_ROOT and not nodes:
        return None
    stored = {keccak(node): node for node in nodes}
    trie = Trie(stored.get, root)
    try:
        value = trie.get(key)
        needed = trie.proof(key)
    except NodeMissing as error:
        missing = error.node_hash.hex()
        raise ProofInvalid(f"{what}: the proof lacks node 0x{missing}") from error
    except (RlpMalformed, IndexError) as error:
        raise ProofInvalid(f"{what}: a node is malformed: {error}") from error
    if needed != list(nodes):
        raise ProofInvalid(f"{what}: the proof has nodes that lead nowhere")
    return value
