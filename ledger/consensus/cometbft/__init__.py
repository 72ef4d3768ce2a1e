"""Consensus of many members: our node as the ABCI 2.0 application of CometBFT v0.38."""

from ledger.consensus.cometbft.config import VERSION
from ledger.consensus.cometbft.driver import CometBftDriver
from ledger.consensus.cometbft.errors import (
    CometBftError,
    EngineHalted,
    EngineHomeInvalid,
    EngineMissing,
    EngineRefused,
    EngineSettingsInvalid,
    EngineStartFailed,
    EngineUnreachable,
    EngineVersionWrong,
    MarkInvalid,
    MethodNotAllowed,
)
from ledger.consensus.cometbft.execution import ProposalRules
from ledger.consensus.cometbft.genesis import EngineStart, engine_genesis
from ledger.consensus.cometbft.home import address_of, ensure_node_key, ensure_validator_key
from ledger.consensus.cometbft.locate import find_engine
from ledger.consensus.cometbft.mark import Mark
from ledger.consensus.cometbft.misbehaviour import Misbehaviour
from ledger.consensus.cometbft.protocol import (
    ApplyResult,
    ChunkVerdict,
    OfferedSnapshot,
    OfferResult,
    SnapshotService,
)
from ledger.consensus.cometbft.settings import (
    LOCAL,
    WIDE,
    EngineSettings,
    PeerAddress,
    StateSync,
    Timings,
)
from ledger.consensus.cometbft.types import EngineStatus, Peer

__all__ = [
    "LOCAL",
    "VERSION",
    "WIDE",
    "ApplyResult",
    "ChunkVerdict",
    "CometBftDriver",
    "CometBftError",
    "EngineHalted",
    "EngineHomeInvalid",
    "EngineMissing",
    "EngineRefused",
    "EngineSettings",
    "EngineSettingsInvalid",
    "EngineStart",
    "EngineStartFailed",
    "EngineStatus",
    "EngineUnreachable",
    "EngineVersionWrong",
    "Mark",
    "MarkInvalid",
    "MethodNotAllowed",
    "Misbehaviour",
    "OfferResult",
    "OfferedSnapshot",
    "Peer",
    "PeerAddress",
    "ProposalRules",
    "SnapshotService",
    "StateSync",
    "Timings",
    "address_of",
    "engine_genesis",
    "ensure_node_key",
    "ensure_validator_key",
    "find_engine",
]
