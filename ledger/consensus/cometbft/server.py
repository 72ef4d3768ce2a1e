"""The ABCI socket: CometBFT dials in four times and asks; each connection is answered in order.

Source: CometBFT v0.38, spec/abci, "Tendermint Socket Protocol" (length-delimited messages; what
was answered is sent on when the engine asks to flush).
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from google.protobuf.message import DecodeError

from ledger.consensus.cometbft import abci_pb2 as pb
from ledger.consensus.cometbft.errors import EngineStartFailed, RequestMalformed
from ledger.consensus.wire import FrameError, frame, read_frame

MESSAGE_SIZE_BYTES_MAX: Final = 112 << 20
"""CometBFT's own bound of a block is 100 MiB."""
CONNECTIONS_MAX: Final = 16
SOCKET_PATH_SIZE_BYTES_MAX: Final = 107
_BUFFER_SIZE_BYTES: Final = 1 << 17
_JOIN_S: Final = 5.0

_log = logging.getLogger(__name__)


class Answerer(Protocol):
    """Answers one request. Called from several threads, one for each connection."""

    def answer(self, request: pb.Request) -> pb.Response:
        """Raises `RequestMalformed` for what is no request; anything else raised is a fault."""


class AbciServer:
    """Listens on a unix socket. Thread-safe.

    A fault of the application is told to the engine, closes all connections and is passed to
    `failed`: never is a wrong answer given in its place.
    """

    def __init__(
        self, path: Path, application: Answerer, failed: Callable[[BaseException], None]
    ) -> None:
        """`failed` is called from a connection's thread; it must not wait for `stop`."""
        if len(os.fsencode(path)) > SOCKET_PATH_SIZE_BYTES_MAX:
            raise EngineStartFailed(
                f"{path}: unix socket paths have {SOCKET_PATH_SIZE_BYTES_MAX} bytes"
            )
        self._path = path
        self._application = application
        self._failed = failed
        self._lock = threading.Condition()
        self._listener: socket.socket | None = None
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._stopping = False

    def start(self) -> None:
        """Listen, in threads of its own."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(str(self._path))
            self._path.chmod(0o600)
            listener.listen(CONNECTIONS_MAX)
        except BaseException:
            listener.close()
            raise
        with self._lock:
            self._stopping = False
            self._listener = listener
        threading.Thread(
            target=self._accept, args=(listener,), name="abci-accept", daemon=True
        ).start()

    def stop(self) -> None:
        """Close the socket and all connections; answers at hand are ended but not sent."""
        with self._lock:
            self._stopping = True
            listener, self._listener = self._listener, None
            threads = list(self._connections.values())
        if listener is not None:
            _close(listener)
        self.hang_up()
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(_JOIN_S)
        self._path.unlink(missing_ok=True)

    def hang_up(self) -> None:
        """Close the connections; the engine may dial again."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until no connection is open and nothing is answered; False where it takes longer."""
        with self._lock:
            return self._lock.wait_for(lambda: not self._connections, timeout_s)

    @property
    def connections(self) -> int:
        """Number of open connections: four while the engine works."""
        return len(self._connections)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            thread = threading.Thread(
                target=self._serve, args=(connection,), name="abci", daemon=True
            )
            with self._lock:
                if self._stopping or len(self._connections) >= CONNECTIONS_MAX:
                    _close(connection)
                    continue
                self._connections[connection] = thread
                thread.start()  # whoever finds it here may join it

    def _serve(self, connection: socket.socket) -> None:
        try:
            with (
                connection.makefile("rb", buffering=_BUFFER_SIZE_BYTES) as incoming,
                connection.makefile("wb", buffering=_BUFFER_SIZE_BYTES) as outgoing,
            ):
                self._converse(incoming.read, outgoing.write, outgoing.flush)
        except (FrameError, DecodeError, RequestMalformed) as error:
            _log.error("an ABCI connection is closed: what it sent is no request: %s", error)
        except OSError as error:
            if not self._stopping:
                _log.debug("an ABCI connection broke: %s", error)
        finally:
            _close(connection)
            with self._lock:
                self._connections.pop(connection, None)
                self._lock.notify_all()

    def _converse(
        self,
        read: Callable[[int], bytes],
        write: Callable[[bytes], int],
        flush: Callable[[], None],
    ) -> None:
        while not self._stopping:
            data = read_frame(read, MESSAGE_SIZE_BYTES_MAX)
            if data is None:
                return
            request = pb.Request.FromString(data)
            kind = request.WhichOneof("value")
            try:
                response = self._application.answer(request)
            except RequestMalformed:
                raise
            except BaseException as fault:
                self._fault(str(kind), fault, write, flush)
                return
            write(frame(response.SerializeToString()))
            if kind == "flush":
                flush()

    def _fault(
        self,
        kind: str,
        fault: BaseException,
        write: Callable[[bytes], int],
        flush: Callable[[], None],
    ) -> None:
        words = f"{type(fault).__name__}: {fault}"
        if not self._stopping:
            _log.critical("%s failed, the engine is stopped: %s", kind, words, exc_info=fault)
        self._failed(fault)
        with suppress(OSError):
            answer = pb.Response(exception=pb.ResponseException(error=words[:1_000]))
            write(frame(answer.SerializeToString()))
            flush()
        self.hang_up()


def _close(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
