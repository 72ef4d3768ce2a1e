"""The stage `contribution`: what each party's columns add to a model, as all can recompute it.

For each group of parties that matters a scorecard is fitted with their columns alone and judged by
the same rows; Shapley values follow from how well each ranks. The guest's label is not weighed: it
is what all of them speak of. Every party gets the evidence and recomputes the shares itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from federation import scorecard
from federation.channel import Message, MessageInvalid, get_bytes, get_texts
from federation.contribution import (
    Coalition,
    Contribution,
    EvidenceInvalid,
    evidence_of,
    measure_contribution,
    recompute,
)
from federation.measures import auc
from federation.runs import Json, StageContext, StageFailed
from federation.tables import Table
from federation.works.keeping import keep_evidence, kept_rows
from federation.works.types import (
    WHOLE_BP,
    DataOf,
    OwnData,
    TrainingConfig,
    config_of,
    hosts_of,
    settings_of,
)

NEXT: Final = "contribution/next"
"""Guest to host: with whom a card is fitted now, this host among them; or the evidence."""
BASELINE: Final = 0.5
"""AUC of whoever has no columns."""
_EVIDENCE_BYTES_MAX: Final = 1 << 20


class Contributing:
    """Answers with the evidence's hash and the shares in it, in bp; the same at every party."""

    def __init__(self, data_of: DataOf) -> None:
        self._data_of = data_of

    def __call__(self, context: StageContext, /) -> Mapping[str, Json]:
        config = config_of(TrainingConfig, context)
        settings = settings_of(scorecard.ScorecardSettings, config.settings)
        data = self._data_of(context.run, context.stage)
        rows = kept_rows(context.folder, config.rows, data.table.rows)
        judged = rows.size * config.test_bp // WHOLE_BP
        if not judged:
            raise StageFailed("no rows are left to judge by: test_bp is too small")
        parts = rows[: rows.size - judged], rows[rows.size - judged :]
        if context.me == config.guest:
            evidence = _Guest(context, config, settings, data, parts).measure()
        else:
            evidence = _serve(context, config, settings, data.table, parts)
        found = recompute(evidence)
        keep_evidence(context.folder, context.stage.name, evidence)
        return {
            "evidence": "0x" + hashlib.sha256(evidence).hexdigest(),
            "shares": {one.party: one.share_bp for one in found.parties},
        }


class _Guest:
    def __init__(
        self,
        context: StageContext,
        config: TrainingConfig,
        settings: scorecard.ScorecardSettings,
        data: OwnData,
        parts: tuple[NDArray[np.int64], NDArray[np.int64]],
    ) -> None:
        if data.label is None:
            raise StageFailed("the guest has no label for this stage")
        self._context = context
        self._settings = settings
        self._hosts = hosts_of(config, context)
        self._seed = config.seed
        self._fitted, self._judged = (data.table.take(part) for part in parts)
        self._labels = data.label[parts[0]], data.label[parts[1]]
        self._done = 0

    def measure(self) -> bytes:
        """The evidence, which every host is sent."""
        me = self._context.me
        found: Contribution = measure_contribution(
            (me, *self._hosts), self._value, seed=self._seed, measure="auc"
        )
        evidence = evidence_of(found)
        for host in self._hosts:
            self._context.channel.send(host, Message(NEXT, {"evidence": evidence}))
        return evidence

    def _value(self, members: Coalition) -> float:
        if not members:
            return BASELINE
        self._done += 1
        self._context.progress(self._done, 2 ** (len(self._hosts) + 1) - 1)
        channel, me = self._context.channel, self._context.me
        hosts = tuple(one for one in self._hosts if one in members)
        for host in hosts:
            channel.send(host, Message(NEXT, {"members": list(hosts)}))
        own = self._fitted.fields if me in members else ()
        part = scorecard.fit_as_guest(
            channel, hosts, self._fitted.select(own), self._labels[0], self._settings
        )
        margins = scorecard.score_as_guest(channel, hosts, part, self._judged.select(own))
        return auc(self._labels[1], margins)


def _serve(
    context: StageContext,
    config: TrainingConfig,
    settings: scorecard.ScorecardSettings,
    table: Table,
    parts: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> bytes:
    """Take part as often as the guest asks; the evidence in the end."""
    fitted, judged = (table.take(part) for part in parts)
    hosts, channel, guest = hosts_of(config, context), context.channel, config.guest
    done = 0
    while True:
        told = channel.receive(guest, NEXT)
        if "evidence" in told.body:
            evidence = get_bytes(told, "evidence", size_max=_EVIDENCE_BYTES_MAX)
            try:
                said = recompute(evidence)
            except EvidenceInvalid as error:
                raise MessageInvalid(guest, NEXT, str(error)) from error
            if {one.party for one in said.parties} != {guest, *hosts}:
                raise MessageInvalid(guest, NEXT, "the evidence is of other parties")
            return evidence
        members = get_texts(told, "members", length_max=len(hosts), size_max=64)
        if context.me not in members or members != tuple(one for one in hosts if one in members):
            raise MessageInvalid(guest, NEXT, "these are no hosts of the stage, in its order")
        done += 1
        context.progress(done, 2 ** len(hosts))
        part = scorecard.fit_as_host(channel, guest, members, fitted, settings)
        scorecard.score_as_host(channel, guest, members, part, judged)
