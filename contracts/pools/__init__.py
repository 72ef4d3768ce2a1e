"""Asset pools: what stands behind them, who holds them, and every payment between the two.

Calldata is built in `contracts.pools.binding`, logs and answers are read in `contracts.pools.logs`,
tables are asked in `contracts.pools.queries`.
"""

from contracts.genesis import POOL_BOOK_ADDRESS, POOLS_ADDRESS
from contracts.pools.binding import pool_id
from contracts.pools.book import AssetBook, AssetChange, BookState, UpdateReport
from contracts.pools.eligibility import Excess, Limit, Rules
from contracts.pools.errors import (
    AssetProofError,
    AssetRefused,
    AssetTwice,
    BookError,
    DateRefused,
    PoolError,
    RulesError,
    StateUnproven,
    UnknownAsset,
    WaterfallError,
)
from contracts.pools.evidence import DayEvidence
from contracts.pools.examining import Examination, Examined, examine, examined_rows
from contracts.pools.genesis import (
    POOL_BOOK_ARTIFACT,
    POOLS_ARTIFACT,
    book_genesis_account,
    genesis_account,
)
from contracts.pools.leaf import Asset, outside_id
from contracts.pools.loading import LoadReport, Refusal, load_book
from contracts.pools.logs import decode_book_log, decode_log
from contracts.pools.projection import PoolBookHandler, PoolsHandler
from contracts.pools.proof import AssetProof, Difference, differences
from contracts.pools.rows import AssetRow, csv_rows, json_rows, read_rows
from contracts.pools.types import (
    Account,
    AssetKind,
    AssetState,
    Collection,
    Day,
    Distribution,
    Fee,
    Limits,
    Office,
    Open,
    Owed,
    Payment,
    PaymentKind,
    Pool,
    PoolDraft,
    PoolState,
    Terms,
    Tranche,
    TrancheDraft,
)
from contracts.pools.waterfall import Flow, Outcome, Standing, distribute, flows

__all__ = [
    "POOLS_ADDRESS",
    "POOLS_ARTIFACT",
    "POOL_BOOK_ADDRESS",
    "POOL_BOOK_ARTIFACT",
    "Account",
    "Asset",
    "AssetBook",
    "AssetChange",
    "AssetKind",
    "AssetProof",
    "AssetProofError",
    "AssetRefused",
    "AssetRow",
    "AssetState",
    "AssetTwice",
    "BookError",
    "BookState",
    "Collection",
    "DateRefused",
    "Day",
    "DayEvidence",
    "Difference",
    "Distribution",
    "Examination",
    "Examined",
    "Excess",
    "Fee",
    "Flow",
    "Limit",
    "Limits",
    "LoadReport",
    "Office",
    "Open",
    "Outcome",
    "Owed",
    "Payment",
    "PaymentKind",
    "Pool",
    "PoolBookHandler",
    "PoolDraft",
    "PoolError",
    "PoolState",
    "PoolsHandler",
    "Refusal",
    "Rules",
    "RulesError",
    "Standing",
    "StateUnproven",
    "Terms",
    "Tranche",
    "TrancheDraft",
    "UnknownAsset",
    "UpdateReport",
    "WaterfallError",
    "book_genesis_account",
    "csv_rows",
    "decode_book_log",
    "decode_log",
    "differences",
    "distribute",
    "examine",
    "examined_rows",
    "flows",
    "genesis_account",
    "json_rows",
    "load_book",
    "outside_id",
    "pool_id",
    "read_rows",
]
