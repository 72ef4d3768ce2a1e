"""Searching logs: blooms first, then the logs themselves.

Source: yellow paper section 4.3.1 (bloom), ethereum/execution-apis eth_getLogs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from eth_bloom.bloom import BloomFilter

from ledger.chain import Ledger
from ledger.rpc.blocks import find_block, need_block
from ledger.rpc.errors import InvalidParams, LimitExceeded
from ledger.rpc.params import LogQuery
from ledger.rpc.types import RpcSettings
from ledger.types import Header, PlacedLog


def matches(query: LogQuery, placed: PlacedLog) -> bool:
    """Whether address and topics of the log are those asked for (blocks are not looked at)."""
    if query.addresses and placed.log.address not in query.addresses:
        return False
    topics = placed.log.topics
    if len(query.topics) > len(topics):
        return False
    return all(
        not wanted or topic in wanted for wanted, topic in zip(query.topics, topics, strict=False)
    )


def bloom_may_match(query: LogQuery, header: Header) -> bool:
    """False where the header's bloom shows that no log of the block can match."""
    bloom = BloomFilter(header.bloom)
    if query.addresses and not any(one in bloom for one in query.addresses):
        return False
    return all(not wanted or any(one in bloom for one in wanted) for wanted in query.topics)


def find_logs(ledger: Ledger, settings: RpcSettings, query: LogQuery) -> list[PlacedLog]:
    """All logs that match. Raises LimitExceeded past the bounds of the settings."""
    found, rest = read_logs(ledger, settings, query, _block_numbers(ledger, settings, query))
    if rest is not None:
        raise LimitExceeded(
            f"more than {settings.logs_max} logs match or {settings.logs_read_max} would have to "
            f"be looked at; ask for fewer blocks at a time, or go on from block {rest}"
        )
    return found


def read_logs(
    ledger: Ledger, settings: RpcSettings, query: LogQuery, numbers: Iterable[int]
) -> tuple[list[PlacedLog], int | None]:
    """Logs of those blocks that match, and where to go on if a bound was reached.

    At least one block is read, whatever it holds, so that every log can be had.
    """
    found: list[PlacedLog] = []
    looked_at = 0
    for number in numbers:
        header = ledger.header(number)
        if header is None or not bloom_may_match(query, header):
            continue
        logs = ledger.logs(number)
        fits = [one for one in logs if matches(query, one)]
        if looked_at and (
            looked_at + len(logs) > settings.logs_read_max
            or len(found) + len(fits) > settings.logs_max
        ):
            return found, number
        looked_at += len(logs)
        found += fits
    return found, None


def _block_numbers(ledger: Ledger, settings: RpcSettings, query: LogQuery) -> Iterator[int]:
    if query.block_hash is not None:
        yield need_block(ledger, query.block_hash).header.number
        return
    first = _number(ledger, query.from_block)
    last = min(_number(ledger, query.to_block), ledger.head().header.number)
    if isinstance(query.to_block, int) and query.to_block < first:
        raise InvalidParams(f"filter: toBlock {query.to_block} lies before fromBlock {first}")
    if last - first >= settings.log_blocks_max:
        raise LimitExceeded(
            f"{last - first + 1} blocks are asked for, at most {settings.log_blocks_max} at a time"
        )
    yield from range(first, last + 1)


def _number(ledger: Ledger, name: int | str | bytes) -> int:
    if isinstance(name, int):
        return name
    block = find_block(ledger, name)  # type: ignore[arg-type]
    assert block is not None
    return block.header.number
