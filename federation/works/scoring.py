"""The stage `scoring`: scores of all common rows by a model that the parties keep."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from federation.runs import Json, StageContext, StageRefused
from federation.works.algorithms import Algorithm
from federation.works.keeping import keep_margins, kept_model, kept_rows
from federation.works.types import DataOf, ScoringConfig, config_of, hosts_of


class Scoring:
    """The guest keeps the margins (log odds of going bad). Each party answers with the hash of the
    part that it has scored by: it must be the one that was released."""

    def __init__(self, data_of: DataOf, algorithms: Mapping[str, Algorithm]) -> None:
        self._data_of = data_of
        self._algorithms = algorithms

    def __call__(self, context: StageContext, /) -> Mapping[str, Json]:
        config = config_of(ScoringConfig, context)
        algorithm = self._algorithms.get(config.algorithm)
        if algorithm is None:
            known = ", ".join(sorted(self._algorithms))
            raise StageRefused(f"no algorithm {config.algorithm}: {known}")
        table = self._data_of(context.run, context.stage).table
        table = table.take(kept_rows(context.folder, config.rows, table.rows))
        part = kept_model(context.folder, config.model)
        hosts = hosts_of(config, context)
        if context.me == config.guest:
            margins = algorithm.score_as_guest(context, hosts, part, table)
            keep_margins(context.folder, context.stage.name, margins)
        else:
            algorithm.score_as_host(context, config.guest, hosts, part, table)
        return {"rows": table.rows, "model": "0x" + hashlib.sha256(part).hexdigest()}
