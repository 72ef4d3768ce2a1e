"""Which of the engine's heights may go: so many later ones are there, and they are old enough.

The engine keeps headers, commits and validators of a height that it prunes while a double vote at
that height can still be shown, and then never comes back for them (CometBFT v0.38,
store.PruneBlocks). Only heights beyond that age are given up, so that everything of them goes. The
engine's blocks do not tell us their age afterwards: every thousandth height is written down with
its time. What a node needs that begins with the oldest snapshot kept here is not given up either.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger.canonical import JsonError, parse_json
from ledger.consensus.cometbft.genesis import EVIDENCE_AGE_BLOCKS, EVIDENCE_AGE_S
from ledger.consensus.cometbft.home import write_private
from ledger.consensus.cometbft.mark import Mark
from ledger.consensus.cometbft.protocol import SnapshotService

FORMAT: Final = "tallystick-engine-heights/1"
STEP_HEIGHTS: Final = 1_000
"""Heights go in portions of at most twice as many, so that no block waits long for it."""
SAMPLES_MAX: Final = 20_000
_FILE_SIZE_BYTES_MAX: Final = 4 << 20
_NUMBER_MAX: Final = 2**53 - 1

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Age:
    """How far back something is still needed: both must be exceeded."""

    heights: int
    seconds: int
    step: int = STEP_HEIGHTS


EVIDENCE_AGE: Final = Age(EVIDENCE_AGE_BLOCKS, EVIDENCE_AGE_S)


class Retention:
    """Told of every height by the consensus connection alone. 0 heights: everything is kept."""

    def __init__(
        self,
        path: Path,
        heights: int,
        age: Age = EVIDENCE_AGE,
        snapshots: SnapshotService | None = None,
    ) -> None:
        """`path`: what is written down; where it is lost or damaged, ages are counted anew.

        `snapshots`: whose oldest one bars what comes after it; as long as there is none, all.
        """
        self._path = path
        self._snapshots = snapshots
        self._heights = max(heights, age.heights) if heights else 0
        self._age = age
        self._kept_from = 0
        self._samples: list[tuple[int, int]] = []
        if heights:
            self._read()

    def committed(self, mark: Mark) -> int:
        """The lowest height that the engine shall keep from now on; 0 where nothing may go.

        Only each `step`-th height moves it.
        """
        if not self._heights or mark.height % self._age.step:
            return 0
        now_s = mark.time_ns // 10**9
        old = [
            (height, time_s)
            for height, time_s in self._samples
            if mark.height - height >= self._heights and now_s - time_s > self._age.seconds
        ]
        if old:
            # The engine's lowest height is not known here: an old chain is caught up slowly.
            pace = self._kept_from + 2 * self._age.step
            allowed = min(old[-1][0], pace, self._oldest_snapshot(mark.height))
            self._kept_from = max(self._kept_from, allowed)
            self._samples = self._samples[len(old) - 1 :]
        self._samples.append((mark.height, now_s))
        if len(self._samples) > SAMPLES_MAX:
            self._samples = self._samples[::2]
        self._write()
        return self._kept_from

    def _oldest_snapshot(self, height: int) -> int:
        """Its height, whose header and validators its light client asks for; 0 for none.

        Those above `height` are of before the engine, by block number (promotion).
        """
        if self._snapshots is None:
            return height
        try:
            kept = [one.height for one in self._snapshots.list()]
        except OSError as error:
            _log.warning("the snapshots cannot be read: %s; no height goes", error)
            return 0
        return min((one for one in kept if one <= height), default=0)

    def _read(self) -> None:
        try:
            with self._path.open("rb") as file:
                data = file.read(_FILE_SIZE_BYTES_MAX + 1)
            fields = parse_json(data, size_bytes_max=_FILE_SIZE_BYTES_MAX, depth_max=3)
            self._kept_from, self._samples = _decoded(fields)
        except FileNotFoundError:
            return
        except (OSError, JsonError, ValueError, TypeError, KeyError) as error:
            _log.warning("%s: %s; the age of heights is counted anew", self._path, error)

    def _write(self) -> None:
        fields = {"format": FORMAT, "keptFrom": self._kept_from, "heights": self._samples}
        try:
            write_private(self._path, json.dumps(fields).encode())
        except OSError as error:
            _log.warning("%s cannot be written: %s", self._path, error)


def _decoded(fields: object) -> tuple[int, list[tuple[int, int]]]:
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise ValueError(f"not of format {FORMAT}")
    samples = [(_number(height), _number(time_s)) for height, time_s in fields["heights"]]
    if len(samples) > SAMPLES_MAX or samples != sorted(samples):
        raise ValueError("the heights are not in order")
    return _number(fields["keptFrom"]), samples


def _number(value: object) -> int:
    if type(value) is not int or not 0 <= value <= _NUMBER_MAX:
        raise ValueError(f"{str(value)[:40]} is no height or time")
    return value
