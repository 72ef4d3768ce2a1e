"""Receivables: invoices, acceptance bills, orders."""

from contracts.genesis import RECEIVABLES_ADDRESS
from contracts.receivables.genesis import RECEIVABLES_ARTIFACT, genesis_account

__all__ = ["RECEIVABLES_ADDRESS", "RECEIVABLES_ARTIFACT", "genesis_account"]
