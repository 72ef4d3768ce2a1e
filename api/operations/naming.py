"""Which records a call names, by the contracts' ABIs.

Whoever signs himself sees no more than whoever asks by the routes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection

from api.errors import NotFound, Unprocessable
from api.sight import INSTRUMENTS
from contracts.abi import Function
from contracts.artifact import load_artifact
from contracts.claimants import find_claimant
from contracts.errors import CalldataError
from contracts.financing import find_application
from contracts.instruments import Viewer
from contracts.pledges import find_pledge
from contracts.pools.queries import find_pool
from contracts.receipts import find_receipt
from contracts.receivables import find_receivable
from contracts.settlement import find_deal, find_hold, find_redemption
from contracts.stock import find_lot
from ledger.types import Hash32

RECORDS_MAX: Final = 128
"""Different records that one call may name; the contracts take 64 at most."""

Find = Callable[[Connection, Hash32, Viewer], object]


@dataclass(frozen=True, slots=True)
class Sort:
    """A sort of record, as its routes find it."""

    noun: str
    find: Find


def _find_instrument(connection: Connection, id_: Hash32, viewer: Viewer) -> object:
    found = find_receipt(connection, id_, viewer)
    return find_receivable(connection, id_, viewer) if found is None else found


_RECEIPT: Final = Sort("receipt", find_receipt)
_RECEIVABLE: Final = Sort("receivable", find_receivable)
_INSTRUMENT: Final = Sort("receipt or receivable", _find_instrument)
_CLAIM: Final = Sort("claim", find_claimant)
_LOT: Final = Sort("lot", find_lot)
_PLEDGE: Final = Sort("pledge", find_pledge)
_DEAL: Final = Sort("settlement", find_deal)
_LOAN: Final = Sort("loan", find_application)
_POOL: Final = Sort("pool", find_pool)
_HOLD: Final = Sort("hold", find_hold)
_REDEMPTION: Final = Sort("redemption", find_redemption)

NAMED: Final[Mapping[str, Mapping[str, Sort]]] = {
    "claims": {"key": _CLAIM},
    "stock": {"key": _LOT, "told.key": _LOT},
    "pledges": {"key": _PLEDGE, "id": _INSTRUMENT},
    "receipts": {"id": _RECEIPT, "ids": _RECEIPT, "draft.lot": _LOT},
    "receivables": {"id": _RECEIVABLE},
    "settlement": {"id": _DEAL, "debt.receivable": _RECEIVABLE, "legs.id": _INSTRUMENT},
    "applications": {"id": _LOAN, "request.asset": _INSTRUMENT},
    "financing": {"id": _LOAN},
    "pools": {"id": _POOL},
    "pool-book": {"id": _POOL, "assets": _INSTRUMENT},
    "deposits": {
        "release/id": _HOLD,
        "collect/id": _HOLD,
        "confirmRedemption/id": _REDEMPTION,
        "refuseRedemption/id": _REDEMPTION,
        "withdrawRedemption/id": _REDEMPTION,
    },
}
"""By contract and parameter (where functions mean different things by one name: function/parameter)
what is a record's id."""


def check_named(connection: Connection, contract: str, calldata: bytes, viewer: Viewer) -> None:
    """That every record which a call names is one that he may see.

    Raises `NotFound` as the routes do, and `Unprocessable` for what is no act of the contract.
    """
    seen: set[tuple[str, Hash32]] = set()
    for sort, id_ in _named(contract, calldata):
        if (sort.noun, id_) in seen:
            continue
        seen.add((sort.noun, id_))
        if len(seen) > RECORDS_MAX:
            raise Unprocessable(f"the call names more than {RECORDS_MAX} records")
        if sort.find(connection, id_, viewer) is None:
            raise NotFound(f"there is no {sort.noun} 0x{id_.hex()} that you may see")


def _named(contract: str, calldata: bytes) -> Iterator[tuple[Sort, Hash32]]:
    known = _acts(contract).get(calldata[:4])
    if known is None:
        raise Unprocessable(f"0x{calldata[:4].hex()} is no act of {contract}")
    function, parameters = known
    try:
        values = function.arguments(calldata)
    except CalldataError as error:
        raise Unprocessable(f"the call cannot be read: {error}") from error
    sorts = NAMED.get(contract, {})
    for path, value in _walk(parameters, values):
        sort = sorts.get(f"{function.name}/{path}") or sorts.get(path)
        if sort is not None:
            yield sort, Hash32(value)


def _walk(
    parameters: Sequence[Mapping[str, Any]], values: Sequence[Any], before: str = ""
) -> Iterator[tuple[str, Any]]:
    """Every value that is neither tuple nor array, with the names that lead to it."""
    for parameter, value in zip(parameters, values, strict=True):
        path, kind = before + str(parameter["name"]), str(parameter["type"])
        each = value if kind.endswith("]") else (value,)
        for one in each:
            if kind.startswith("tuple"):
                yield from _walk(parameter["components"], one, f"{path}.")
            else:
                yield path, one


@cache
def _acts(contract: str) -> Mapping[bytes, tuple[Function, Sequence[Mapping[str, Any]]]]:
    """What changes something, by selector, with its parameters."""
    room, name = INSTRUMENTS[contract]
    artifact = load_artifact(f"contracts.{room}", name)
    found = {}
    for entry in artifact.abi:
        if entry["type"] == "function" and entry["stateMutability"] == "nonpayable":
            function = Function.of(artifact, entry["name"])
            found[function.selector] = (function, entry["inputs"])
    return found
