"""A net of two layers by federated averaging (McMahan et al. 2017) or FedProx (Li et al. 2020)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from federation.horizontal.documents import Knowledge, Net, net_parts
from federation.horizontal.errors import DocumentInvalid, TrainingEnded
from federation.horizontal.preparing import find_bins, find_woe
from federation.horizontal.protocol import Rounds
from federation.horizontal.robust import combine, judge
from federation.horizontal.rows import (
    CELLS,
    FINER,
    WOE,
    Rows,
    classes_shape,
    counts_shape,
    require_woe,
)
from federation.horizontal.settings import ROWS_MAX, NetSettings, Privacy
from federation.horizontal.shapes import Shape, Work
from federation.masking import fixed_bound, from_fixed, to_fixed
from federation.tables import Table

UPDATE: Final = "update"
BITS: Final = 20
_LOSS_MAX: Final = 1e3
_WARNINGS_MAX: Final = 3
"""Updates of one bank that are refused before it is asked no more."""


class NetAlgorithm:
    """See `Algorithm`."""

    def __init__(self, settings: NetSettings) -> None:
        settings.check()
        self._settings = settings

    @property
    def settings(self) -> NetSettings:
        """See `Algorithm`."""
        return self._settings

    @property
    def privacy(self) -> Privacy | None:
        """None: its many rounds would leave each with too small a share of a budget."""
        return None

    @property
    def asks(self) -> Mapping[str, int]:
        """See `Algorithm`."""
        return {CELLS: 1, FINER: 1, WOE: 1, UPDATE: self._settings.rounds}

    @property
    def nothing(self) -> Knowledge:
        """See `Algorithm`."""
        return Knowledge()

    def known(self, data: bytes) -> Knowledge:
        """See `Algorithm`."""
        return Knowledge.from_json(data)

    def model(self, data: bytes) -> Net:
        """See `Algorithm`."""
        return Net.from_json(data)

    def side(self, table: Table, label: NDArray[np.uint8]) -> NetSide:
        """See `Algorithm`."""
        return NetSide(Rows(self._settings, table, label), self._settings)

    def shape(self, ask: str, known: Knowledge) -> Shape:
        """See `Algorithm`."""
        if ask in (CELLS, FINER):
            return counts_shape(self._settings, ask, known, 0.0)
        if ask == WOE:
            return classes_shape(self._settings, known, 0.0)
        largest = ROWS_MAX * max(self._settings.norm_max, _LOSS_MAX)
        return Shape(2 + self._size, fixed_bound(BITS, largest))

    def lead(self, rounds: Rounds, known: Knowledge) -> Net:
        """See `Algorithm`."""
        known = find_bins(rounds, self._settings, known, noisy=False)
        if not known.woe:
            smoothing = self._settings.smoothing
            known, _ = find_woe(rounds, self._settings, known, smoothing=smoothing)
            known = known.model_copy(update={"weights": self._start(known.prior), "step": 2})
            rounds.learnt(known)
        history: dict[str, NDArray[np.float64]] = {}
        warnings: dict[str, int] = {}
        while known.step < 2 + self._settings.rounds:
            if self._settings.masked:
                values = from_fixed(rounds.ask(UPDATE, known).values, BITS)
                rows, loss, move = float(values[0]), float(values[1]), values[2:] / values[0]
            else:
                rows, loss, move = self._seen(rounds, known, history, warnings)
            weights = (np.array(known.weights) + move).tolist()
            known = known.model_copy(update={"weights": weights, "step": known.step + 1})
            rounds.learnt(known, loss / max(rows, 1.0))
        return Net(fields=list(self._settings.names), hidden=self._settings.hidden, knowledge=known)

    def _seen(
        self,
        rounds: Rounds,
        known: Knowledge,
        history: dict[str, NDArray[np.float64]],
        warnings: dict[str, int],
    ) -> tuple[float, float, NDArray[np.float64]]:
        """Rows, log loss and the update of all whose own is taken."""
        answers = rounds.gather(UPDATE, known)
        updates = {party: answer[2:] for party, answer in answers.items()}
        for party, update in updates.items():
            past = history.get(party, np.zeros(self._size))
            history[party] = past + np.nan_to_num(update, nan=0.0, posinf=0.0, neginf=0.0)
        suspicions = judge(updates, history)
        for party, answer in answers.items():
            said = answer[:2]
            fine = np.isfinite(said).all() and 1 <= said[0] <= ROWS_MAX and said[1] >= 0
            if party not in suspicions and not fine:
                rounds.blame(party, "rubbish", "its rows or loss are none", leave_out=True)
            elif party in suspicions:
                warnings[party] = warnings.get(party, 0) + 1
                last = warnings[party] >= _WARNINGS_MAX
                one = suspicions[party]
                rounds.blame(party, one.kind, one.detail, leave_out=last)
            else:
                continue
            updates.pop(party)
        if not updates:
            raise TrainingEnded("no bank's update can be taken", tuple(answers))
        taken = sorted(updates)
        weights = np.array([answers[party][0] for party in taken])
        move = combine(self._settings.combine, np.array([updates[p] for p in taken]), weights)
        return float(weights.sum()), math.fsum(float(answers[p][1]) for p in taken), move

    @property
    def _size(self) -> int:
        return self._settings.hidden * (len(self._settings.fields) + 2) + 1

    def _start(self, prior: float) -> list[float]:
        fields, hidden = len(self._settings.fields), self._settings.hidden
        draw = np.random.Generator(np.random.PCG64(self._settings.seed))
        inner = draw.standard_normal(fields * hidden) / math.sqrt(fields)
        outer = draw.standard_normal(hidden) / math.sqrt(hidden)
        base = math.log(prior) - math.log1p(-prior)
        return [*inner.tolist(), *([0.0] * hidden), *outer.tolist(), base]


class NetSide:
    """See `BankSide`."""

    def __init__(self, rows: Rows, settings: NetSettings) -> None:
        self._rows = rows
        self._settings = settings

    def work(self, ask: str, known: Knowledge) -> Work:
        """See `BankSide`."""
        if ask == "start":
            return Work()
        if ask in (CELLS, FINER):
            return Work(self._rows.counts(ask, known))
        if ask == WOE:
            return Work(self._rows.classes(known))
        require_woe(self._settings, known)
        size = self._settings.hidden * (len(self._settings.fields) + 2) + 1
        if len(known.weights) != size:
            raise DocumentInvalid(f"{len(known.weights)} weights where {size} are meant")
        loss, move = self._train(known)
        rows = float(self._rows.label.size)
        if not self._settings.masked:
            return Work(seen=np.concatenate(([rows, loss], move)))
        vector = np.concatenate(([rows, loss], rows * move))
        return Work(to_fixed(vector, BITS, ROWS_MAX * max(self._settings.norm_max, _LOSS_MAX)))

    def _train(self, known: Knowledge) -> tuple[float, NDArray[np.float64]]:
        """The log loss before, and by how much the weights move in some passes over the rows."""
        rows, label = self._rows.evidence(known), self._rows.label
        start = np.array(known.weights)
        weights = start.copy()
        margins = _margins(rows, weights, self._settings.hidden)[1]
        loss = float(np.sum(np.logaddexp(0.0, margins) - label * margins))
        draw = np.random.Generator(np.random.PCG64([self._settings.seed, known.step]))
        for _ in range(self._settings.epochs):
            order = draw.permutation(label.size)
            for first in range(0, label.size, self._settings.batch):
                here = order[first : first + self._settings.batch]
                slope = _slope(rows[here], label[here], weights, self._settings.hidden)
                slope += self._settings.pull * (weights - start)
                weights -= self._settings.learning_rate * slope
        move = weights - start
        length = float(np.linalg.norm(move))
        if length > self._settings.norm_max:
            move *= self._settings.norm_max / length * (1 - 1e-12)
        return loss, move


def _margins(
    rows: NDArray[np.float64], weights: NDArray[np.float64], hidden: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    inner, bias, outer, base = net_parts(weights, rows.shape[1], hidden)
    middle = np.tanh(rows @ inner + bias)
    return middle, middle @ outer + base


def _slope(
    rows: NDArray[np.float64], label: NDArray[np.float64], weights: NDArray[np.float64], hidden: int
) -> NDArray[np.float64]:
    """The gradient of the mean log loss."""
    _, _, outer, _ = net_parts(weights, rows.shape[1], hidden)
    middle, margins = _margins(rows, weights, hidden)
    off = (1.0 / (1.0 + np.exp(-np.clip(margins, -500.0, 500.0))) - label) / label.size
    back = off[:, None] * outer * (1.0 - middle**2)
    return np.concatenate(
        [(rows.T @ back).ravel(), back.sum(axis=0), middle.T @ off, [float(off.sum())]]
    )
