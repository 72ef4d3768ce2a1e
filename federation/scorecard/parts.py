"""A scorecard as it is kept: each party has its own part, and no other's."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from federation.bins import Bins, BinsInvalid
from federation.scorecard.coding import EVIDENCE_MAX, WEIGHT_MAX, Coding, coded
from federation.scorecard.errors import PartInvalid
from federation.scorecard.moments import evidence_columns
from federation.scorecard.types import BINS_MAX, FEATURES_MAX
from federation.tables import Table
from ledger.canonical import canonical_json

SIZE_BYTES_MAX: Final = 4 << 20
_INTERCEPT_MAX: Final = 1 << 45


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature in the card of the party that has it."""

    coding: Coding
    evidence: tuple[int, ...]
    """Of each group, that of values too seldom to learn from last (0); in 2**-12. Positive: more
    bads than on the whole."""
    weight: int
    """In 2**-20; 0: the feature is not used."""
    value: float | None
    """Information value, where this party knows the counts."""
    error: float
    """Standard error of the weight."""


@dataclass(frozen=True, slots=True)
class HostPart:
    """What a host keeps."""

    party: str
    guest: str
    features: tuple[Feature, ...]

    def margins(self, table: Table) -> NDArray[np.int64]:
        """Its part of each row's margin, in 2**-32."""
        return margins_of(self.features, table)

    def to_json(self) -> bytes:
        """RFC 8785; its SHA-256 is the part's hash."""
        kind = "tally-scorecard-host"
        said = {"type": kind, "version": 1, "party": self.party, "guest": self.guest}
        return canonical_json(said | {"features": [_body(one) for one in self.features]})

    @classmethod
    def from_json(cls, data: bytes) -> HostPart:
        """Raises `PartInvalid`."""
        read = _read(_HostBody, data)
        return cls(read.party, read.guest, tuple(map(_feature, read.features)))


@dataclass(frozen=True, slots=True)
class GuestPart:
    """What the guest keeps."""

    party: str
    hosts: tuple[str, ...]
    features: tuple[Feature, ...]
    intercept: int
    """In 2**-32: the log odds of a bad where no evidence speaks."""
    values: Mapping[str, tuple[float, ...]]
    """Information value of each feature of each host, which has no name here."""

    def margins(self, table: Table) -> NDArray[np.int64]:
        """Its part of each row's margin with the intercept, in 2**-32."""
        return margins_of(self.features, table) + self.intercept

    def to_json(self) -> bytes:
        """RFC 8785; its SHA-256 is the part's hash."""
        return canonical_json(
            {
                "type": "tally-scorecard-guest",
                "version": 1,
                "party": self.party,
                "hosts": list(self.hosts),
                "features": [_body(one) for one in self.features],
                "intercept": self.intercept,
                "values": {party: list(found) for party, found in self.values.items()},
            }
        )

    @classmethod
    def from_json(cls, data: bytes) -> GuestPart:
        """Raises `PartInvalid`."""
        read = _read(_GuestBody, data)
        values = {party: tuple(found) for party, found in read.values.items()}
        features = tuple(map(_feature, read.features))
        return cls(read.party, tuple(read.hosts), features, read.intercept, values)


def hash_of(part: HostPart | GuestPart) -> bytes:
    """What the ledger holds of a part."""
    return hashlib.sha256(part.to_json()).digest()


def margins_of(features: tuple[Feature, ...], table: Table) -> NDArray[np.int64]:
    """The sum of weight times evidence. Raises `FieldUnknown` of `federation.tables`."""
    used = [one for one in features if one.weight]
    groups = coded([one.coding for one in used], table)
    columns = evidence_columns([one.evidence for one in used], groups)
    weights = np.array([one.weight for one in used], dtype=np.int64)
    return np.asarray((columns * weights[:, None]).sum(axis=0), dtype=np.int64)


# ---- JSON ---------------------------------------------------------------------------------------


_Name = Annotated[str, Field(min_length=1, max_length=64)]
_Group = Annotated[int, Field(ge=0, le=BINS_MAX + 1)]
_Evidence = Annotated[int, Field(ge=-EVIDENCE_MAX, le=EVIDENCE_MAX)]


_Body = TypeVar("_Body", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _FeatureBody(_Strict):
    field: _Name
    edges: Annotated[list[float], Field(max_length=BINS_MAX)]
    groups: Annotated[list[_Group], Field(min_length=2, max_length=BINS_MAX + 2)]
    evidence: Annotated[list[_Evidence], Field(min_length=2, max_length=BINS_MAX + 2)]
    weight: Annotated[int, Field(ge=-WEIGHT_MAX, le=WEIGHT_MAX)]
    value: Annotated[float | None, Field(ge=0)]
    error: Annotated[float, Field(ge=0)]


_Features = Annotated[list[_FeatureBody], Field(max_length=FEATURES_MAX)]


class _HostBody(_Strict):
    type: Literal["tally-scorecard-host"]
    version: Literal[1]
    party: _Name
    guest: _Name
    features: _Features


class _GuestBody(_Strict):
    type: Literal["tally-scorecard-guest"]
    version: Literal[1]
    party: _Name
    hosts: list[_Name]
    features: _Features
    intercept: Annotated[int, Field(ge=-_INTERCEPT_MAX, le=_INTERCEPT_MAX)]
    values: dict[str, list[float]]


def _read(model: type[_Body], data: bytes) -> _Body:
    if len(data) > SIZE_BYTES_MAX:
        raise PartInvalid(f"{len(data)} bytes: a part has at most {SIZE_BYTES_MAX}")
    try:
        return model.model_validate_json(data)
    except ValidationError as bad:
        first = bad.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise PartInvalid(f"this is no such part of a scorecard: {place}: {first['msg']}") from bad


def _body(feature: Feature) -> dict[str, object]:
    return {
        "field": feature.coding.field,
        "edges": feature.coding.bins.edges.tolist(),
        "groups": list(feature.coding.groups),
        "evidence": list(feature.evidence),
        "weight": feature.weight,
        "value": feature.value,
        "error": feature.error,
    }


def _feature(body: _FeatureBody) -> Feature:
    try:
        bins = Bins(np.array(body.edges))
    except BinsInvalid as bad:
        raise PartInvalid(f"feature {body.field}: {bad}") from bad
    count = len(body.evidence) - 1
    if len(body.groups) != bins.count or max(body.groups) > count or body.evidence[-1]:
        raise PartInvalid(f"feature {body.field}: bins, groups and evidence do not fit together")
    coding = Coding(body.field, bins, tuple(body.groups), count)
    return Feature(coding, tuple(body.evidence), body.weight, body.value, body.error)
