"""What a stage leaves in the party's own folder for later stages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from federation.works.errors import KeptInvalid

_MODEL_BYTES_MAX: Final = 64 << 20


def keep_rows(folder: Path, stage: str, rows: NDArray[np.int64]) -> None:
    """The places of the common rows in the party's own table, in the order that all share."""
    _write(folder / f"{stage}.rows", rows.astype("<i8").tobytes())


def kept_rows(folder: Path, stage: str, table_rows: int) -> NDArray[np.int64]:
    """Raises `KeptInvalid` where there are none, or none of this table."""
    data = _read(folder / f"{stage}.rows", 8 * table_rows, "common rows")
    if len(data) % 8:
        raise KeptInvalid(f"the common rows of stage {stage} are damaged: align again")
    rows = np.frombuffer(data, dtype="<i8").astype(np.int64)
    if rows.size and not 0 <= int(rows.min()) <= int(rows.max()) < table_rows:
        raise KeptInvalid(f"the common rows of stage {stage} are those of another table")
    return rows


def keep_model(folder: Path, stage: str, part: bytes) -> Path:
    """The party's own part of a model, byte for byte as it is hashed."""
    path = folder / f"{stage}.model.json"
    _write(path, part)
    return path


def kept_model(folder: Path, stage: str) -> bytes:
    """Raises `KeptInvalid` where there is none."""
    return _read(folder / f"{stage}.model.json", _MODEL_BYTES_MAX, "part of a model")


def keep_evidence(folder: Path, stage: str, evidence: bytes) -> None:
    """What shares were computed from, byte for byte as it is hashed."""
    _write(folder / f"{stage}.evidence.json", evidence)


def kept_evidence(folder: Path, stage: str) -> bytes:
    """Raises `KeptInvalid` where there is none."""
    return _read(folder / f"{stage}.evidence.json", 1 << 20, "evidence")


def keep_margins(folder: Path, stage: str, margins: NDArray[np.float64]) -> None:
    """Scores of common rows, which only the guest has."""
    _write(folder / f"{stage}.margins", margins.astype("<f8").tobytes())


def kept_margins(folder: Path, stage: str) -> NDArray[np.float64]:
    """Raises `KeptInvalid` where there are none."""
    data = _read(folder / f"{stage}.margins", 8 * 10_000_000, "scores")
    return np.frombuffer(data, dtype="<f8").astype(np.float64)


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all, whenever the process is killed; readable by the owner alone."""
    new = path.with_name(path.name + ".new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _read(path: Path, size_bytes_max: int, what: str) -> bytes:
    try:
        if path.stat().st_size > size_bytes_max:
            raise KeptInvalid(f"{path.name} is larger than any {what} can be")
        return path.read_bytes()
    except OSError as error:
        raise KeptInvalid(f"no {what} in {path.name}: that stage has not been done here") from error
