"""Gradient-boosted trees on masked histograms: a sum a level of each tree."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Final, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from federation.horizontal.documents import Forest, Knowledge, Node, Tree, Weight, walk
from federation.horizontal.errors import DocumentInvalid, TrainingEnded
from federation.horizontal.growing import Split, best_split, leaf_value
from federation.horizontal.preparing import find_bins
from federation.horizontal.protocol import Rounds
from federation.horizontal.rows import CELLS, FINER, Rows, counts_shape, require_edges
from federation.horizontal.settings import ROWS_MAX, SCALE_BITS, BoostingSettings, Privacy
from federation.horizontal.shapes import Shape, Work
from federation.masking import fixed_bound, from_fixed, to_fixed
from federation.tables import Table

RATE: Final = "rate"
LEVEL: Final = "level"
_LOSS_MAX: Final = 1e3


class ForestKnowledge(Knowledge):
    """What all parties know while trees grow."""

    base: Weight = 0.0
    first: Annotated[int, Field(ge=0, le=1_000)] = 0
    """So many trees come before those that are listed, and are known already."""
    trees: Annotated[list[Tree], Field(max_length=1_000, default_factory=list)]
    growing: Tree | None = None
    """The tree that is not finished; `step` says how deep it is."""
    open: Annotated[
        list[Annotated[int, Field(ge=0, lt=511)]], Field(max_length=256, default_factory=list)
    ]
    """The leaves of it that are to be split."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        nodes = self.growing.nodes if self.growing else []
        if any(place >= len(nodes) or nodes[place].field >= 0 for place in self.open):
            raise ValueError("what is to be split is no leaf of the tree")
        if self.open != sorted(set(self.open)):
            raise ValueError("leaves to be split are not in order")
        trees = [*self.trees, *([self.growing] if self.growing else [])]
        if any(node.field >= len(self.edges) for tree in trees for node in tree.nodes):
            raise ValueError("a split is of a field that is none")
        return self


class BoostingAlgorithm:
    """See `Algorithm`."""

    def __init__(self, settings: BoostingSettings) -> None:
        settings.check()
        self._settings = settings

    @property
    def settings(self) -> BoostingSettings:
        """See `Algorithm`."""
        return self._settings

    @property
    def privacy(self) -> Privacy | None:
        """None: its many sums would leave each with too small a share of a budget."""
        return None

    @property
    def asks(self) -> Mapping[str, int]:
        """See `Algorithm`."""
        levels = self._settings.trees * self._settings.depth
        return {CELLS: 1, FINER: 1, RATE: 1, LEVEL: levels}

    @property
    def nothing(self) -> ForestKnowledge:
        """See `Algorithm`."""
        return ForestKnowledge(trees=[], open=[])

    def known(self, data: bytes) -> ForestKnowledge:
        """See `Algorithm`."""
        return ForestKnowledge.from_json(data)

    def model(self, data: bytes) -> Forest:
        """See `Algorithm`."""
        return Forest.from_json(data)

    def side(self, table: Table, label: NDArray[np.uint8]) -> BoostingSide:
        """See `Algorithm`."""
        return BoostingSide(Rows(self._settings, table, label))

    def shape(self, ask: str, known: ForestKnowledge) -> Shape:
        """See `Algorithm`."""
        if ask in (CELLS, FINER):
            return counts_shape(self._settings, ask, known, 0.0)
        if ask == RATE:
            return Shape(2, ROWS_MAX)
        require_edges(self._settings, known)
        bins = sum(one.count for one in known.bins)
        return Shape(2 + 2 * len(known.open) * bins, fixed_bound(SCALE_BITS, ROWS_MAX * _LOSS_MAX))

    def lead(self, rounds: Rounds, known: ForestKnowledge) -> Forest:
        """See `Algorithm`."""
        found = find_bins(rounds, self._settings, known, noisy=False)
        known = ForestKnowledge.model_validate({**found.model_dump()})
        if known.step == 2:
            bads, all_of = rounds.ask(RATE, known).values.tolist()
            if not 0 < bads < all_of:
                raise TrainingEnded("there are no bads, or no goods, among all rows")
            base = math.log(bads) - math.log(all_of - bads)
            known = known.model_copy(update={"base": base, "prior": bads / all_of, "step": 3})
            rounds.learnt(known)
        while len(known.trees) < self._settings.trees:
            if known.growing is None:
                seed = Tree(nodes=[Node()])
                known = known.model_copy(update={"growing": seed, "open": [0], "step": 3})
            known = self._grow(rounds, known)
            if known.growing is None and len(known.trees[-1].nodes) == 1:
                break  # nothing gains any more
        return Forest(
            fields=list(self._settings.names),
            edges=known.edges,
            base=known.base,
            trees=known.trees,
        )

    def _grow(self, rounds: Rounds, known: ForestKnowledge) -> ForestKnowledge:
        """One level more of the tree; finished trees are told once, not each time."""
        latest = {"first": max(len(known.trees) - 1, 0), "trees": known.trees[-1:]}
        total = rounds.ask(LEVEL, known, tell=known.model_copy(update=latest))
        values = from_fixed(total.values, SCALE_BITS)
        assert known.growing is not None
        nodes, opened = list(known.growing.nodes), []
        sizes = [bins.count for bins in known.bins]
        blocks = np.split(values[2:], len(known.open))
        for place, block in zip(known.open, blocks, strict=True):
            split = best_split(_by_field(block, sizes), self._settings)
            if split is not None:
                opened += _put(nodes, place, split, self._settings)
        depth = known.step - 2
        tree = Tree(nodes=nodes)
        update: dict[str, object] = {"growing": tree, "open": opened, "step": known.step + 1}
        if depth == self._settings.depth or not opened:
            update = {"trees": [*known.trees, tree], "growing": None, "open": [], "step": 3}
        known = known.model_copy(update=update)
        rounds.learnt(known, float(values[0] / max(values[1], 1.0)))
        return known


class BoostingSide:
    """See `BankSide`."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._count = 0
        self._margins: NDArray[np.float64] | None = None

    def work(self, ask: str, known: ForestKnowledge) -> Work:
        """See `BankSide`."""
        if ask in (CELLS, FINER):
            return Work(self._rows.counts(ask, known))
        if ask == RATE:
            label = self._rows.label
            return Work(np.array([int(label.sum()), label.size], dtype=np.int64))
        if known.step >= 3:  # the margin before the first tree is known
            self._follow(known)
        return Work(self._histograms(known)) if ask == LEVEL else Work()

    def _follow(self, known: ForestKnowledge) -> None:
        """Add the trees that are finished since to the margins."""
        if self._margins is None:
            self._margins = np.full(self._rows.label.size, known.base)
        if known.first > self._count:
            raise DocumentInvalid(f"trees after the {known.first}th, and only {self._count} known")
        index = self._rows.index(known)
        missing = [bins.missing for bins in known.bins]
        for tree in known.trees[self._count - known.first :]:
            values = np.array([node.value for node in tree.nodes])
            self._margins = self._margins + values[walk(tree, index, missing)]
            self._count += 1

    def _histograms(self, known: ForestKnowledge) -> NDArray[np.int64]:
        """Log loss, rows; then of each open leaf, for each field, both derivatives in its bins."""
        if known.growing is None or self._margins is None:
            raise DocumentInvalid("no tree is growing")
        index, bins = self._rows.index(known), known.bins
        chances = 1.0 / (1.0 + np.exp(-np.clip(self._margins, -500.0, 500.0)))
        label = self._rows.label
        loss = float(np.sum(np.logaddexp(0.0, self._margins) - label * self._margins))
        slopes, curves = chances - label, chances * (1.0 - chances)
        places = walk(known.growing, index, [one.missing for one in bins])
        parts = [np.array([loss, float(label.size)])]
        for leaf in known.open:
            here = np.flatnonzero(places == leaf)
            for one, cut in zip(index, bins, strict=True):
                parts += [
                    np.bincount(one[here], weights=weights[here], minlength=cut.count)
                    for weights in (slopes, curves)
                ]
        return to_fixed(np.concatenate(parts), SCALE_BITS, ROWS_MAX * _LOSS_MAX)


def _by_field(
    block: NDArray[np.float64], sizes: list[int]
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    out, place = [], 0
    for size in sizes:
        out.append((block[place : place + size], block[place + size : place + 2 * size]))
        place += 2 * size
    return out


def _put(nodes: list[Node], place: int, split: Split, settings: BoostingSettings) -> list[int]:
    """Make the leaf a split; returns the places of its two leaves."""
    left = len(nodes)
    nodes[place] = Node(
        field=split.field,
        bin=split.bin,
        missing="left" if split.missing_left else "right",
        left=left,
        right=left + 1,
    )
    nodes += [Node(value=leaf_value(sums, settings)) for sums in (split.left, split.right)]
    return [left, left + 1]
