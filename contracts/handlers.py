"""The projection handlers of a consortium's contracts, as its genesis has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from contracts.claims import ClaimsHandler
from contracts.consortium import ConsortiumHandler, founders_of
from contracts.directory import DirectoryHandler, FollowingHandler, founding_contracts_of
from contracts.financing.projection import (
    ApplicationsHandler,
    FinancingHandler,
    PricingHandler,
)
from contracts.genesis import AllocEntry
from contracts.governance import GovernanceHandler, founding_votes_of
from contracts.models.projection import ModelsHandler, ReleasesHandler, RunsHandler
from contracts.network import NetworkHandler, founding_nodes_of
from contracts.notices import NoticesHandler
from contracts.notices.sources import SOURCES
from contracts.parameters import ParametersHandler, founding_values_of
from contracts.pledges import PledgesHandler
from contracts.pools.projection import PoolBookHandler, PoolsHandler
from contracts.receipts import ReceiptsFollowing, ReceiptsHandler
from contracts.receivables import ReceivablesFollowing, ReceivablesHandler
from contracts.settlement.projection import DepositsHandler, SettlementHandler
from contracts.stock import StockHandler
from ledger.projection import Handler
from ledger.types import Address

_FIXED: Final[Mapping[str, Callable[[Address], Handler]]] = {
    "claims": ClaimsHandler,
    "stock": StockHandler,
    "pledges": PledgesHandler,
    "pricing": PricingHandler,
    "deposits": DepositsHandler,
}
"""Contracts of finance with one version for ever."""

_VERSIONED: Final[Mapping[str, Callable[[Address], Handler]]] = {
    "applications": ApplicationsHandler,
    "financing": FinancingHandler,
    "settlement": SettlementHandler,
    "pools": PoolsHandler,
    "pool-book": PoolBookHandler,
    "models": ModelsHandler,
    "model-runs": RunsHandler,
    "model-releases": ReleasesHandler,
}
"""Those of which members may vote for new versions: the handler is given the logs of all."""


def consortium_handlers(
    contracts: Mapping[str, Address],
    entries: Mapping[Address, AllocEntry],
    followed: Mapping[str, Handler],
) -> list[Handler]:
    """Handlers of the contracts that genesis names, and those of `followed` contracts by name.

    `entries` are those of genesis. A followed contract's handler is given the logs of all its
    versions. A ledger whose genesis has no directory keeps the first versions. Raises `KeyError`
    where genesis lacks the consortium, and `GenesisError` where an entry is not understood.
    """

    def place(name: str) -> tuple[AllocEntry, Address]:
        return entries[contracts[name]], contracts[name]

    entry, address = place("consortium")
    handlers: list[Handler] = [ConsortiumHandler(founders_of(entry), address)]
    if "network" in contracts:
        entry, address = place("network")
        handlers.append(NetworkHandler(founding_nodes_of(entry), address))
    if "governance" in contracts:
        entry, address = place("governance")
        handlers.append(GovernanceHandler(founding_votes_of(entry), address))
    if "parameters" in contracts:
        entry, address = place("parameters")
        handlers.append(ParametersHandler(founding_values_of(entry), address))
    if "directory" not in contracts:
        return [*handlers, *followed.values()]
    entry, address = place("directory")
    handlers.append(DirectoryHandler(founding_contracts_of(entry), address))
    handlers += _finance(contracts, address)
    handlers.append(NoticesHandler(contracts, SOURCES, address))
    return [*handlers, *(FollowingHandler(one, name, address) for name, one in followed.items())]


def _finance(contracts: Mapping[str, Address], directory: Address) -> list[Handler]:
    """Handlers of the contracts that banks lend by, and that models are trained by."""
    found = [make(contracts[name]) for name, make in _FIXED.items() if name in contracts]
    if "receipts" in contracts:
        receipts = ReceiptsHandler(
            contracts["receipts"], stock=contracts["stock"], pledges=contracts["pledges"]
        )
        found.append(ReceiptsFollowing(receipts, directory))
    if "receivables" in contracts:
        receivables = ReceivablesHandler(contracts["receivables"], pledges=contracts["pledges"])
        found.append(ReceivablesFollowing(receivables, directory))
    for name, make in _VERSIONED.items():
        if name in contracts:
            found.append(FollowingHandler(make(contracts[name]), name, directory))
    return found
