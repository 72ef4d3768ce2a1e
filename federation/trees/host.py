"""The host's side of fitting: it has features, and learns which rows its own splits part.

It sees the settings, the guest's public key, which rows each tree is grown from, their sealed
gradients, which rows the nodes have that it is to add over or to split, and nothing else.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

import numpy as np
from gmpy2 import mpz
from numpy.typing import NDArray

from federation.channel import (
    Channel,
    Message,
    get_array,
    get_bytes,
    get_int,
    get_list,
    get_map,
    get_text,
)
from federation.sums import Adder, Offer, SealedInvalid, Sums, SumsError, adder, plan_sums
from federation.tables import Table
from federation.trees.errors import DataInvalid, PartyWrong, StateInvalid
from federation.trees.finding import Binned
from federation.trees.parts import Cut, HostPart
from federation.trees.state import HostState, fingerprint
from federation.trees.types import FEATURES_MAX, ROWS_MAX, Progress, TreeSettings
from federation.trees.wire import (
    ASK,
    BEGIN,
    CHUNK_ROWS,
    KEPT,
    READY,
    SEALED,
    SIDES,
    SUMS,
    nodes_max,
    pack_bits,
    read_mask,
    unpack_bits,
)

__all__ = ["fit_as_host"]

_BITS_MAX = 128
"""Of a total: more than any settings and rows within bounds need."""


def fit_as_host(
    channel: Channel,
    guest: str,
    table: Table,
    settings: TreeSettings,
    *,
    workers: int | None = None,
    state: HostState | None = None,
    on_state: Callable[[HostState], None] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> HostPart:
    """Take part in growing trees over the rows of `table`, in the order all parties share.

    `workers` processes share the work (as many as there are cores unless told). `on_state` is
    given the state after each tree; `state` is one to go on from. Returns the host's part. Raises
    `DataInvalid`, `StateInvalid`, `PartyWrong`, `SumsError`, `ChannelError`.
    """
    if not 1 <= len(table.fields) <= FEATURES_MAX or not 2 <= table.rows <= ROWS_MAX:
        raise DataInvalid(f"{len(table.fields)} features of {table.rows} rows cannot be used")
    rows = fingerprint(table)
    if state is None:
        part = HostPart(channel.run, guest, channel.me, settings, table.rows, ())
        state = HostState(part, 0, (), rows)
    mine = (state.part.run, state.part.guest, state.part.host, state.part.settings, state.rows)
    if mine != (channel.run, guest, channel.me, settings, rows):
        raise StateInvalid("the state is of another run, other settings or other rows")
    begin = channel.receive(guest, BEGIN)
    if get_bytes(begin, "settings", size=32) != settings.digest:
        raise PartyWrong(guest, "takes other settings than were agreed")
    if get_int(begin, "rows", minimum=2, maximum=ROWS_MAX) != table.rows:
        raise PartyWrong(guest, f"has another number of rows than the {table.rows} aligned")
    done = get_int(begin, "trees", minimum=0, maximum=settings.trees)
    known = state.trees if state.trees > 0 else settings.guest_trees
    binned = Binned.of(table, settings)
    body = {"candidates": binned.candidates, "features": len(table.fields), "trees": known}
    channel.send(guest, Message(READY, body))
    if done > max(known, settings.guest_trees):
        raise StateInvalid(f"the guest goes on from tree {done}, this host knows {state.trees}")
    adding = _adder(guest, begin, settings, workers)
    try:
        return _Host(channel, guest, settings, binned, adding, state.upto(done)).serve(
            on_state, progress
        )
    finally:
        adding.close()


def _adder(guest: str, begin: Message, settings: TreeSettings, workers: int | None) -> Adder:
    fields = get_map(begin, "offer")
    scheme = get_text(fields, "scheme", choices=(settings.scheme,))
    offer: Offer = {"scheme": scheme}
    if scheme != "plain":
        offer["n"] = get_bytes(fields, "n", size=settings.key_bits // 8)
        offer["h"] = get_bytes(fields, "h", size_max=settings.key_bits // 4)
    try:
        return adder(offer, workers=workers, allow_plain=settings.rehearsal)
    except SumsError as error:
        raise PartyWrong(guest, f"offers no key: {error}") from error


class _Host:
    """A host between two asks."""

    def __init__(
        self,
        channel: Channel,
        guest: str,
        settings: TreeSettings,
        binned: Binned,
        adding: Adder,
        state: HostState,
    ) -> None:
        self._channel, self._guest, self._settings = channel, guest, settings
        self._binned, self._adder, self._state = binned, adding, state
        self._plan = plan_sums(binned.index, binned.counts)
        self._cuts = list(state.part.cuts)
        self._tree_of_cut = list(state.tree_of_cut)
        self._tree = max(state.trees, settings.guest_trees) - 1
        self._sampled = 0
        self._bits = 0
        self._levels = 0
        self._order: NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    def serve(
        self,
        on_state: Callable[[HostState], None] | None,
        progress: Callable[[Progress], None] | None,
    ) -> HostPart:
        """Answer until the guest ends."""
        asks = {"tree": self._take_tree, "sums": self._send_sums, "split": self._send_sides}
        while True:
            ask = self._channel.receive(self._guest, ASK)
            do = get_text(ask, "do", choices=(*asks, "keep", "end"))
            if do == "keep":
                self._keep(on_state)
                if progress is not None:
                    progress(Progress(self._tree + 1, self._settings.trees))
            elif do == "end":
                trees = get_int(ask, "trees", minimum=0, maximum=self._settings.trees)
                return self._now(self._settings.trees).upto(trees).part
            else:
                asks[do](ask)

    def _take_tree(self, ask: Message) -> None:
        rows, settings = self._binned.index.shape[1], self._settings
        tree = get_int(ask, "tree", minimum=0, maximum=settings.trees - 1)
        if tree != self._tree + 1:
            raise PartyWrong(self._guest, f"begins tree {tree} after tree {self._tree}")
        taken = np.flatnonzero(read_mask(ask, "rows", rows))
        if taken.size < settings.node_rows_min:
            raise PartyWrong(self._guest, f"grows a tree from {taken.size} rows only")
        self._bits = get_int(ask, "bits", minimum=2, maximum=_BITS_MAX)
        width = self._adder.width
        sealed = np.empty((taken.size, width), dtype=np.uint8)
        for first in range(0, taken.size, CHUNK_ROWS):
            due = min(CHUNK_ROWS, taken.size - first)
            chunk = self._channel.receive(self._guest, SEALED)
            sealed[first : first + due] = get_array(
                chunk, "sealed", dtype="|u1", shape=(due, width)
            )
        try:
            self._adder.load(sealed, self._plan.take(taken))
        except SealedInvalid as error:
            raise PartyWrong(self._guest, f"its gradients: {error}") from error
        self._tree, self._sampled, self._levels = tree, int(taken.size), 0
        # Anew for each tree, and never told: the guest sees numbers, not features and thresholds.
        order = list(range(self._binned.candidates))
        secrets.SystemRandom().shuffle(order)
        self._order = np.array(order, dtype=np.int64)

    def _send_sums(self, ask: Message) -> None:
        self._levels += 1
        if self._levels > self._settings.depth or not self._sampled:
            raise PartyWrong(self._guest, "asks for totals of more levels than a tree has")
        asked = get_list(ask, "nodes", length_max=nodes_max(self._settings))
        seen = np.zeros(self._sampled, dtype=np.bool_)
        nodes = []
        for one in asked:
            if not isinstance(one, bytes):
                raise PartyWrong(self._guest, "asks for totals over what are no rows")
            mask = unpack_bits(self._guest, one, self._sampled)
            if (seen & mask).any() or int(mask.sum()) < self._settings.node_rows_min:
                raise PartyWrong(self._guest, "asks for totals over rows twice or over too few")
            seen |= mask
            nodes.append(np.flatnonzero(mask))
        totals = [self._totals(sums) for sums in self._adder.bin_sums(nodes)]
        packed = [self._adder.pack(one, self._bits) for one in totals]
        whole = np.concatenate(packed) if packed else np.zeros((0, self._adder.width), np.uint8)
        self._channel.send(self._guest, Message(SUMS, {"sums": whole}))

    def _totals(self, sums: Sums) -> list[mpz]:
        """Totals on the left of each candidate in the tree's secret order, then those over all
        bins of each feature, by which the guest sees that no row is missing."""
        add, binned = self._adder.add, self._binned
        up_to: list[list[mpz]] = []
        for bins in sums:
            row = [bins[0]]
            for total in bins[1:]:
                row.append(add(row[-1], total))
            up_to.append(row)
        left = []
        for candidate in self._order.tolist():
            feature = int(binned.feature[candidate])
            total = up_to[feature][int(binned.last[candidate])]
            if binned.missing_left[candidate]:
                total = add(total, sums[feature][-1])
            left.append(total)
        return left + [row[-1] for row in up_to]

    def _send_sides(self, ask: Message) -> None:
        rows, count = self._binned.index.shape[1], self._binned.candidates
        asked = get_list(ask, "splits", length_max=nodes_max(self._settings))
        sides = []
        for place in range(len(asked)):
            one = get_map(Message(ask.kind, {"split": asked[place]}, ask.party), "split")
            node = np.flatnonzero(read_mask(one, "rows", rows))
            tied = get_array(one, "candidates", dtype="<i4", shape=(None,))
            if node.size < self._settings.node_rows_min or not 1 <= tied.size <= count:
                raise PartyWrong(self._guest, "asks to split too few rows, or by no candidate")
            if int(tied.min()) < 0 or int(tied.max()) >= count:
                raise PartyWrong(self._guest, f"asks for a candidate that is not among {count}")
            # Of those that gain the same, the first by feature and threshold, whatever the order
            # they were sent in: so the model does not hang on the secret order.
            chosen = int(self._order[tied].min())
            sides.append(pack_bits(self._binned.left(chosen, node)))
            feature = int(self._binned.feature[chosen])
            self._cuts.append(
                Cut(
                    self._binned.fields[feature],
                    self._binned.edge(chosen),
                    bool(self._binned.missing_left[chosen]),
                )
            )
            self._tree_of_cut.append(self._tree)
        if sum(1 for tree in self._tree_of_cut if tree == self._tree) >= 1 << self._settings.depth:
            raise PartyWrong(self._guest, "asks for more splits than a tree has")
        self._channel.send(self._guest, Message(SIDES, {"sides": sides}))

    def _now(self, trees: int) -> HostState:
        part = self._state.part
        grown = HostPart(
            part.run, part.guest, part.host, part.settings, part.rows, tuple(self._cuts)
        )
        return HostState(grown, trees, tuple(self._tree_of_cut), self._state.rows)

    def _keep(self, on_state: Callable[[HostState], None] | None) -> None:
        if on_state is not None:
            on_state(self._now(self._tree + 1))
        self._channel.send(self._guest, Message(KEPT, {"tree": self._tree}))
