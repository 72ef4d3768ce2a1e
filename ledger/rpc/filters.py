"""Filters that a client polls: eth_newFilter, eth_newBlockFilter, eth_newPendingTransactionFilter.

A filter remembers how far its client has read, not what was found; a poll reads the chain.
Filters that nobody polls for `filter_idle_s` are dropped.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from ledger.rpc import params as read
from ledger.rpc.errors import LimitExceeded, ResourceNotFound
from ledger.rpc.formatting import hex_data, log_json
from ledger.rpc.logs import find_logs
from ledger.rpc.params import LogQuery
from ledger.rpc.types import Method, RpcContext

Params = Sequence[object]
Kind = Literal["logs", "blocks", "pending"]


@dataclass(slots=True)
class Filter:
    """One polling client's place."""

    kind: Kind
    query: LogQuery | None
    next_block: int
    seen: set[bytes] = field(default_factory=set)
    """Pending transactions already told."""
    polled_at: float = 0.0


class FilterMethods:
    """The filters of one server, bounded in number. Thread-safe."""

    def __init__(self, context: RpcContext, clock: Callable[[], float] = time.monotonic) -> None:
        self._ledger = context.ledger
        self._settings = context.settings
        self._clock = clock
        self._lock = threading.Lock()
        self._filters: OrderedDict[str, Filter] = OrderedDict()

    def methods(self) -> dict[str, Method]:
        """Name to method."""
        return {
            "eth_newFilter": self.new_log_filter,
            "eth_newBlockFilter": self.new_block_filter,
            "eth_newPendingTransactionFilter": self.new_pending_filter,
            "eth_getFilterChanges": self.changes,
            "eth_getFilterLogs": self.filter_logs,
            "eth_uninstallFilter": self.uninstall,
        }

    def new_log_filter(self, params: Params) -> object:
        read.arity(params, 1, 1, "filter")
        query = read.log_query(params[0])
        start = query.from_block
        head = self._ledger.head().header.number
        return self._add(
            Filter("logs", query, min(start, head + 1) if isinstance(start, int) else head + 1)
        )

    def new_block_filter(self, params: Params) -> object:
        read.arity(params, 0, 0, "")
        return self._add(Filter("blocks", None, self._ledger.head().header.number + 1))

    def new_pending_filter(self, params: Params) -> object:
        read.arity(params, 0, 0, "")
        told: set[bytes] = {one.hash for one in self._ledger.pending()}
        return self._add(Filter("pending", None, self._ledger.head().header.number + 1, told))

    def changes(self, params: Params) -> object:
        read.arity(params, 1, 1, "filter id")
        with self._lock:
            chosen = self._get(params[0])
            if chosen.kind == "pending":
                return self._pending_changes(chosen)
            head = self._ledger.head().header.number
            first = chosen.next_block
            last = min(head, first + self._settings.log_blocks_max - 1)
            if last < first:
                return []
            answer = self._read(chosen, first, last)
            chosen.next_block = last + 1
            return answer

    def filter_logs(self, params: Params) -> object:
        read.arity(params, 1, 1, "filter id")
        with self._lock:
            chosen = self._get(params[0])
        if chosen.query is None:
            raise ResourceNotFound(f"filter {params[0]} is not a log filter")
        return [log_json(one) for one in find_logs(self._ledger, self._settings, chosen.query)]

    def uninstall(self, params: Params) -> object:
        read.arity(params, 1, 1, "filter id")
        with self._lock:
            return self._filters.pop(str(params[0]), None) is not None

    def _read(self, chosen: Filter, first: int, last: int) -> list[object]:
        if chosen.query is None:
            blocks = (self._ledger.block(number) for number in range(first, last + 1))
            return [hex_data(block.hash) for block in blocks if block is not None]
        window = replace(chosen.query, from_block=first, to_block=last, block_hash=None)
        return [log_json(one) for one in find_logs(self._ledger, self._settings, window)]

    def _pending_changes(self, chosen: Filter) -> list[object]:
        now = {bytes(one.hash) for one in self._ledger.pending()}
        head = self._ledger.head().header.number
        for number in range(chosen.next_block, head + 1):
            block = self._ledger.block(number)
            now.update(one.hash for one in (block.transactions if block else ()))
        fresh = now - chosen.seen
        chosen.seen, chosen.next_block = now, head + 1
        return [hex_data(one) for one in sorted(fresh)]

    def _add(self, new: Filter) -> str:
        with self._lock:
            self._drop_idle()
            if len(self._filters) >= self._settings.filters_max:
                raise LimitExceeded(
                    f"{self._settings.filters_max} filters are open; uninstall some "
                    "or use eth_subscribe over WebSocket"
                )
            name = "0x" + secrets.token_hex(16).lstrip("0")
            new.polled_at = self._clock()
            self._filters[name] = new
            return name

    def _get(self, name: object) -> Filter:
        self._drop_idle()
        chosen = self._filters.get(str(name))
        if chosen is None:
            raise ResourceNotFound("filter not found")
        chosen.polled_at = self._clock()
        self._filters.move_to_end(str(name))
        return chosen

    def _drop_idle(self) -> None:
        oldest_kept = self._clock() - self._settings.filter_idle_s
        while self._filters:
            name = next(iter(self._filters))
            if self._filters[name].polled_at >= oldest_kept:
                return
            del self._filters[name]
