"""Electronic warehouse receipts."""

from contracts.genesis import RECEIPTS_ADDRESS
from contracts.receipts.genesis import RECEIPTS_ARTIFACT, genesis_account

__all__ = ["RECEIPTS_ADDRESS", "RECEIPTS_ARTIFACT", "genesis_account"]
