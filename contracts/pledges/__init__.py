"""Security rights in instruments."""

from contracts.genesis import PLEDGES_ADDRESS
from contracts.pledges.genesis import PLEDGES_ARTIFACT, genesis_account

__all__ = ["PLEDGES_ADDRESS", "PLEDGES_ARTIFACT", "genesis_account"]
