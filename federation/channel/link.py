"""A party's connection with one other: frames over a secured stream, and the greeting."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass

from federation.channel.codec import decode, encode
from federation.channel.errors import ChannelError, PartyGone, PartyRefused
from federation.channel.framing import FrameReader, FrameType, FrameWriter
from federation.channel.reading import check_keys, get_bytes, get_int, get_text
from federation.channel.stream import SecureStream
from federation.channel.types import Message, Value

VERSION = 1
CODE_BYTES = 32
RUN_CHARACTERS_MAX = 128
HELLO_BYTES_MAX = 4096


@dataclass(frozen=True, slots=True)
class Greeting:
    """What both ends must agree on before anything else."""

    run: str
    code: bytes
    """SHA-256 of the code that the parties agreed to run."""


class Link:
    """Frames to and from one party. One thread reads; any may write."""

    def __init__(self, stream: SecureStream, *, size_bytes_max: int) -> None:
        self._stream = stream
        self._writer = FrameWriter()
        self._write_lock = threading.Lock()
        self._reader = FrameReader(stream.party, HELLO_BYTES_MAX)
        self._size_bytes_max = size_bytes_max
        self.party = stream.party
        self.last_written = time.monotonic()

    def greet(self, me: str, greeting: Greeting, timeout_s: float) -> None:
        """Exchange hellos; both are sent before either is judged, so that both ends can say why.

        Raises `PartyRefused`, `MessageInvalid`, `PartyGone`, `PartySilent`.
        """
        body: dict[str, Value] = {
            "version": VERSION,
            "run": greeting.run,
            "code": greeting.code,
            "from": me,
            "to": self.party,
        }
        hello = encode(Message("channel/hello", body))
        self.write(FrameType.MESSAGE, hello, timeout_s)
        frame = self.read(timeout_s)
        if frame is None:
            raise PartyRefused(self.party, "it ended the connection on being greeted")
        kind, payload = frame
        message = decode(payload, size_bytes_max=HELLO_BYTES_MAX, party=self.party)
        if kind != FrameType.MESSAGE or message.kind != "channel/hello":
            raise PartyRefused(self.party, "it did not greet")
        self._check_hello(message, me, greeting)
        self._reader.size_bytes_max = self._size_bytes_max

    def write(self, kind: FrameType, payload: bytes, timeout_s: float) -> int:
        """Send a frame; gives its size in bytes. Raises `PartyGone`, `PartySilent`."""
        with self._write_lock:
            frame = self._writer.frame(kind, payload)
            self._stream.write(frame, timeout_s)
            self.last_written = time.monotonic()
        return len(frame)

    def write_if_idle(self, kind: FrameType, idle_s: float, timeout_s: float) -> int:
        """Send an empty frame unless one is being sent, or was within `idle_s`; 0 if not sent."""
        if time.monotonic() - self.last_written < idle_s:
            return 0
        if not self._write_lock.acquire(blocking=False):
            return 0
        try:
            frame = self._writer.frame(kind)
            self._stream.write(frame, timeout_s)
            self.last_written = time.monotonic()
        finally:
            self._write_lock.release()
        return len(frame)

    def read(self, timeout_s: float) -> tuple[FrameType, bytes] | None:
        """The next frame; None at the end of the stream.

        `timeout_s` is how long nothing at all may come. Raises `PartyGone`, `PartySilent`,
        `PartyRefused`, `MessageInvalid`.
        """
        while (frame := self._reader.frame()) is None:
            data = self._stream.read(timeout_s)
            if not data and self._reader.within_frame:
                raise PartyGone(self.party, "the connection ended within a message")
            if not data:
                return None
            self._reader.feed(data)
        return frame

    def say_goodbye(self, deadline: float) -> None:
        """Tell, as far as that works until `deadline` (monotonic), that nothing more comes."""
        left_s = max(0.05, deadline - time.monotonic())
        if not self._write_lock.acquire(timeout=left_s):
            return
        try:
            with suppress(ChannelError, OSError):
                self._stream.write(self._writer.frame(FrameType.GOODBYE), left_s)
            self._stream.end_writing(left_s)
        finally:
            self._write_lock.release()

    def close(self) -> None:
        """Cut the connection."""
        self._stream.close()

    def _check_hello(self, hello: Message, me: str, greeting: Greeting) -> None:
        check_keys(hello, ("version", "run", "code", "from", "to"))
        get_int(hello, "version", minimum=VERSION, maximum=VERSION)
        run = get_text(hello, "run", size_max=RUN_CHARACTERS_MAX)
        code = get_bytes(hello, "code", size=CODE_BYTES)
        sender = get_text(hello, "from", size_max=RUN_CHARACTERS_MAX)
        to = get_text(hello, "to", size_max=RUN_CHARACTERS_MAX)
        if (sender, to) != (self.party, me):
            raise PartyRefused(self.party, f"it greets as {sender!r} and means {to!r}")
        if run != greeting.run:
            raise PartyRefused(self.party, f"it takes part in run {run}, we in {greeting.run}")
        if code != greeting.code:
            raise PartyRefused(
                self.party, f"its code has the hash {code.hex()}, ours {greeting.code.hex()}"
            )
