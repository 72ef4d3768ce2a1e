"""Serving HTTP and JSON-RPC from one event loop, in a thread of its own."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

import uvicorn

from nodes.endpoints import parse_endpoint
from nodes.errors import NodeError, PortTaken
from nodes.one_core import on_one_core
from nodes.operations import RunFile, new_token
from nodes.pauses import short_pauses
from nodes.runtime import NodeRuntime
from nodes.settings import NodeSettings

BACKLOG: Final = 512
START_S: Final = 30.0
GRACE_S: Final = 5


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a node answers."""

    api: str
    rpc: str
    operations: str
    """The operator's own listener; its token stands in run.json."""


@contextmanager
def serving(runtime: NodeRuntime, public_host: str | None = None) -> Iterator[Addresses]:
    """Serve the node's API and RPC until the block ends. Raises PortTaken.

    `public_host` stands in links instead of the host listened on (0.0.0.0 is nobody's address).
    """
    settings, token = runtime.settings, new_token()
    with ExitStack() as closing:
        sockets = [
            closing.enter_context(_listen(host, port, section))
            for section, (host, port) in _places(settings).items()
        ]
        addresses = Addresses(
            api=_url(sockets[0], public_host),
            rpc=_url(sockets[1], None),
            operations=_url(sockets[2], None),
        )
        operations = closing.enter_context(runtime.operations(token))
        applications = (runtime.api(addresses.api), runtime.rpc(), operations.application)
        servers = [_server(application) for application in applications]
        thread = threading.Thread(target=_run, args=(servers, sockets), name="http", daemon=True)
        thread.start()
        closing.callback(_stop, servers, thread)
        _wait_started(servers, thread)
        run = RunFile.of_this_process(
            operations=addresses.operations, api=addresses.api, rpc=addresses.rpc, token=token
        )
        run.write(runtime.directory.root)
        closing.callback(run.remove, runtime.directory.root)
        yield addresses


def check_ports(settings: NodeSettings) -> None:
    """That all ports of a node are free, the engine's too, before anything of it is started.

    Raises `PortTaken`, `NodeError`.
    """
    places = _places(settings)
    if settings.consensus.driver == "cometbft":
        p2p = parse_endpoint(settings.consensus.p2p_listen)
        places["consensus"] = (p2p.host, p2p.port)
    for section, (host, port) in places.items():
        _listen(host, port, section).close()


def _places(settings: NodeSettings) -> dict[str, tuple[str, int]]:
    """Host and port by the section of node.toml."""
    return {
        "api": (settings.api.host, settings.api.port),
        "rpc": (settings.rpc.host, settings.rpc.port),
        "operations": (settings.operations.host, settings.operations.port),
    }


def _stop(servers: list[uvicorn.Server], thread: threading.Thread) -> None:
    for server in servers:
        server.should_exit = True
    thread.join(GRACE_S + 5)


def wait_for_stop(
    halted: Callable[[], str | None] = lambda: None, *, one_core: bool = False
) -> str | None:
    """Return when the user or the system asks the process to end (SIGINT, SIGTERM).

    Or when `halted`, asked twice a second, gives a reason to end, which is returned. `one_core`:
    whether the process keeps to one meanwhile.
    """
    stop = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: stop.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    reason = None
    try:
        with short_pauses(), on_one_core(one_core):
            while reason is None and not stop.wait(0.5):
                reason = halted()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return reason


def lan_address() -> str:
    """This machine's address in its local network; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1, RFC 5737: only the route is looked up
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


_SETTING: Final = {
    "api": "[api] port in node.toml (`tally dev`: --port)",
    "rpc": "[rpc] port in node.toml (`tally dev`: --rpc-port)",
    "operations": "[operations] port in node.toml",
    "consensus": "[consensus] p2p_listen in node.toml",
}
"""What to change, by section."""


def _listen(host: str, port: int, section: str) -> socket.socket:
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
                f"port {port} on {host} is taken: change {_SETTING[section]}"
            ) from failed
        raise NodeError(
            f"cannot listen on {host}:{port} ({_SETTING[section]}): {failed.strerror or failed}"
        ) from failed
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
            log_config=None,  # one log for everything: nodes.operations.logs
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
