"""The limit: CometBFT's own kvstore application, in the engine's process, with no EVM and no log.

Validators are real processes on this machine with the same timings as ours.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from benchmarks.finality import Lane, Prepared, engine_name, engine_request

HOST: Final = "127.0.0.1"
START_S: Final = 60.0
SIZE_BYTES: Final = 200
"""Of one transaction, about as long as a signed contract call."""
TIMINGS: Final = {
    "timeout_propose": '"40ms"',
    "timeout_propose_delta": '"40ms"',
    "timeout_prevote": '"10ms"',
    "timeout_prevote_delta": '"10ms"',
    "timeout_precommit": '"10ms"',
    "timeout_precommit_delta": '"10ms"',
    "timeout_commit": '"0s"',
    "skip_timeout_commit": "true",
    "create_empty_blocks": "false",
    "peer_gossip_sleep_duration": '"10ms"',
    "flush_throttle_timeout": '"10ms"',
    "pex": "false",
    "indexer": '"null"',
    "log_level": '"error"',
    "size": "40000",
}


@dataclass(frozen=True, slots=True)
class KvNetwork:
    """Running validators."""

    urls: tuple[str, ...]
    pids: tuple[int, ...]

    def lanes(self, count: int, senders: int, run: str) -> list[Lane]:
        """`count` transactions by `senders`, spread over the nodes; no two `run`s alike."""
        numbers = itertools.count()
        lanes = []
        for lane in range(senders):
            url = self.urls[lane % len(self.urls)]
            host, port = url.removeprefix("http://").split(":")
            transactions = []
            for _ in range(count // senders):
                raw = f"{run}{next(numbers)}=".encode()
                raw += b"x" * (SIZE_BYTES - len(raw))
                transactions.append(Prepared(engine_name(raw), engine_request(url, raw)))
            lanes.append(Lane(host, int(port), transactions))
        return lanes


@contextmanager
def kvstore_network(
    program: Path, members: int, timings: Mapping[str, str] = TIMINGS
) -> Iterator[KvNetwork]:
    """Start `members` validators that know one another; end and remove them afterwards."""
    base = Path(tempfile.mkdtemp(prefix="tally-kvstore-"))
    with ExitStack() as closing:
        closing.callback(shutil.rmtree, base, ignore_errors=True)
        subprocess.run(
            [program, "testnet", "--v", str(members), "--o", base, "--populate-persistent-peers=0"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        homes = [base / f"node{index}" for index in range(members)]
        ports = _free_ports(2 * members)
        peers = [
            f"{_node_id(program, home)}@{HOST}:{port}"
            for home, port in zip(homes, ports, strict=False)
        ]
        processes = []
        for index, home in enumerate(homes):
            _configure(home / "config" / "config.toml", timings)
            others = ",".join(peers[:index] + peers[index + 1 :])
            process = subprocess.Popen(
                [
                    program,
                    "start",
                    f"--home={home}",
                    "--proxy_app=kvstore",
                    f"--p2p.laddr=tcp://{HOST}:{ports[index]}",
                    f"--rpc.laddr=tcp://{HOST}:{ports[members + index]}",
                    f"--p2p.persistent_peers={others}",
                ],
                stdout=(home / "log").open("w"),
                stderr=subprocess.STDOUT,
            )
            closing.callback(_end, process)
            processes.append(process)
        urls = tuple(f"http://{HOST}:{port}" for port in ports[members:])
        _wait_connected(urls, members - 1)
        yield KvNetwork(urls, tuple(process.pid for process in processes))


def _configure(path: Path, settings: Mapping[str, str]) -> None:
    text = path.read_text()
    for key, value in settings.items():
        text, found = re.subn(rf"(?m)^{key} = .*$", f"{key} = {value}", text)
        if not found:
            raise RuntimeError(f"{path.name} has no setting {key}")
    path.write_text(text)


def _node_id(program: Path, home: Path) -> str:
    done = subprocess.run(
        [program, "show-node-id", f"--home={home}"], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def _free_ports(count: int) -> list[int]:
    with ExitStack() as closing:
        held = [closing.enter_context(socket.socket()) for _ in range(count)]
        for one in held:
            one.bind((HOST, 0))
        return [int(one.getsockname()[1]) for one in held]


def _wait_connected(urls: tuple[str, ...], peers: int) -> None:
    deadline = time.monotonic() + START_S
    for url in urls:
        while time.monotonic() < deadline:
            with suppress(httpx.HTTPError, json.JSONDecodeError, KeyError):
                info = httpx.get(f"{url}/net_info", trust_env=False).json()["result"]
                if int(info["n_peers"]) >= peers:
                    break
            time.sleep(0.1)
        else:
            raise RuntimeError("the kvstore validators did not find one another")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
