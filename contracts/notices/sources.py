"""Whose events are told: one line for each room, by the contract's name in the Directory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from contracts.financing.notices import application_notices as applications
from contracts.financing.notices import loan_notices as financing
from contracts.financing.notices import pricing_notices as pricing
from contracts.instruments.notices import Source
from contracts.models.notices import notices as models
from contracts.models.notices import release_notices as model_releases
from contracts.models.notices import run_notices as model_runs
from contracts.pledges.notices import notices as pledges
from contracts.pools.notices import book_notices as pool_book
from contracts.pools.notices import notices as pools
from contracts.receipts.notices import notices as receipts
from contracts.receivables.notices import notices as receivables
from contracts.settlement.notices import deposit_notices as deposits
from contracts.settlement.notices import notices as settlement
from contracts.stock.notices import notices as stock

SOURCES: Final[Mapping[str, Source]] = {
    "applications": applications,
    "financing": financing,
    "pricing": pricing,
    "deposits": deposits,
    "models": models,
    "model-releases": model_releases,
    "model-runs": model_runs,
    "pledges": pledges,
    "pools": pools,
    "pool-book": pool_book,
    "receipts": receipts,
    "receivables": receivables,
    "settlement": settlement,
    "stock": stock,
}
