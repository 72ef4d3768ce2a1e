"""What can be wrong with an instrument's table."""

from __future__ import annotations

from contracts.errors import ContractError


class MachineError(ContractError):
    """A table says what it cannot mean; the message names the place."""
