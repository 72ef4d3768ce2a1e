"""What all instruments share: their tables, and the way of every act."""

from contracts.instruments.errors import MachineError
from contracts.instruments.machine import (
    COMMON_PARTIES,
    load_machine,
    parse_machine,
    rule_word,
    solidity,
)
from contracts.instruments.types import Act, Machine, WhilePledged

__all__ = [
    "COMMON_PARTIES",
    "Act",
    "Machine",
    "MachineError",
    "WhilePledged",
    "load_machine",
    "parse_machine",
    "rule_word",
    "solidity",
]
