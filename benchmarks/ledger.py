"""`make bench-ledger`: pre-signed contract calls through JSON-RPC, until they are durable.

Each call writes a storage slot and emits an event. Latency is from handing a transaction in to the
moment this client hears, over WebSocket, of the block that holds it (a block is told only after
its commit is on disk). The client hands in as fast as it is answered, so that a queue builds up
and latency is mostly waiting: the last row, at the pace that is asked of us, shows it without.

Beside them, in the same run and with the same client, anvil from npm, which keeps everything in
memory and is written in Rust.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import orjson
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils import keccak, to_checksum_address
from websockets.asyncio.client import connect

from benchmarks.load import post, run_lanes
from benchmarks.measure import Row, peak_memory_mib, print_table, row
from contracts.consortium import CONSORTIUM_ADDRESS, add_account
from ledger.types import Address
from nodes.cli.dev import DEV_MEMBER
from nodes.founding import found_solo
from nodes.layout import NodeDirectory
from nodes.settings import NodeSettings
from tests.acceptance.running import start_node

PROJECT = Path(__file__).resolve().parent.parent
NOTARY = json.loads((PROJECT / "tests/acceptance/ethereum/Notary.json").read_text())
PUT = keccak(text="put(uint256,uint256)")[:4]
SLOT_BASE = 0x1_0000_0000
"""Where the contract keeps slot 0 of `put`."""
CALL_GAS = 100_000
SENDERS = 16
TOOLCHAIN = PROJECT / "contracts/toolchain"
ANVIL = "node_modules/@foundry-rs/anvil-*/bin/anvil"
"""The program itself: npm's wrapper would be the process that is measured."""
ANVIL_OPTIONS = ["--silent", "--gas-price", "0", "--base-fee", "0", "--block-time", "1"]
ANVIL_OPTIONS += ["--gas-limit", "1000000000", "--order", "fifo"]
FULL_ADDRESS = "0x" + "be" * 20
"""Where genesis puts the contract that has its slots already."""


@dataclass(frozen=True, slots=True)
class Target:
    """A running node: ours or the peer's."""

    name: str
    rpc: str
    pid: int
    contract: str
    chain_id: int


def rpc(url: str, method: str, *params: object) -> object:
    """One JSON-RPC call."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
    answer = httpx.post(url, json=body, timeout=60, trust_env=False).json()
    if "error" in answer:
        raise RuntimeError(f"{method}: {answer['error']}")
    return answer["result"]


def signed(account: LocalAccount, chain_id: int, nonce: int, gas: int, **fields: object) -> str:
    """A signed EIP-1559 transaction as hex."""
    body = {"chainId": chain_id, "nonce": nonce, "gas": gas, "value": 0, **fields}
    fees = {"maxFeePerGas": 0, "maxPriorityFeePerGas": 0}
    return "0x" + account.sign_transaction({**body, **fields, **fees}).raw_transaction.hex()


def send(url: str, chain_id: int, account: LocalAccount, **fields: object) -> str | None:
    """Send one transaction and wait for it; gives the contract it created, if any."""
    nonce = int(str(rpc(url, "eth_getTransactionCount", account.address, "pending")), 16)
    raw = signed(account, chain_id, nonce, 5_000_000, **fields)
    tx_hash = rpc(url, "eth_sendRawTransaction", raw)
    for _ in range(1000):
        receipt = rpc(url, "eth_getTransactionReceipt", tx_hash)
        if isinstance(receipt, dict):
            assert receipt["status"] == "0x1", receipt
            return receipt.get("contractAddress")
        time.sleep(0.02)
    raise RuntimeError("no receipt")


def put_calls(
    target: Target, senders: Sequence[LocalAccount], count: int, spread: int
) -> list[list[str]]:
    """Signed calls, a list a sender, in nonce order; slots are spread over `spread` numbers."""
    lanes: list[list[str]] = []
    each = count // len(senders)
    for lane, sender in enumerate(senders):
        first = int(str(rpc(target.rpc, "eth_getTransactionCount", sender.address, "latest")), 16)
        calls = []
        for index in range(each):
            slot = ((lane * each + index) * 2_654_435_761) % spread
            data = PUT + slot.to_bytes(32, "big") + (index + 1).to_bytes(32, "big")
            calls.append(
                signed(
                    sender,
                    target.chain_id,
                    first + index,
                    CALL_GAS,
                    to=to_checksum_address(target.contract),
                    data=data,
                )
            )
        lanes.append(calls)
    return lanes


async def measure(
    target: Target, lanes: list[list[str]], batch: int, pace_per_s: float | None = None
) -> Row:
    """Hand everything in; done when this client has heard of every transaction's block."""
    place = urlsplit(target.rpc)
    host, port = str(place.hostname), int(place.port or 80)
    submitted: dict[str, float] = {}
    included: dict[str, float] = {}
    total = sum(len(lane) for lane in lanes)
    everything = asyncio.Event()

    async def follow(ready: asyncio.Event) -> None:
        async with connect(target.rpc.replace("http", "ws", 1), max_size=1 << 26) as socket:
            await socket.send(
                b'{"jsonrpc":"2.0","id":0,"method":"eth_subscribe","params":["newHeads"]}'
            )
            await socket.recv()
            ready.set()
            heard: dict[int, float] = {}
            told = first
            async for message in socket:
                now = time.perf_counter()
                body = orjson.loads(message)
                if body.get("method") == "eth_subscription":
                    number = int(body["params"]["result"]["number"], 16)
                    for one in range(told + 1, number + 1):  # a busy peer leaves heads out
                        heard[one] = now
                        ask = {
                            "jsonrpc": "2.0",
                            "id": one,
                            "method": "eth_getBlockByNumber",
                            "params": [hex(one), False],
                        }
                        await socket.send(orjson.dumps(ask))
                    told = max(told, number)
                elif isinstance(body.get("result"), dict):
                    for tx_hash in body["result"]["transactions"]:
                        included[tx_hash] = heard[body["id"]]
                    if len(included) >= total:
                        everything.set()

    requests = [[_request(target, part) for part in _chunks(lane, batch)] for lane in lanes]
    first = int(str(rpc(target.rpc, "eth_blockNumber")), 16)
    ready = asyncio.Event()
    follower = asyncio.create_task(follow(ready))
    await ready.wait()
    started = time.perf_counter()
    for answers in await run_lanes(host, port, requests, pace_per_s=pace_per_s):
        for answer in answers:
            body = orjson.loads(answer.body)
            for one in body if isinstance(body, list) else [body]:
                if "error" in one:
                    raise RuntimeError(one["error"])
                submitted[one["result"]] = answer.started
    await asyncio.wait_for(everything.wait(), 600)
    follower.cancel()
    latencies = [included[tx_hash] - at for tx_hash, at in submitted.items()]
    seconds = max(included[tx_hash] for tx_hash in submitted) - started
    how = "single requests" if batch == 1 else f"batches of {batch}"
    return row(
        f"{target.name}, {how}" + (f" at {pace_per_s:.0f}/s" if pace_per_s else ""),
        total,
        seconds,
        latencies,
        peak_memory_mib(target.pid),
        f"{len(lanes)} senders",
    )


def _request(target: Target, raws: Sequence[str]) -> bytes:
    calls = [
        {"jsonrpc": "2.0", "id": index, "method": "eth_sendRawTransaction", "params": [raw]}
        for index, raw in enumerate(raws)
    ]
    return post(
        "/", urlsplit(target.rpc).netloc, orjson.dumps(calls if len(calls) > 1 else calls[0])
    )


def _chunks(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


@contextmanager
def tallystick(name: str, senders: Sequence[LocalAccount], slots: int = 0) -> Iterator[Target]:
    """Our node in its own process; with `slots` slots in state already if asked."""
    base = Path(tempfile.mkdtemp(prefix="tally-bench-"))
    place = NodeDirectory(base / "node")
    more = {}
    if slots:
        storage = {hex(SLOT_BASE + slot): hex(slot + 1) for slot in range(slots)}
        more = {FULL_ADDRESS: {"nonce": "0x1", "balance": "0x0", "code": "", "storage": storage}}
    node = None
    try:
        if slots:
            more[FULL_ADDRESS]["code"] = _runtime_code(base)
            found_solo(
                place,
                NodeSettings(),
                [DEV_MEMBER],
                origin_prefix="tallystick.example/bench",
                passphrase="",
                developer_of=DEV_MEMBER.id,
                more_alloc=more,
            )
        node = start_node(place.root, base / "home")
        developer = Account.from_key(node.account_key)
        chain_id = int(str(rpc(node.rpc, "eth_chainId")), 16)
        for sender in senders:
            address = Address(bytes.fromhex(sender.address[2:]))
            send(
                node.rpc,
                chain_id,
                developer,
                to=to_checksum_address(CONSORTIUM_ADDRESS),
                data=add_account(DEV_MEMBER.id, address),
            )
        contract = FULL_ADDRESS if slots else send(node.rpc, chain_id, developer, data=_init_code())
        yield Target(name, node.rpc, node.process.pid, str(contract), chain_id)
    finally:
        if node is not None:
            node.stop()
        shutil.rmtree(base, ignore_errors=True)


@contextmanager
def anvil(senders: Sequence[LocalAccount]) -> Iterator[Target]:
    """The peer: Foundry's anvil, free gas, a block a second.

    With a block a transaction, its default, it does not get through 4,000 in 100 seconds when they
    arrive faster than it makes blocks.
    """
    if not list(TOOLCHAIN.glob(ANVIL)):
        subprocess.run(["npm", "ci", "--silent"], cwd=TOOLCHAIN, check=True)
    (program,) = TOOLCHAIN.glob(ANVIL)
    port, chain_id = 18_545, 31_337
    process = subprocess.Popen(
        [str(program), "--port", str(port), *ANVIL_OPTIONS],
        stdout=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                rpc(url, "eth_chainId")
                break
            except httpx.HTTPError:
                time.sleep(0.05)
        contract = send(url, chain_id, senders[0], data=_init_code())
        yield Target(
            "anvil (in memory, a block a second)", url, process.pid, str(contract), chain_id
        )
    finally:
        process.terminate()
        process.wait(10)


def _init_code() -> str:
    """Deployment code with the constructor's argument, the empty string."""
    return str(NOTARY["bytecode"]) + (32).to_bytes(32, "big").hex() + bytes(32).hex()


def _runtime_code(base: Path) -> str:
    """The contract's code as it lies in state: deploy it once on a throw-away node and read it."""
    node = start_node(base / "scratch", base / "scratch-home")
    try:
        chain_id = int(str(rpc(node.rpc, "eth_chainId")), 16)
        account = Account.from_key(node.account_key)
        contract = send(node.rpc, chain_id, account, data=_init_code())
        return str(rpc(node.rpc, "eth_getCode", contract, "latest"))
    finally:
        node.stop()


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--transactions", type=int, default=20_000)
    parser.add_argument("--slots", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--pace", type=int, default=400, help="transactions a second, last row")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    senders = [Account.create() for _ in range(SENDERS)]
    rows: list[Row] = []

    def run(target: Target, batch: int, spread: int) -> None:
        calls = put_calls(target, senders, options.transactions, spread)
        rows.append(asyncio.run(measure(target, calls, batch)))

    with tallystick("tallystick (durable)", senders) as target:
        run(target, 1, 1 << 32)
    with tallystick("tallystick (durable)", senders) as target:
        run(target, options.batch, 1 << 32)
    with tallystick("tallystick, full state", senders, options.slots) as target:
        run(target, options.batch, options.slots)
    with anvil(senders) as target:
        run(target, 1, 1 << 32)
    with anvil(senders) as target:
        run(target, options.batch, 1 << 32)
    with tallystick("tallystick (durable)", senders) as target:
        calls = put_calls(target, senders, options.pace * 10, 1 << 32)
        rows.append(asyncio.run(measure(target, calls, 1, options.pace)))
    print_table("Ledger: contract calls through JSON-RPC, until durable", rows, options.json)
    if not options.json:
        single, batched, full, peer_single, peer_batched, _ = (one.per_second for one in rows)
        print(f"{options.slots:,} slots in state / empty state: {full / batched:.2f}")
        print(f"tallystick / anvil, single requests: {single / peer_single:.2f}")
        print(f"tallystick / anvil, batches: {batched / peer_batched:.2f}")


if __name__ == "__main__":
    main()
