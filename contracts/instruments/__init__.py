"""What all instruments share: their tables, and the way of every act."""

from contracts.instruments.claims import ClaimInvalid, Invoice, goods_key, invoice_key, item_key
from contracts.instruments.errors import MachineError
from contracts.instruments.machine import (
    COMMON_ACTS,
    COMMON_PARTIES,
    load_machine,
    parse_machine,
)
from contracts.instruments.pages import CursorInvalid, Page
from contracts.instruments.solidity import rule_word, solidity
from contracts.instruments.types import Act, Machine, WhilePledged
from contracts.instruments.viewer import Viewer

__all__ = [
    "COMMON_ACTS",
    "COMMON_PARTIES",
    "Act",
    "ClaimInvalid",
    "CursorInvalid",
    "Invoice",
    "Machine",
    "MachineError",
    "Page",
    "Viewer",
    "WhilePledged",
    "goods_key",
    "invoice_key",
    "item_key",
    "load_machine",
    "parse_machine",
    "rule_word",
    "solidity",
]
