"""Searching logs: blooms first, then the logs themselves.

Source: yellow paper section 4.3.1 (bloom), ethereum/execution-apis eth_getLogs.
"""

from __future__ import annotations

from collections.abc import Iterator

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
    found: list[PlacedLog] = []
    for number in _block_numbers(ledger, settings, query):
        block = need_block(ledger, number)
        if not bloom_may_match(query, block.header):
            continue
        found.extend(one for one in ledger.logs(number) if matches(query, one))
        if len(found) > settings.logs_max:
            raise LimitExceeded(
                f"more than {settings.logs_max} logs match; ask for fewer blocks at a time "
                f"(the first {settings.logs_max} end in block {number})"
            )
    return found


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
