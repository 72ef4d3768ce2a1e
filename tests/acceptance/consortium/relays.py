"""Partitions on one host: between any two nodes stands a relay of the test, which can be closed.

The fallback where network namespaces are not permitted. Peers dial the address that the consortium
knows, where the relay of the node listens; the node itself listens elsewhere. Who dials is told by
proc(5): the process that owns the other end of the connection. Unlike a bridge that is taken apart
a closed relay says so (the connection ends), and only the engines' connections are cut, not HTTP.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

CHUNK_BYTES = 1 << 16
ESTABLISHED = "01"
Pair = tuple[int, int]


class Relays:
    """All relays of a network. Thread-safe; `close` ends them."""

    def __init__(self, owner_of: Callable[[int], int | None]) -> None:
        """`owner_of` gives the node whose process has this local port of a connection."""
        self._owner_of = owner_of
        self._lock = threading.Lock()
        self._group: dict[int, int] = {}
        self._listeners: list[socket.socket] = []
        self._open: dict[Pair, list[socket.socket]] = {}

    def add(self, target: int, listen: int, port: int) -> None:
        """What is dialled at 127.0.0.1:`listen` comes to the node at `port`, if it may."""
        listener = socket.create_server(("127.0.0.1", listen))
        self._listeners.append(listener)
        threading.Thread(target=self._accept, args=(listener, target, port), daemon=True).start()

    def partition(self, groups: Sequence[Sequence[int]]) -> None:
        """Close what joins two groups, and let nothing new through."""
        with self._lock:
            self._group = {node: number for number, group in enumerate(groups) for node in group}
            for pair, sockets in self._open.items():
                if not self._may(pair):
                    for one in sockets:
                        _close(one)
                    sockets.clear()

    def close(self) -> None:
        """End all relays."""
        for listener in self._listeners:
            _close(listener)
        with self._lock:
            for sockets in self._open.values():
                for one in sockets:
                    _close(one)

    def _may(self, pair: Pair) -> bool:
        return self._group.get(pair[0]) == self._group.get(pair[1])

    def _accept(self, listener: socket.socket, target: int, port: int) -> None:
        while True:
            try:
                incoming, (_, source_port) = listener.accept()
            except OSError:
                return
            source = self._owner_of(source_port)
            if source is None:
                _close(incoming)
                continue
            try:
                outgoing = socket.create_connection(("127.0.0.1", port), 5)
            except OSError:
                _close(incoming)
                continue
            outgoing.settimeout(None)
            with self._lock:
                if not self._may((source, target)):
                    _close(incoming)
                    _close(outgoing)
                    continue
                self._open.setdefault((source, target), []).extend((incoming, outgoing))
            for one, other in ((incoming, outgoing), (outgoing, incoming)):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=_pump, args=(one, other), daemon=True).start()


def owner_of_port(port: int, pids: Callable[[int], Sequence[int]], nodes: int) -> int | None:
    """The node one of whose processes has a connection from this local port."""
    inode = _inode(port)
    if inode is None:
        return None
    wanted = f"socket:[{inode}]"
    for node in range(nodes):
        for pid in pids(node):
            with suppress(OSError):
                for handle in Path(f"/proc/{pid}/fd").iterdir():
                    with suppress(OSError):
                        if os.readlink(handle) == wanted:
                            return node
    return None


def _inode(port: int) -> str | None:
    wanted = f"0100007F:{port:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1] == wanted and fields[3] == ESTABLISHED:
            return fields[9]
    return None


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(CHUNK_BYTES):
            target.sendall(data)
    _close(source)
    _close(target)


def _close(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
