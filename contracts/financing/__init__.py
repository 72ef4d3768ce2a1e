"""Loans against instruments: application, pricing, payout, repayment, default."""

from contracts.financing.genesis import (
    APPLICATIONS_ARTIFACT,
    FINANCING_ARTIFACT,
    PRICING_ARTIFACT,
    applications_account,
    financing_account,
    pricing_account,
)
from contracts.genesis import APPLICATIONS_ADDRESS, FINANCING_ADDRESS, PRICING_ADDRESS

__all__ = [
    "APPLICATIONS_ADDRESS",
    "APPLICATIONS_ARTIFACT",
    "FINANCING_ADDRESS",
    "FINANCING_ARTIFACT",
    "PRICING_ADDRESS",
    "PRICING_ARTIFACT",
    "applications_account",
    "financing_account",
    "pricing_account",
]
