"""The host's side of fitting: it has features, and learns the evidence of its own groups."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from gmpy2 import mpz
from numpy.typing import NDArray

from federation.channel import Channel, Message, Value, check_keys, get_array, get_int, get_map
from federation.scorecard.coding import (
    EVIDENCE_MAX,
    WEIGHT_MAX,
    Coding,
    coded,
    codings_of,
    counted,
)
from federation.scorecard.errors import DataInvalid, PartyWrong
from federation.scorecard.masking import Masks, agree_masks
from federation.scorecard.moments import evidence_columns
from federation.scorecard.parts import Feature, HostPart
from federation.scorecard.types import FEATURES_MAX, ScorecardSettings
from federation.scorecard.weighing import weigh
from federation.scorecard.wire import (
    BEGIN,
    COUNTS,
    EVIDENCE,
    FORWARD,
    MOMENTS,
    ROWS,
    STEP,
    WEIGHTS,
    host_bits,
    label_bits,
    read_sealed,
    read_whole,
    scalars,
)
from federation.sums import Adder, Slots, Sums, adder, plan_sums
from federation.tables import Table

Progress = Callable[[str, float], None]
"""What is done now, and how much of the whole (0 to 1)."""


def fit_as_host(
    channel: Channel,
    guest: str,
    hosts: tuple[str, ...],
    table: Table,
    settings: ScorecardSettings,
    *,
    progress: Progress | None = None,
) -> HostPart:
    """Take part in fitting with the aligned rows of `table`; returns the host's own part.

    `hosts` are all of them, in the order of the agreement. What this party learns: the weight of
    evidence of each of its groups, and its weights. Raises `DataInvalid`, `PartyWrong` (or another
    error with `.party`) for what others send, and what the channel raises.
    """
    tell = progress or (lambda _, __: None)
    if not 1 <= len(table.fields) <= FEATURES_MAX:
        raise DataInvalid(f"{len(table.fields)} features: 1 to {FEATURES_MAX}")
    begun = channel.receive(guest, BEGIN)
    check_keys(begun, ("settings", "offer", "rows", "label"))
    if dict(get_map(begun, "settings").body) != settings.body():
        raise PartyWrong(guest, "its settings are other than those agreed on")
    if get_int(begun, "rows", minimum=1, maximum=1 << 40) != table.rows:
        raise PartyWrong(guest, f"it has other rows than the {table.rows} that are aligned")
    offer = get_map(begun, "offer")
    if offer.body.get("scheme") != settings.scheme:
        raise PartyWrong(guest, f"its key is not of the scheme {settings.scheme}")
    adding = adder(scalars(offer), allow_plain=settings.rehearsal)
    try:
        return _Host(channel, guest, hosts, table, settings, adding, tell).fit(begun)
    finally:
        adding.close()


class _Host:
    def __init__(
        self,
        channel: Channel,
        guest: str,
        hosts: tuple[str, ...],
        table: Table,
        settings: ScorecardSettings,
        adding: Adder,
        tell: Progress,
    ) -> None:
        self.channel = channel
        self.guest = guest
        self.hosts = hosts
        self.rows = table.rows
        self.settings = settings
        self.adder = adding
        self.tell = tell
        self.codings = codings_of(table, settings.bins, settings.rows_min)
        self.groups = coded(self.codings, table)
        self.everywhere = np.arange(table.rows, dtype=np.int64)
        self.plan = plan_sums(self.groups, [one.count + 1 for one in self.codings])
        self.evidence: list[list[int]] = []
        self.columns: NDArray[np.int64] = np.empty((0, table.rows), dtype=np.int64)

    def fit(self, begun: Message) -> HostPart:
        self._tell_counts(begun)
        self._learn_evidence()
        masks = agree_masks(self.channel, self.hosts)
        weights = [0] * len(self.codings)
        for number in range(self.settings.steps):
            if number:
                self._forward(weights, masks)
            self.tell("moments", 0.2 + 0.7 * number / self.settings.steps)
            self._moments()
            weights, errors = self._learn_weights()
        self.tell("done", 1.0)
        features = tuple(
            Feature(coding, tuple(evidence), weight, None, error)
            for coding, evidence, weight, error in zip(
                self.codings, self.evidence, weights, errors, strict=True
            )
        )
        return HostPart(self.channel.me, self.guest, features)

    def _tell_counts(self, begun: Message) -> None:
        """Rows and sealed bads of each group but the last, which has too few rows to be told."""
        self.tell("evidence", 0.0)
        self.adder.load(read_sealed(begun, "label", self.rows, self.adder.width), self.plan)
        sums = self.adder.bin_sums([self.everywhere])[0]
        bads = [total for coding, found in self._learned(sums) for total in found]
        rows = [
            found[: coding.count]
            for coding, found in zip(self.codings, counted(self.codings, self.groups), strict=True)
        ]
        packed = self.adder.pack(bads, label_bits(self.rows))
        self._send(COUNTS, {"rows": rows, "bads": packed})

    def _learn_evidence(self) -> None:
        lengths = [one.count for one in self.codings]
        told = self.channel.receive(self.guest, EVIDENCE)
        self.evidence = [
            [*found, 0] for found in read_whole(told, "evidence", lengths, EVIDENCE_MAX)
        ]
        self.columns = evidence_columns(self.evidence, self.groups)

    def _moments(self) -> None:
        """Everything that is summed over rows with the step's weights, sealed as it is."""
        step = self.channel.receive(self.guest, STEP)
        check_keys(step, ("weights", "groups"))
        parts = step.body["groups"]
        if not isinstance(parts, list) or not 1 <= len(parts) <= FEATURES_MAX:
            raise PartyWrong(self.guest, f"{STEP} groups: not a list of sealed columns")
        with_guest: list[mpz] = []
        for place in range(len(parts)):
            one = Message(STEP, {"group": parts[place]}, self.guest)
            self.adder.load(read_sealed(one, "group", self.rows, self.adder.width), self.plan)
            with_guest += self._weighed(self.adder.bin_sums([self.everywhere])[0])
        self.adder.load(read_sealed(step, "weights", self.rows, self.adder.width), self.plan)
        own = self._own_pairs()
        bits = host_bits(self.rows)
        body: dict[str, Value] = {
            "guest": self.adder.pack(with_guest, self.adder.capacity_bits + 1),
            "own": self.adder.pack(own, bits),
        }
        self._send_rows(bits)
        body["hosts"] = [self._with_host(other) for other in self._before()]
        self._send(MOMENTS, body)

    def _own_pairs(self) -> list[mpz]:
        """Totals of weight times two of its own features, `(f, g)` with `f <= g` in rows."""
        found: list[mpz] = []
        for place, coding in enumerate(self.codings):
            # The rows of each group of this feature apart: their totals by the others' groups.
            apart = [np.flatnonzero(self.groups[place] == group) for group in range(coding.count)]
            sums = self.adder.bin_sums(apart)
            by_group = [self._weighed(one)[place:] for one in sums]
            factors = self.evidence[place][: coding.count]
            found += [weigh(self.adder, column, factors) for column in zip(*by_group, strict=True)]
        return found

    def _before(self) -> tuple[str, ...]:
        return self.hosts[: self.hosts.index(self.channel.me)]

    def _send_rows(self, bits: int) -> None:
        """To each host after this one: the weight of each row times each of our features."""
        after = self.hosts[self.hosts.index(self.channel.me) + 1 :]
        if not after:
            return
        slots = Slots.within(self.adder.capacity_bits, bits)
        numbers = [
            self.adder.spread([slots.pack(list(row)) for row in zip(*part, strict=True)])
            for first in range(0, len(self.codings), slots.each)
            for part in [self.columns[first : first + slots.each].tolist()]
        ]
        for other in after:
            body: dict[str, Value] = {"features": len(self.codings), "rows": numbers}
            self.channel.send(other, Message(ROWS, body))

    def _with_host(self, other: str) -> Value:
        """Totals of weight times a feature of a former host times one of ours."""
        came = self.channel.receive(other, ROWS)
        check_keys(came, ("features", "rows"))
        features = get_int(came, "features", minimum=1, maximum=FEATURES_MAX)
        numbers = came.body["rows"]
        slots = Slots.within(self.adder.capacity_bits, host_bits(self.rows))
        if not isinstance(numbers, list) or len(numbers) != slots.numbers(features):
            raise PartyWrong(other, f"{ROWS}: not as many sealed columns as its features take")
        found: list[mpz] = []
        for number in numbers:
            one = Message(ROWS, {"rows": number}, other)
            self.adder.load(read_sealed(one, "rows", self.rows, self.adder.width), self.plan)
            found += self._weighed(self.adder.bin_sums([self.everywhere])[0])
        totals = self.adder.pack(found, self.adder.capacity_bits + 1)
        return {"party": other, "features": features, "totals": totals}

    def _learn_weights(self) -> tuple[list[int], list[float]]:
        told = self.channel.receive(self.guest, WEIGHTS)
        check_keys(told, ("weights", "errors"))
        (weights,) = read_whole(
            Message(WEIGHTS, {"all": [told.body["weights"]]}, self.guest),
            "all",
            [len(self.codings)],
            WEIGHT_MAX,
        )
        errors = get_array(told, "errors", dtype="<f8", shape=(len(self.codings),))
        if not (np.isfinite(errors).all() and (errors >= 0).all()):
            raise PartyWrong(self.guest, f"{WEIGHTS} errors: not standard errors")
        return weights, errors.tolist()

    def _forward(self, weights: list[int], masks: Masks) -> None:
        part = (self.columns * np.array(weights, dtype=np.int64)[:, None]).sum(axis=0)
        self._send(FORWARD, {"margins": masks.mask(part)})

    def _learned(self, sums: Sums) -> list[tuple[Coding, list[mpz]]]:
        """Totals of the groups that evidence is learned of."""
        return [
            (coding, found[: coding.count])
            for coding, found in zip(self.codings, sums, strict=True)
        ]

    def _weighed(self, sums: Sums) -> list[mpz]:
        """Each feature's totals times its evidence."""
        return [
            weigh(self.adder, found, evidence[: coding.count])
            for (coding, found), evidence in zip(self._learned(sums), self.evidence, strict=True)
        ]

    def _send(self, kind: str, body: dict[str, Value]) -> None:
        self.channel.send(self.guest, Message(kind, body))
