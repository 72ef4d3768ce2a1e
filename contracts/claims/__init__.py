"""What may stand behind one live instrument only."""

from contracts.claims.binding import claim_of_calldata, decode_claim_of, decode_log
from contracts.claims.genesis import CLAIMS_ARTIFACT, genesis_account
from contracts.claims.projection import ClaimsHandler, claim_table, find_claim, keys_of
from contracts.claims.types import Claim, Claimed, ClaimsEvent, Released
from contracts.genesis import CLAIMS_ADDRESS

__all__ = [
    "CLAIMS_ADDRESS",
    "CLAIMS_ARTIFACT",
    "Claim",
    "Claimed",
    "ClaimsEvent",
    "ClaimsHandler",
    "Released",
    "claim_of_calldata",
    "claim_table",
    "decode_claim_of",
    "decode_log",
    "find_claim",
    "genesis_account",
    "keys_of",
]
