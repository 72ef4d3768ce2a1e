"""What the members decide together: proposals, votes, weights and thresholds."""

from contracts.genesis import (
    GOVERNANCE_ADDRESS,
)
from contracts.governance.genesis import (
    founding_votes_of,
    genesis_account,
)
from contracts.governance.types import (
    Call,
    Choice,
    DefaultThresholdChanged,
    GovernanceEvent,
    ProposalExecuted,
    ProposalMade,
    ProposalWithdrawn,
    State,
    Summary,
    Tally,
    Threshold,
    ThresholdChanged,
    Voted,
    VotesChanged,
)

__all__ = [
    "GOVERNANCE_ADDRESS",
    "Call",
    "Choice",
    "DefaultThresholdChanged",
    "GovernanceEvent",
    "ProposalExecuted",
    "ProposalMade",
    "ProposalWithdrawn",
    "State",
    "Summary",
    "Tally",
    "Threshold",
    "ThresholdChanged",
    "Voted",
    "VotesChanged",
    "founding_votes_of",
    "genesis_account",
]
