"""One tree, level by level, by the guest.

Only the smaller of two siblings is added over; the larger has what the parent had less that. A
host that sent totals with which it wins a split is held to them: its rows must come to just those.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from federation.trees.errors import PartyWrong
from federation.trees.finding import Binned, Totals, best_of, gains, own_totals
from federation.trees.gradients import Code
from federation.trees.parts import Cut, HostSplit, Leaf, Node, OwnSplit
from federation.trees.remote import Bound, RemoteHost
from federation.trees.types import TreeSettings

__all__ = ["Growing"]

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(slots=True, eq=False)
class _Open:
    """A node that is not yet split nor a leaf."""

    place: int
    """In the tree."""
    rows: Ints
    """All that come here, of all the guest has."""
    taken: Ints
    """Those among them that the tree is grown from, as places among the tree's rows."""
    bound: Bound
    host_totals: list[Totals] = field(default_factory=list)
    """Of each host's candidates."""
    parent: list[Totals] | None = None
    """Those of the parent, if the sibling is the one added over."""
    sibling: _Open | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Choice:
    node: _Open
    party: int
    """0: the guest; else the host before it."""
    candidates: Ints


class Growing:
    """Grows one tree."""

    def __init__(
        self,
        settings: TreeSettings,
        binned: Binned,
        hosts: list[RemoteHost],
        rows: Ints,
        sampled: tuple[Ints, Ints],
        code: Code,
    ) -> None:
        """`rows`: those the tree is grown from, ascending; `sampled`: their weighted gradients and
        hessians."""
        self._settings, self._binned, self._hosts, self._code = settings, binned, hosts, code
        self._rows, (self._g, self._h) = rows, sampled
        self._place = np.full(binned.index.shape[1], -1, dtype=np.int64)
        self._place[rows] = np.arange(rows.size)
        self._nodes: list[Node | None] = []

    def grow(self, g: Ints, h: Ints, taught: Mask) -> tuple[list[Node], Ints]:
        """The nodes, and the leaf of every row. Leaves are reckoned from `g` and `h`, unweighted,
        of all rows that teach, sampled or not."""
        root = self._open(np.arange(self._place.size))
        level, leaf_of_row = [root], np.zeros(self._place.size, dtype=np.int64)
        for _ in range(self._settings.depth):
            splittable = [node for node in level if self._splittable(node)]
            self._ask_hosts(splittable)
            choices = self._choices(splittable)
            children = self._split(choices)
            chosen = {one.node.place for one in choices}
            for node in level:
                if node.place not in chosen:
                    self._close(node, g, h, taught, leaf_of_row)
            level = children
            if not level:
                break
        for node in level:
            self._close(node, g, h, taught, leaf_of_row)
        return [node for node in self._nodes if node is not None], leaf_of_row

    def _open(self, rows: Ints) -> _Open:
        taken = self._place[rows]
        taken = taken[taken >= 0]
        self._nodes.append(None)
        bound = Bound(self._g[taken], self._h[taken])
        return _Open(len(self._nodes) - 1, rows, taken, bound)

    def _splittable(self, node: _Open) -> bool:
        return node.taken.size >= self._settings.node_rows_min

    def _close(self, node: _Open, g: Ints, h: Ints, taught: Mask, leaf_of_row: Ints) -> None:
        rows = node.rows[taught[node.rows]]
        unit = 2.0**-self._settings.scale_bits
        weight = -(int(g[rows].sum()) * unit) / (int(h[rows].sum()) * unit + self._settings.l2)
        # Adding zero: no margin moves by it, and JSON knows no negative zero.
        self._nodes[node.place] = Leaf(self._settings.learning_rate * weight + 0.0)
        leaf_of_row[node.rows] = node.place

    def _ask_hosts(self, nodes: list[_Open]) -> None:
        if not self._hosts or not nodes:
            return
        there = {node.place for node in nodes}
        asked, derived = [], []
        for node in nodes:
            twin = node.sibling
            smaller = twin is None or (node.taken.size, node.place) < (twin.taken.size, twin.place)
            if smaller or twin is None or twin.place not in there:
                asked.append(node)
            else:
                derived.append((node, twin))
        masks = [self._mask(node.taken, self._rows.size) for node in asked]
        for host in self._hosts:
            host.ask_sums(masks)
        for host in self._hosts:
            found = host.take_sums([node.bound for node in asked])
            for node, totals in zip(asked, found, strict=True):
                node.host_totals.append(totals)
        for node, twin in derived:
            assert node.parent is not None
            for host, whole, part in zip(self._hosts, node.parent, twin.host_totals, strict=True):
                totals = whole - part
                if not node.bound.admits(totals):
                    raise PartyWrong(host.name, "sent totals of a node beyond those of its parent")
                node.host_totals.append(totals)

    def _choices(self, nodes: list[_Open]) -> list[_Choice]:
        choices = []
        for node in nodes:
            rows = self._rows[node.taken]
            own = own_totals(self._binned, rows, self._g[node.taken], self._h[node.taken])
            found = [
                gains(totals, node.bound.g, node.bound.h, self._settings)
                for totals in (own, *node.host_totals)
            ]
            best = best_of(found)
            if best is not None:
                choices.append(_Choice(node, *best))
        return choices

    def _split(self, choices: list[_Choice]) -> list[_Open]:
        """Split the nodes chosen, in their order; returns their children."""
        if not choices:
            return []
        sides: dict[int, Mask] = {}
        for number, host in enumerate(self._hosts, 1):
            mine = [one for one in choices if one.party == number]
            if mine:
                host.ask_sides(
                    [(self._mask(one.node.rows, self._place.size), one.candidates) for one in mine]
                )
        for number, host in enumerate(self._hosts, 1):
            mine = [one for one in choices if one.party == number]
            if mine:
                found = host.take_sides([one.node.rows.size for one in mine])
                for one, side in zip(mine, found, strict=True):
                    self._hold_to(host, one, side)
                    sides[one.node.place] = side
        children = []
        for one in choices:
            children += self._divide(one, sides.get(one.node.place))
        return children

    def _hold_to(self, host: RemoteHost, choice: _Choice, side: Mask) -> None:
        node, place = choice.node, choice.party - 1
        taken = self._place[node.rows[side]]
        taken = taken[taken >= 0]
        g, h = int(self._g[taken].sum()), int(self._h[taken].sum())
        claimed = node.host_totals[place]
        if not any(
            (g, h) == (int(claimed.g[one]), int(claimed.h[one])) for one in choice.candidates
        ):
            raise PartyWrong(host.name, "its split's rows do not come to the totals it sent")

    def _divide(self, choice: _Choice, side: Mask | None) -> list[_Open]:
        node = choice.node
        number = int(choice.candidates[0])
        if side is None:
            side = self._binned.left(number, node.rows)
        left, right = self._open(node.rows[side]), self._open(node.rows[~side])
        if choice.party == 0:
            binned = self._binned
            name = binned.fields[int(binned.feature[number])]
            cut = Cut(name, binned.edge(number), bool(binned.missing_left[number]))
            self._nodes[node.place] = OwnSplit(cut, left.place, right.place)
        else:
            host = self._hosts[choice.party - 1]
            self._nodes[node.place] = HostSplit(host.name, host.splits, left.place, right.place)
            host.splits += 1
        for child, twin in ((left, right), (right, left)):
            child.parent, child.sibling = node.host_totals, twin
        return [left, right]

    @staticmethod
    def _mask(rows: Ints, size: int) -> Mask:
        mask = np.zeros(size, dtype=np.bool_)
        mask[rows] = True
        return mask
