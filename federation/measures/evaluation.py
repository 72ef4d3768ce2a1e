"""All that a model card says of a model's scores on one set of rows."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from federation.measures.probability import brier, calibration, log_loss, probabilities
from federation.measures.ranking import auc, ks, lift_table
from federation.measures.resampling import bootstrap
from federation.measures.types import Calibration, Estimate, Label, Score, Slice


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Measures of one score on one set of rows, with what chance would move them by."""

    rows: int
    bads: int
    auc: Estimate
    ks: Estimate
    log_loss: Estimate
    brier: Estimate
    lift: tuple[Slice, ...]
    calibration: Calibration
    seed: int
    times: int
    """Of the bootstrap: whoever has the rows computes the same errors."""

    def document(self) -> dict[str, object]:
        """As values for canonical JSON."""
        found = asdict(self)
        for name in ("auc", "ks", "log_loss", "brier"):
            found[name] = getattr(self, name)._asdict()
        return found


def evaluate(label: Label, margin: Score, *, seed: int, times: int = 1_000) -> Evaluation:
    """Measure margins (log-odds of going bad). Raises as `auc` and `bootstrap` do."""
    probability = probabilities(margin)
    return Evaluation(
        rows=len(label),
        bads=int(label.sum()),
        # Ranking goes by the margins: probabilities near 0 and 1 run into one another.
        auc=bootstrap(label, margin, auc, seed=seed, times=times),
        ks=bootstrap(label, margin, ks, seed=seed, times=times),
        log_loss=bootstrap(label, probability, log_loss, seed=seed, times=times),
        brier=bootstrap(label, probability, brier, seed=seed, times=times),
        lift=lift_table(label, margin, slices=min(10, len(label))),
        calibration=calibration(label, probability),
        seed=seed,
        times=times,
    )
