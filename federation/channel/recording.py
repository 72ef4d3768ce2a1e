"""A transcript of a channel on disk, to be looked at afterwards: for auditors, and for tests.

A `Recorder` is a tap. The file is the line `tally transcript 1`, then for each message: length of
sender and receiver (uint16 each), length of the message (uint32), all big-endian, and the three.
What goes over a channel holds no row in the clear, but whoever holds a party's keys as well can
read more out of it than the party meant to show: the file is its owner's alone (mode 600).
"""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from federation.channel.codec import SIZE_BYTES_MAX
from federation.channel.errors import RecordingInvalid

_FIRST = b"tally transcript 1\n"
_HEAD = struct.Struct(">HHI")
_PARTY_BYTES_MAX = 512


@dataclass(frozen=True, slots=True)
class Recorded:
    """One message as it went."""

    sender: str
    to: str
    data: bytes
    """For `decode`."""


class Recorder:
    """Writes every message it sees; a tap for `local_channels` and `open_tls_channel`."""

    def __init__(self, path: Path) -> None:
        """Begin a file. Raises `RecordingInvalid` where there is one already."""
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise RecordingInvalid(path.name, f"cannot be begun: {error.strerror}") from error
        self._file = os.fdopen(handle, "wb")
        self._lock = threading.Lock()
        self._file.write(_FIRST)

    def __call__(self, sender: str, to: str, data: bytes) -> None:
        """Write one message down."""
        names = sender.encode(), to.encode()
        head = _HEAD.pack(len(names[0]), len(names[1]), len(data))
        with self._lock:
            if not self._file.closed:
                self._file.write(head + names[0] + names[1] + data)

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the file; what comes later is not written."""
        with self._lock:
            self._file.close()


def read_recording(path: Path) -> Iterator[Recorded]:
    """The messages of a transcript, in order. Raises `RecordingInvalid`."""
    try:
        with path.open("rb") as file:
            left = path.stat().st_size - len(_FIRST)
            if file.read(len(_FIRST)) != _FIRST:
                raise RecordingInvalid(path.name, "is no transcript")
            while head := file.read(_HEAD.size):
                left -= _HEAD.size
                sizes = _HEAD.unpack(head) if len(head) == _HEAD.size else (0, 0, left + 1)
                if sum(sizes) > left:
                    raise RecordingInvalid(path.name, "ends within a message")
                if max(sizes[:2]) > _PARTY_BYTES_MAX or sizes[2] > SIZE_BYTES_MAX:
                    raise RecordingInvalid(path.name, "has a message longer than any may be")
                left -= sum(sizes)
                sender, to, data = (file.read(size) for size in sizes)
                yield Recorded(_name(path, sender), _name(path, to), data)
    except OSError as error:
        raise RecordingInvalid(path.name, f"cannot be read: {error.strerror}") from error


def _name(path: Path, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise RecordingInvalid(path.name, "names a party in no text") from error
