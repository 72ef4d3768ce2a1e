"""The words of operations: what is to be done, what was done, what a client is to sign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from eth_utils.address import to_checksum_address

from api.operations.errors import Refused
from api.sight import Sight
from ledger.types import Address, Hash32, PlacedLog


@dataclass(frozen=True, slots=True)
class Words:
    """One sentence, without a full stop, in the languages of the interface."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a contract, as a route has made it of a request."""

    contract: str
    """Name in the Directory, as `receipts`."""
    to: Address
    data: bytes
    act: str
    """As in the room's machine.toml: `transfer-holding`."""
    words: Words
    """What it does, for who is to sign it: `hand receipt 0x… over to town-bank`."""
    instrument: str | None = None
    """Id (0x…) of the record that it changes; None where it makes one."""


@dataclass(frozen=True, slots=True)
class Idempotency:
    """The request as its sender names it."""

    key: str
    """Value of the Idempotency-Key header."""
    digest: bytes
    """32 bytes: SHA-256 over method, path, query, revision and body."""


@dataclass(frozen=True, slots=True)
class Event:
    """A log of the transaction in words."""

    contract: str
    """Name in the Directory, or the address."""
    name: str
    """Of the event; empty where it is not known."""
    values: Mapping[str, Any]
    """By parameter, as JSON: whole numbers beyond 48 bits as decimal text, bytes as 0x…,
    organisations by their ids."""
    leaf: int
    placed: PlacedLog
    """The log itself, for the room's own `decode_log`."""


@dataclass(frozen=True, slots=True)
class Done:
    """A transaction that went well, is durable, and shows in the projection."""

    transaction: Hash32
    block: int
    block_time: int
    """Unix seconds."""
    gas_used: int
    events: tuple[Event, ...]
    replayed: bool = False
    """It was done before: under this Idempotency-Key, or these very bytes were sent."""

    @property
    def leaf(self) -> int | None:
        """Index in the log of its first event; None where it told nothing."""
        return self.events[0].leaf if self.events else None

    def body(self, sight: Sight, **more: Any) -> dict[str, Any]:
        """The answer in JSON, of its events what he is told; `more` are members of the route's
        own (`receipt=…`)."""
        return {
            "transaction": f"0x{self.transaction.hex()}",
            "block": self.block,
            "time": self.block_time,
            "leaf": self.leaf,
            "proof": None if self.leaf is None else f"/log/proof/{self.leaf}",
            "events": [
                {
                    "contract": one.contract,
                    "name": one.name,
                    "leaf": one.leaf,
                    "values": dict(sight.values(one.name, one.values)),
                }
                for one in self.events
                if sight.tells(one.contract)
            ],
            **more,
        }


@dataclass(frozen=True, slots=True)
class Prepared:
    """An unsigned EIP-1559 transaction, for who keeps his own key."""

    account: Address
    """Who is to sign."""
    chain_id: int
    nonce: int
    gas: int
    to: Address
    data: bytes
    signing_hash: Hash32
    """keccak-256 of the unsigned envelope: what the key signs."""
    unsigned: bytes
    """The envelope: 0x02 and the RLP of nine fields."""
    call: Call
    valid_until: int
    """Unix seconds; this node takes it no later, and it may be late before: a nonce is used once,
    a revision too."""

    def body(self) -> dict[str, Any]:
        """The answer in JSON: fields as in `eth_signTransaction`, `to` in EIP-55."""
        return {
            "transaction": {
                "type": "0x2",
                "chainId": hex(self.chain_id),
                "nonce": hex(self.nonce),
                "gas": hex(self.gas),
                "maxFeePerGas": "0x0",
                "maxPriorityFeePerGas": "0x0",
                "to": to_checksum_address(self.to),
                "value": "0x0",
                "data": f"0x{self.data.hex()}",
                "accessList": [],
            },
            "account": f"0x{self.account.hex()}",
            "unsigned": f"0x{self.unsigned.hex()}",
            "signingHash": f"0x{self.signing_hash.hex()}",
            "does": {"en": self.call.words.en, "zh": self.call.words.zh},
            "contract": self.call.contract,
            "act": self.call.act,
            "validUntil": self.valid_until,
        }


@dataclass(frozen=True, slots=True)
class Standing:
    """How a transaction stands."""

    state: Literal["pending", "done", "refused"]
    done: Done | None
    refused: Refused | None

    def body(self, transaction: Hash32, sight: Sight) -> dict[str, Any]:
        """The answer in JSON, of events what he is told."""
        shown: dict[str, Any] = {"transaction": f"0x{transaction.hex()}", "status": self.state}
        if self.done is not None:
            shown.update(self.done.body(sight))
        if self.refused is not None:
            shown.update(refusal=self.refused.refusal, detail=self.refused.detail)
        return shown


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of operations."""

    wait_s: float = 20.0
    """How long a request waits for its block; then it is told to ask again (202)."""
    record_lifetime_s: float = 48 * 3600.0
    """How long an Idempotency-Key is remembered."""
    prepared_lifetime_s: float = 600.0
    prepared_max: int = 10_000
    waiting_max: int = 2_000
    """Operations under way at once; beyond, 503."""
    untried_above: int = 8
    """With more than so many under way, calls whose like went well are sent without being tried:
    what the contract refuses is then told by its block, as the transaction's outcome."""
    threads: int = 4
    """That try and sign: as many as can be of use on one interpreter."""
    accounts_shown_max: int = 5
