"""The split model: each party keeps its part, and none makes sense without the others.

A part is stored as canonical JSON (RFC 8785); the SHA-256 of it is what the ledger holds.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

import rfc8785
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from federation.trees.errors import PartInvalid, SettingsInvalid
from federation.trees.types import HOSTS_MAX, ROWS_MAX, TreeSettings

__all__ = ["Cut", "GuestPart", "HostPart", "HostSplit", "Leaf", "Node", "OwnSplit"]

_GUEST, _HOST = "tallystick/trees-guest/1", "tallystick/trees-host/1"
_NODES_MAX = 511
SPLITS_MAX = 255_000
"""Of one host: 1,000 trees of depth 8."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """Adds to the margin."""

    value: float


@dataclass(frozen=True, slots=True)
class Cut:
    """A question to a row: values up to `edge` go left, all that are not missing where it is
    None; missing values go left or right as `missing_left` says."""

    field: str
    edge: float | None
    missing_left: bool


@dataclass(frozen=True, slots=True)
class OwnSplit:
    """The guest asks its own column; `left` and `right` are places of nodes in the tree."""

    cut: Cut
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class HostSplit:
    """A host asks; the guest knows only the number of the question."""

    party: str
    number: int
    left: int
    right: int


Node = Leaf | OwnSplit | HostSplit


@dataclass(frozen=True, slots=True)
class GuestPart:
    """Shape of the trees, leaves, the guest's own questions, and the numbers of the hosts'."""

    run: str
    guest: str
    hosts: tuple[str, ...]
    settings: TreeSettings
    seed: int
    rows: int
    """That it was learned from."""
    base: float
    """The margin before any tree."""
    trees: tuple[tuple[Node, ...], ...]
    """Each from its root on; a child stands after its parent."""

    def splits_of(self, host: str) -> int:
        """How many questions that host has in the trees."""
        return sum(
            isinstance(node, HostSplit) and node.party == host
            for tree in self.trees
            for node in tree
        )

    def to_json(self) -> bytes:
        """Canonical."""
        return rfc8785.dumps(
            {
                "format": _GUEST,
                "run": self.run,
                "guest": self.guest,
                "hosts": list(self.hosts),
                "settings": self.settings.body(),
                "seed": str(self.seed),
                "rows": self.rows,
                "base": self.base,
                "trees": [[_node_json(node) for node in tree] for tree in self.trees],
            }
        )

    @classmethod
    def from_json(cls, data: bytes) -> GuestPart:
        """Raises `PartInvalid`."""
        read = _read(_GuestModel, data)
        trees = tuple(tuple(_node(node) for node in tree) for tree in read.trees)
        part = cls(
            read.run,
            read.guest,
            tuple(read.hosts),
            _settings(read.settings),
            int(read.seed),
            read.rows,
            read.base,
            trees,
        )
        _check_trees(part)
        return _canonical(part, data)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the JSON."""
        return hashlib.sha256(self.to_json()).digest()


@dataclass(frozen=True, slots=True)
class HostPart:
    """A host's questions by their numbers."""

    run: str
    guest: str
    host: str
    settings: TreeSettings
    rows: int
    cuts: tuple[Cut, ...]

    def to_json(self) -> bytes:
        """Canonical."""
        return rfc8785.dumps(
            {
                "format": _HOST,
                "run": self.run,
                "guest": self.guest,
                "host": self.host,
                "settings": self.settings.body(),
                "rows": self.rows,
                "cuts": [_cut_json(cut) for cut in self.cuts],
            }
        )

    @classmethod
    def from_json(cls, data: bytes) -> HostPart:
        """Raises `PartInvalid`."""
        read = _read(_HostModel, data)
        cuts = tuple(_cut(cut) for cut in read.cuts)
        part = cls(read.run, read.guest, read.host, _settings(read.settings), read.rows, cuts)
        return _canonical(part, data)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the JSON."""
        return hashlib.sha256(self.to_json()).digest()


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


Name = Annotated[str, Field(min_length=1, max_length=200)]
Place = Annotated[int, Field(ge=1, lt=_NODES_MAX)]


class _LeafModel(_Model):
    leaf: float


class _CutModel(_Model):
    field: Name
    edge: float | None
    missing_left: bool


class _OwnModel(_Model):
    cut: _CutModel
    left: Place
    right: Place


class _OtherModel(_Model):
    party: Name
    number: Annotated[int, Field(ge=0, lt=SPLITS_MAX)]
    left: Place
    right: Place


_TreeModel = Annotated[
    list[_LeafModel | _OwnModel | _OtherModel], Field(min_length=1, max_length=_NODES_MAX)
]


class _PartModel(_Model):
    run: Name
    guest: Name
    settings: dict[str, Any]
    rows: Annotated[int, Field(ge=1, le=ROWS_MAX)]


class _GuestModel(_PartModel):
    format: Literal["tallystick/trees-guest/1"]
    hosts: Annotated[list[Name], Field(max_length=HOSTS_MAX)]
    seed: Annotated[str, Field(pattern=r"^(0|-?[1-9][0-9]{0,77})$")]
    base: float
    trees: Annotated[list[_TreeModel], Field(max_length=1000)]


class _HostModel(_PartModel):
    format: Literal["tallystick/trees-host/1"]
    host: Name
    cuts: Annotated[list[_CutModel], Field(max_length=SPLITS_MAX)]


Model = TypeVar("Model", bound=_Model)
Part = TypeVar("Part", GuestPart, HostPart)


def _read(model: type[Model], data: bytes) -> Model:
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the document"
        raise PartInvalid(f"no part of a model: {place}: {first['msg']}") from error


def _settings(body: dict[str, Any]) -> TreeSettings:
    try:
        return TreeSettings(**body)
    except (TypeError, SettingsInvalid) as error:
        raise PartInvalid(f"no part of a model: settings: {error}") from error


def _canonical(part: Part, data: bytes) -> Part:
    if part.to_json() != data:
        raise PartInvalid("the JSON is not canonical, so that its hash says nothing")
    return part


def _cut_json(cut: Cut) -> dict[str, Any]:
    return {"field": cut.field, "edge": cut.edge, "missing_left": cut.missing_left}


def _node_json(node: Node) -> dict[str, Any]:
    if isinstance(node, Leaf):
        return {"leaf": node.value}
    places = {"left": node.left, "right": node.right}
    if isinstance(node, OwnSplit):
        return {"cut": _cut_json(node.cut), **places}
    return {"party": node.party, "number": node.number, **places}


def _cut(read: _CutModel) -> Cut:
    return Cut(read.field, read.edge, read.missing_left)


def _node(read: _LeafModel | _OwnModel | _OtherModel) -> Node:
    if isinstance(read, _LeafModel):
        return Leaf(read.leaf)
    if isinstance(read, _OwnModel):
        return OwnSplit(_cut(read.cut), read.left, read.right)
    return HostSplit(read.party, read.number, read.left, read.right)


def _check_trees(part: GuestPart) -> None:
    """Every node but the root is the child of one before it; every question is asked once."""
    asked: dict[str, list[int]] = {host: [] for host in part.hosts}
    for number, tree in enumerate(part.trees):
        children: list[int] = []
        for place, node in enumerate(tree):
            if isinstance(node, Leaf):
                continue
            children += (node.left, node.right)
            if min(node.left, node.right) <= place:
                raise PartInvalid(f"tree {number}: node {place} stands after its child")
            if isinstance(node, HostSplit):
                if node.party not in asked:
                    raise PartInvalid(f"tree {number}: {node.party!r} is no host of this model")
                asked[node.party].append(node.number)
        if sorted(children) != list(range(1, len(tree))):
            raise PartInvalid(f"tree {number}: its nodes are no tree")
    for host, numbers in asked.items():
        if sorted(numbers) != list(range(len(numbers))):
            raise PartInvalid(f"the questions of {host!r} are not each asked once")
