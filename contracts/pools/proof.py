"""Proof that an asset stood in a pool on a date, and what two of them show together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any, Final

from contracts.pools.eligibility import Value
from contracts.pools.errors import AssetProofError
from contracts.pools.leaf import BALANCE_MAX, DAYS_MAX, Asset
from contracts.pools.types import ASSETS_MAX, AssetKind, AssetState
from ledger.canonical import CanonicalError, JsonError, canonical_json, parse_json
from ledger.tlog import InclusionError, leaf_hash, root_from_inclusion
from ledger.types import Hash32

FORMAT: Final = "tallystick-pool-asset/1"
SIZE_BYTES_MAX: Final = 131_072
_PATH_MAX: Final = 24
_HEX: Final = re.compile(r"0x[0-9a-f]{64}")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_KEYS: Final = frozenset({"format", "pool", "date", "revision", "size", "index", "asset", "path"})
_ASSET_KEYS: Final = frozenset({"id", "kind", "balance", "state", "daysPastDue", "terms"})


@dataclass(frozen=True, slots=True)
class AssetProof:
    """An asset, its place in the tree of a date, and the path to that tree's root."""

    pool: Hash32
    date: date
    revision: int
    size: int
    index: int
    asset: Asset
    path: tuple[bytes, ...]
    attributes: Mapping[str, Value] | None = None
    """What `asset.terms` is the hash of; None: not shown."""

    def root(self) -> Hash32:
        """The root that the path leads to: to be compared with the ledger's.

        Raises `AssetProofError` where the path or the attributes do not belong to the asset.
        """
        if self.attributes is not None:
            try:
                found = sha256(canonical_json(dict(self.attributes))).digest()
            except CanonicalError as error:
                raise AssetProofError(f"attributes: {error}") from error
            if found != self.asset.terms:
                raise AssetProofError("the attributes are not those that the asset's terms name")
        try:
            leaf = leaf_hash(self.asset.leaf())
            return Hash32(root_from_inclusion(leaf, self.index, self.size, self.path))
        except InclusionError as error:
            raise AssetProofError(str(error)) from error

    def verify(self, root: bytes, count: int) -> None:
        """Raises `AssetProofError` unless the path leads to the ledger's root for the date.

        `count` is the ledger's as well: many sizes of a tree fit to one path, so that the size in
        the proof says nothing by itself.
        """
        if self.size != count:
            raise AssetProofError(f"the pool had {count} assets on {self.date}, not {self.size}")
        if self.root() != root:
            raise AssetProofError(f"the path leads to another root than that of {self.date}")

    def encode(self) -> bytes:
        """As JSON, canonical."""
        asset = self.asset
        document: dict[str, Any] = {
            "format": FORMAT,
            "pool": _hex(self.pool),
            "date": self.date.isoformat(),
            "revision": self.revision,
            "size": self.size,
            "index": self.index,
            "asset": {
                "id": _hex(asset.id),
                "kind": asset.kind.name.lower(),
                "balance": str(asset.balance),
                "state": asset.state.name.lower(),
                "daysPastDue": asset.days_past_due,
                "terms": _hex(asset.terms),
            },
            "path": [_hex(one) for one in self.path],
        }
        if self.attributes is not None:
            document["attributes"] = dict(self.attributes)
        return canonical_json(document)

    @classmethod
    def decode(cls, data: bytes) -> AssetProof:
        """A proof out of JSON. Raises `AssetProofError`; what it proves `verify` says."""
        try:
            found = parse_json(data, size_bytes_max=SIZE_BYTES_MAX, depth_max=4)
        except JsonError as error:
            raise AssetProofError(str(error)) from error
        if not isinstance(found, dict) or set(found) - {"attributes"} != _KEYS:
            raise AssetProofError(f"an object with {', '.join(sorted(_KEYS))} is meant")
        if found["format"] != FORMAT:
            raise AssetProofError(f"the format is not {FORMAT}")
        path = found["path"]
        if not isinstance(path, list) or len(path) > _PATH_MAX:
            raise AssetProofError(f"path: a list of at most {_PATH_MAX} hashes is meant")
        return cls(
            pool=_hash(found["pool"], "pool"),
            date=_day(found["date"]),
            revision=_number(found["revision"], "revision", 1, 1 << 16),
            size=_number(found["size"], "size", 1, ASSETS_MAX),
            index=_number(found["index"], "index", 0, ASSETS_MAX),
            asset=_asset(found["asset"]),
            path=tuple(_hash(one, "path") for one in path),
            attributes=_attributes(found.get("attributes")),
        )


@dataclass(frozen=True, slots=True)
class Difference:
    """What is different about an asset between two dates."""

    field: str
    before: str
    after: str


def differences(before: AssetProof, after: AssetProof) -> tuple[Difference, ...]:
    """What two proofs of one asset show together. Raises `AssetProofError` for two assets.

    Both are to be verified first, each by the root of its own date.
    """
    same = before.pool == after.pool and before.index == after.index
    if not same or before.asset.id != after.asset.id:
        raise AssetProofError("the two proofs are about different assets")
    shown = [
        (name, _shown(getattr(before.asset, name)), _shown(getattr(after.asset, name)))
        for name in ("kind", "balance", "state", "days_past_due", "terms")
    ]
    return tuple(Difference(*one) for one in shown if one[1] != one[2])


def _shown(value: object) -> str:
    if isinstance(value, AssetKind | AssetState):
        return value.name.lower()
    return _hex(value) if isinstance(value, bytes) else str(value)


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"


def _hash(value: object, name: str) -> Hash32:
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise AssetProofError(f"{name}: 0x and 64 lower-case hex digits are meant")
    return Hash32(bytes.fromhex(value[2:]))


def _number(value: object, name: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise AssetProofError(f"{name}: a whole number from {low} to {high} is meant")
    return value


def _day(value: object) -> date:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise AssetProofError("date: YYYY-MM-DD is meant")
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise AssetProofError(f"date: {error}") from error


def _asset(value: object) -> Asset:
    if not isinstance(value, dict) or set(value) != _ASSET_KEYS:
        raise AssetProofError(f"asset: an object with {', '.join(sorted(_ASSET_KEYS))} is meant")
    balance = value["balance"]
    if not isinstance(balance, str) or not re.fullmatch(r"0|[1-9][0-9]{0,18}", balance):
        raise AssetProofError("asset: balance is a text of digits")
    kinds = {kind.name.lower(): kind for kind in AssetKind}
    states = {state.name.lower(): state for state in AssetState}
    kind, state = kinds.get(str(value["kind"])), states.get(str(value["state"]))
    if kind is None or state is None or int(balance) > BALANCE_MAX:
        raise AssetProofError("asset: kind, state or balance is not one that there is")
    days = _number(value["daysPastDue"], "asset: daysPastDue", 0, DAYS_MAX)
    id_, terms = _hash(value["id"], "asset: id"), _hash(value["terms"], "asset: terms")
    return Asset(id_, kind, int(balance), state, days, terms)


def _attributes(value: object) -> dict[str, Value] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise AssetProofError("attributes: an object is meant")
    for one in value.values():
        if isinstance(one, bool) or not isinstance(one, str | int):
            raise AssetProofError("attributes: texts and whole numbers are meant")
    return value
