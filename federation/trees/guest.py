"""The guest's side of fitting: it has the label, and decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from federation.channel import Channel
from federation.measures import MeasuresError, auc
from federation.sums import Sealer, sealer
from federation.tables import Table
from federation.trees.errors import DataInvalid, StateInvalid
from federation.trees.finding import Binned
from federation.trees.gradients import (
    Code,
    Sample,
    base_margin,
    gradients,
    random_order,
    sample_rows,
)
from federation.trees.growing import Growing
from federation.trees.parts import GuestPart, Leaf
from federation.trees.remote import RemoteHost
from federation.trees.state import GuestState, fingerprint
from federation.trees.types import FEATURES_MAX, HOSTS_MAX, ROWS_MAX, Progress, TreeSettings
from federation.trees.wire import CHUNK_ROWS

__all__ = ["fit_as_guest"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def fit_as_guest(
    channel: Channel,
    hosts: Sequence[str],
    table: Table,
    label: NDArray[np.uint8],
    settings: TreeSettings,
    *,
    seed: int,
    workers: int | None = None,
    state: GuestState | None = None,
    on_state: Callable[[GuestState], None] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> GuestPart:
    """Grow trees over the rows of `table` (features only) and those of the hosts, in the order
    that all share, for `label` (1: went bad).

    The same rows, settings and seed give the same part, whatever the scheme, the keys and the
    number of workers. `on_state` is given the state after each tree; `state` is one to go on from.
    Without hosts it grows trees alone. Raises `DataInvalid`, `StateInvalid`, `PartyWrong`,
    `SumsError`, `ChannelError`.
    """
    label = _checked(table, label, hosts, settings)
    start = _start(channel, hosts, table, label, settings, seed, state)
    sealing = sealer(settings.scheme, settings.key_bits, workers=workers) if hosts else None
    try:
        remotes = []
        if sealing is not None:
            for host in hosts:
                remotes.append(RemoteHost(channel, host, settings, sealing))
                remotes[-1].begin(table.rows, len(start.part.trees))
            for remote in remotes:
                remote.ready(len(start.part.trees))
        fit = _Fit(start, Binned.of(table, settings), label, remotes, sealing)
        return fit.run(on_state, progress)
    finally:
        if sealing is not None:
            sealing.close()


def _checked(
    table: Table, label: NDArray[np.uint8], hosts: Sequence[str], settings: TreeSettings
) -> NDArray[np.uint8]:
    label = np.asarray(label)
    if label.shape != (table.rows,) or not np.isin(label, (0, 1)).all():
        raise DataInvalid(f"labels {label.shape} for {table.rows} rows: a 0 or 1 for each")
    if not settings.node_rows_min <= table.rows <= ROWS_MAX:
        raise DataInvalid(f"{table.rows} rows: {settings.node_rows_min} to {ROWS_MAX} can be used")
    if len(table.fields) > FEATURES_MAX or not (table.fields or hosts):
        raise DataInvalid(f"{len(table.fields)} features of the guest's and {len(hosts)} hosts")
    if len(hosts) > HOSTS_MAX or len(set(hosts)) != len(hosts):
        raise DataInvalid(f"{len(hosts)} hosts: at most {HOSTS_MAX}, each once")
    return label.astype(np.uint8)


def _start(
    channel: Channel,
    hosts: Sequence[str],
    table: Table,
    label: NDArray[np.uint8],
    settings: TreeSettings,
    seed: int,
    state: GuestState | None,
) -> GuestState:
    rows = fingerprint(table, label)
    if state is None:
        base = base_margin(label[_apart(label.size, settings, seed)[1]])
        part = GuestPart(
            channel.run, channel.me, tuple(hosts), settings, seed, table.rows, base, ()
        )
        return GuestState(part, np.full(table.rows, base), (), rows)
    part = state.part
    mine = (part.run, part.guest, part.hosts, part.settings, part.seed, state.rows)
    if mine != (channel.run, channel.me, tuple(hosts), settings, seed, rows):
        raise StateInvalid("the state is of another run, other hosts, settings, seed or rows")
    if state.margins.size != table.rows:
        raise StateInvalid("the state has margins of other rows")
    return state


def _apart(rows: int, settings: TreeSettings, seed: int) -> tuple[Ints, Ints]:
    """The rows to judge by, and those to learn from, each ascending."""
    order = random_order(rows, "validation", seed)
    apart = rows * settings.validation_bp // 10_000
    return np.sort(order[:apart]), np.sort(order[apart:])


class _Fit:
    """A run of the guest's, one tree after the other."""

    def __init__(
        self,
        start: GuestState,
        binned: Binned,
        label: NDArray[np.uint8],
        hosts: list[RemoteHost],
        sealing: Sealer | None,
    ) -> None:
        self._state, self._settings = start, start.part.settings
        self._binned, self._label = binned, label
        self._hosts, self._sealing = hosts, sealing
        self._apart, self._rows = _apart(label.size, self._settings, start.part.seed)
        for host in hosts:
            host.count_splits(start.part.splits_of(host.name))

    def run(
        self,
        on_state: Callable[[GuestState], None] | None,
        progress: Callable[[Progress], None] | None,
    ) -> GuestPart:
        """Grow what is missing."""
        while len(self._state.part.trees) < self._settings.trees and not self._over():
            self._grow()
            if on_state is not None:
                on_state(self._state)
            if progress is not None:
                progress(self._progress())
        trees = len(self._state.part.trees)
        if self._state.curve:
            trees = self._state.curve.index(max(self._state.curve)) + 1
        for host in self._hosts:
            host.end(trees)
        return replace(self._state.part, trees=self._state.part.trees[:trees])

    def _over(self) -> bool:
        curve = self._state.curve
        return bool(curve) and len(curve) - 1 - curve.index(max(curve)) >= self._settings.patience

    def _grow(self) -> None:
        settings, part = self._settings, self._state.part
        tree = len(part.trees)
        every = np.ones(self._label.size)
        g, h = gradients(self._label, self._state.margins, every, settings.scale_bits)
        sample = sample_rows(self._rows, g[self._rows], settings, part.seed, tree)
        hosts = self._hosts if tree >= settings.guest_trees else []
        sampled = self._sampled_gradients(sample)
        code = Code.of(sample.rows.size, sample.weight_max, settings.scale_bits)
        if hosts and self._sealing is not None:
            _announce(hosts, self._sealing, sample, code, sampled, tree, self._label.size)
        taught = np.zeros(self._label.size, dtype=np.bool_)
        taught[self._rows] = True
        growing = Growing(settings, self._binned, hosts, sample.rows, sampled, code)
        nodes, leaf_of_row = growing.grow(g, h, taught)
        values = np.array([one.value if isinstance(one, Leaf) else 0.0 for one in nodes])
        margins = self._state.margins + values[leaf_of_row]
        for host in hosts:
            host.keep(tree)
        for host in hosts:
            host.kept(tree)
        curve = self._state.curve
        if self._apart.size:
            curve = (*curve, _auc(self._label[self._apart], margins[self._apart]))
        grown = replace(part, trees=(*part.trees, tuple(nodes)))
        self._state = GuestState(grown, margins, curve, self._state.rows)

    def _sampled_gradients(self, sample: Sample) -> tuple[Ints, Ints]:
        return gradients(
            self._label[sample.rows],
            self._state.margins[sample.rows],
            sample.weights,
            self._settings.scale_bits,
        )

    def _progress(self) -> Progress:
        margins, curve = self._state.margins[self._rows], self._state.curve
        return Progress(
            len(self._state.part.trees),
            self._settings.trees,
            _auc(self._label[self._rows], margins),
            curve[-1] if curve else None,
        )


def _announce(
    hosts: list[RemoteHost],
    sealing: Sealer,
    sample: Sample,
    code: Code,
    sampled: tuple[Ints, Ints],
    tree: int,
    rows: int,
) -> None:
    """Tell the hosts which rows the tree is grown from, and their gradients, each sealed once."""
    taken = np.zeros(rows, dtype=np.bool_)
    taken[sample.rows] = True
    for host in hosts:
        host.announce(tree, taken, code)
    values = code.join(*sampled)
    for first in range(0, len(values), CHUNK_ROWS):
        sealed = sealing.seal(values[first : first + CHUNK_ROWS])
        for host in hosts:
            host.send_sealed(sealed)


def _auc(label: NDArray[np.uint8], margins: Floats) -> float:
    try:
        return auc(label, margins)
    except MeasuresError:
        return 0.5  # one kind only among these rows: nothing to tell apart
