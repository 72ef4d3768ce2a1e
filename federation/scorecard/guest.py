"""The guest's side of fitting: it has the label, opens the totals and solves for the weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from federation.bins import information_value, woe
from federation.channel import (
    Channel,
    Message,
    MessageInvalid,
    Value,
    check_keys,
    get_array,
    get_int,
)
from federation.scorecard.coding import (
    EVIDENCE_BITS,
    EVIDENCE_MAX,
    WEIGHT_BITS,
    WEIGHT_MAX,
    coded,
    codings_of,
    counted,
)
from federation.scorecard.errors import DataInvalid, PartyWrong
from federation.scorecard.masking import unmasked
from federation.scorecard.moments import (
    ONE,
    WEIGHT_OF_ROW_BITS,
    Step,
    evidence_columns,
    own_moments,
    real,
    step_of,
)
from federation.scorecard.parts import Feature, GuestPart
from federation.scorecard.solving import Solution, solve
from federation.scorecard.types import BINS_MAX, FEATURES_MAX, ROWS_MAX, ScorecardSettings
from federation.scorecard.wire import (
    BEGIN,
    COUNTS,
    EVIDENCE,
    FORWARD,
    MOMENTS,
    STEP,
    WEIGHTS,
    guest_bits,
    host_bits,
    label_bits,
    read_sealed,
)
from federation.sums import SealedInvalid, Sealer, Slots, sealer
from federation.tables import Table

Progress = Callable[[str, float], None]
OWN_STEPS_MAX: Final = 25
"""For the guest's own model; it stands still after about six."""
_SQUARE_MAX: Final = 0.25 * (EVIDENCE_MAX >> EVIDENCE_BITS) ** 2
"""Of a row's weight times the square of its evidence."""


@dataclass(frozen=True, slots=True)
class _HostSide:
    """What the guest knows of a host."""

    party: str
    counts: list[int]
    """Groups of each feature."""
    evidence: list[list[int]]
    values: tuple[float, ...]


def fit_as_guest(
    channel: Channel,
    hosts: tuple[str, ...],
    table: Table,
    label: NDArray[np.uint8],
    settings: ScorecardSettings,
    *,
    progress: Progress | None = None,
) -> GuestPart:
    """Fit with the aligned rows of `table` and their label (1: bad, 0: good).

    What this party learns of the hosts beside the model: rows and bads of each of their groups,
    which have no names, and the matrix of weighted second moments of their features. Without hosts
    it is the guest's own card, without features of its own that of the hosts. Raises
    `DataInvalid`, `PartyWrong` (or another error with `.party`) for what others send, and what the
    channel raises.
    """
    tell = progress or (lambda _, __: None)
    if label.shape != (table.rows,) or not np.isin(label, (0, 1)).all():
        raise DataInvalid("a label is needed for each row: 1 for a bad one, 0 for a good one")
    bads = int(label.sum())
    if not 2 <= bads <= table.rows - 2 or table.rows > ROWS_MAX:
        raise DataInvalid(
            f"{bads} bads among {table.rows} rows: there must be some of both, and at most "
            f"{ROWS_MAX} rows"
        )
    if len(table.fields) > FEATURES_MAX or not (hosts or table.fields) or channel.me in hosts:
        raise DataInvalid(f"1 to {FEATURES_MAX} features in all, and the guest is no host")
    sealing = sealer(settings.scheme, settings.key_bits)
    try:
        return _Guest(channel, hosts, table, label, settings, sealing, tell).fit()
    finally:
        sealing.close()


class _Guest:
    def __init__(
        self,
        channel: Channel,
        hosts: tuple[str, ...],
        table: Table,
        label: NDArray[np.uint8],
        settings: ScorecardSettings,
        sealing: Sealer,
        tell: Progress,
    ) -> None:
        self.channel = channel
        self.hosts = hosts
        self.rows = table.rows
        self.label = label
        self.bads = int(label.sum())
        self.settings = settings
        self.sealer = sealing
        self.tell = tell
        self.codings = codings_of(table, settings.bins, settings.rows_min)
        groups = coded(self.codings, table)
        self.evidence, self.values = self._own_evidence(groups)
        ones = np.full((1, table.rows), ONE, dtype=np.int64)
        self.columns = np.vstack([evidence_columns(self.evidence, groups), ones])

    def fit(self) -> GuestPart:
        self.tell("own model", 0.0)
        margins = self._own_model()
        self.tell("evidence", 0.05)
        sides = self._host_evidence()
        own: list[int] = []
        for number in range(self.settings.steps):
            if number:
                margins = self._forward(own)
            self.tell("moments", 0.2 + 0.7 * number / self.settings.steps)
            solution = self._step(step_of(margins, self.label), sides)
            own = self._share_out(solution, sides)
        self.tell("done", 1.0)
        count = len(self.codings)
        features = tuple(
            Feature(coding, tuple(evidence), weight, value, error)
            for coding, evidence, weight, value, error in zip(
                self.codings, self.evidence, own[:count], self.values, solution.errors, strict=False
            )
        )
        values = {one.party: one.values for one in sides}
        return GuestPart(self.channel.me, self.hosts, features, own[count] << EVIDENCE_BITS, values)

    # ---- evidence -------------------------------------------------------------------------------

    def _own_evidence(self, groups: NDArray[np.uint8]) -> tuple[list[list[int]], list[float]]:
        evidence, values = [], []
        rows = counted(self.codings, groups)
        for coding, row, count in zip(self.codings, groups, rows, strict=True):
            bads = np.bincount(row, weights=self.label, minlength=coding.count + 1)
            found, value = self._evidence(count[: coding.count], bads[: coding.count].tolist())
            evidence.append([*found, 0])
            values.append(value)
        return evidence, values

    def _evidence(self, rows: Sequence[int], bads: Sequence[float]) -> tuple[list[int], float]:
        """Of each group, in 2**-12, positive for more bads; and what the feature is worth."""
        bad, all_ = np.array(bads, dtype=np.float64), np.array(rows, dtype=np.float64)
        smoothing = self.settings.smoothing
        found = np.rint(-woe(bad, all_ - bad, smoothing) * (1 << EVIDENCE_BITS))
        clipped = np.clip(found, -EVIDENCE_MAX, EVIDENCE_MAX).astype(np.int64)
        return clipped.tolist(), information_value(bad, all_ - bad, smoothing)

    def _host_evidence(self) -> list[_HostSide]:
        """Tell all hosts of the sealed labels first, so that they count at the same time."""
        label = self.sealer.seal(self.label.tolist())
        for host in self.hosts:
            body: dict[str, Value] = {
                "settings": self.settings.body(),
                "offer": self.sealer.offer(),
                "rows": self.rows,
                "label": label,
            }
            self.channel.send(host, Message(BEGIN, body))
        sides = []
        for host in self.hosts:
            sides.append(self._side_of(self.channel.receive(host, COUNTS)))
            evidence = [list(one) for one in sides[-1].evidence]
            self.channel.send(host, Message(EVIDENCE, {"evidence": evidence}))
        return sides

    def _side_of(self, told: Message) -> _HostSide:
        check_keys(told, ("rows", "bads"))
        rows = self._rows_told(told)
        counts = [len(one) for one in rows]
        bads = self._open(told, "bads", sum(counts), label_bits(self.rows))
        evidence, values, place = [], [], 0
        for count, row in zip(counts, rows, strict=True):
            found = bads[place : place + count]
            place += count
            rest_rows, rest_bads = self.rows - sum(row), self.bads - sum(found)
            within = all(0 <= bad <= all_ for bad, all_ in zip(found, row, strict=True))
            if not within or not 0 <= rest_bads <= rest_rows:
                raise PartyWrong(told.party, "it counts bads that there cannot be")
            one, value = self._evidence(row, [float(bad) for bad in found])
            evidence.append(one)
            values.append(value)
        return _HostSide(told.party, counts, evidence, tuple(values))

    def _rows_told(self, told: Message) -> list[list[int]]:
        features = told.body["rows"]
        if not isinstance(features, list) or not 1 <= len(features) <= FEATURES_MAX:
            raise PartyWrong(told.party, f"{COUNTS} rows: 1 to {FEATURES_MAX} features are meant")
        rows: list[list[int]] = []
        for found in features:
            if not isinstance(found, list) or not 1 <= len(found) <= BINS_MAX + 1:
                raise PartyWrong(told.party, f"{COUNTS} rows: 1 to {BINS_MAX + 1} groups are meant")
            whole = [one for one in found if isinstance(one, int) and not isinstance(one, bool)]
            if len(whole) != len(found) or min(whole) < 0 or sum(whole) > self.rows:
                raise PartyWrong(told.party, f"{COUNTS} rows: no counts of {self.rows} rows")
            rows.append(whole)
        return rows

    # ---- steps ----------------------------------------------------------------------------------

    def _own_model(self) -> NDArray[np.int64]:
        """Margins of a scorecard of the guest's features alone: where the first step begins."""
        margins = np.zeros(self.rows, dtype=np.int64)
        before: list[int] = []
        for _ in range(OWN_STEPS_MAX):
            matrix, vector = own_moments(step_of(margins, self.label), self.columns)
            weights = _fixed(self._solved(_real(matrix), _real_vector(vector), ()).weights)
            if weights == before:
                break
            before = weights
            margins = self._margins(weights)
        return margins

    def _margins(self, weights: Sequence[int]) -> NDArray[np.int64]:
        fixed = np.array(weights, dtype=np.int64)[:, None]
        return np.asarray((self.columns * fixed).sum(axis=0), dtype=np.int64)

    def _solved(
        self, matrix: list[list[float]], vector: list[float], sides: Sequence[_HostSide]
    ) -> Solution:
        """Columns: the guest's features, the intercept, the features of the hosts in turn."""
        own, others = len(self.codings), sum(len(one.counts) for one in sides)
        ridge = [self.settings.ridge] * own + [0.0] + [self.settings.ridge] * others
        signs = self.settings.keep_signs
        return solve(matrix, vector, ridge, [signs] * own + [False] + [signs] * others)

    def _step(self, step: Step, sides: Sequence[_HostSide]) -> Solution:
        """One Newton step with everybody's features."""
        slots = Slots.within(self.sealer.capacity_bits, guest_bits(self.rows))
        columns = [step.responses, *(step.weights * column for column in self.columns[:-1])]
        columns.append(step.weights)
        sealed = [
            self.sealer.seal([slots.pack(list(row)) for row in zip(*part, strict=True)])
            for first in range(0, len(columns), slots.each)
            for part in [[one.tolist() for one in columns[first : first + slots.each]]]
        ]
        body: dict[str, Value] = {
            "weights": self.sealer.seal(step.weights.tolist()),
            "groups": list(sealed),
        }
        for host in self.hosts:
            self.channel.send(host, Message(STEP, body))
        matrix, vector = own_moments(step, self.columns)
        moments, responses = _real(matrix), _real_vector(vector)
        for place, side in enumerate(sides):
            self._join(moments, responses, side, sides[:place], slots)
        return self._solved(moments, responses, sides)

    def _join(
        self,
        moments: list[list[float]],
        responses: list[float],
        side: _HostSide,
        former: Sequence[_HostSide],
        slots: Slots,
    ) -> None:
        """Add a host's columns to the moments."""
        told = self.channel.receive(side.party, MOMENTS)
        check_keys(told, ("guest", "own", "hosts"))
        own, features = len(self.codings), len(side.counts)
        numbers = slots.numbers(own + 2)
        sums = self._open_each(told, "guest", numbers * features)
        pairs = iter(self._open(told, "own", features * (features + 1) // 2, host_bits(self.rows)))
        crossed = [self._crossed(told, place, one, side) for place, one in enumerate(former)]
        twice, once = WEIGHT_OF_ROW_BITS + 2 * EVIDENCE_BITS, WEIGHT_OF_ROW_BITS + EVIDENCE_BITS
        first = len(responses)
        rows: list[list[float]] = []
        for feature in range(features):
            found = self._unpacked(told, slots, sums[feature::features], own + 2)
            responses.append(real(found[0], once))
            # The intercept is a column of ones.
            row = [real(one, twice) for one in found[1 : own + 1]] + [real(found[own + 1], once)]
            for totals in crossed:
                row += [real(one, twice) for one in totals[feature]]
            rows.append(row)
        for feature, row in enumerate(rows):
            row += [rows[before][first + feature] for before in range(feature)]
            row += [real(next(pairs), twice) for _ in range(feature, features)]
            if not 0 <= row[first + feature] <= self.rows * _SQUARE_MAX:
                raise PartyWrong(side.party, "its moments are those of no features")
        for place, line in enumerate(moments):
            line += [row[place] for row in rows]
        moments += rows

    def _crossed(
        self, told: Message, place: int, former: _HostSide, side: _HostSide
    ) -> list[list[int]]:
        """Totals of a former host's features with those of this one: by this one's feature."""
        parts = told.body["hosts"]
        features, here = len(former.counts), len(side.counts)
        if not isinstance(parts, list) or place >= len(parts) or not isinstance(parts[place], dict):
            raise PartyWrong(told.party, f"{MOMENTS} hosts: not one for each host before it")
        part = Message(MOMENTS, parts[place], told.party)
        check_keys(part, ("party", "features", "totals"))
        if part.body["party"] != former.party:
            raise PartyWrong(told.party, f"{MOMENTS} hosts: not in the order of the agreement")
        if get_int(part, "features", minimum=1, maximum=FEATURES_MAX) != features:
            raise PartyWrong(told.party, f"{MOMENTS} hosts: {former.party} has {features} features")
        slots = Slots.within(self.sealer.capacity_bits, host_bits(self.rows))
        sums = self._open_each(part, "totals", slots.numbers(features) * here)
        return [
            self._unpacked(told, slots, sums[feature::here], features) for feature in range(here)
        ]

    def _share_out(self, solution: Solution, sides: Sequence[_HostSide]) -> list[int]:
        """Tell each host its own weights; the guest's and the intercept's are returned."""
        weights = _fixed(solution.weights)
        own = len(self.codings) + 1
        place = own
        for side in sides:
            end = place + len(side.counts)
            errors = np.array(solution.errors[place:end], dtype="<f8")
            body: dict[str, Value] = {"weights": weights[place:end], "errors": errors}
            self.channel.send(side.party, Message(WEIGHTS, body))
            place = end
        return weights[:own]

    def _forward(self, own: Sequence[int]) -> NDArray[np.int64]:
        """Everybody's margin of each row: the hosts' masks vanish in the sum."""
        total = self._margins(own).astype(np.uint64)
        for host in self.hosts:
            told = self.channel.receive(host, FORWARD)
            total = total + get_array(told, "margins", dtype="<u8", shape=(self.rows,))
        return unmasked(total, self.hosts)

    # ---- opening --------------------------------------------------------------------------------

    def _open_each(self, told: Message, key: str, count: int) -> list[int]:
        """Numbers that were sent each by itself."""
        sealed = read_sealed(told, key, count, self.sealer.width)
        try:
            return self.sealer.open(sealed)
        except SealedInvalid as bad:
            raise MessageInvalid(told.party, f"{told.kind} {key}", str(bad)) from bad

    def _open(self, told: Message, key: str, count: int, bits: int) -> list[int]:
        """Totals that were sent several in one."""
        slots = Slots.within(self.sealer.capacity_bits, bits)
        return self._unpacked(told, slots, self._open_each(told, key, slots.numbers(count)), count)

    def _unpacked(self, told: Message, slots: Slots, numbers: list[int], count: int) -> list[int]:
        try:
            return slots.unpack(numbers, count)
        except SealedInvalid as bad:
            raise MessageInvalid(told.party, told.kind, str(bad)) from bad


def _fixed(weights: Sequence[float]) -> list[int]:
    """In 2**-20. Raises `DataInvalid` for weights that no scorecard has."""
    fixed = [round(weight * (1 << WEIGHT_BITS)) for weight in weights]
    if max(map(abs, fixed)) > WEIGHT_MAX:
        raise DataInvalid("the weights run away: there are too few bads, or too little ridge")
    return fixed


def _real(matrix: list[list[int]]) -> list[list[float]]:
    return [[real(one, WEIGHT_OF_ROW_BITS + 2 * EVIDENCE_BITS) for one in row] for row in matrix]


def _real_vector(vector: list[int]) -> list[float]:
    return [real(one, WEIGHT_OF_ROW_BITS + EVIDENCE_BITS) for one in vector]
