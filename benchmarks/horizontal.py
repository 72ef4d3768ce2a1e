"""Banks with the same columns: federated, alone, pooled; with masks, with noise, unlike banks.

`python -m benchmarks.horizontal [--cases "three;private;six"] [--repeats 5] [--json]`

The data are the 30,000 card clients of `../shared/data/credit`, both halves joined on the id;
tested on the rows with `int(sha256(str(id)).hexdigest(), 16) % 5 == 0`. Banks and server are
threads of this process over channels that encode every message; bytes are what the server sent
and received.

- three: the other rows dealt to three banks; scorecard (six rounds in all), trees, net; beside them
  the same scorecard on pooled rows with exact quantiles, scikit-learn and XGBoost on pooled rows.
- private: the scorecard of three banks under differential privacy of every sum (epsilon 1, delta
  1e-5), several times, for its noise is drawn from the system.
- six: six banks of 500 to 2,000 rows, sorted by limit (host x0, LIMIT_BAL): each alone with the
  very same algorithm and settings, and all together; several drawings of the rows.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from benchmarks.measure import machine
from federation.channel import local_channels
from federation.horizontal import (
    BoostingAlgorithm,
    BoostingSettings,
    Field,
    NetAlgorithm,
    NetSettings,
    Privacy,
    ScorecardAlgorithm,
    ScorecardSettings,
    fit_as_bank,
    fit_as_server,
)
from federation.horizontal.cutting import bins_of
from federation.masking import Group
from federation.measures import auc, auc_with_error, ks
from federation.tables import Table, read_csv, split_label

SERVER = "operator"
SIZES = (500, 800, 1_100, 1_400, 1_700, 2_000)
LIMIT = "host_x0"


@dataclass(frozen=True, slots=True)
class Case:
    """A line of the table."""

    case: str
    auc: float
    error: float
    """Of the AUC (DeLong)."""
    ks: float
    rounds: int | None = None
    mebibytes: float | None = None
    seconds: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Data:
    """The rows to train with, and those to test on."""

    train: Table
    label: NDArray[np.uint8]
    test: Table
    test_label: NDArray[np.uint8]
    fields: tuple[Field, ...]


def read(folder: Path) -> Data:
    """Both halves joined on the id, split by it."""
    guest, label = split_label(read_csv(folder / "default_credit_hetero_guest.csv"), "y")
    host = read_csv(folder / "default_credit_hetero_host.csv")
    place = {name: row for row, name in enumerate(host.ids)}
    host = host.take(np.array([place[name] for name in guest.ids]))
    columns = {f"guest_{name}": column for name, column in guest.columns.items()}
    columns |= {f"host_{name}": column for name, column in host.columns.items()}
    table = Table(guest.ids, columns)
    tested = np.array(
        [int(hashlib.sha256(name.encode()).hexdigest(), 16) % 5 == 0 for name in table.ids]
    )
    train, test = np.flatnonzero(~tested), np.flatnonzero(tested)
    fields = tuple(_field(name, table) for name in table.fields)
    return Data(table.take(train), label[train], table.take(test), label[test], fields)


def _field(name: str, table: Table) -> Field:
    """The columns are standardised: most of any lies within -3..8. Codes are the schema's."""
    codes = np.unique(table.column(name))
    return Field(name, -3.0, 8.0, tuple(codes.tolist()) if codes.size <= 12 else ())


def train(algorithm: Any, parts: Sequence[tuple[Table, NDArray[np.uint8]]]) -> tuple[Any, Any]:
    """A training among threads: its outcome and the server's traffic."""
    names = [f"bank-{number}" for number in range(len(parts))]
    keys = {name: Ed25519PrivateKey.generate() for name in names}
    public = {name: key.public_key().public_bytes_raw() for name, key in keys.items()}
    noisy = algorithm.privacy is not None
    group = Group.of(SERVER, public, threshold=len(parts), noisy=noisy)
    channels = local_channels("0x01", (*names, SERVER), timeout_s=300)

    def bank(name: str, part: tuple[Table, NDArray[np.uint8]]) -> None:
        fit_as_bank(channels[name], group, keys[name], algorithm, *part)

    jobs = zip(names, parts, strict=True)
    threads = [threading.Thread(target=bank, args=job, daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    done = fit_as_server(channels[SERVER], group, algorithm)
    for thread in threads:
        thread.join()
    return done, channels[SERVER].traffic


def federated(case: str, data: Data, algorithm: Any, parts: Sequence[Any], note: str = "") -> Case:
    """Train, and score the test rows."""
    began = time.perf_counter()
    done, traffic = train(algorithm, parts)
    seconds = time.perf_counter() - began
    mebibytes = (traffic.sent_bytes + traffic.received_bytes) / 2**20
    score = done.model.score(data.test)
    return scored(case, data, score, len(done.rounds), mebibytes, seconds, note)


def scored(
    case: str,
    data: Data,
    score: NDArray[np.float64],
    rounds: int | None = None,
    mebibytes: float | None = None,
    seconds: float | None = None,
    note: str = "",
) -> Case:
    estimate = auc_with_error(data.test_label, score)
    value, error = auc(data.test_label, score), estimate.error
    return Case(case, value, error, ks(data.test_label, score), rounds, mebibytes, seconds, note)


def alone(data: Data, table: Table, label: NDArray[np.uint8], settings: Any) -> NDArray[np.float64]:
    """What a bank gets from its own rows: the same algorithm, without a group.

    Its rows are dealt to three parties of its own: the sums, and so the model, are the same.
    """
    trees = isinstance(settings, BoostingSettings)
    algorithm: Any = BoostingAlgorithm(settings) if trees else ScorecardAlgorithm(settings)
    parts = [(table.take(part), label[part]) for part in np.array_split(np.arange(table.rows), 3)]
    score: NDArray[np.float64] = train(algorithm, parts)[0].model.score(data.test)
    return score


def pooled_scorecard(data: Data, settings: ScorecardSettings) -> NDArray[np.float64]:
    """Exact quantiles of the pooled rows, weights of evidence, scikit-learn's regression."""
    label = data.label.astype(np.float64)
    prior = label.mean()
    train_columns, test_columns = [], []
    for field in settings.fields:
        values = data.train.column(field.name)
        distinct, counts = np.unique(values, return_counts=True)
        bins = bins_of(distinct[:-1], counts.astype(np.int64), settings.cutting.bins)
        index = bins.index(values)
        bads = np.bincount(index, weights=label, minlength=bins.count)
        goods = np.bincount(index, minlength=bins.count) - bads
        goods_share = (goods + settings.smoothing * (1 - prior)) / (1 - label).sum()
        woe = np.log(goods_share) - np.log((bads + settings.smoothing * prior) / label.sum())
        train_columns.append(woe[index])
        test_columns.append(woe[bins.index(data.test.column(field.name))])
    model = LogisticRegression(C=1 / settings.ridge, tol=1e-10, max_iter=2_000)
    model.fit(np.column_stack(train_columns), data.label)
    score: NDArray[np.float64] = model.decision_function(np.column_stack(test_columns))
    return score


def three(data: Data) -> list[Case]:
    """Three banks of equal size."""
    order = np.random.default_rng(1).permutation(data.train.rows)
    parts = [(data.train.take(part), data.label[part]) for part in np.array_split(order, 3)]
    card = ScorecardSettings(data.fields, rounds=3)
    began = time.perf_counter()
    pooled = pooled_scorecard(data, card)
    took = time.perf_counter() - began
    cases = [scored("scorecard, pooled (scikit-learn)", data, pooled, seconds=took)]
    fed = federated("scorecard, three banks", data, ScorecardAlgorithm(card), parts)
    cases.append(replace(fed, note=f"{fed.auc - cases[0].auc:+.5f} to pooled"))
    matrices = [table.matrix(data.train.fields) for table in (data.train, data.test)]
    began = time.perf_counter()
    boost = xgboost.XGBClassifier(
        n_estimators=30, max_depth=3, max_bin=32, learning_rate=0.3, tree_method="hist", n_jobs=2
    ).fit(matrices[0], data.label)
    took = time.perf_counter() - began
    margins = boost.predict(matrices[1], output_margin=True).astype(np.float64)
    cases.append(scored("trees, pooled (XGBoost)", data, margins, 30, seconds=took))
    began = time.perf_counter()
    peer = HistGradientBoostingClassifier(
        max_iter=30, max_depth=3, max_bins=32, learning_rate=0.3, early_stopping=False
    ).fit(matrices[0], data.label)
    took = time.perf_counter() - began
    margins = peer.decision_function(matrices[1])
    cases.append(scored("trees, pooled (scikit-learn)", data, margins, 30, seconds=took))
    trees = BoostingAlgorithm(BoostingSettings(data.fields))
    cases.append(federated("trees, three banks", data, trees, parts, "30 trees, depth 3, 32 bins"))
    for name, settings in (
        ("net, three banks, FedAvg", NetSettings(data.fields)),
        ("net, three banks, FedProx", NetSettings(data.fields, pull=0.1)),
    ):
        cases.append(federated(name, data, NetAlgorithm(settings), parts))
    return cases


def private(data: Data, repeats: int) -> list[Case]:
    """Three banks under differential privacy, beside the same settings without."""
    order = np.random.default_rng(1).permutation(data.train.rows)
    parts = [(data.train.take(part), data.label[part]) for part in np.array_split(order, 3)]
    settings = ScorecardSettings(data.fields)
    plain = federated("scorecard, no noise", data, ScorecardAlgorithm(settings), parts)
    noisy = ScorecardAlgorithm(replace(settings, privacy=Privacy()))
    runs = [federated("scorecard, epsilon 1", data, noisy, parts) for _ in range(repeats)]
    losses = [plain.auc - run.auc for run in runs]
    typical = sorted(runs, key=lambda run: run.auc)[len(runs) // 2]
    note = (
        f"median of {repeats}; loss {np.mean(losses):.4f} on average, "
        f"{min(losses):.4f} to {max(losses):.4f}"
    )
    return [plain, replace(typical, note=note)]


def six(data: Data, repeats: int) -> list[Case]:
    """Six small unlike banks: each alone, and all together."""
    cases = []
    limits = data.train.column(LIMIT)
    for name, settings in (
        ("scorecard", ScorecardSettings(data.fields)),
        ("trees", BoostingSettings(data.fields)),
    ):
        for seed in range(repeats):
            draw = np.random.default_rng(seed)
            chosen = draw.choice(data.train.rows, sum(SIZES), replace=False)
            chosen = chosen[np.argsort(limits[chosen], kind="stable")]
            places = np.split(chosen, np.cumsum(SIZES)[:-1])
            parts = [(data.train.take(place), data.label[place]) for place in places]
            kind = BoostingAlgorithm if name == "trees" else ScorecardAlgorithm
            together = federated(f"{name}, six banks, drawing {seed}", data, kind(settings), parts)
            single = [auc(data.test_label, alone(data, *part, settings)) for part in parts]
            gains = [together.auc - one for one in single]
            listed = " ".join(f"{gain:+.3f}" for gain in gains)
            cases.append(replace(together, note=f"over each alone: {listed}"))
    return cases


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data/credit"))
    parser.add_argument("--cases", default="three;private;six")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    data = read(given.data)
    cases: list[Case] = []
    for name in given.cases.split(";"):
        if name == "three":
            cases += three(data)
        elif name == "private":
            cases += private(data, given.repeats)
        elif name == "six":
            cases += six(data, given.repeats)
        else:
            parser.error(f"no case {name!r}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if given.json:
        print(json.dumps({"cases": [asdict(one) for one in cases], "peak_mib": peak}))
        return
    print(machine())
    print(f"{'case':34} {'AUC':>7} {'error':>6} {'KS':>6} {'rounds':>6} {'MiB':>6} {'s':>6}  note")
    for one in cases:
        rounds = "" if one.rounds is None else one.rounds
        size = "" if one.mebibytes is None else f"{one.mebibytes:.2f}"
        took = "" if one.seconds is None else f"{one.seconds:.1f}"
        print(
            f"{one.case:34} {one.auc:7.4f} {one.error:6.4f} {one.ks:6.3f} {rounds:>6} {size:>6} "
            f"{took:>6}  {one.note}"
        )
    print(f"peak memory of all parties in one process: {peak:.0f} MiB")


if __name__ == "__main__":
    main()
