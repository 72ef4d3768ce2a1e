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
from dataclasses import dataclass, field
from typing import Literal

from ledger.rpc import params as read
from ledger.rpc.errors import LimitExceeded, ResourceNotFound
from ledger.rpc.formatting import hex_data, log_json
from ledger.rpc.logs import find_logs, read_logs
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
    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held during one poll, so that two at once do not tell the same twice."""


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
        query = read.log_query(params[0], with_block_hash=False)
        start = query.from_block if isinstance(query.from_block, int) else 0
        return self._add(Filter("logs", query, max(start, self._ledger.head().header.number + 1)))

    def new_block_filter(self, params: Params) -> object:
        read.arity(params, 0, 0, "")
        return self._add(Filter("blocks", None, self._ledger.head().header.number + 1))

    def new_pending_filter(self, params: Params) -> object:
        read.arity(params, 0, 0, "")
        told: set[bytes] = {one.hash for one in self._ledger.pending()}
        return self._add(Filter("pending", None, self._ledger.head().header.number + 1, told))

    def changes(self, params: Params) -> object:
        """What came since the last poll; of a long absence, as much as one answer holds."""
        read.arity(params, 1, 1, "filter id")
        with self._lock:
            chosen = self._get(params[0])
        with chosen.lock:
            first = chosen.next_block
            last = min(self._ledger.head().header.number, first + self._settings.log_blocks_max - 1)
            if chosen.kind == "pending":
                return self._pending_changes(chosen, range(first, last + 1))
            if chosen.query is None:
                chosen.next_block = max(first, last + 1)
                return self._block_hashes(range(first, last + 1))
            return self._log_changes(chosen, chosen.query, first, last)

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

    def _block_hashes(self, numbers: range) -> list[object]:
        headers = (self._ledger.block(number) for number in numbers)
        return [hex_data(one.hash) for one in headers if one is not None]

    def _log_changes(self, chosen: Filter, query: LogQuery, first: int, last: int) -> list[object]:
        end = min(last, query.to_block) if isinstance(query.to_block, int) else last
        logs, rest = read_logs(self._ledger, self._settings, query, range(first, end + 1))
        chosen.next_block = max(first, last + 1) if rest is None else rest
        return [log_json(one) for one in logs]

    def _pending_changes(self, chosen: Filter, numbers: range) -> list[object]:
        now = {bytes(one.hash) for one in self._ledger.pending()}
        for number in numbers:
            block = self._ledger.block(number)
            now.update(one.hash for one in (block.transactions if block else ()))
        fresh = now - chosen.seen
        chosen.seen, chosen.next_block = now, max(chosen.next_block, numbers.stop)
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
