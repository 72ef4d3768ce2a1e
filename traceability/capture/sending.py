"""Signed transactions of capture."""

from __future__ import annotations

from typing import Final

from contracts.provenance import PROVENANCE_ADDRESS, Visibility, anchor_calldata
from ledger.evm import decode_transaction, floor_gas_of
from ledger.state import keccak
from ledger.types import Address, Hash32
from traceability.capture.errors import SigningFailed
from traceability.capture.protocol import Signer
from traceability.capture.types import StoredBatch

EXECUTION_GAS: Final = 250_000
"""What `anchor` itself needs at most (about 80,000), with room to spare."""
FILLER_GAS: Final = 21_000
NO_ROOT: Final = b"\0" * 32


def sign_anchor(
    signer: Signer,
    *,
    chain_id: int,
    organisation: str,
    nonce: int,
    root: bytes,
    count: int,
    payload: bytes,
    gas_max: int,
    provenance: Address = PROVENANCE_ADDRESS,
) -> StoredBatch:
    """The transaction that anchors a public batch. Raises `SigningFailed`."""
    data = anchor_calldata(root, count, Visibility.PUBLIC, payload)
    gas = min(floor_gas_of(data) + EXECUTION_GAS, gas_max)
    return _signed(signer, chain_id, organisation, nonce, gas, provenance, data, root)


def sign_filler(signer: Signer, *, chain_id: int, organisation: str, nonce: int) -> StoredBatch:
    """A transaction to oneself that does nothing but use up a nonce."""
    return _signed(signer, chain_id, organisation, nonce, FILLER_GAS, signer.address, b"", NO_ROOT)


def sign_again(signer: Signer, batch: StoredBatch, *, chain_id: int, nonce: int) -> StoredBatch:
    """The same call under another nonce, for a transaction that can no longer be taken."""
    old = decode_transaction(batch.raw)
    if old.to is None:
        raise SigningFailed("a stored transaction names no contract")
    new = _signed(
        signer, chain_id, batch.organisation, nonce, old.gas, old.to, old.data, batch.root
    )
    return StoredBatch(
        sequence=batch.sequence,
        organisation=batch.organisation,
        account=new.account,
        nonce=nonce,
        root=batch.root,
        transaction_hash=new.transaction_hash,
        raw=new.raw,
        job_sequences=batch.job_sequences,
    )


def _signed(
    signer: Signer,
    chain_id: int,
    organisation: str,
    nonce: int,
    gas: int,
    to: Address,
    data: bytes,
    root: bytes,
) -> StoredBatch:
    raw = signer.sign_transaction(
        {
            "type": 2,
            "chainId": chain_id,
            "nonce": nonce,
            "gas": gas,
            "to": bytes(to),
            "value": 0,
            "data": data,
            "maxFeePerGas": 0,
            "maxPriorityFeePerGas": 0,
        }
    )
    return StoredBatch(
        sequence=0,
        organisation=organisation,
        account=signer.address,
        nonce=nonce,
        root=root,
        transaction_hash=Hash32(keccak(raw)),
        raw=raw,
        job_sequences=(),
    )
