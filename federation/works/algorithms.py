"""Algorithms over the columns of several parties, all called alike."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from federation import scorecard, trees
from federation.runs import StageContext
from federation.tables import Table
from federation.works.types import TrainingConfig, hosts_of, settings_of

Labels = NDArray[np.uint8]
Margins = NDArray[np.float64]


class Algorithm(Protocol):
    """Both sides of fitting and scoring. A part is the bytes whose SHA-256 the ledger holds; tables
    have the common rows in the order that all share. Each raises what the algorithm raises."""

    def check(self, config: TrainingConfig) -> None:
        """Raises `StageRefused` for settings that cannot be meant."""
        ...

    def fit_as_guest(
        self, context: StageContext, config: TrainingConfig, table: Table, label: Labels
    ) -> bytes: ...

    def fit_as_host(self, context: StageContext, config: TrainingConfig, table: Table) -> bytes: ...

    def score_as_guest(
        self, context: StageContext, hosts: tuple[str, ...], part: bytes, table: Table
    ) -> Margins:
        """Log odds of going bad."""
        ...

    def score_as_host(
        self,
        context: StageContext,
        guest: str,
        hosts: tuple[str, ...],
        part: bytes,
        table: Table,
        /,
    ) -> None: ...


class _Scorecard:
    def check(self, config: TrainingConfig) -> None:
        settings_of(scorecard.ScorecardSettings, config.settings)

    def fit_as_guest(
        self, context: StageContext, config: TrainingConfig, table: Table, label: Labels
    ) -> bytes:
        return scorecard.fit_as_guest(
            context.channel,
            hosts_of(config, context),
            table,
            label,
            settings_of(scorecard.ScorecardSettings, config.settings),
            progress=lambda _, share: context.progress(round(100 * share), 100),
        ).to_json()

    def fit_as_host(self, context: StageContext, config: TrainingConfig, table: Table) -> bytes:
        settings = settings_of(scorecard.ScorecardSettings, config.settings)
        hosts = hosts_of(config, context)
        return scorecard.fit_as_host(
            context.channel, config.guest, hosts, table, settings
        ).to_json()

    def score_as_guest(
        self, context: StageContext, hosts: tuple[str, ...], part: bytes, table: Table
    ) -> Margins:
        read = scorecard.GuestPart.from_json(part)
        return scorecard.score_as_guest(context.channel, hosts, read, table)

    def score_as_host(
        self,
        context: StageContext,
        guest: str,
        hosts: tuple[str, ...],
        part: bytes,
        table: Table,
        /,
    ) -> None:
        read = scorecard.HostPart.from_json(part)
        scorecard.score_as_host(context.channel, guest, hosts, read, table)


class _Trees:
    def check(self, config: TrainingConfig) -> None:
        settings_of(trees.TreeSettings, config.settings)

    def fit_as_guest(
        self, context: StageContext, config: TrainingConfig, table: Table, label: Labels
    ) -> bytes:
        def tell(at: trees.Progress) -> None:
            context.progress(at.tree, at.trees, {} if at.auc is None else {"auc": at.auc})

        return trees.fit_as_guest(
            context.channel,
            hosts_of(config, context),
            table,
            label,
            settings_of(trees.TreeSettings, config.settings),
            seed=config.seed,
            progress=tell,
        ).to_json()

    def fit_as_host(self, context: StageContext, config: TrainingConfig, table: Table) -> bytes:
        settings = settings_of(trees.TreeSettings, config.settings)
        return trees.fit_as_host(context.channel, config.guest, table, settings).to_json()

    def score_as_guest(
        self, context: StageContext, hosts: tuple[str, ...], part: bytes, table: Table
    ) -> Margins:
        return trees.score_as_guest(context.channel, hosts, trees.GuestPart.from_json(part), table)

    def score_as_host(
        self, context: StageContext, guest: str, _: tuple[str, ...], part: bytes, table: Table, /
    ) -> None:
        trees.score_as_host(context.channel, guest, trees.HostPart.from_json(part), table)


ALGORITHMS: Final[Mapping[str, Algorithm]] = MappingProxyType(
    {"scorecard": _Scorecard(), "trees": _Trees()}
)
"""By the names of their stages, which are also those of the agreement."""
