"""The stages that make a model over the columns of all parties."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from federation.measures import auc, ks
from federation.runs import Json, StageContext, StageFailed
from federation.works.algorithms import Algorithm
from federation.works.keeping import keep_model, kept_rows
from federation.works.types import WHOLE_BP, DataOf, TrainingConfig, config_of, hosts_of


class Training:
    """Each party keeps its part and answers with its hash; the guest says how well the model ranks
    rows that it has not learned from."""

    def __init__(self, data_of: DataOf, algorithm: Algorithm) -> None:
        self._data_of = data_of
        self._algorithm = algorithm

    def __call__(self, context: StageContext, /) -> Mapping[str, Json]:
        config = config_of(TrainingConfig, context)
        self._algorithm.check(config)
        data = self._data_of(context.run, context.stage)
        rows = kept_rows(context.folder, config.rows, data.table.rows)
        judged = rows.size * config.test_bp // WHOLE_BP
        learned, judged_rows = rows[: rows.size - judged], rows[rows.size - judged :]
        table, test = data.table.take(learned), data.table.take(judged_rows)
        hosts = hosts_of(config, context)
        found: dict[str, Json] = {}
        if context.me != config.guest:
            part = self._algorithm.fit_as_host(context, config, table)
            if judged:
                self._algorithm.score_as_host(context, config.guest, hosts, part, test)
        elif data.label is None:
            raise StageFailed("the guest has no label for this stage")
        else:
            part = self._algorithm.fit_as_guest(context, config, table, data.label[learned])
            if judged:
                margins = self._algorithm.score_as_guest(context, hosts, part, test)
                label = data.label[judged_rows]
                found = {"auc": auc(label, margins), "ks": ks(label, margins)}
        keep_model(context.folder, context.stage.name, part)
        model = "0x" + hashlib.sha256(part).hexdigest()
        return {"model": model, "rows": table.rows, "testRows": int(judged), **found}
