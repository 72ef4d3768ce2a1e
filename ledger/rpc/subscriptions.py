"""eth_subscribe over WebSocket: newHeads, logs, newPendingTransactions.

Source: go-ethereum's publish/subscribe API, which ethers, web3.py and viem follow.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson

from ledger.rpc import params as read
from ledger.rpc.errors import InvalidParams, LimitExceeded
from ledger.rpc.formatting import header_json, hex_data, log_json, transaction_json
from ledger.rpc.logs import bloom_may_match, matches
from ledger.rpc.params import LogQuery
from ledger.rpc.types import Method, RpcSettings
from ledger.types import CommittedBlock, Transaction

Params = Sequence[object]
KINDS = ("newHeads", "logs", "newPendingTransactions")


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one subscription wants to hear."""

    kind: str
    query: LogQuery | None = None
    whole_transactions: bool = False


class Subscriptions:
    """The subscriptions of one WebSocket. Used from the event loop only."""

    def __init__(self, settings: RpcSettings, send: Callable[[bytes], None]) -> None:
        self._settings = settings
        self._send = send
        self._open: dict[str, Subscription] = {}

    def methods(self) -> dict[str, Method]:
        """The two methods that exist on WebSockets only."""
        return {"eth_subscribe": self.subscribe, "eth_unsubscribe": self.unsubscribe}

    def subscribe(self, params: Params) -> object:
        read.arity(params, 1, 2, "kind, options")
        if len(self._open) >= self._settings.subscriptions_max:
            raise LimitExceeded(
                f"{self._settings.subscriptions_max} subscriptions are open on this connection"
            )
        name = "0x" + secrets.token_hex(16)
        self._open[name] = self._wanted(params)
        return name

    def unsubscribe(self, params: Params) -> object:
        read.arity(params, 1, 1, "subscription id")
        return self._open.pop(str(params[0]), None) is not None

    def block_committed(self, committed: CommittedBlock) -> None:
        """Tell whoever wants this block or its logs."""
        header = committed.block.header
        for name, one in self._open.items():
            if one.kind == "newHeads":
                self._notify(name, header_json(header, committed.block.hash))
            elif one.query is not None and bloom_may_match(one.query, header):
                for placed in committed.logs:
                    if matches(one.query, placed):
                        self._notify(name, log_json(placed))

    def transaction_pending(self, transaction: Transaction) -> None:
        """Tell whoever wants pending transactions."""
        for name, one in self._open.items():
            if one.kind == "newPendingTransactions":
                whole = one.whole_transactions
                self._notify(
                    name, transaction_json(transaction) if whole else hex_data(transaction.hash)
                )

    def _wanted(self, params: Params) -> Subscription:
        kind = params[0]
        options = params[1] if len(params) > 1 else None
        if kind == "newHeads":
            return Subscription("newHeads")
        if kind == "logs":
            return Subscription(
                "logs", read.log_query({} if options is None else options, with_block_hash=False)
            )
        if kind == "newPendingTransactions":
            whole = read.boolean(options, "whole transactions") if options is not None else False
            return Subscription("newPendingTransactions", whole_transactions=whole)
        raise InvalidParams(f"kind: one of {', '.join(KINDS)} is needed")

    def _notify(self, name: str, result: object) -> None:
        self._send(
            orjson.dumps(
                {
                    "jsonrpc": "2.0",
                    "method": "eth_subscription",
                    "params": {"subscription": name, "result": result},
                }
            )
        )
