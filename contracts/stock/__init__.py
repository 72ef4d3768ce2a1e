"""Counted stock beside what live receipts stand for."""

from contracts.genesis import STOCK_ADDRESS
from contracts.stock.genesis import STOCK_ARTIFACT, genesis_account

__all__ = ["STOCK_ADDRESS", "STOCK_ARTIFACT", "genesis_account"]
