"""What may stand behind one live instrument only."""

from contracts.claims.genesis import CLAIMS_ARTIFACT, genesis_account
from contracts.genesis import CLAIMS_ADDRESS

__all__ = ["CLAIMS_ADDRESS", "CLAIMS_ARTIFACT", "genesis_account"]
