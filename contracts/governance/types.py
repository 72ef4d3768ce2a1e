"""The words of the governance instrument."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from ledger.types import Address, Hash32


class State(IntEnum):
    """Where a proposal stands; the numbers are the contract's."""

    OPEN = 1
    PASSED = 2
    EXECUTED = 3
    WITHDRAWN = 4
    EXPIRED = 5

    @property
    def word(self) -> str:
        """As people and JSON read it: `open`, …"""
        return self.name.lower()


class Choice(IntEnum):
    """What an organisation says to a proposal; the numbers are the contract's."""

    YES = 1
    NO = 2

    @property
    def word(self) -> str:
        """As people and JSON read it: `yes` or `no`."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Call:
    """One call that Governance makes when a proposal is executed."""

    target: Address
    data: bytes
    """Selector and arguments."""

    @property
    def selector(self) -> bytes:
        """The first 4 bytes."""
        return self.data[:4]


@dataclass(frozen=True, slots=True)
class Threshold:
    """Share of all votes that has to be exceeded; with equal numbers, all votes are needed."""

    numerator: int
    denominator: int
    """At most 1,000,000."""

    def reached(self, yes: int, total: int) -> bool:
        """Whether that many votes of the total are enough."""
        if self.numerator == self.denominator:
            return total > 0 and yes == total
        return yes * self.denominator > total * self.numerator

    def __lt__(self, other: Threshold) -> bool:
        return self.numerator * other.denominator < other.numerator * self.denominator

    def __str__(self) -> str:
        if self.numerator == self.denominator:
            return "all"
        return f"more than {self.numerator}/{self.denominator}"


TWO_THIRDS = Threshold(2, 3)


@dataclass(frozen=True, slots=True)
class Tally:
    """Votes by weight, as they count now."""

    yes: int
    no: int
    total: int


@dataclass(frozen=True, slots=True)
class Summary:
    """What the contract says of a proposal."""

    state: State
    organisation: str
    block_number: int
    """Where it was made."""
    created: int
    """Unix seconds, as `expires`."""
    expires: int
    content_hash: Hash32
    tally: Tally
    required: Threshold


@dataclass(frozen=True, slots=True)
class ProposalMade:
    """A proposal; its organisation says yes to it."""

    id: int
    organisation: str
    by: Address
    calls: tuple[Call, ...]
    text: str
    expires: int


@dataclass(frozen=True, slots=True)
class Voted:
    """An organisation said yes or no, perhaps after something else."""

    id: int
    organisation: str
    by: Address
    choice: Choice


@dataclass(frozen=True, slots=True)
class ProposalExecuted:
    """The calls of a proposal were made."""

    id: int
    by: Address


@dataclass(frozen=True, slots=True)
class ProposalWithdrawn:
    """A proposal was taken back."""

    id: int
    by: Address


@dataclass(frozen=True, slots=True)
class VotesChanged:
    """An organisation has another weight."""

    organisation: str
    votes: int


@dataclass(frozen=True, slots=True)
class DefaultThresholdChanged:
    """Functions without a threshold of their own need another share."""

    threshold: Threshold


@dataclass(frozen=True, slots=True)
class ThresholdChanged:
    """A function needs another share; None where the default counts again."""

    target: Address
    selector: bytes
    threshold: Threshold | None


GovernanceEvent = (
    ProposalMade
    | Voted
    | ProposalExecuted
    | ProposalWithdrawn
    | VotesChanged
    | DefaultThresholdChanged
    | ThresholdChanged
)


@dataclass(frozen=True, slots=True)
class Voter:
    """An organisation with a voting weight."""

    organisation: str
    votes: int
    counts: bool
    """Whether it counts now: the organisation is active."""


@dataclass(frozen=True, slots=True)
class CastVote:
    """What an organisation said last to a proposal."""

    organisation: str
    choice: Choice
    by: Address
    block_number: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal as the projection knows it."""

    id: int
    organisation: str
    by: Address
    text: str
    block_number: int
    """Where it was made."""
    created: int
    """Unix seconds, as `expires`."""
    expires: int
    state: State
    decided_block: int | None
    """Where it was executed or withdrawn."""
    transaction_hash: str
    """0x and hex digits, of the transaction that made it."""
    calls: tuple[Call, ...]
    votes: tuple[CastVote, ...]
    tally: Tally
    required: Threshold
