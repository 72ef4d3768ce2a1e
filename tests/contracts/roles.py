"""Every call × every role: one table for a room, asked of the real EVM.

A room's `roles.toml` has a row for each function of its contracts that changes anything:

    [Stock.registerLot]
    may = ["warehouse"]       # for these the call goes through; "members": for all of them
    members = "NotWarehouse"  # what any other member is told
    outsiders = "…"           # what everybody else is told; not said: CallerNotActive
    but = { device = "…" }    # who is told something else

Members are an active account of an organisation of each role, and a second bank and manufacturer.
Everybody else: who has no account, a device, an account of a suspended organisation, and contracts:
those of finance, and another one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from contracts.artifact import Artifact
from contracts.genesis import (
    APPLICATIONS_ADDRESS,
    FINANCING_ADDRESS,
    MODEL_RELEASES_ADDRESS,
    MODEL_RUNS_ADDRESS,
    MODELS_ADDRESS,
    PLEDGES_ADDRESS,
    POOL_BOOK_ADDRESS,
    POOLS_ADDRESS,
    PROVENANCE_ADDRESS,
    RECEIPTS_ADDRESS,
    RECEIVABLES_ADDRESS,
    SETTLEMENT_ADDRESS,
)
from ledger.types import Address
from tests.contracts.financing.loans import Loans
from tests.contracts.receipts.world import KEYS, SCALE
from tests.contracts.scene import error_of, key

MEMBERS: Final = {
    "operator": "operator",
    "warehouse": "granary",
    "manufacturer": "farm",
    "other-manufacturer": "mill",
    "retailer": "trader",
    "carrier": "weighers",
    "bank": "bank",
    "other-bank": "other-bank",
    "regulator": "office",
    "arbitrator": "court",
}
"""Organisations of the world of receipts, by what they are."""
SUSPENDED: Final = "port"
"""A warehouse until then."""
OUTSIDERS: Final[Mapping[str, Address]] = {
    "stranger": key(7_777).address,
    "device": SCALE.address,
    "suspended": KEYS[SUSPENDED].address,
    "receipts": RECEIPTS_ADDRESS,
    "receivables": RECEIVABLES_ADDRESS,
    "pledges": PLEDGES_ADDRESS,
    "settlement": SETTLEMENT_ADDRESS,
    "applications": APPLICATIONS_ADDRESS,
    "financing": FINANCING_ADDRESS,
    "pools": POOLS_ADDRESS,
    "pool-book": POOL_BOOK_ADDRESS,
    "models": MODELS_ADDRESS,
    "model-runs": MODEL_RUNS_ADDRESS,
    "model-releases": MODEL_RELEASES_ADDRESS,
    "another-contract": PROVENANCE_ADDRESS,
}
CALLERS: Final[Mapping[str, Address]] = {
    **{role: KEYS[name].address for role, name in MEMBERS.items()},
    **OUTSIDERS,
}

Call = bytes | Callable[[str], bytes]
"""Calldata, or how it is made for a caller."""


@dataclass(frozen=True, slots=True)
class Row:
    """What a function says to whom."""

    may: frozenset[str]
    members: str | None
    outsiders: str
    but: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, values: dict[str, Any]) -> Row:
        may = {*values.pop("may", ())}
        if "members" in may:
            may = may - {"members"} | set(MEMBERS) - set(values.get("but", ()))
        row = cls(
            frozenset(may),
            values.pop("members", None),
            values.pop("outsiders", "CallerNotActive"),
            values.pop("but", {}),
        )
        assert not values, f"{name}: {sorted(values)} is not understood"
        assert may | set(row.but) <= set(CALLERS), name
        assert not may & set(row.but), name
        return row

    def says(self, caller: str) -> str | None:
        """The error that the caller meets; None where the call goes through."""
        if caller in self.may:
            return None
        if caller in self.but:
            return self.but[caller]
        said = self.members if caller in MEMBERS else self.outsiders
        assert said is not None, f"the table says nothing of {caller}"
        return said


def read_table(test: str) -> dict[str, Row]:
    """The table beside a test file."""
    path = Path(test).with_name("roles.toml")
    tables = tomllib.loads(path.read_text("utf-8"))
    return {
        f"{contract}.{name}": Row.of(name, dict(values))
        for contract, rows in tables.items()
        for name, values in rows.items()
    }


def functions_of(*artifacts: Artifact) -> set[str]:
    """Functions that may change something, as a table names them."""
    return {
        f"{artifact.name}.{entry['name']}"
        for artifact in artifacts
        for entry in artifact.abi
        if entry["type"] == "function" and entry["stateMutability"] not in ("view", "pure")
    }


def opened() -> Loans:
    """The world of loans, without the tables of nodes."""
    world = Loans.opened()
    world.tables = []
    return world


def check(
    world: Loans,
    table: Mapping[str, Row],
    artifacts: Mapping[Address, Artifact],
    calls: Mapping[str, Call],
) -> None:
    """Each caller of each function is told what the table says, and no function is left out."""
    every = functions_of(*artifacts.values())
    assert set(table) == every, f"the table differs: {sorted(set(table) ^ every)}"
    assert set(calls) == every, f"the calls differ: {sorted(set(calls) ^ every)}"
    places = {artifact.name: place for place, artifact in artifacts.items()}
    differing = {}
    for function, row in table.items():
        to, call = places[function.partition(".")[0]], calls[function]
        for caller in CALLERS:
            told = answer(world, caller, to, call)
            if told != row.says(caller):
                differing[f"{function} by {caller}"] = (told, row.says(caller))
    assert not differing, f"what is told, and what the table says: {differing}"


def answer(world: Loans, caller: str, to: Address, call: Call) -> str | None:
    """What a caller is told now; None where the call goes through. Nothing changes."""
    data = call if isinstance(call, bytes) else call(caller)
    result = world.chain.call(CALLERS[caller], to, data)
    return error_of(result)
