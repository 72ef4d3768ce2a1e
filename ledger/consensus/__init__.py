"""Consensus: drivers that decide the order of transactions."""

from ledger.consensus.protocol import Driver
from ledger.consensus.solo import TRANSACTIONS_MAX_DEFAULT, SoloDriver
from ledger.consensus.types import DriverState, DriverStatus

__all__ = ["TRANSACTIONS_MAX_DEFAULT", "Driver", "DriverState", "DriverStatus", "SoloDriver"]
