"""All contracts of a consortium in genesis: one function for whoever makes a ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from contracts.claims import genesis_account as claims_account
from contracts.consortium import Founder, permission_layout
from contracts.consortium import genesis_account as consortium_account
from contracts.directory.genesis import DIRECTORY_ARTIFACT
from contracts.directory.genesis import genesis_account as directory_account
from contracts.directory.types import FoundingContract
from contracts.errors import GenesisError
from contracts.financing.genesis import (
    applications_account,
    financing_account,
    pricing_account,
)
from contracts.genesis import (
    APPLICATIONS_ADDRESS,
    CLAIMS_ADDRESS,
    CONSORTIUM_ADDRESS,
    DEPOSITS_ADDRESS,
    DIRECTORY_ADDRESS,
    FINANCING_ADDRESS,
    GOVERNANCE_ADDRESS,
    MODEL_RELEASES_ADDRESS,
    MODEL_RUNS_ADDRESS,
    MODELS_ADDRESS,
    NETWORK_ADDRESS,
    PARAMETERS_ADDRESS,
    PLEDGES_ADDRESS,
    POOL_BOOK_ADDRESS,
    POOLS_ADDRESS,
    PRICING_ADDRESS,
    PROVENANCE_ADDRESS,
    RECEIPTS_ADDRESS,
    RECEIVABLES_ADDRESS,
    SETTLEMENT_ADDRESS,
    STOCK_ADDRESS,
    AllocEntry,
)
from contracts.governance.genesis import genesis_account as governance_account
from contracts.models.genesis import models_account, releases_account, runs_account
from contracts.network.genesis import genesis_account as network_account
from contracts.network.genesis import nodes_layout
from contracts.network.types import FoundingNode
from contracts.parameters.genesis import genesis_account as parameters_account
from contracts.parameters.genesis import parameters_layout
from contracts.pledges import genesis_account as pledges_account
from contracts.pools.genesis import book_genesis_account as pool_book_account
from contracts.pools.genesis import genesis_account as pools_account
from contracts.provenance import genesis_account as provenance_account
from contracts.receipts import genesis_account as receipts_account
from contracts.receivables import genesis_account as receivables_account
from contracts.settlement import deposits_account, settlement_account
from contracts.stock import genesis_account as stock_account
from ledger.state.keccak import keccak
from ledger.types import Address, Hash32

FIXED: Final = frozenset(
    {
        "consortium",
        "network",
        "governance",
        "directory",
        "parameters",
        "claims",
        "stock",
        "pledges",
        "deposits",
        "pricing",
    }
)
"""Contracts that name each other, or that the ledger reads from storage: one version for ever."""

Alloc = dict[str, AllocEntry]
Section = dict[str, dict[str, str | int]]


def consortium_alloc(
    founders: Sequence[Founder],
    nodes: Sequence[FoundingNode] = (),
    votes: Mapping[str, int] | None = None,
    parameters: Mapping[str, int] | None = None,
) -> tuple[Alloc, Section]:
    """Entries of `alloc` and of the "tallystick" section for all contracts.

    `votes` are weights by organisation (founders 1 each where None, and no vote for whoever is not
    named); `parameters` values by name. The section has `contracts`, `permission`, `nodes` and
    `parameters`; `origin` and `limits` are the caller's. Raises `GenesisError` where a node or a
    vote belongs to no founder, and for whatever a contract would refuse.
    """
    weights = {founder.id: 1 for founder in founders} if votes is None else dict(votes)
    _check_members(founders, nodes, weights)
    entries = {
        "consortium": (CONSORTIUM_ADDRESS, consortium_account(*founders)),
        "provenance": (PROVENANCE_ADDRESS, provenance_account()),
        "network": (NETWORK_ADDRESS, network_account(*nodes)),
        "governance": (GOVERNANCE_ADDRESS, governance_account(weights)),
        "parameters": (PARAMETERS_ADDRESS, parameters_account(parameters or {})),
        "claims": (CLAIMS_ADDRESS, claims_account()),
        "stock": (STOCK_ADDRESS, stock_account()),
        "pledges": (PLEDGES_ADDRESS, pledges_account()),
        "receipts": (RECEIPTS_ADDRESS, receipts_account()),
        "receivables": (RECEIVABLES_ADDRESS, receivables_account()),
        "deposits": (DEPOSITS_ADDRESS, deposits_account()),
        "settlement": (SETTLEMENT_ADDRESS, settlement_account()),
        "applications": (APPLICATIONS_ADDRESS, applications_account()),
        "financing": (FINANCING_ADDRESS, financing_account()),
        "pricing": (PRICING_ADDRESS, pricing_account()),
        "pools": (POOLS_ADDRESS, pools_account()),
        "pool-book": (POOL_BOOK_ADDRESS, pool_book_account()),
        "models": (MODELS_ADDRESS, models_account()),
        "model-runs": (MODEL_RUNS_ADDRESS, runs_account()),
        "model-releases": (MODEL_RELEASES_ADDRESS, releases_account()),
    }
    entries["directory"] = (DIRECTORY_ADDRESS, _directory(entries))
    alloc = {f"0x{address.hex()}": entry for address, entry in entries.values()}
    section: Section = {
        "contracts": {name: f"0x{address.hex()}" for name, (address, _) in entries.items()},
        "permission": permission_layout(),
        "nodes": nodes_layout(),
        "parameters": parameters_layout(),
    }
    return alloc, section


def _check_members(
    founders: Sequence[Founder], nodes: Sequence[FoundingNode], votes: Mapping[str, int]
) -> None:
    ids = {founder.id for founder in founders}
    for node in nodes:
        if node.organisation not in ids:
            raise GenesisError(f"genesis: {node.organisation} has a node but is no founder")
    for organisation in votes:
        if organisation not in ids:
            raise GenesisError(f"genesis: {organisation} has votes but is no founder")


def _directory(entries: Mapping[str, tuple[Address, AllocEntry]]) -> AllocEntry:
    codes = {
        name: (address, bytes.fromhex(entry["code"][2:]))
        for name, (address, entry) in entries.items()
    }
    code = DIRECTORY_ARTIFACT.runtime(GOVERNANCE_ADDRESS.rjust(32, b"\0"))
    codes["directory"] = (DIRECTORY_ADDRESS, code)
    return directory_account(
        *(
            FoundingContract(name, address, Hash32(keccak(code)), name in FIXED)
            for name, (address, code) in codes.items()
        )
    )
