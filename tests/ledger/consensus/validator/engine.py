"""A real CometBFT with one validator, whose key it never sees (kvstore is its application)."""

from __future__ import annotations

import base64
import ctypes
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], bool], timeout_s: float, what: str) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout_s} s: {what}")
        time.sleep(0.05)


class Engine:
    """Folder and process of one CometBFT node."""

    def __init__(self, program: str, home: Path, public_key: bytes, chain_id: str) -> None:
        self.program, self.home = program, home
        # A unix socket's path has 107 bytes at most; pytest's folders are deep.
        self.sockets = tempfile.TemporaryDirectory(prefix="tally-", dir="/tmp")
        self.signer_socket = Path(self.sockets.name) / "signer.sock"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        subprocess.run(
            [program, "init", "--home", str(home)], check=True, stdout=subprocess.DEVNULL
        )
        (home / "config" / "priv_validator_key.json").unlink()
        (home / "data" / "priv_validator_state.json").unlink()
        genesis = home / "config" / "genesis.json"
        fields = json.loads(genesis.read_text())
        fields["chain_id"] = chain_id
        fields["validators"] = [
            {
                "pub_key": {
                    "type": "tendermint/PubKeyEd25519",
                    "value": base64.b64encode(public_key).decode(),
                },
                "power": "10",
                "name": "",
            }
        ]
        genesis.write_text(json.dumps(fields))
        config = home / "config" / "config.toml"
        text = config.read_text()
        for name, value in {
            "timeout_propose": "500ms",
            "timeout_prevote": "100ms",
            "timeout_precommit": "100ms",
            "timeout_commit": "50ms",
        }.items():
            lines = [
                f'{name} = "{value}"' if line.startswith(f"{name} =") else line
                for line in text.split("\n")
            ]
            text = "\n".join(lines)
        config.write_text(text)

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                self.program,
                "start",
                "--home",
                str(self.home),
                "--proxy_app=kvstore",
                f"--priv_validator_laddr=unix://{self.signer_socket}",
                f"--rpc.laddr=tcp://127.0.0.1:{self.port}",
                f"--p2p.laddr=tcp://127.0.0.1:{free_port()}",
            ],
            stdout=(self.home / "engine.log").open("ab"),
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent,
        )

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(20)
            self.process = None
            # CometBFT does not remove a socket it was killed on, and would not listen again.
            self.signer_socket.unlink(missing_ok=True)

    def close(self) -> None:
        self.stop(signal.SIGKILL)
        self.sockets.cleanup()

    def ask(self, method: str, **parameters: object) -> Any:
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        url = f"http://127.0.0.1:{self.port}/{method}?{query}"
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)["result"]

    def height(self) -> int:
        try:
            return int(self.ask("status")["sync_info"]["latest_block_height"])
        except OSError:
            return 0

    def log(self) -> str:
        return (self.home / "engine.log").read_text()


def find_program() -> str | None:
    given = os.environ.get("TALLY_COMETBFT")
    places = [Path(given)] if given else []
    places += [Path(one) / "cometbft" for one in os.environ.get("PATH", "").split(":")]
    places.append(Path.home() / "go" / "bin" / "cometbft")
    return next((str(place) for place in places if place.is_file()), None)
