"""The chain: genesis, blocks, permission in the block, the `Ledger`."""

from ledger.chain.encoding import decode_block, encode_block
from ledger.chain.errors import (
    BlockEmpty,
    BlockInvalid,
    BlockUnknown,
    ChainDamaged,
    ChainError,
    ForkRefused,
    GenesisInvalid,
    GenesisMismatch,
    GenesisMissing,
    LedgerClosed,
    NotAtGenesis,
    SignerMismatch,
    StateNotKept,
    SubscribersFull,
    TransactionFailed,
    WaitTimeout,
)
from ledger.chain.genesis import Genesis
from ledger.chain.ledger import Ledger
from ledger.chain.logs import LogView
from ledger.chain.permission import Permission
from ledger.chain.types import (
    Deadlines,
    Dropped,
    Executed,
    Head,
    Limits,
    LogHead,
    NodeEntry,
    NodesLayout,
    ParametersLayout,
    PermissionLayout,
)
from ledger.mempool.errors import NotPermitted

__all__ = [
    "BlockEmpty",
    "BlockInvalid",
    "BlockUnknown",
    "ChainDamaged",
    "ChainError",
    "Deadlines",
    "Dropped",
    "Executed",
    "ForkRefused",
    "Genesis",
    "GenesisInvalid",
    "GenesisMismatch",
    "GenesisMissing",
    "Head",
    "Ledger",
    "LedgerClosed",
    "Limits",
    "LogHead",
    "LogView",
    "NodeEntry",
    "NodesLayout",
    "NotAtGenesis",
    "NotPermitted",
    "ParametersLayout",
    "Permission",
    "PermissionLayout",
    "SignerMismatch",
    "StateNotKept",
    "SubscribersFull",
    "TransactionFailed",
    "WaitTimeout",
    "decode_block",
    "encode_block",
]
