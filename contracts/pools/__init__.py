"""Asset pools: what stands behind them, who holds them, and every payment between the two."""

from contracts.genesis import POOL_BOOK_ADDRESS, POOLS_ADDRESS
from contracts.pools.genesis import (
    POOL_BOOK_ARTIFACT,
    POOLS_ARTIFACT,
    book_genesis_account,
    genesis_account,
)

__all__ = [
    "POOLS_ADDRESS",
    "POOLS_ARTIFACT",
    "POOL_BOOK_ADDRESS",
    "POOL_BOOK_ARTIFACT",
    "book_genesis_account",
    "genesis_account",
]
