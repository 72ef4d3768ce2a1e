"""A proxy between a party and whom it dials: keeps what goes through, and may alter it."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType

from federation.channel import Address


class Proxy:
    """Takes one connection and passes it on."""

    def __init__(self, target: Address, *, alter_after: int | None = None) -> None:
        self._target = target
        self._alter_after = alter_after
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = Address("127.0.0.1", self._server.getsockname()[1])
        self.seen = bytearray()
        """Everything, of both directions."""
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Proxy:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for one in (self._server, *self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            client, _ = self._server.accept()
            server = socket.create_connection((self._target.host, self._target.port))
            self._sockets += [client, server]
            for source, target, altered in ((client, server, True), (server, client, False)):
                thread = threading.Thread(target=self._pass, args=(source, target, altered))
                self._threads.append(thread)
                thread.start()

    def _pass(self, source: socket.socket, target: socket.socket, altered: bool) -> None:
        passed = 0
        with suppress(OSError):
            while data := source.recv(1 << 16):
                self.seen += data
                if altered and self._alter_after is not None:
                    at = self._alter_after - passed
                    if 0 <= at < len(data):
                        data = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
                passed += len(data)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
