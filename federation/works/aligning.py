"""The stage `alignment`: which rows the parties have in common."""

from __future__ import annotations

from collections.abc import Mapping

from federation.alignment import AlignmentSettings, align_as_guest, align_as_host
from federation.runs import Json, StageContext
from federation.works.keeping import keep_rows
from federation.works.types import AlignmentConfig, DataOf, config_of, hosts_of


class Aligning:
    """Keeps the places of the common rows; answers with how many there are."""

    def __init__(self, data_of: DataOf) -> None:
        self._data_of = data_of

    def __call__(self, context: StageContext, /) -> Mapping[str, Json]:
        config = config_of(AlignmentConfig, context)
        ids = self._data_of(context.run, context.stage).table.ids
        settings = AlignmentSettings(common_min=config.common_min, pad_to=config.pad_to)

        def tell(_: str, done: int, total: int) -> None:
            context.progress(done, total)

        hosts = hosts_of(config, context)
        if context.me == config.guest:
            rows = align_as_guest(context.channel, hosts, ids, settings, progress=tell)
        else:
            rows = align_as_host(context.channel, config.guest, ids, settings, progress=tell)
        keep_rows(context.folder, context.stage.name, rows)
        return {"rows": int(rows.size)}
