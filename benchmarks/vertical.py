"""Boosted trees of a bank and a partner in two processes over mutual TLS, beside pooled XGBoost.

`python -m benchmarks.vertical [--cases "plain;ou"] [--trees 30] [--workers 2] [--json]`

The data are the 30,000 card clients of `../shared/data/credit`, split by column; tested on the rows
with `int(sha256(str(id)).hexdigest(), 16) % 5 == 0`. All cases have the same settings; the margins
of every case with all rows and hosts must be those of the case `plain` to the last bit. Bytes are
what both parties sent: messages with their frames, without TLS records and TCP. Processor time is
told too, for a machine that is busy with something else stretches the clock only.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from benchmarks.measure import machine
from federation.channel import (
    Address,
    Identity,
    Listener,
    Message,
    create_authority,
    decode,
    issue_identity,
    open_tls_channel,
)
from federation.measures import auc, bootstrap, ks
from federation.tables import Table, read_csv, split_label
from federation.trees import (
    TreeSettings,
    fit_as_guest,
    fit_as_host,
    score_as_guest,
    score_as_host,
)

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "credit"
RUN = "0x" + "22" * 32
CODE = bytes(32)
BANK, PARTNER = "bank", "partner"
SEED = 1

CASES: dict[str, dict[str, Any]] = {
    "plain": {"scheme": "plain", "rehearsal": True},
    "ou": {"scheme": "ou"},
    "paillier": {"scheme": "paillier"},
    "ou, GOSS 20% + 20%": {"scheme": "ou", "top_bp": 2000, "other_bp": 2000},
    "ou, 42% by chance": {"scheme": "ou", "top_bp": 0, "other_bp": 4200},
    "ou, 8 trees of the bank first": {"scheme": "ou", "guest_trees": 8},
    "paillier, 42% by chance": {"scheme": "paillier", "top_bp": 0, "other_bp": 4200},
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table."""

    case: str
    auc: float
    auc_error: float
    """Standard error, by bootstrap."""
    ks: float
    seconds: float
    processor_s: float
    size_bytes: int
    peak_mib: float
    """Of all processes together."""
    leak: float | None
    """AUC of what the partner can guess of the labels from which rows the nodes have."""
    margins: str
    """The beginning of their SHA-256."""


@dataclass(frozen=True, slots=True)
class Data:
    """Rows to learn from and to test with."""

    bank: Table
    partner: Table
    label: NDArray[np.uint8]
    test: NDArray[np.bool_]

    def part(self, table: Table, test: bool) -> Table:
        return table.take(np.flatnonzero(self.test == test))


def read_data() -> Data:
    """Both files have the same ids in the same order."""
    bank, label = split_label(read_csv(DATA / "default_credit_hetero_guest.csv"), "y")
    partner = read_csv(DATA / "default_credit_hetero_host.csv")
    assert bank.ids == partner.ids
    test = [int(hashlib.sha256(one.encode()).hexdigest(), 16) % 5 == 0 for one in bank.ids]
    return Data(bank, partner, label, np.array(test))


@dataclass(frozen=True, slots=True)
class Side:
    """What one party measured."""

    seconds: float
    processor_s: float
    sent_bytes: int
    peak_mib: float
    margins: NDArray[np.float64] | None
    guess: NDArray[np.float64] | None


def act(
    me: str,
    identity: Identity,
    settings: TreeSettings,
    workers: int,
    address: Address | None,
    pipe: Connection,
) -> None:
    """One party, in its process. The bank listens, and tells where."""
    data = read_data()
    listener = Listener() if address is None else None
    if listener is not None:
        pipe.send(listener.address)
    other = PARTNER if me == BANK else BANK
    seen = _Seen(int((~data.test).sum())) if me == BANK else None
    channel = open_tls_channel(
        RUN,
        me,
        identity,
        {other: address},
        code=CODE,
        listener=listener,
        timeout_s=600,
        connect_timeout_s=600,
        silence_s=600,
        tap=seen,
    )
    began = time.perf_counter()
    margins: NDArray[np.float64] | None = None
    if me == BANK:
        label = data.label[~data.test]
        table = data.part(data.bank, False)
        part = fit_as_guest(channel, [other], table, label, settings, seed=SEED, workers=workers)
        margins = score_as_guest(channel, [other], part, data.part(data.bank, True))
    else:
        table = data.part(data.partner, False)
        mine = fit_as_host(channel, other, table, settings, workers=workers)
        score_as_host(channel, other, mine, data.part(data.partner, True))
    seconds = time.perf_counter() - began
    own = resource.getrusage(resource.RUSAGE_SELF)
    theirs = resource.getrusage(resource.RUSAGE_CHILDREN)
    helpers = workers if theirs.ru_maxrss else 0
    pipe.send(
        Side(
            seconds,
            own.ru_utime + own.ru_stime + theirs.ru_utime + theirs.ru_stime,
            channel.traffic.sent_bytes,
            (own.ru_maxrss + helpers * theirs.ru_maxrss) / 1024,
            margins,
            seen.guess if seen is not None else None,
        )
    )
    channel.close()


class _Seen:
    """What the partner is told of which rows are together: the bitmaps in what the bank sends.

    A row is the more suspect the more often it was in the smaller of two nodes, and the smaller
    that was: those who go bad are few.
    """

    def __init__(self, rows: int) -> None:
        self.guess = np.zeros(rows)
        self._taken = np.arange(rows)

    def __call__(self, sender: str, to: str, data: bytes) -> None:
        if len(data) > 1 << 20:
            return  # sealed numbers
        message = decode(data)
        body = message.body
        rows = self.guess.size
        if body.get("do") == "tree":
            self._taken = np.flatnonzero(_bits(body["rows"], rows))
            # Which rows GOSS takes: the top ones are those the trees so far are wrong about.
            self.guess[self._taken] += np.log(rows / self._taken.size)
        if body.get("do") == "sums":
            self._count(message)

    def _count(self, message: Message) -> None:
        nodes = message.body["nodes"]
        assert isinstance(nodes, list)
        for node in nodes:
            here = self._taken[_bits(node, self._taken.size)]
            if here.size < self._taken.size:
                self.guess[here] += np.log(self._taken.size / here.size)


def _bits(data: Any, rows: int) -> NDArray[np.bool_]:
    return np.unpackbits(np.frombuffer(data, dtype=np.uint8))[:rows].astype(np.bool_)


def federated(case: str, settings: TreeSettings, workers: int, data: Data) -> Line:
    """Fit and score in two processes."""
    authority = create_authority("Benchmark")
    context = multiprocessing.get_context("spawn")
    pipes, processes, address = [], [], None
    for me in (BANK, PARTNER):
        ours, theirs = context.Pipe()
        arguments = (me, issue_identity(authority, me), settings, workers, address, theirs)
        process = context.Process(target=act, args=arguments)
        process.start()
        processes.append(process)
        pipes.append(ours)
        if address is None:
            address = ours.recv()
    bank, partner = (pipe.recv() for pipe in pipes)
    for process in processes:
        process.join()
    leak = auc(data.label[~data.test], bank.guess) if bank.guess.any() else None
    return _line(
        case,
        data,
        bank.margins,
        max(bank.seconds, partner.seconds),
        bank.processor_s + partner.processor_s,
        bank.sent_bytes + partner.sent_bytes,
        bank.peak_mib + partner.peak_mib,
        leak,
    )


def alone(case: str, fit: Callable[[], NDArray[np.float64]], data: Data) -> Line:
    """By one party, or with all columns in one hand."""
    began, used = time.perf_counter(), time.process_time()
    margins = fit()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    spent = time.perf_counter() - began, time.process_time() - used
    return _line(case, data, margins, *spent, 0, peak, None)


def xgboost_margins(
    columns: Sequence[Table], data: Data, trees: int
) -> Callable[[], NDArray[np.float64]]:
    """The reference: the same settings, columns side by side."""

    def fit() -> NDArray[np.float64]:
        matrix = np.hstack([table.matrix() for table in columns])
        train = xgboost.DMatrix(matrix[~data.test], data.label[~data.test])
        settings = {
            "objective": "binary:logistic",
            "tree_method": "hist",
            "max_depth": 3,
            "max_bin": 32,
            "eta": 0.3,
            "seed": SEED,
        }
        model = xgboost.train(settings, train, trees)
        return np.asarray(
            model.predict(xgboost.DMatrix(matrix[data.test]), output_margin=True), dtype=np.float64
        )

    return fit


def _line(
    case: str,
    data: Data,
    margins: NDArray[np.float64],
    seconds: float,
    processor_s: float,
    size_bytes: int,
    peak_mib: float,
    leak: float | None,
) -> Line:
    label = data.label[data.test]
    estimate = bootstrap(label, margins, auc, seed=SEED, times=200)
    return Line(
        case,
        auc(label, margins),
        estimate.error,
        ks(label, margins),
        seconds,
        processor_s,
        size_bytes,
        peak_mib,
        leak,
        hashlib.sha256(margins.tobytes()).hexdigest()[:8],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--cases", help="those of the federated cases that are wanted, between semicolons"
    )
    parser.add_argument("--trees", type=int, default=30)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="of each party")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    wanted = list(CASES)
    if arguments.cases:
        wanted = [one for one in CASES if one in arguments.cases.split(";")]
    data = read_data()
    lines = [
        alone(f"XGBoost, {name}", xgboost_margins(columns, data, arguments.trees), data)
        for name, columns in (
            ("bank alone", [data.bank]),
            ("partner alone", [data.partner]),
            ("pooled", [data.bank, data.partner]),
        )
    ]
    if not arguments.json:
        print(f"\nBoosted trees, {arguments.trees} of depth 3\n{machine()}\n")
        print("| case | AUC | ± | KS | s | processor s | MB | MiB | leak | margins |")
        print("|---|--:|--:|--:|--:|--:|--:|--:|--:|---|")
        for line in lines:
            _print(line)
    for case in wanted:
        settings = TreeSettings(trees=arguments.trees, **CASES[case])
        lines.append(federated(case, settings, arguments.workers, data))
        if not arguments.json:
            _print(lines[-1])
    if arguments.json:
        print(json.dumps({"machine": machine(), "lines": [asdict(line) for line in lines]}))
    exact = [line.margins for line in lines if line.case in ("plain", "ou", "paillier")]
    assert len(set(exact)) <= 1, "sealed sums must give the margins of plain ones"


def _print(line: Line) -> None:
    leak = "–" if line.leak is None else f"{line.leak:.3f}"
    print(
        f"| {line.case} | {line.auc:.4f} | {line.auc_error:.4f} | {line.ks:.3f} "
        f"| {line.seconds:.1f} | {line.processor_s:.1f} | {line.size_bytes / 1e6:.1f} "
        f"| {line.peak_mib:.0f} | {leak} | {line.margins} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
