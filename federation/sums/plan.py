"""In which order to add, so that features share additions.

To add sealed numbers is what costs. Rows that fall into the same bins of several features can be
added once for all of them: first into the cells of a group of features (only cells that occur),
then from the cells into smaller groups and at last into each feature's bins. A group of two with
`c` occurring cells takes `rows + 2c` additions where each by itself takes `2 rows`. Groups are
found greedily, those with the fewest cells first. Only what the adder sees anyway goes into it,
and the totals are the same whatever the plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from federation.sums.errors import SumsError

__all__ = ["FEATURES_MAX", "Node", "Plan", "plan_sums"]

FEATURES_MAX: Final = 1000
_LOOKED_AT_MAX: Final = 8192
"""Rows from which the number of cells is judged: about what the nodes of a tree have."""
_TOGETHER_MAX: Final = 16
"""Features among which groups are sought: the search takes the square of it."""
_WORTH: Final = 0.75
"""A group must have fewer cells than this share of the rows."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """Cells of a group of features."""

    parent: int
    """The node whose cells are added into these; -1: rows are."""
    cells: NDArray[np.int32]
    """Into which of these cells each cell of the parent (or each row) goes."""
    size: int
    """How many cells there are."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Nodes, parents before their children; `features[f]` is the node of the bins of feature f."""

    rows: int
    nodes: tuple[Node, ...]
    features: tuple[int, ...]

    def take(self, rows: NDArray[np.int64]) -> Plan:
        """The same plan for these rows only."""
        nodes = tuple(
            Node(-1, one.cells[rows], one.size) if one.parent < 0 else one for one in self.nodes
        )
        return Plan(int(rows.size), nodes, self.features)

    def bins(self, feature: int) -> tuple[NDArray[np.int32], int]:
        """The bin of each row, and how many bins there are."""
        node = self.nodes[self.features[feature]]
        cells, size = node.cells, node.size
        while node.parent >= 0:
            node = self.nodes[node.parent]
            cells = cells[node.cells]
        return cells, size

    def additions(self) -> int:
        """How many additions all rows take at most."""
        sizes = [one.size for one in self.nodes]
        return sum(self.rows if one.parent < 0 else sizes[one.parent] for one in self.nodes)


def plan_sums(bins: NDArray[np.uint8], counts: Sequence[int]) -> Plan:
    """Plan for `bins` `(features, rows)`, the bin of each row, and the number of bins of each.

    Raises `SumsError` where a bin is not below its feature's count.
    """
    features, rows = bins.shape
    if len(counts) != features or not 1 <= features <= FEATURES_MAX:
        raise SumsError(f"{features} features, {len(counts)} counts: 1 to {FEATURES_MAX}, alike")
    for feature, count in enumerate(counts):
        if rows and int(bins[feature].max()) >= count:
            raise SumsError(f"feature {feature} has a bin beyond its {count}")
    sample = bins[:, :: max(1, rows // _LOOKED_AT_MAX)].astype(np.int64)
    order = sorted(range(features), key=lambda f: (len(np.unique(sample[f])), f))
    nodes: list[Node] = []
    places = [0] * features
    for first in range(0, features, _TOGETHER_MAX):
        for group in _groups(sample, order[first : first + _TOGETHER_MAX]):
            _lay_out(group, bins, counts, nodes, places, -1, None)
    return Plan(rows, tuple(nodes), tuple(places))


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    members: tuple[int, ...]
    cells: NDArray[np.int64]
    size: int
    halves: tuple[_Group, _Group] | None


def _groups(sample: NDArray[np.int64], members: Sequence[int]) -> list[_Group]:
    """Join the two with the fewest cells between them as long as that saves additions."""
    worth = sample.shape[1] * _WORTH
    groups = {
        number: _Group((feature,), *_cells(sample[feature]), None)
        for number, feature in enumerate(members)
    }
    pairs = {
        (one, other): _join(groups[one], groups[other])
        for one in groups
        for other in groups
        if one < other
    }
    number = len(groups)
    while pairs:
        best = min(pairs, key=lambda pair: (pairs[pair].size, pair))
        joined = pairs[best]
        if joined.size >= worth:
            break
        for one in best:
            del groups[one]
        pairs = {pair: found for pair, found in pairs.items() if not set(pair) & set(best)}
        pairs |= {(one, number): _join(groups[one], joined) for one in groups}
        groups[number] = joined
        number += 1
    return list(groups.values())


def _join(one: _Group, other: _Group) -> _Group:
    cells, size = _cells(one.cells * other.size + other.cells)
    return _Group(one.members + other.members, cells, size, (one, other))


def _cells(keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    found, cells = np.unique(keys, return_inverse=True)
    return cells.reshape(-1).astype(np.int64), int(found.size)


def _lay_out(
    group: _Group,
    bins: NDArray[np.uint8],
    counts: Sequence[int],
    nodes: list[Node],
    places: list[int],
    parent: int,
    within: NDArray[np.int64] | None,
) -> None:
    """Append the node of a group and of all below it. `within`: one row for each parent's cell."""
    chosen = bins if within is None else bins[:, within]
    if group.halves is None:
        feature = group.members[0]
        places[feature] = len(nodes)
        nodes.append(Node(parent, chosen[feature].astype(np.int32), counts[feature]))
        return
    keys = np.zeros(chosen.shape[1], dtype=np.int64)
    for feature in group.members:
        # Renumbered each time, so that no product of counts can pass 64 bits.
        keys = _cells(keys * counts[feature] + chosen[feature])[0]
    _, first, cells = np.unique(keys, return_index=True, return_inverse=True)
    place = len(nodes)
    nodes.append(Node(parent, cells.reshape(-1).astype(np.int32), int(first.size)))
    rows = first if within is None else within[first]
    for half in group.halves:
        _lay_out(half, bins, counts, nodes, places, place, rows)
