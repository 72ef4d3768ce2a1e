"""A host as the guest sees it: what is asked of it, and whether what it answers can be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from federation.channel import Channel, Message, Value, get_array, get_int
from federation.sums import Bytes, SealedInvalid, Sealer, Slots
from federation.trees.errors import PartyWrong
from federation.trees.finding import Totals
from federation.trees.gradients import Code
from federation.trees.types import FEATURES_MAX, TreeSettings
from federation.trees.wire import (
    ASK,
    BEGIN,
    KEPT,
    READY,
    SEALED,
    SIDES,
    SUMS,
    pack_bits,
    read_masks,
)

__all__ = ["Bound", "RemoteHost"]

Ints = NDArray[np.int64]
_CANDIDATES_MAX = 2 * 256 * FEATURES_MAX


class Bound:
    """What any totals over rows of a node lie between."""

    __slots__ = ("g", "g_high", "g_low", "h")

    def __init__(self, g: Ints, h: Ints) -> None:
        """From gradients and hessians of the node's rows."""
        self.g, self.h = int(g.sum()), int(h.sum())
        self.g_low, self.g_high = int(g[g < 0].sum()), int(g[g > 0].sum())

    def admits(self, totals: Totals) -> bool:
        """Whether totals of some of the rows can be these."""
        return bool(
            ((totals.h >= 0) & (totals.h <= self.h)).all()
            and ((totals.g >= self.g_low) & (totals.g <= self.g_high)).all()
        )


class RemoteHost:
    """One host of a run."""

    def __init__(
        self, channel: Channel, name: str, settings: TreeSettings, sealing: Sealer
    ) -> None:
        self.name = name
        self.splits = 0
        """How many questions it has in the trees so far."""
        self._channel, self._settings, self._sealer = channel, settings, sealing
        self._candidates = self._features = 0
        self._code = Code(2, 1)

    def begin(self, rows: int, trees: int) -> None:
        """Say what is agreed, which key, and how many trees are grown already."""
        body: dict[str, Value] = {
            "settings": self._settings.digest,
            "rows": rows,
            "trees": trees,
            "offer": self._sealer.offer(),
        }
        self._channel.send(self.name, Message(BEGIN, body))

    def ready(self, trees: int) -> None:
        """Hear how many candidates it has. Raises `PartyWrong` where it has lost trees."""
        message = self._channel.receive(self.name, READY)
        self._candidates = get_int(message, "candidates", minimum=0, maximum=_CANDIDATES_MAX)
        self._features = get_int(message, "features", minimum=1, maximum=FEATURES_MAX)
        known = get_int(message, "trees", minimum=0, maximum=self._settings.trees)
        if known < trees and trees > self._settings.guest_trees:
            raise PartyWrong(self.name, f"knows {known} trees of {trees}: its state is lost")

    def count_splits(self, splits: int) -> None:
        """Take over how many questions it had when a state was stored."""
        self.splits = splits

    def announce(self, tree: int, taken: NDArray[np.bool_], code: Code) -> None:
        """Name the rows of the next tree."""
        self._code = code
        self._ask("tree", tree=tree, rows=pack_bits(taken), bits=code.bits)

    def send_sealed(self, sealed: Bytes) -> None:
        """Sealed gradients of the next of those rows."""
        self._channel.send(self.name, Message(SEALED, {"sealed": sealed}))

    def ask_sums(self, nodes: Sequence[NDArray[np.bool_]]) -> None:
        """Ask for totals over these nodes, masks of the tree's rows."""
        self._ask("sums", nodes=[pack_bits(one) for one in nodes])

    def take_sums(self, bounds: Sequence[Bound]) -> list[Totals]:
        """The totals of each candidate, node by node. Raises `PartyWrong` for totals that cannot
        be: of another shape, negative hessians, or not over just the node's rows."""
        slots = Slots.within(self._sealer.capacity_bits, self._code.bits)
        due = self._candidates + self._features
        each = slots.numbers(due)
        message = self._channel.receive(self.name, SUMS)
        shape = (each * len(bounds), self._sealer.width)
        sums = get_array(message, "sums", dtype="|u1", shape=shape)
        try:
            numbers = self._sealer.open(sums)
            return [
                self._checked(slots.unpack(numbers[n * each : (n + 1) * each], due), bound)
                for n, bound in enumerate(bounds)
            ]
        except SealedInvalid as error:
            raise PartyWrong(self.name, f"its totals: {error}") from error

    def _checked(self, opened: list[int], bound: Bound) -> Totals:
        g, h = self._code.split(opened)
        if (g[self._candidates :] != bound.g).any() or (h[self._candidates :] != bound.h).any():
            raise PartyWrong(self.name, "the totals of its bins are not those of the node's rows")
        totals = Totals(g[: self._candidates], h[: self._candidates])
        if not bound.admits(totals):
            raise PartyWrong(self.name, "sent totals that no rows of the node come to")
        return totals

    def ask_sides(self, splits: Sequence[tuple[NDArray[np.bool_], Ints]]) -> None:
        """Ask for nodes (masks of all rows) to be split by one of those candidates each."""
        self._ask(
            "split",
            splits=[
                {"rows": pack_bits(mask), "candidates": tied.astype("<i4")} for mask, tied in splits
            ],
        )

    def take_sides(self, sizes: Sequence[int]) -> list[NDArray[np.bool_]]:
        """Which rows of each node go left."""
        message = self._channel.receive(self.name, SIDES)
        return read_masks(message, "sides", sizes)

    def keep(self, tree: int) -> None:
        """The tree is grown."""
        self._ask("keep", tree=tree)

    def kept(self, tree: int) -> None:
        """Wait until the host has stored the tree."""
        get_int(self._channel.receive(self.name, KEPT), "tree", minimum=tree, maximum=tree)

    def end(self, trees: int) -> None:
        """So many trees are kept."""
        self._ask("end", trees=trees)

    def _ask(self, do: str, **more: Value) -> None:
        self._channel.send(self.name, Message(ASK, {"do": do, **more}))
