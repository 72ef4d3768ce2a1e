"""What a party brings to a run, and what the stages are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias, TypeVar, get_type_hints

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, create_model

from federation.documents import STRICT
from federation.errors import FederationError
from federation.runs import Json, Run, Stage, StageContext, StageRefused
from federation.tables import Table
from ledger.canonical import canonical_json

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

WHOLE_BP: Final = 10_000
_NAMED: Final = ConfigDict(extra="forbid", strict=True)
Party = Annotated[str, Field(pattern=r"\A[a-z0-9-]{1,32}\z")]
StageName = Annotated[str, Field(pattern=r"\A[a-z0-9-]{1,64}\z")]


@dataclass(frozen=True, slots=True)
class OwnData:
    """A party's own rows with the fields that it has shared for the run, and no others."""

    table: Table
    label: NDArray[np.uint8] | None = None
    """Of each row; only the guest has it. 1: went bad."""


DataOf: TypeAlias = Callable[[Run, Stage], OwnData]
"""How a party finds its own rows for a stage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Who has the label in a stage; all others have features."""

    __pydantic_config__ = STRICT
    guest: Party


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignmentConfig(Sides):
    """Settings of the stage `alignment`."""

    __pydantic_config__ = STRICT
    common_min: Annotated[int, Field(ge=1, le=10_000_000)] = 1_000
    pad_to: Annotated[int, Field(ge=1, le=1_000_000)] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig(Sides):
    """Settings of the stages `scorecard` and `trees`."""

    __pydantic_config__ = STRICT
    rows: StageName = "alignment"
    """The stage whose common rows are used."""
    test_bp: Annotated[int, Field(ge=0, le=5_000)] = 2_000
    """The last so many of the common rows, whose order is secret and by chance, are not learned
    from: the guest judges the model by them."""
    seed: Annotated[int, Field(ge=0, le=2**53 - 1)] = 0
    settings: dict[str, bool | int | float | str] = field(default_factory=dict)
    """Of the algorithm, where they are not its own defaults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringConfig(Sides):
    """Settings of the stage `scoring`."""

    __pydantic_config__ = STRICT
    rows: StageName
    """The stage whose common rows are scored."""
    model: StageName
    """The stage that made the model."""
    algorithm: StageName


Config = TypeVar("Config", bound=Sides)
Made = TypeVar("Made")
Settings = TypeVar("Settings", bound="DataclassInstance")


def config_of(kind: type[Config], context: StageContext) -> Config:
    """The stage's settings. Raises `StageRefused` for what they cannot be."""
    config = _read(TypeAdapter(kind), context.stage.config, f"stage {context.stage.name}")
    if config.guest not in context.run.parties_of(context.stage):
        raise StageRefused(f"stage {context.stage.name}: its guest takes no part in it")
    return config


def hosts_of(config: Sides, context: StageContext) -> tuple[str, ...]:
    """All parties of the stage but the guest, in the order of the run."""
    return tuple(one for one in context.run.parties_of(context.stage) if one != config.guest)


def settings_of(kind: type[Settings], given: Mapping[str, Json]) -> Settings:
    """An algorithm's settings. Raises `StageRefused` for what they cannot be."""
    hints = get_type_hints(kind)
    named: dict[str, Any] = {one.name: (hints[one.name], one.default) for one in fields(kind)}
    read = _read(
        TypeAdapter(create_model("Settings", __config__=_NAMED, **named)), given, "settings"
    )
    try:
        return kind(**read.model_dump())
    except FederationError as error:
        raise StageRefused(f"settings: {error}") from error


def _read(adapter: TypeAdapter[Made], given: Mapping[str, Json], what: str) -> Made:
    # By way of JSON, as it came: there strict reading takes an object for what it describes.
    try:
        return adapter.validate_json(canonical_json(dict(given)))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = "/".join([what, *(str(part) for part in first["loc"])])
        raise StageRefused(f"{place}: {first['msg']}") from error
