"""A small chain for tests: permitted accounts, one tiny contract, signed calls of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from eth_account import Account as EthAccount

from ledger.chain import Genesis
from ledger.chain.permission import mapping_slot
from ledger.types import Address

CHAIN_ID = 827166
PERMISSION = Address(bytes.fromhex("7a11000000000000000000000000000000000001"))
ECHO = Address(bytes.fromhex("7a110000000000000000000000000000000000ec"))
ECHO_CODE = bytes.fromhex("366007575f5ffd5b36" + "5f5f37" + "5f355f3555" + "602a365fa100")
"""Reverts without calldata; else stores its first word under itself and logs all calldata,
with topic 0x2a."""
ECHO_TOPIC = (0x2A).to_bytes(32, "big")
EMPTY_INIT = bytes.fromhex("5f5ff3")
"""Init code of a contract without code."""
GAS = 200_000


@dataclass
class Sender:
    """A key and the nonce it uses next."""

    key: bytes
    nonce: int = 0
    address: Address = field(init=False)

    def __post_init__(self) -> None:
        self.address = Address(bytes.fromhex(EthAccount.from_key(self.key).address[2:]))

    def sign(self, **changes: Any) -> bytes:
        """A signed EIP-1559 call of the echo contract; `changes` overwrite its fields."""
        fields: dict[str, Any] = {
            "chainId": CHAIN_ID,
            "nonce": self.nonce,
            "to": ECHO,
            "value": 0,
            "gas": GAS,
            "data": (1).to_bytes(32, "big"),
            "maxFeePerGas": 0,
            "maxPriorityFeePerGas": 0,
        }
        fields.update(changes)
        fields = {name: value for name, value in fields.items() if value is not None}
        return bytes(EthAccount.sign_transaction(fields, self.key).raw_transaction)

    def call(self, number: int = 1, **changes: Any) -> bytes:
        """The next call, echoing a number."""
        raw = self.sign(data=number.to_bytes(32, "big"), **changes)
        self.nonce += 1
        return raw


def sender(index: int) -> Sender:
    """One of any number of test keys; 1 to 4 are permitted in `genesis_document`."""
    return Sender(index.to_bytes(32, "big"))


def word(value: int | bytes) -> str:
    number = value if isinstance(value, int) else int.from_bytes(value, "big")
    return f"0x{number:064x}"


def permission_storage(
    accounts: dict[Address, tuple[bytes, int]], organisations: dict[bytes, int]
) -> dict[str, str]:
    """Storage by which accounts (organisation, status) and organisations (status) are known."""
    slots: dict[str, str] = {}
    for address, (organisation, status) in accounts.items():
        base = mapping_slot(bytes(12) + address, 0)
        slots[word(base)] = word(organisation.ljust(32, b"\0"))
        # What else is packed into the word must not matter.
        slots[word(base + 1)] = word(0x0700 | status)
    for organisation, status in organisations.items():
        slots[word(mapping_slot(organisation.ljust(32, b"\0"), 1))] = word(0x0300 | status)
    return slots


def genesis_document(*, permitted: int = 4, **changes: Any) -> dict[str, Any]:
    """A genesis file with `permitted` accounts of one active organisation."""
    storage = permission_storage(
        {sender(index).address: (b"acme", 1) for index in range(1, permitted + 1)}, {b"acme": 1}
    )
    document: dict[str, Any] = {
        "config": {"chainId": CHAIN_ID, "pragueTime": 0},
        "gasLimit": "0x1c9c380",
        "timestamp": "0x65000000",
        "alloc": {
            f"0x{PERMISSION.hex()}": {"nonce": "0x1", "code": "0x00", "storage": storage},
            f"0x{ECHO.hex()}": {"nonce": "0x1", "code": f"0x{ECHO_CODE.hex()}"},
        },
        "tallystick": {
            "origin": "tallystick.example/test",
            "permission": {
                "contract": f"0x{PERMISSION.hex()}",
                "accountsSlot": 0,
                "organisationsSlot": 1,
            },
        },
    }
    document.update(changes)
    return document


def make_genesis(**changes: Any) -> Genesis:
    """`genesis_document`, parsed."""
    return Genesis.parse(genesis_document(**changes))


def closing_genesis() -> tuple[Genesis, int]:
    """A genesis whose only organisation is closed by echoing the number that comes with it.

    The echo contract stands in for the Consortium: it stores a number under itself, and the slot
    of the organisation's entry, stored as its value, has another status than active in its lowest
    byte. Senders 1 and 2 are permitted.
    """
    slots = permission_storage(
        {sender(index).address: (b"acme", 1) for index in (1, 2)}, {b"acme": 1}
    )
    entry = mapping_slot(b"acme".ljust(32, b"\0"), 1)
    assert entry & 0xFF != 1
    document = genesis_document()
    document["alloc"][f"0x{ECHO.hex()}"]["storage"] = slots
    document["tallystick"]["permission"]["contract"] = f"0x{ECHO.hex()}"
    return Genesis.parse(document), entry
