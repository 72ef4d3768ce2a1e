"""eth_getLogs and the filters that clients poll."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.chain import Ledger
from ledger.rpc.errors import LimitExceeded, ResourceNotFound
from ledger.rpc.filters import FilterMethods
from ledger.rpc.logs import matches
from ledger.rpc.params import log_query
from ledger.rpc.types import RpcContext, RpcSettings
from ledger.types import Address, Hash32, Log, PlacedLog
from tests.ledger.chain.support import ECHO, ECHO_TOPIC, Sender, sender
from tests.ledger.rpc.conftest import mine
from tests.ledger.rpc.support import Rpc

pytestmark = pytest.mark.feature("L9")

TOPIC = "0x" + ECHO_TOPIC.hex()
OTHER = "0x" + "77" * 32
ADDRESS = "0x" + ECHO.hex()
ALL: dict[str, Any] = {"fromBlock": "0x0", "toBlock": "latest"}


@pytest.fixture
def caller(rpc: Rpc) -> Sender:
    """Three blocks with one, two and three logs."""
    one = sender(1)
    for count in (1, 2, 3):
        mine(rpc.ledger, *(one.call(10 * count + n) for n in range(count)))
    return one


def blocks_of(logs: list[Any]) -> list[int]:
    return [int(one["blockNumber"], 16) for one in logs]


@pytest.mark.parametrize(
    ("query", "blocks"),
    [
        ({}, [3, 3, 3]),
        (ALL, [1, 2, 2, 3, 3, 3]),
        ({"fromBlock": "0x2", "toBlock": "0x2"}, [2, 2]),
        ({"fromBlock": "earliest", "toBlock": "0x1"}, [1]),
        ({"fromBlock": "0x3", "toBlock": "0x9"}, [3, 3, 3]),
        ({"fromBlock": "0x7", "toBlock": "0x9"}, []),
        ({**ALL, "address": ADDRESS}, [1, 2, 2, 3, 3, 3]),
        ({**ALL, "address": [ADDRESS, "0x" + "00" * 20]}, [1, 2, 2, 3, 3, 3]),
        ({**ALL, "address": "0x" + "00" * 20}, []),
        ({**ALL, "address": []}, [1, 2, 2, 3, 3, 3]),
        ({**ALL, "topics": [TOPIC]}, [1, 2, 2, 3, 3, 3]),
        ({**ALL, "topics": [[OTHER, TOPIC]]}, [1, 2, 2, 3, 3, 3]),
        ({**ALL, "topics": [OTHER]}, []),
        ({**ALL, "topics": [None]}, [1, 2, 2, 3, 3, 3]),
        ({**ALL, "topics": [TOPIC, None]}, []),
        ({**ALL, "topics": [[]]}, [1, 2, 2, 3, 3, 3]),
    ],
)
def test_logs_are_found_by_block_address_and_topic(
    rpc: Rpc, caller: Sender, query: dict[str, Any], blocks: list[int]
) -> None:
    assert blocks_of(rpc.call("eth_getLogs", query)) == blocks


def test_logs_of_one_block_by_its_hash(rpc: Rpc, caller: Sender) -> None:
    block_hash = "0x" + mine(rpc.ledger, caller.call(1)).block.hash.hex()
    assert blocks_of(rpc.call("eth_getLogs", {"blockHash": block_hash})) == [4]
    unknown = rpc.error("eth_getLogs", {"blockHash": OTHER})
    assert unknown["code"] == -32001
    both = rpc.error("eth_getLogs", {"blockHash": block_hash, "fromBlock": "0x1"})
    assert both["code"] == -32602


@pytest.mark.parametrize(
    "query",
    [
        {"fromBlock": "0x3", "toBlock": "0x1"},
        {"topics": [TOPIC] * 5},
        {"topics": TOPIC},
        {"topics": ["0x2a"]},
        {"address": "0x2a"},
        {"address": [ADDRESS] * 1_001},
        {"topics": [[TOPIC] * 1_001]},
        {"fromBlock": "now"},
        "all",
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(rpc: Rpc, caller: Sender, query: object) -> None:
    assert rpc.error("eth_getLogs", query)["code"] == -32602


def test_too_many_blocks_or_logs_are_refused_but_one_block_never(
    open_ledger: Ledger,
) -> None:
    rpc = Rpc(open_ledger, log_blocks_max=2, logs_max=2)
    one = sender(1)
    for count in (1, 1, 3):
        mine(open_ledger, *(one.call(n) for n in range(count)))
    assert len(rpc.call("eth_getLogs", {"fromBlock": "0x1", "toBlock": "0x2"})) == 2
    assert rpc.error("eth_getLogs", {"fromBlock": "0x1", "toBlock": "0x3"})["code"] == -32005
    many = rpc.error("eth_getLogs", {"fromBlock": "0x2", "toBlock": "0x3"})
    assert many["code"] == -32005
    assert "block 3" in many["message"]
    assert len(rpc.call("eth_getLogs", {"fromBlock": "0x3", "toBlock": "0x3"})) == 3


def test_too_many_logs_to_look_at_are_refused(open_ledger: Ledger) -> None:
    rpc = Rpc(open_ledger, logs_read_max=2)
    one = sender(1)
    for _ in range(3):
        mine(open_ledger, one.call(1))
    assert rpc.error("eth_getLogs", {**ALL, "topics": [TOPIC]})["code"] == -32005


ADDRESSES = [Address(bytes([n]) * 20) for n in range(3)]
TOPICS = [Hash32(bytes([n]) * 32) for n in range(3)]


@given(
    wanted_addresses=st.lists(st.sampled_from(ADDRESSES), max_size=2),
    wanted=st.lists(st.lists(st.sampled_from(TOPICS), max_size=2), max_size=4),
    address=st.sampled_from(ADDRESSES),
    topics=st.lists(st.sampled_from(TOPICS), max_size=4),
)
def test_matching_is_that_of_the_specification(
    wanted_addresses: list[Address],
    wanted: list[list[Hash32]],
    address: Address,
    topics: list[Hash32],
) -> None:
    query = log_query(
        {
            "address": ["0x" + one.hex() for one in wanted_addresses],
            "topics": [["0x" + one.hex() for one in many] for many in wanted],
        }
    )
    zero = Hash32(bytes(32))
    placed = PlacedLog(Log(address, tuple(topics), b""), zero, 1, 1, zero, 0, 0, 0)
    expected = (not wanted_addresses or address in wanted_addresses) and all(
        position < len(topics) and (not many or topics[position] in many)
        for position, many in enumerate(wanted)
    )
    assert matches(query, placed) is expected


# ---- filters ------------------------------------------------------------------------------------


def test_a_log_filter_tells_what_came_since_the_last_poll(rpc: Rpc, caller: Sender) -> None:
    name = rpc.call("eth_newFilter", {"address": ADDRESS, "fromBlock": "0x0"})
    assert rpc.call("eth_getFilterChanges", name) == []
    mine(rpc.ledger, caller.call(1))
    mine(rpc.ledger, caller.call(2))
    assert blocks_of(rpc.call("eth_getFilterChanges", name)) == [4, 5]
    assert rpc.call("eth_getFilterChanges", name) == []
    assert blocks_of(rpc.call("eth_getFilterLogs", name)) == [1, 2, 2, 3, 3, 3, 4, 5]


def test_a_log_filter_ends_where_it_says(rpc: Rpc, caller: Sender) -> None:
    name = rpc.call("eth_newFilter", {"fromBlock": "0x5", "toBlock": "0x5"})
    for number in range(3):
        mine(rpc.ledger, caller.call(number))
    assert blocks_of(rpc.call("eth_getFilterChanges", name)) == [5]


def test_a_filter_cannot_wait_for_a_block_hash(rpc: Rpc) -> None:
    assert rpc.error("eth_newFilter", {"blockHash": OTHER})["code"] == -32602


def test_a_long_absence_is_made_up_for_in_several_polls(open_ledger: Ledger) -> None:
    rpc = Rpc(open_ledger, logs_max=2, log_blocks_max=4)
    logs, blocks = rpc.call("eth_newFilter", {}), rpc.call("eth_newBlockFilter")
    one = sender(1)
    for count in (1, 1, 3, 1, 1):
        mine(open_ledger, *(one.call(n) for n in range(count)))
    polls = [blocks_of(rpc.call("eth_getFilterChanges", logs)) for _ in range(5)]
    assert polls == [[1, 2], [3, 3, 3], [4, 5], [], []]
    hashes = [rpc.call("eth_getFilterChanges", blocks) for _ in range(3)]
    assert [len(one) for one in hashes] == [4, 1, 0]
    assert hashes[1][0] == rpc.call("eth_getBlockByNumber", "latest")["hash"]


def test_a_block_filter_has_no_logs(rpc: Rpc) -> None:
    name = rpc.call("eth_newBlockFilter")
    assert rpc.error("eth_getFilterLogs", name)["code"] == -32001


def test_a_pending_filter_tells_each_transaction_once(rpc: Rpc) -> None:
    one = sender(1)
    rpc.call("eth_sendRawTransaction", "0x" + one.call().hex())
    name = rpc.call("eth_newPendingTransactionFilter")
    told = rpc.call("eth_sendRawTransaction", "0x" + one.call().hex())
    assert rpc.call("eth_getFilterChanges", name) == [told]
    rpc.ledger.append_block(rpc.ledger.pending(), rpc.ledger.head().header.timestamp + 1)
    mined_at_once = mine(rpc.ledger, one.call()).block.transactions[0]
    assert rpc.call("eth_getFilterChanges", name)[-1:] == ["0x" + mined_at_once.hash.hex()]
    assert rpc.call("eth_getFilterChanges", name) == []


def test_an_uninstalled_filter_is_gone(rpc: Rpc) -> None:
    name = rpc.call("eth_newBlockFilter")
    assert rpc.call("eth_uninstallFilter", name) is True
    assert rpc.call("eth_uninstallFilter", name) is False
    error = rpc.error("eth_getFilterChanges", name)
    assert (error["code"], error["message"]) == (-32001, "filter not found")


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def filters(open_ledger: Ledger, clock: Callable[[], float]) -> FilterMethods:
    settings = RpcSettings(filters_max=2, filter_idle_s=100)
    return FilterMethods(RpcContext(open_ledger, settings), clock)


def test_a_filter_that_nobody_polls_is_dropped(filters: FilterMethods, clock: Clock) -> None:
    polled, idle = filters.new_block_filter([]), filters.new_block_filter([])
    clock.now_s = 60
    filters.changes([polled])
    clock.now_s = 101
    assert filters.changes([polled]) == []
    with pytest.raises(ResourceNotFound):
        filters.changes([idle])


def test_filters_are_bounded_in_number_and_idle_ones_make_room(
    filters: FilterMethods, clock: Clock
) -> None:
    filters.new_block_filter([])
    filters.new_block_filter([])
    with pytest.raises(LimitExceeded):
        filters.new_block_filter([])
    clock.now_s = 101
    filters.new_block_filter([])
