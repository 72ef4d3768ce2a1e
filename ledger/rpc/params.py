"""Reading JSON-RPC parameters: quantities, data, block names, call objects, log filters.

Source: ethereum/execution-apis, schemas "base-types", "block", "transaction", "filter".
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.evm.protocol import CallRequest
from ledger.rpc.errors import InvalidParams
from ledger.types import Address, Authorization, Hash32

QUANTITY = re.compile(r"0x(0|[1-9a-fA-F][0-9a-fA-F]{0,63})\Z")
DATA = re.compile(r"0x([0-9a-fA-F]{2})*\Z")
SHORT = reprlib.Repr()
"""However deep or long a value is, showing it takes no time."""
ZERO_ADDRESS = Address(bytes(20))
ADDRESSES_MAX = 1_000
TOPIC_ALTERNATIVES_MAX = 1_000
ACCESS_ENTRIES_MAX = 10_000
AUTHORIZATIONS_MAX = 100
OVERRIDES_MAX = 4
OVERRIDE_CODE_BYTES_MAX = 96 * 1024
"""Of all overrides together: a proposal's calls (64 KiB) and the code of a contract fit."""

BlockName = int | Hash32 | str
"""A number, a hash, or one of the tags."""

TAGS = frozenset({"latest", "pending", "earliest", "safe", "finalized"})


def quantity(value: object, name: str) -> int:
    """A QUANTITY: 0x-hex without leading zeros, at most 256 bits."""
    if not isinstance(value, str) or not QUANTITY.match(value):
        raise InvalidParams(f"{name}: a hex quantity such as 0x1 is needed, not {_shown(value)}")
    return int(value, 16)


def data(value: object, name: str, size_bytes: int | None = None) -> bytes:
    """DATA: 0x-hex with an even number of digits, of `size_bytes` if given."""
    if not isinstance(value, str) or not DATA.match(value):
        raise InvalidParams(f"{name}: 0x-prefixed hex bytes are needed, not {_shown(value)}")
    raw = bytes.fromhex(value[2:])
    if size_bytes is not None and len(raw) != size_bytes:
        raise InvalidParams(f"{name}: {size_bytes} bytes are needed, {len(raw)} were given")
    return raw


def address(value: object, name: str = "address") -> Address:
    """A 20-byte address; letter case is not looked at."""
    return Address(data(value, name, 20))


def hash32(value: object, name: str = "hash") -> Hash32:
    """A 32-byte hash."""
    return Hash32(data(value, name, 32))


def count(value: object, name: str) -> int:
    """A number that clients send as a quantity or as plain JSON (eth_feeHistory, EIP-7966)."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return quantity(value, name)


def storage_key(value: object, name: str = "storage key") -> int:
    """A slot number: a quantity, or data of at most 32 bytes (both are in use)."""
    if isinstance(value, str) and re.match(r"0x[0-9a-fA-F]{1,64}\Z", value):
        return int(value, 16)
    raise InvalidParams(f"{name}: hex of at most 32 bytes is needed, not {_shown(value)}")


def boolean(value: object, name: str) -> bool:
    """JSON true or false."""
    if not isinstance(value, bool):
        raise InvalidParams(f"{name}: true or false is needed, not {_shown(value)}")
    return value


def block_name(value: object) -> BlockName:
    """A block number, tag, or EIP-1898 object."""
    if isinstance(value, dict):
        if "blockHash" in value and "blockNumber" in value:
            raise InvalidParams("block: blockHash and blockNumber exclude each other (EIP-1898)")
        if "requireCanonical" in value:  # blocks are final here: each one is canonical
            boolean(value["requireCanonical"], "requireCanonical")
        if "blockHash" in value:
            return hash32(value["blockHash"], "blockHash")
        if "blockNumber" in value:
            return quantity(value["blockNumber"], "blockNumber")
        raise InvalidParams("block: an object needs blockHash or blockNumber (EIP-1898)")
    if isinstance(value, str) and value in TAGS:
        return value
    if isinstance(value, str) and len(value) == 66:
        return hash32(value, "block")
    return quantity(value, "block")


def call_request(value: object, gas_max: int) -> CallRequest:
    """A transaction object of eth_call or eth_estimateGas; gas is capped at `gas_max`."""
    if not isinstance(value, dict):
        raise InvalidParams(f"transaction: an object is needed, not {_shown(value)}")
    body, input_ = value.get("data"), value.get("input")
    if body is not None and input_ is not None and body != input_:
        raise InvalidParams("transaction: both data and input are given, and they differ")
    chosen = input_ if input_ is not None else body
    gas = quantity(value["gas"], "gas") if value.get("gas") is not None else gas_max
    to = value.get("to")
    return CallRequest(
        sender=address(value["from"], "from") if value.get("from") else ZERO_ADDRESS,
        to=address(to, "to") if to else None,
        value=quantity(value["value"], "value") if value.get("value") is not None else 0,
        data=data(chosen, "input") if chosen is not None else b"",
        gas=min(gas, gas_max),
        access_list=_access_list(value.get("accessList")),
        authorization_list=_authorization_list(value.get("authorizationList")),
    )


def code_overrides(value: object) -> tuple[tuple[Address, bytes], ...]:
    """State overrides of eth_call: `{address: {"code": DATA}}`. No other kind is done."""
    if value is None:
        return ()
    if not isinstance(value, dict) or len(value) > OVERRIDES_MAX:
        raise InvalidParams(f"state overrides: an object of at most {OVERRIDES_MAX} is needed")
    found = []
    size_bytes = 0
    for account, entry in value.items():
        if not isinstance(entry, dict) or set(entry) != {"code"}:
            raise InvalidParams("state overrides: only code can be overridden")
        code = data(entry["code"], "state overrides: code")
        size_bytes += len(code)
        if size_bytes > OVERRIDE_CODE_BYTES_MAX:
            raise InvalidParams(
                f"state overrides: more than {OVERRIDE_CODE_BYTES_MAX} bytes of code in all"
            )
        found.append((address(account, "state overrides: address"), code))
    return tuple(found)


def _access_list(value: object) -> tuple[tuple[Address, tuple[int, ...]], ...]:
    """EIP-2930."""
    entries = []
    for entry in _objects(value, "accessList", ACCESS_ENTRIES_MAX):
        keys = entry.get("storageKeys", [])
        if not isinstance(keys, list) or len(keys) > ACCESS_ENTRIES_MAX:
            raise InvalidParams(
                f"accessList: storageKeys is a list of at most {ACCESS_ENTRIES_MAX}"
            )
        slots = tuple(storage_key(key, "accessList: storage key") for key in keys)
        entries.append((address(entry.get("address"), "accessList: address"), slots))
    return tuple(entries)


def _authorization_list(value: object) -> tuple[Authorization, ...]:
    """EIP-7702."""
    return tuple(
        Authorization(
            chain_id=quantity(entry.get("chainId"), "authorizationList: chainId"),
            address=address(entry.get("address"), "authorizationList: address"),
            nonce=quantity(entry.get("nonce"), "authorizationList: nonce"),
            y_parity=quantity(entry.get("yParity", entry.get("v")), "authorizationList: yParity"),
            r=quantity(entry.get("r"), "authorizationList: r"),
            s=quantity(entry.get("s"), "authorizationList: s"),
        )
        for entry in _objects(value, "authorizationList", AUTHORIZATIONS_MAX)
    )


def _objects(value: object, name: str, most: int) -> list[dict[str, object]]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > most:
        raise InvalidParams(f"{name}: a list of at most {most} is needed")
    if not all(isinstance(one, dict) for one in value):
        raise InvalidParams(f"{name}: a list of objects is needed")
    return value


@dataclass(frozen=True, slots=True)
class LogQuery:
    """A log filter: which blocks, addresses and topics."""

    from_block: BlockName
    to_block: BlockName
    block_hash: Hash32 | None
    addresses: frozenset[Address]
    """Empty: every address."""
    topics: tuple[frozenset[Hash32], ...]
    """By position; an empty set matches any topic there."""


def log_query(value: object, *, with_block_hash: bool = True) -> LogQuery:
    """The filter object of eth_getLogs, eth_newFilter and the `logs` subscription.

    The latter two follow what comes: `blockHash` means nothing to them.
    """
    if not isinstance(value, dict):
        raise InvalidParams(f"filter: an object is needed, not {_shown(value)}")
    block_hash = value.get("blockHash")
    if block_hash is not None and not with_block_hash:
        raise InvalidParams("filter: blockHash can be asked for with eth_getLogs only")
    if block_hash is not None and (value.get("fromBlock") or value.get("toBlock")):
        raise InvalidParams("filter: blockHash excludes fromBlock and toBlock (EIP-234)")
    return LogQuery(
        from_block=block_name(value.get("fromBlock") or "latest"),
        to_block=block_name(value.get("toBlock") or "latest"),
        block_hash=hash32(block_hash, "blockHash") if block_hash is not None else None,
        addresses=_addresses(value.get("address")),
        topics=_topics(value.get("topics")),
    )


def _addresses(value: object) -> frozenset[Address]:
    if value is None:
        return frozenset()
    many = value if isinstance(value, list) else [value]
    if len(many) > ADDRESSES_MAX:
        raise InvalidParams(f"filter: at most {ADDRESSES_MAX} addresses")
    return frozenset(address(one) for one in many)


def _topics(value: object) -> tuple[frozenset[Hash32], ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > 4:
        raise InvalidParams("filter: topics is a list of at most four")
    return tuple(_topic(one) for one in value)


def _topic(value: object) -> frozenset[Hash32]:
    if value is None:
        return frozenset()
    many = value if isinstance(value, list) else [value]
    if len(many) > TOPIC_ALTERNATIVES_MAX:
        raise InvalidParams(f"filter: at most {TOPIC_ALTERNATIVES_MAX} alternatives a topic")
    if any(one is None for one in many):
        return frozenset()
    return frozenset(hash32(one, "topic") for one in many)


def arity(params: Sequence[object], least: int, most: int, names: str) -> None:
    """Check how many parameters came; `names` tells what belongs there."""
    if not least <= len(params) <= most:
        raise InvalidParams(f"parameters: ({names}) are needed, {len(params)} were given")


def _shown(value: object) -> str:
    text = SHORT.repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
