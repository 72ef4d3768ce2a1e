"""What a run has done so far, in a file that survives a crash at any moment."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from federation.runs.documents import ATTEMPTS_MAX, read_record, run_hash, write_record
from federation.runs.errors import JournalInvalid, RunInvalid
from federation.runs.types import Run, StageRecord
from ledger.canonical import canonical_json

JOURNAL_BYTES_MAX = 256 << 20


class MemoryJournal:
    """A journal that is forgotten with its process."""

    def __init__(self) -> None:
        self._records: list[StageRecord] = []
        self._tries: dict[str, int] = {}

    def records(self) -> Sequence[StageRecord]:
        return tuple(self._records)

    def begin(self, stage: str, /) -> int:
        self._tries[stage] = _next("in memory", stage, self._tries.get(stage, 0))
        return self._tries[stage]

    def add(self, record: StageRecord, /) -> None:
        self._records.append(record)


class FileJournal:
    """A journal of one run: its hash on the first line, then what happened, each line durable.

    One process may write it at a time. A last line that was cut short by a crash is taken away
    on opening; anything else that is not of this format is refused.
    """

    def __init__(self, path: Path, run: Run) -> None:
        """Open, or begin where there is none. Raises `JournalInvalid`, `OSError`."""
        self._path = path
        self._records: list[StageRecord] = []
        self._tries: dict[str, int] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._lock()
            self._read(_head(run))
        except BaseException:
            os.close(self._file)
            raise
        self._open = True

    def records(self) -> Sequence[StageRecord]:
        return tuple(self._records)

    def tries(self, stage: str) -> int:
        """How often a stage has been tried, as far as this journal knows."""
        return self._tries.get(stage, 0)

    def begin(self, stage: str, /) -> int:
        number = _next(str(self._path), stage, self.tries(stage))
        self._write(canonical_json({"attempt": number, "begun": stage}))
        self._tries[stage] = number
        return number

    def add(self, record: StageRecord, /) -> None:
        self._write(write_record(record))
        self._keep(record)

    def close(self) -> None:
        """Let another process write it. Any number of times."""
        if self._open:
            self._open = False
            os.close(self._file)

    def __enter__(self) -> FileJournal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise self._invalid("is being written by another process") from error

    def _read(self, head: bytes) -> None:
        size = os.fstat(self._file).st_size
        if size > JOURNAL_BYTES_MAX:
            raise self._invalid(f"has {size} bytes; at most {JOURNAL_BYTES_MAX} are read")
        data = os.pread(self._file, size, 0)
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) != len(data):
            os.ftruncate(self._file, len(whole))
        os.lseek(self._file, 0, os.SEEK_END)
        lines = whole.split(b"\n")[:-1]
        if not lines:
            self._write(head)
            return
        if lines[0] != head:
            raise self._invalid("belongs to another run, or to another plan of it")
        for number, line in enumerate(lines[1:], 2):
            self._take(line, number)

    def _take(self, line: bytes, number: int) -> None:
        begun = _BEGUN.fullmatch(line)
        if begun is not None:
            self._tries[begun["stage"].decode()] = int(begun["attempt"])
            return
        try:
            self._keep(read_record(line))
        except RunInvalid as error:
            raise self._invalid(f"has no record in line {number}: {error}") from error

    def _keep(self, record: StageRecord) -> None:
        self._records.append(record)
        self._tries[record.stage] = max(self.tries(record.stage), record.attempt)

    def _write(self, line: bytes) -> None:
        data = line + b"\n"
        while data:
            data = data[os.write(self._file, data) :]
        os.fsync(self._file)

    def _invalid(self, reason: str) -> JournalInvalid:
        return JournalInvalid(str(self._path), reason)


_BEGUN = re.compile(
    rb'\{"attempt":(?P<attempt>[1-9][0-9]{0,3}),"begun":"(?P<stage>[a-z0-9-]{1,64})"\}'
)


def _next(place: str, stage: str, tries: int) -> int:
    if tries >= ATTEMPTS_MAX:
        raise JournalInvalid(place, f"has {tries} tries of {stage}; no more are allowed")
    return tries + 1


def _head(run: Run) -> bytes:
    return canonical_json({"journal": "tally/fed/run/1", "run": run_hash(run)})
