"""A node's JSON-RPC: calls, and signed transactions until they are final."""

from __future__ import annotations

import time
from typing import Any, Final

import httpx

from contracts.refusals import explain, refusal_name
from ledger.crypto import AccountSigner
from ledger.types import Address
from nodes.errors import NodeUnreachable
from nodes.proposals.errors import CallRefused

POLL_S: Final = 0.1
RECEIPT_TIMEOUT_S: Final = 60.0
GAS_MARGIN: Final = 1.25
"""State may change between the estimate and the block."""


class RpcClient:
    """Ethereum JSON-RPC of one node. Use as a context manager."""

    def __init__(self, url: str, timeout_s: float = 30.0) -> None:
        if not url.startswith(("http://", "https://")):
            raise NodeUnreachable(f"{url!r} is no address of a node's JSON-RPC (http://…)")
        self.url = url
        self._count = 0
        try:
            self._http = httpx.Client(timeout=timeout_s, trust_env=False)
        except (httpx.InvalidURL, UnicodeError) as bad:
            raise NodeUnreachable(f"{url!r} cannot be asked: {bad}") from bad

    def __enter__(self) -> RpcClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ask(self, method: str, *params: object) -> Any:
        """The result. Raises `NodeUnreachable`, and `CallRefused` for an error answer."""
        self._count += 1
        body = {"jsonrpc": "2.0", "id": self._count, "method": method, "params": list(params)}
        try:
            answer = self._http.post(self.url, json=body).json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as failed:
            raise NodeUnreachable(f"no JSON-RPC answer from {self.url} ({failed})") from failed
        if not isinstance(answer, dict) or ("result" not in answer and "error" not in answer):
            raise NodeUnreachable(f"what answers at {self.url} is no JSON-RPC")
        if "error" in answer:
            raise _refused(answer["error"])
        return answer["result"]

    def call(self, to: Address, data: bytes, sender: Address | None = None) -> bytes:
        """What a call returns at the head. Raises `CallRefused` where it reverts."""
        request = {"to": f"0x{to.hex()}", "data": f"0x{data.hex()}"}
        if sender is not None:
            request["from"] = f"0x{sender.hex()}"
        return _bytes(self.ask("eth_call", request, "latest"))

    def send(self, signer: AccountSigner, to: Address, data: bytes) -> dict[str, Any]:
        """Sign and send a transaction and wait for its receipt.

        Raises `CallRefused` with the reason where the call would revert or has reverted, and
        `NodeUnreachable` where no block has it within a minute.
        """
        sender = f"0x{signer.address.hex()}"
        request = {"from": sender, "to": f"0x{to.hex()}", "data": f"0x{data.hex()}"}
        gas = int(self.ask("eth_estimateGas", request), 16)
        raw = signer.sign_transaction(
            {
                "type": 2,
                "chainId": int(self.ask("eth_chainId"), 16),
                "nonce": int(self.ask("eth_getTransactionCount", sender, "pending"), 16),
                "gas": min(int(gas * GAS_MARGIN), self._gas_limit()),
                "to": bytes(to),
                "value": 0,
                "data": data,
                "maxFeePerGas": 0,
                "maxPriorityFeePerGas": 0,
            }
        )
        receipt = self._receipt(str(self.ask("eth_sendRawTransaction", f"0x{raw.hex()}")))
        if receipt["status"] != "0x1":
            self.ask("eth_call", request, "latest")  # tells why, where it still would
            raise CallRefused(f"transaction {receipt['transactionHash']} reverted")
        return receipt

    def _gas_limit(self) -> int:
        return int(self.ask("eth_getBlockByNumber", "latest", False)["gasLimit"], 16)

    def _receipt(self, transaction_hash: str) -> dict[str, Any]:
        deadline = time.monotonic() + RECEIPT_TIMEOUT_S
        while time.monotonic() < deadline:
            receipt = self.ask("eth_getTransactionReceipt", transaction_hash)
            if isinstance(receipt, dict):
                return receipt
            time.sleep(POLL_S)
        raise NodeUnreachable(
            f"transaction {transaction_hash} is in no block after {RECEIPT_TIMEOUT_S:.0f} s: the "
            "consortium may have stopped; it stays pending"
        )


def _bytes(text: object) -> bytes:
    try:
        return bytes.fromhex(str(text).removeprefix("0x"))
    except ValueError as bad:
        raise NodeUnreachable(f"the node answers {str(text)[:40]!r} instead of bytes") from bad


def _refused(error: object) -> CallRefused:
    if not isinstance(error, dict):
        return CallRefused(str(error)[:200])
    data = error.get("data")
    if isinstance(data, str) and data.startswith("0x") and len(data) > 2:
        reason = _bytes(data)
        return CallRefused(explain(reason), refusal_name(reason))
    return CallRefused(str(error.get("message", error))[:300])
