"""Deposits of each bank, delivery versus payment, conditional payment, clearing."""

from contracts.genesis import DEPOSITS_ADDRESS, SETTLEMENT_ADDRESS
from contracts.settlement.genesis import (
    DEPOSITS_ARTIFACT,
    SETTLEMENT_ARTIFACT,
    deposits_account,
    settlement_account,
)

__all__ = [
    "DEPOSITS_ADDRESS",
    "DEPOSITS_ARTIFACT",
    "SETTLEMENT_ADDRESS",
    "SETTLEMENT_ARTIFACT",
    "deposits_account",
    "settlement_account",
]
