"""Load that never gives up: signed contract calls to random nodes, each until it is acknowledged.

A transaction is acknowledged when a node gives its receipt, which it does only after the block is
final and on its disk. Until then its bytes are sent again, to the same node or to another: the
sender's nonces see to it that nothing happens twice.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils import keccak, to_checksum_address

from tests.acceptance.consortium.http import Http, RpcError, Unreachable

PUT = keccak(text="put(uint256,uint256)")[:4]
CALL_GAS = 100_000
POLL_S = 0.04
PATIENCE_S = 6.0
"""How long a sender waits for one node before it asks another."""
FEES = {"maxFeePerGas": 0, "maxPriorityFeePerGas": 0}


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A transaction whose receipt was seen."""

    tx_hash: str
    node: int
    block: int
    at: float
    """time.monotonic()."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A transaction and its hash."""

    raw: str
    tx_hash: str


def sign(account: LocalAccount, chain_id: int, nonce: int, gas: int, **fields: object) -> Signed:
    """A signed EIP-1559 transaction."""
    body = {"chainId": chain_id, "nonce": nonce, "gas": gas, "value": 0, **FEES, **fields}
    signed = account.sign_transaction(body)
    return Signed("0x" + signed.raw_transaction.hex(), "0x" + signed.hash.hex())


class Load:
    """Senders, each in a thread of its own. Use as a context manager, or `start` and `finish`."""

    def __init__(
        self,
        clients: Callable[[int], Http],
        nodes: Sequence[int],
        senders: Sequence[LocalAccount],
        contract: str,
        chain_id: int,
        *,
        seed: int,
        burst: int = 4,
    ) -> None:
        """`clients(i)` makes a JSON-RPC client of node i; `burst` are handed in at once."""
        self.nodes = list(nodes)
        """Where load may go; may be changed while it runs."""
        self.acknowledged: dict[str, Acknowledged] = {}
        self.sent: set[str] = set()
        self.refusals: list[str] = []
        """What nodes said when they refused something, the newest last."""
        self._clients = clients
        self._senders = senders
        self._contract = to_checksum_address(contract)
        self._chain_id = chain_id
        self._seed = seed
        self._burst = burst
        self._stop = threading.Event()
        self._give_up = threading.Event()
        self._failed: list[BaseException] = []
        self._threads: list[threading.Thread] = []

    def start(self) -> Load:
        """Begin."""
        self._threads = [
            threading.Thread(target=self._run, args=(lane, account), daemon=True)
            for lane, account in enumerate(self._senders)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def finish(self, timeout_s: float = 60) -> None:
        """Send nothing new; wait until all that was sent is acknowledged."""
        self._stop.set()
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        alive = any(thread.is_alive() for thread in self._threads)
        self._give_up.set()
        for thread in self._threads:
            thread.join(PATIENCE_S + 20)
        if self._failed:
            raise self._failed[0]
        missing = self.sent - set(self.acknowledged)
        if alive:
            raise AssertionError(
                f"{len(missing)} of {len(self.sent)} transactions were not acknowledged within "
                f"{timeout_s:g} s; last refusals: {self.refusals[-3:]}"
            )
        assert not missing

    def __enter__(self) -> Load:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.finish()
        else:
            self._stop.set()
            self._give_up.set()

    def wait_acknowledged(self, more: int, timeout_s: float) -> float:
        """Wait for so many more acknowledgements; gives the seconds that it took."""
        began = time.monotonic()
        target = len(self.acknowledged) + more
        while len(self.acknowledged) < target:
            if self._failed:
                raise self._failed[0]
            if time.monotonic() - began > timeout_s:
                raise AssertionError(
                    f"{target - len(self.acknowledged)} of {more} acknowledgements missing after "
                    f"{timeout_s:g} s; last refusals: {self.refusals[-3:]}"
                )
            time.sleep(0.02)
        return time.monotonic() - began

    def longest_pause(self, since: float) -> float:
        """Longest time without any acknowledgement from `since` (time.monotonic()) until now."""
        times = sorted(one.at for one in list(self.acknowledged.values()) if one.at >= since)
        marks = [since, *times, time.monotonic()]
        return max(later - earlier for earlier, later in itertools.pairwise(marks))

    def _run(self, lane: int, account: LocalAccount) -> None:
        draw = random.Random(f"{self._seed}-{lane}")
        clients: dict[int, Http] = {}
        try:
            nonce = self._first_nonce(account, draw, clients)
            while nonce is not None and not self._stop.is_set():
                burst = [self._signed(account, lane, nonce + one) for one in range(self._burst)]
                nonce += self._burst
                self.sent.update(one.tx_hash for one in burst)
                if not self._deliver(burst, draw, clients):
                    return
        except BaseException as failed:
            self._failed.append(failed)
            raise
        finally:
            for client in clients.values():
                client.close()

    def _first_nonce(
        self, account: LocalAccount, draw: random.Random, clients: dict[int, Http]
    ) -> int | None:
        while not self._give_up.is_set():
            with suppress(Unreachable, RpcError):
                client = self._client(draw.choice(self.nodes), clients)
                answer = client.call("eth_getTransactionCount", account.address, "latest")
                return int(str(answer), 16)
            time.sleep(POLL_S)
        return None

    def _signed(self, account: LocalAccount, lane: int, nonce: int) -> Signed:
        slot = lane << 32 | nonce
        data = PUT + slot.to_bytes(32, "big") + (nonce + 1).to_bytes(32, "big")
        return sign(account, self._chain_id, nonce, CALL_GAS, to=self._contract, data=data)

    def _deliver(
        self, burst: Sequence[Signed], draw: random.Random, clients: dict[int, Http]
    ) -> bool:
        """Until every one has its receipt; False if told to give up."""
        waiting = list(burst)
        while waiting and not self._give_up.is_set():
            node = draw.choice(self.nodes)
            client = self._client(node, clients)
            try:
                waiting = self._acknowledge(client, node, waiting)
                for one in waiting:
                    self._hand_in(client, one)
                deadline = time.monotonic() + PATIENCE_S
                while waiting and time.monotonic() < deadline and not self._give_up.is_set():
                    time.sleep(POLL_S)
                    waiting = self._acknowledge(client, node, waiting)
            except Unreachable:
                time.sleep(POLL_S)
        return not waiting

    def _hand_in(self, client: Http, one: Signed) -> None:
        try:
            client.call("eth_sendRawTransaction", one.raw)
        except RpcError as refused:  # known already, done already, or not now: the receipt tells
            self.refusals.append(str(refused))

    def _acknowledge(self, client: Http, node: int, waiting: list[Signed]) -> list[Signed]:
        """Ask in order and stop at the first that has no receipt; gives the rest."""
        for index, one in enumerate(waiting):
            try:
                receipt: Any = client.call("eth_getTransactionReceipt", one.tx_hash)
            except RpcError as refused:
                self.refusals.append(str(refused))
                return waiting[index:]
            if receipt is None:
                return waiting[index:]
            assert receipt["status"] == "0x1", receipt
            block = int(receipt["blockNumber"], 16)
            done = Acknowledged(one.tx_hash, node, block, time.monotonic())
            self.acknowledged[one.tx_hash] = done
        return []

    def _client(self, node: int, clients: dict[int, Http]) -> Http:
        if node not in clients:
            clients[node] = self._clients(node)
        return clients[node]


def new_senders(count: int) -> list[LocalAccount]:
    """Fresh accounts; the ledger has yet to permit them."""
    return [Account.create() for _ in range(count)]
