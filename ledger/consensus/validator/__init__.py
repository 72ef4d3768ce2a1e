"""Remote signer of a CometBFT validator: its key is in memory or in hardware, never on disk."""

from ledger.consensus.validator.errors import (
    DoubleSignRefused,
    RequestRefused,
    SignStateBusy,
    SignStateDamaged,
    SignStateForeign,
    ValidatorError,
)
from ledger.consensus.validator.guard import GuardedKey
from ledger.consensus.validator.ring import KeyRing, begin_record, state_path_of
from ledger.consensus.validator.server import ValidatorServer
from ledger.consensus.validator.signbytes import Step
from ledger.consensus.validator.state import Signed, SignState
from ledger.consensus.validator.types import ValidatorStatus

__all__ = [
    "DoubleSignRefused",
    "GuardedKey",
    "KeyRing",
    "RequestRefused",
    "SignState",
    "SignStateBusy",
    "SignStateDamaged",
    "SignStateForeign",
    "Signed",
    "Step",
    "ValidatorError",
    "ValidatorServer",
    "ValidatorStatus",
    "begin_record",
    "state_path_of",
]
