"""What each source of data adds to a base, with what chance alone would."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from federation.contribution.errors import GameInvalid
from federation.contribution.types import PARTIES_MAX, Coalition, Value
from federation.measures import Estimate, Label, Measure, Score, auc, bootstrap_difference


@dataclass(frozen=True, slots=True)
class SourceUplift:
    """One source beside the base (the bank's own data, say)."""

    party: str
    added: Estimate
    """value(base and it) - value(base)."""
    missed: Estimate
    """value(all) - value(all but it)."""


def value_of_scores(
    label: Label, scores: Mapping[Coalition, Score], measure: Measure = auc, *, baseline: float
) -> Value:
    """A value function over scores of the same test rows, one by each coalition's model.

    `baseline`: the value of nobody, which has no model (0.5 for AUC).
    """

    def value(coalition: Coalition) -> float:
        return measure(label, _scores_of(scores, coalition)) if coalition else baseline

    return value


def source_uplifts(
    label: Label,
    scores: Mapping[Coalition, Score],
    base: Iterable[str],
    measure: Measure = auc,
    *,
    seed: int,
    times: int = 1_000,
) -> tuple[SourceUplift, ...]:
    """For each party beyond the base what it adds to it, and what is missed without it, with
    bootstrap errors of the difference on the same rows.

    Needs the scores of: base, base and each source, all, all but each source. Raises `GameInvalid`
    where one is lacking or nobody stands beyond the base.
    """
    start = frozenset(base)
    everybody = frozenset[str]().union(*scores)
    sources = sorted(everybody - start)
    if not start or not 0 < len(sources) <= PARTIES_MAX:
        raise GameInvalid("an uplift needs a base and at least one source beyond it")

    def difference(without: Coalition, with_it: Coalition) -> Estimate:
        return bootstrap_difference(
            label,
            _scores_of(scores, without),
            _scores_of(scores, with_it),
            measure,
            seed=seed,
            times=times,
        )

    return tuple(
        SourceUplift(
            party,
            added=difference(start, start | {party}),
            missed=difference(everybody - {party}, everybody),
        )
        for party in sources
    )


def _scores_of(scores: Mapping[Coalition, Score], coalition: Coalition) -> Score:
    try:
        return scores[coalition]
    except KeyError:
        raise GameInvalid(f"there are no scores of the coalition {sorted(coalition)}") from None
