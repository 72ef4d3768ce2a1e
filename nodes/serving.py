"""Serving HTTP and JSON-RPC from one event loop, in a thread of its own."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import uvicorn

from nodes.errors import NodeError, PortTaken
from nodes.runtime import NodeRuntime

BACKLOG: Final = 512
START_S: Final = 30.0
GRACE_S: Final = 5


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a node answers."""

    api: str
    rpc: str


@contextmanager
def serving(runtime: NodeRuntime, public_host: str | None = None) -> Iterator[Addresses]:
    """Serve the node's API and RPC until the block ends. Raises PortTaken.

    `public_host` stands in links instead of the host listened on (0.0.0.0 is nobody's address).
    """
    api_socket = _listen(runtime.settings.api.host, runtime.settings.api.port)
    try:
        rpc_socket = _listen(runtime.settings.rpc.host, runtime.settings.rpc.port)
    except PortTaken:
        api_socket.close()
        raise
    addresses = Addresses(api=_url(api_socket, public_host), rpc=_url(rpc_socket, None))
    servers = [
        _server(runtime.api(addresses.api)),
        _server(runtime.rpc()),
    ]
    thread = threading.Thread(
        target=_run, args=(servers, [api_socket, rpc_socket]), name="http", daemon=True
    )
    thread.start()
    try:
        _wait_started(servers, thread)
        yield addresses
    finally:
        for server in servers:
            server.should_exit = True
        thread.join(GRACE_S + 5)
        api_socket.close()
        rpc_socket.close()


def wait_for_stop() -> None:
    """Return when the user or the system asks the process to end (SIGINT, SIGTERM)."""
    stop = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: stop.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        while not stop.wait(0.5):
            pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def lan_address() -> str:
    """This machine's address in its local network; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1, RFC 5737: only the route is looked up
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sets TCP_NODELAY on what it accepts.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as failed:
        listening.close()
        if failed.errno == errno.EADDRINUSE:
            raise PortTaken(
                f"port {port} on {host} is taken; choose another with --port or --rpc-port"
            ) from failed
        raise NodeError(f"cannot listen on {host}:{port}: {failed.strerror or failed}") from failed
    listening.listen(BACKLOG)
    return listening


def _url(listening: socket.socket, public_host: str | None) -> str:
    host, port = listening.getsockname()[:2]
    shown = public_host or host
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def _server(application: object) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            application,  # type: ignore[arg-type]
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=True,
            timeout_graceful_shutdown=GRACE_S,
            ws_max_size=8 << 20,
            backlog=BACKLOG,
        )
    )


def _run(servers: list[uvicorn.Server], sockets: list[socket.socket]) -> None:
    async def both() -> None:
        await asyncio.gather(
            *(server.serve([one]) for server, one in zip(servers, sockets, strict=True))
        )

    with asyncio.Runner(loop_factory=_new_loop) as runner:
        runner.run(both())


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # no wheel for this platform
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def _wait_started(servers: list[uvicorn.Server], thread: threading.Thread) -> None:
    deadline = time.monotonic() + START_S
    while not all(server.started for server in servers):
        if not thread.is_alive() or time.monotonic() > deadline:
            raise NodeError("the HTTP server did not start; the log above says why")
        time.sleep(0.01)
