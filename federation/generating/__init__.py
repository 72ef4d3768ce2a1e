"""Believable supply-chain data of invented firms, for demonstrations and tests: a bank's loan
book, a manufacturer's orders, deliveries and quality, a platform's power, invoices and tax."""

from federation.generating.credit_codes import invented_codes, is_invented, require_credit_code
from federation.generating.errors import CreditCodeInvalid, GeneratingError, SettingsInvalid
from federation.generating.types import (
    REGIONS,
    Book,
    FieldNote,
    Source,
    World,
    WorldSettings,
)
from federation.generating.world import LABEL, QUARTER, deal_banks, make_world, write_world

__all__ = [
    "LABEL",
    "QUARTER",
    "REGIONS",
    "Book",
    "CreditCodeInvalid",
    "FieldNote",
    "GeneratingError",
    "SettingsInvalid",
    "Source",
    "World",
    "WorldSettings",
    "deal_banks",
    "invented_codes",
    "is_invented",
    "make_world",
    "require_credit_code",
    "write_world",
]
