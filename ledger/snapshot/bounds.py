"""How long records can be at most: what a block of this ledger, at its limits, can come to.

Who sends a snapshot is believed only at its end. Until then nothing is taken into memory that no
honest ledger with this genesis could have made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ledger.chain import Genesis
from ledger.chain.genesis_file import CODE_SIZE_BYTES_MAX
from ledger.chain.membership import BLOCK_GAS_LIMIT_MAX, BLOCK_SIZE_BYTES_MAX
from ledger.snapshot.stream import RECORD_SIZE_BYTES_MAX, SLOTS_IN_RECORD, Kind

TRANSACTION_GAS_MIN: Final = 21_000
"""Every transaction costs that much (Yellow Paper, G_transaction)."""
HEADER_SIZE_BYTES_MAX: Final = 1_024
_ACCOUNT_SIZE_BYTES_MAX: Final = 20 + 128
"""Address, and RLP of nonce, balance and two hashes: 110 bytes at most."""
_SLOT_SIZE_BYTES_MAX: Final = 32 + 1 + 32
_END_SIZE_BYTES: Final = 40
_AROUND_RECEIPT_BYTES: Final = 1_024
"""Bloom, counters, the place in the packed record, of the body too."""
_LOG_GAS: Final = 375
"""Of a log, and of each of its topics; a byte of data costs 8 (Yellow Paper, appendix G)."""
_LEAF_SIZE_BYTES_MAX: Final = 400
"""JSON of an event's leaf without topics and data, with its place in the packed record."""
_LOG_SIZE_BYTES_MAX: Final = 32
"""RLP of a log without topics and data."""


@dataclass(frozen=True, slots=True)
class RecordBounds:
    """The most that a ledger can have had in its blocks, whatever its members have voted."""

    gas: int
    """Of a block."""
    records: Mapping[Kind, int]
    """Bytes of a record's payload."""

    @classmethod
    def of(cls, genesis: Genesis) -> RecordBounds:
        """As genesis says; where members may change it, as high as they can."""
        gas, size = genesis.limits.block_gas_limit, genesis.limits.block_size_bytes_max
        if genesis.parameters is not None:
            gas, size = max(gas, BLOCK_GAS_LIMIT_MAX), max(size, BLOCK_SIZE_BYTES_MAX)
        block = HEADER_SIZE_BYTES_MAX + size + receipts_size_max(gas) + _entries_size_max(gas)
        records = {
            Kind.GENESIS: len(genesis.document),
            Kind.BLOCK: min(block, RECORD_SIZE_BYTES_MAX),
            Kind.CODE: CODE_SIZE_BYTES_MAX,
            Kind.ACCOUNT: _ACCOUNT_SIZE_BYTES_MAX,
            Kind.SLOTS: SLOTS_IN_RECORD * _SLOT_SIZE_BYTES_MAX,
            Kind.END: _END_SIZE_BYTES,
        }
        return cls(gas, MappingProxyType(records))


def transactions_max(gas: int) -> int:
    """How many transactions go into so much gas."""
    return gas // TRANSACTION_GAS_MIN


def receipts_size_max(gas: int) -> int:
    """Bytes of a block's receipts, packed: what they hold was paid for by this gas."""
    return _AROUND_RECEIPT_BYTES * (1 + transactions_max(gas)) + _spent(gas) // 8


def _entries_size_max(gas: int) -> int:
    """Bytes of the log's leaves: dearest are logs of nothing; data is hexadecimal in them."""
    return _AROUND_RECEIPT_BYTES + _spent(gas) // _LOG_GAS * _LEAF_SIZE_BYTES_MAX


def _spent(gas: int) -> int:
    """Gas that was spent where this much is accounted for: a fifth may be refunded (EIP-3529)."""
    return gas + gas // 4


# Receipts: a byte of data costs 8, so that what a log has beside it (375) is cheaper than data.
assert _LOG_SIZE_BYTES_MAX * 8 < _LOG_GAS
# Leaves: so is a byte of data, two there, and a topic of 69.
assert 69 * 8 < 2 * _LOG_GAS < _LEAF_SIZE_BYTES_MAX * 8
