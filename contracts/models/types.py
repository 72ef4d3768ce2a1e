"""Records of models: what was agreed to, what was done, what it earns.

Hashes are SHA-256 of documents (canonical JSON, RFC 8785), which stay with the parties. Amounts are
hundredths of the currency, shares hundredths of a percent (bp), times Unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from ledger.types import Hash32

PARTIES_MAX: Final = 16
ALGORITHMS_MAX: Final = 16
CODES_MAX: Final = 32
GRANTS_MAX: Final = 64
ROUNDS_MAX: Final = 100_000
FAULTS_MAX: Final = 1_024
TERM_SECONDS_MAX: Final = 3_660 * 86_400
EPSILON_MAX: Final = 10**12
DELTA_MAX: Final = 10**18
AMOUNT_MAX: Final = 1 << 100
BP_WHOLE: Final = 10_000


class RecordKind(IntEnum):
    """What an id is of."""

    PROJECT = 0
    DATA_SET = 1
    GRANT = 2
    RUN = 3
    RELEASE = 4
    BATCH = 5
    PAYMENT = 6


class Part(IntEnum):
    """What a party brings to a project."""

    GUEST = 0
    """The label."""
    HOST = 1
    """Features only."""
    EQUAL = 2
    """The same columns as other banks."""


class FaultKind(IntEnum):
    """How a participant failed."""

    OTHER = 0
    DROPPED = 1
    STALLED = 2
    MALFORMED = 3
    SCALED = 4
    FLIPPED = 5
    CODE = 6
    NODE = 7


class Mark(IntEnum):
    """What a live release is to its project."""

    NONE = 0
    CHAMPION = 1
    CHALLENGER = 2


class Mode(IntEnum):
    """How calls were asked."""

    BATCH = 0
    ONLINE = 1


@dataclass(frozen=True, slots=True)
class Budget:
    """A privacy loss; sums of its parts."""

    epsilon: int = 0
    """Millionths."""
    delta: int = 0
    """Billionths of a billionth."""


@dataclass(frozen=True, slots=True)
class Party:
    """An organisation of a project."""

    organisation: str
    part: Part


@dataclass(frozen=True, slots=True)
class Terms:
    """What every party accepts."""

    document: Hash32
    algorithms: tuple[str, ...]
    codes: tuple[Hash32, ...]
    """SHA-256 of program code that runs may use."""
    budget: Budget
    """Of all runs together."""
    price: int
    """Of one inference call."""
    currency: str
    shares: tuple[int, ...]
    """Of the parties in their order, 10,000 together; empty: by contribution."""
    until: int


@dataclass(frozen=True, slots=True)
class Project:
    """An agreement to train models together."""

    proposer: str
    number: str
    parties: tuple[Party, ...]
    version: int
    """Of the terms in force, from 1; 0: none yet."""
    accepted: tuple[str, ...]
    """Parties that have accepted what is proposed."""
    terms: Terms | None
    proposed: Terms | None
    """The first terms, or an amendment that not all have accepted."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """A party's rows, which stay with it."""

    owner: str
    number: str
    schema: Hash32
    rows: int
    commitment: Hash32
    """Merkle root (RFC 6962) over the salted rows."""
    quality: Hash32
    replaces: Hash32 | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """Fields of a data set that a project may use until a time."""

    owner: str
    number: str
    data_set: Hash32
    project: Hash32
    fields: Hash32
    """Of the fields and their transformations."""
    until: int


@dataclass(frozen=True, slots=True)
class RunDraft:
    """A run as it is opened."""

    project: Hash32
    number: str
    algorithm: str
    code: Hash32
    config: Hash32
    seed: Hash32
    """Commitment to the random seeds."""
    budget: Budget
    """Set aside of the project's."""
    participants: tuple[str, ...]
    grants: tuple[Hash32, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """Training, as far as it has come."""

    opener: str
    draft: RunDraft
    nodes: tuple[Hash32 | None, ...]
    """Hash of each participant's node key, in their order; None: not joined."""
    spent: Budget
    rounds: int
    faults: int
    opened: int
    ended: int | None
    outcome: Hash32 | None
    """Hash of the run's record, or of the reason why it was aborted."""


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a run."""

    number: int
    record: Hash32
    spent: Budget
    delivered: tuple[str, ...]
    """Participants whose part came in, in the run's order."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A participant that failed, as another one says."""

    party: str
    kind: FaultKind
    round: int
    """0: before the first one."""
    evidence: Hash32


@dataclass(frozen=True, slots=True)
class ModelShare:
    """A participant's part of a model."""

    party: str
    model: Hash32
    data: Hash32
    """Commitment to the rows it was trained on."""


@dataclass(frozen=True, slots=True)
class ReleaseDraft:
    """A release as it is put to the parties."""

    run: Hash32
    number: str
    card: Hash32
    metrics: Hash32
    shares: tuple[ModelShare, ...]
    """One for each participant of the run, in its order."""


@dataclass(frozen=True, slots=True)
class Release:
    """The model of a completed run."""

    project: Hash32
    maker: str
    draft: ReleaseDraft
    approved: tuple[int, ...]
    """Places, in the project's parties, of those that have."""
    mark: Mark
    live: int | None
    """Unix seconds from which on it is used."""
    retired: int | None


@dataclass(frozen=True, slots=True)
class Contribution:
    """What each party has contributed to a release."""

    version: int
    shares: tuple[int, ...]
    """bp of the project's parties in their order, 10,000 together."""
    evidence: Hash32
    """Of what anybody recomputes them by."""
    accepted: tuple[int, ...]
    """Places of the parties that have."""


@dataclass(frozen=True, slots=True)
class Calls:
    """Inference calls of one asker in a period."""

    release: Hash32
    number: str
    mode: Mode
    first: int
    """Sequence number of the first call, from 1: the next of the release, asker and mode."""
    count: int
    root: Hash32
    """Merkle root (RFC 6962) over the calls."""
    since: int
    until: int
    """The period ends before it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Calls as they were counted and priced."""

    asker: str
    calls: Calls
    price: int
    currency: str
    amount: int
    disputes: int


@dataclass(frozen=True, slots=True)
class Due:
    """What a payer owes a payee for the models of a project, in a currency."""

    accrued: int = 0
    paid: int = 0
    """Through deposits, or confirmed."""
    reported: int = 0
    """Said to be paid outside the ledger."""

    @property
    def outstanding(self) -> int:
        """What is left, whatever was said."""
        return self.accrued - self.paid


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment of what is owed."""

    payer: str
    number: str
    project: Hash32
    payee: str
    currency: str
    amount: int
    settled: Hash32 | None
    """The payment's id in Settlement, or the hash of what shows the one outside."""
