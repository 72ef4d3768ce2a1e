"""Sending from this node's accounts: nonces nobody gets twice, signing, following to the block."""

from ledger.sending.envelope import assembled, signed_envelope, signing_hash, unsigned_envelope
from ledger.sending.errors import (
    Busy,
    NonceUsed,
    NoSigner,
    Refused,
    SendingError,
    SendingStopped,
    SendingTimeout,
    SigningFailed,
    WouldFail,
)
from ledger.sending.nonces import Nonces
from ledger.sending.outcomes import find_outcome
from ledger.sending.protocol import Chain, NonceSource, Signer
from ledger.sending.refusals import Refusal, classify
from ledger.sending.sender import Sender
from ledger.sending.types import Outcome, SendingSettings, Signed, Unsigned

__all__ = [
    "Busy",
    "Chain",
    "NoSigner",
    "NonceSource",
    "NonceUsed",
    "Nonces",
    "Outcome",
    "Refusal",
    "Refused",
    "Sender",
    "SendingError",
    "SendingSettings",
    "SendingStopped",
    "SendingTimeout",
    "Signed",
    "Signer",
    "SigningFailed",
    "Unsigned",
    "WouldFail",
    "assembled",
    "classify",
    "find_outcome",
    "signed_envelope",
    "signing_hash",
    "unsigned_envelope",
]
