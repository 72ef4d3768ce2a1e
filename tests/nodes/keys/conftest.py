"""CometBFT and a hardware token."""

from tests.ledger.consensus.validator.conftest import cometbft
from tests.ledger.crypto.conftest import hsm

__all__ = ["cometbft", "hsm"]
