"""What may stand behind one live instrument only."""

from contracts.claims.binding import (
    annul_claim_calldata,
    claim_of_calldata,
    decode_claim_of,
    decode_log,
    reserved_key,
)
from contracts.claims.genesis import CLAIMS_ARTIFACT, genesis_account
from contracts.claims.projection import ClaimsHandler, claim_table, find_claim, keys_of
from contracts.claims.types import Annulled, Claim, Claimed, ClaimsEvent, Released
from contracts.genesis import CLAIMS_ADDRESS

__all__ = [
    "CLAIMS_ADDRESS",
    "CLAIMS_ARTIFACT",
    "Annulled",
    "Claim",
    "Claimed",
    "ClaimsEvent",
    "ClaimsHandler",
    "Released",
    "annul_claim_calldata",
    "claim_of_calldata",
    "claim_table",
    "decode_claim_of",
    "decode_log",
    "find_claim",
    "genesis_account",
    "keys_of",
    "reserved_key",
]
