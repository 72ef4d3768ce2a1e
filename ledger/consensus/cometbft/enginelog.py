"""The engine's log: kept within bounds, and read for what the operator must know at once."""

from __future__ import annotations

import json
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from ledger.consensus.cometbft.forwarding import forward

FILE_SIZE_BYTES_MAX: Final = 10 << 20
FILES_MAX: Final = 3
LINE_SIZE_BYTES_MAX: Final = 16_384
ERRORS_MAX: Final = 20
ERROR_SIZE_MAX: Final = 500

STATE_DIFFERS: Final = (
    "this node's ledger is not the one that the others agreed on: its log root differs from the "
    "one in the engine's blocks. It was altered or damaged here. Restore a backup or join anew"
)
ENGINE_BEHIND: Final = (
    "the engine's folder is older than the ledger (or empty). Where it was interrupted while it "
    "joined: run `tally node join` again on the same folder, which fetches the state anew and "
    "keeps keys and votes. Else restore both from one backup"
)
CLOCK_BEHIND: Final = (
    "this machine's clock is behind those of the other members by more than a minute: set it right"
)
_LAST_WORDS: Final = ("panic:", "ERROR:", "fatal error:")
_HALTS: Final = (
    ("wrong Block.Header.AppHash", STATE_DIFFERS),
    ("AppHash does not match", STATE_DIFFERS),
    ("does not match AppHash after replay", STATE_DIFFERS),
    ("is higher than core", ENGINE_BEHIND),
    ("too far in the future", CLOCK_BEHIND),
)
_HALTS_ALONE: Final = (
    ("wrong Block.Header.AppHash", STATE_DIFFERS),
    ("block time ", CLOCK_BEHIND),
)
"""How the engine's reasons begin to refuse a block that more than two thirds signed."""
DISK_FULL: Final = "no space left on device"
# Words of the engine's own, compared whole: what peers send stands in other fields of a line, and
# must never stop this node.
CONSENSUS_FAILURE: Final = "CONSENSUS FAILURE!!!"
STATE_SYNC_FAILED: Final = "State sync failed"
BLOCK_REFUSED: Final = "Error in validation"
"""Of a block that a peer sent for catching up: the engine drops the peer and asks another."""


class EngineLog:
    """Takes the engine's output line by line. Thread-safe for one writer."""

    def __init__(self, path: Path, first_root: bytes = b"") -> None:
        """`first_root`: the log root that the engine begins with."""
        self._path = path
        self._begins = f"expected {first_root.hex().upper()}." if first_root else None
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None
        self._errors: deque[str] = deque(maxlen=ERRORS_MAX)
        self.halt: str | None = None
        """Why the engine can never go on as it is; None where it can."""
        self.sync_failed: str | None = None
        """Why state sync ended without a ledger; None where it did not."""
        self.full: str | None = None
        """What could not be written for want of room; the engine is of no use until it restarts."""

    def begin(self) -> None:
        """The engine starts: what was wrong before counts no longer."""
        self.halt = self.sync_failed = self.full = None

    def take(self, line: bytes) -> None:
        """Store a line, and learn from it."""
        self._write(line)
        text = line.decode("utf-8", "replace").strip()
        forward(text)
        said = _parsed(text)
        if said.level == "error" or text.startswith(_LAST_WORDS):
            self._errors.append(said.words[:ERROR_SIZE_MAX])
        if said.message == STATE_SYNC_FAILED:
            self.sync_failed = said.words[:ERROR_SIZE_MAX]
        if said.is_end and DISK_FULL in said.words:
            self.full = said.words[:ERROR_SIZE_MAX]
        elif self.halt is None and self.full is None:
            self.halt = _halt(said)
        elif self._begins and text.endswith(self._begins):
            # The line below that of the panic: the engine is at its beginning, the ledger is not.
            self.halt = ENGINE_BEHIND

    def errors(self) -> tuple[str, ...]:
        """The last errors, oldest first."""
        return tuple(self._errors)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._file is not None:
                with suppress(OSError):  # nothing is lost that matters, if the disk is full
                    self._file.close()
                self._file = None

    def _write(self, line: bytes) -> None:
        # A full disk must not stop the engine for want of a log.
        with self._lock, suppress(OSError):
            if self._file is None:
                self._file = self._path.open("ab")
                self._path.chmod(0o600)
            self._file.write(line if line.endswith(b"\n") else line + b"\n")
            self._file.flush()
            if self._file.tell() > FILE_SIZE_BYTES_MAX:
                self._file.close()
                self._file = None
                self._rotate()

    def _rotate(self) -> None:
        for number in range(FILES_MAX - 1, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            newer = (
                self._path.with_name(f"{self._path.name}.{number - 1}")
                if number > 1
                else (self._path)
            )
            if newer.exists():
                newer.replace(older)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the engine's output."""

    level: str
    """Empty for one that is not of its logger: a panic, or why it does not start."""
    message: str
    """The logger's own words, without any field."""
    error: str
    words: str
    """Message and fields, for people."""

    @property
    def is_end(self) -> bool:
        """Whether the engine does nothing more after this line."""
        return not self.level or (self.level == "error" and self.message == CONSENSUS_FAILURE)


def _halt(line: _Line) -> str | None:
    """Whether a line says that the engine can never go on, and why."""
    if line.level == "error" and line.message == BLOCK_REFUSED:
        # More than two thirds signed the block before its app hash is looked at.
        return next((why for sign, why in _HALTS_ALONE if line.error.startswith(sign)), None)
    if not line.is_end:
        return None  # Single proposals may be wrong in any way: others refuse them as well.
    for sign, reason in _HALTS:
        if sign in line.words:
            return reason
    return f"the engine stopped: {line.words[:ERROR_SIZE_MAX]}" if line.level else None


def _parsed(text: str) -> _Line:
    try:
        fields: dict[str, object] = json.loads(text) if text.startswith("{") else {}
        level, message = str(fields.pop("level")), str(fields.pop("_msg"))
    except (ValueError, KeyError, AttributeError):
        return _Line("", text, "", text)
    error = str(fields.get("err") or fields.get("error") or "")
    more = [f"{key}={fields[key]}" for key in ("err", "error", "module") if key in fields]
    return _Line(level, message, error, " ".join((message, *more)))
