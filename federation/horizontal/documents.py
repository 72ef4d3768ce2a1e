"""Models and states as JSON (RFC 8785); read strictly, since they come from another party."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal, Self, TypeVar

import numpy as np
import rfc8785
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from federation.bins import Bins, BinsError
from federation.horizontal.errors import DocumentInvalid
from federation.horizontal.settings import FIELDS_MAX, SCORE_MAX
from federation.tables import Table

SIZE_BYTES_MAX = 64 << 20
WEIGHT_MAX = 1e6

Finite = Annotated[float, Field(allow_inf_nan=False)]
Weight = Annotated[float, Field(allow_inf_nan=False, ge=-WEIGHT_MAX, le=WEIGHT_MAX)]
Score = Annotated[float, Field(allow_inf_nan=False, ge=-SCORE_MAX, le=SCORE_MAX)]
Name = Annotated[str, Field(min_length=1, max_length=64)]
_D = TypeVar("_D", bound="Document")


class Document(BaseModel):
    """A document of fixed shape."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    def to_json(self) -> bytes:
        """RFC 8785."""
        return rfc8785.dumps(self.model_dump(mode="json"))

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read it. Raises `DocumentInvalid`."""
        if len(data) > SIZE_BYTES_MAX:
            raise DocumentInvalid(f"{cls.__name__}: {len(data)} bytes, at most {SIZE_BYTES_MAX}")
        try:
            return cls.model_validate_json(data)
        except (ValidationError, ValueError, RecursionError) as error:
            first = str(error).splitlines()
            raise DocumentInvalid(f"{cls.__name__}: {' '.join(first[:3])[:300]}") from error

    def digest(self) -> bytes:
        """SHA-256 of its JSON: its hash on the ledger."""
        return hashlib.sha256(self.to_json()).digest()


def _check_edges(edges: list[list[float]]) -> None:
    try:
        for one in edges:
            Bins(np.array(one, dtype=np.float64))
    except BinsError as error:
        raise ValueError(str(error)) from error


class Knowledge(Document):
    """What all parties of a training know: what has come out of the sums so far."""

    edges: Annotated[list[list[Finite]], Field(max_length=FIELDS_MAX)] = []
    """Of each field's bins."""
    woe: Annotated[list[list[Score]], Field(max_length=FIELDS_MAX)] = []
    """Of each field, the weight of evidence of each bin, that of missing values last."""
    weights: Annotated[list[Weight], Field(max_length=1 << 18)] = []
    """Of a scorecard: the intercept, then one a field. Of a net: all its weights in a row."""
    memory: Annotated[list[Finite], Field(max_length=1 << 18)] = []
    """What has come out of sums and is needed later."""
    step: Annotated[int, Field(ge=0, le=1 << 20)] = 0
    """How far the algorithm is."""
    prior: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of bads; 0: not known yet."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        _check_edges(self.edges)
        if self.woe and [len(one) for one in self.woe] != [len(one) + 2 for one in self.edges]:
            raise ValueError("as many weights of evidence as bins are meant")
        return self

    @property
    def bins(self) -> list[Bins]:
        """The bins of each field."""
        return [Bins(np.array(one, dtype=np.float64)) for one in self.edges]


def evidence(knowledge: Knowledge, names: tuple[str, ...], table: Table) -> NDArray[np.float64]:
    """The weight of evidence of each row in each field, `(rows, fields)`."""
    out = np.empty((table.rows, len(names)), dtype=np.float64)
    for place, (name, bins) in enumerate(zip(names, knowledge.bins, strict=True)):
        out[:, place] = np.array(knowledge.woe[place])[bins.index(table.column(name))]
    return out


class Scorecard(Document):
    """A logistic regression on weight of evidence that all banks hold."""

    format: Literal["tallystick/horizontal-scorecard/1"] = "tallystick/horizontal-scorecard/1"
    fields: Annotated[list[Name], Field(min_length=1, max_length=FIELDS_MAX)]
    knowledge: Knowledge

    @model_validator(mode="after")
    def _whole(self) -> Self:
        known = self.knowledge
        if not len(self.fields) == len(known.edges) == len(known.woe) == len(known.weights) - 1:
            raise ValueError("as many fields as bins, and one weight more are meant")
        return self

    def score(self, table: Table) -> NDArray[np.float64]:
        """The log odds of going bad of each row."""
        weights = np.array(self.knowledge.weights)
        rows = evidence(self.knowledge, tuple(self.fields), table)
        # Field by field, so that the order of the additions is that of the fields everywhere.
        margins = np.full(table.rows, weights[0])
        for place in range(rows.shape[1]):
            margins += rows[:, place] * weights[place + 1]
        return margins


class Node(Document):
    """A split, or a leaf: rows of a bin up to `bin` go left, missing values as `missing` says."""

    field: Annotated[int, Field(ge=-1, lt=FIELDS_MAX)] = -1
    """-1: a leaf."""
    bin: Annotated[int, Field(ge=0, le=255)] = 0
    missing: Literal["left", "right"] = "left"
    left: Annotated[int, Field(ge=0, lt=512)] = 0
    right: Annotated[int, Field(ge=0, lt=512)] = 0
    value: Weight = 0.0
    """Of a leaf: what it adds to the margin."""


class Tree(Document):
    """A tree as a list of nodes, the root first, children after their parents."""

    nodes: Annotated[list[Node], Field(min_length=1, max_length=511)]

    @model_validator(mode="after")
    def _grows_downwards(self) -> Self:
        named: set[int] = set()
        for place, node in enumerate(self.nodes):
            if node.field < 0:
                continue
            for child in (node.left, node.right):
                if not place < child < len(self.nodes) or child in named:
                    raise ValueError(f"node {place} has {child} as a child")
                named.add(child)
        return self


class Forest(Document):
    """Gradient-boosted trees that all banks hold."""

    format: Literal["tallystick/horizontal-forest/1"] = "tallystick/horizontal-forest/1"
    fields: Annotated[list[Name], Field(min_length=1, max_length=FIELDS_MAX)]
    edges: Annotated[list[list[Finite]], Field(min_length=1, max_length=FIELDS_MAX)]
    base: Weight
    """The margin before the first tree: the log odds of all rows."""
    trees: Annotated[list[Tree], Field(max_length=1_000)]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        _check_edges(self.edges)
        if len(self.edges) != len(self.fields):
            raise ValueError("as many fields as bins are meant")
        if any(node.field >= len(self.fields) for tree in self.trees for node in tree.nodes):
            raise ValueError("a split is of a field that is none")
        return self

    def score(self, table: Table) -> NDArray[np.float64]:
        """The log odds of going bad of each row."""
        index = [
            Bins(np.array(edges, dtype=np.float64)).index(table.column(name))
            for name, edges in zip(self.fields, self.edges, strict=True)
        ]
        missing = [len(edges) + 1 for edges in self.edges]
        out = np.full(table.rows, self.base)
        for tree in self.trees:
            values = np.array([node.value for node in tree.nodes])
            out += values[walk(tree, index, missing)]
        return out


def walk(tree: Tree, index: list[NDArray[np.uint8]], missing: list[int]) -> NDArray[np.int64]:
    """The node at which each row ends; `index` has the bin of each row, by field."""
    place = np.zeros(index[0].size, dtype=np.int64)
    for number, node in enumerate(tree.nodes):
        if node.field < 0:
            continue
        here = np.flatnonzero(place == number)
        bins = index[node.field][here]
        left = np.where(bins == missing[node.field], node.missing == "left", bins <= node.bin)
        place[here] = np.where(left, node.left, node.right)
    return place


class Net(Document):
    """A net of two layers on weight of evidence that all banks hold."""

    format: Literal["tallystick/horizontal-net/1"] = "tallystick/horizontal-net/1"
    fields: Annotated[list[Name], Field(min_length=1, max_length=FIELDS_MAX)]
    hidden: Annotated[int, Field(ge=1, le=256)]
    knowledge: Knowledge

    @model_validator(mode="after")
    def _whole(self) -> Self:
        known, count = self.knowledge, len(self.fields)
        if not count == len(known.edges) == len(known.woe):
            raise ValueError("as many fields as bins are meant")
        if len(known.weights) != self.hidden * (count + 2) + 1:
            raise ValueError("a net of that size has another number of weights")
        return self

    def score(self, table: Table) -> NDArray[np.float64]:
        """The log odds of going bad of each row."""
        rows = evidence(self.knowledge, tuple(self.fields), table)
        weights = np.array(self.knowledge.weights)
        inner, bias, outer, base = net_parts(weights, len(self.fields), self.hidden)
        margins: NDArray[np.float64] = np.tanh(rows @ inner + bias) @ outer + base
        return margins


def net_parts(
    weights: NDArray[np.float64], fields: int, hidden: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]:
    """The first layer (fields, hidden), its bias, the second layer and its bias."""
    first = fields * hidden
    inner = weights[:first].reshape(fields, hidden)
    return inner, weights[first : first + hidden], weights[first + hidden : -1], float(weights[-1])


class Round(Document):
    """One round of a training, for the ledger."""

    number: Annotated[int, Field(ge=1, le=1 << 20)]
    ask: Annotated[str, Field(min_length=1, max_length=20)]
    participants: Annotated[list[str], Field(max_length=64)]
    model: Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$")]
    """SHA-256 of what the parties know after it, as JSON."""
    loss: Finite | None
    """Mean log loss of all rows before the round's step; nothing where it was not asked for."""
    epsilon_millionths: Annotated[int, Field(ge=0)]
    """Spent in all so far."""
    faults: Annotated[list[dict[str, str]], Field(max_length=1_000)]
