"""Signing at the client: what the node has prepared, looked at and signed with one's own key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from api.client.errors import Malformed, PreparedWrongly
from ledger.crypto import AccountKey, KeyMalformed

_NUMBERS: Final = ("chainId", "nonce", "gas", "value", "maxFeePerGas", "maxPriorityFeePerGas")
_ADDRESS_SIZE_BYTES: Final = 20


@dataclass(frozen=True, slots=True)
class Prepared:
    """A transaction to be signed, and what it does in plain words."""

    does: str
    """In English, as the node says; what counts is `transaction`."""
    does_zh: str
    contract: str
    act: str
    account: str
    """Who is to sign: an address."""
    transaction: Mapping[str, Any] = field(repr=False)
    """Fields as in JSON-RPC."""
    valid_until: int
    """Unix seconds."""

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Prepared:
        """Raises `Malformed`."""
        try:
            return cls(
                does=str(body["does"]["en"]),
                does_zh=str(body["does"]["zh"]),
                contract=str(body["contract"]),
                act=str(body["act"]),
                account=str(body["account"]),
                transaction=dict(body["transaction"]),
                valid_until=int(body["validUntil"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise Malformed(f"no prepared transaction: {error!r}") from error

    def sign(self, key: AccountKey, *, chain_id: int | None = None) -> str:
        """The signed envelope in hex. `chain_id`: of the ledger that one means.

        Signed are the fields shown here, not a hash that the node names. Raises `PreparedWrongly`
        where they cost something, are for another account or for another ledger.
        """
        own = f"0x{key.address.hex()}"
        if self.account.lower() != own:
            raise PreparedWrongly(f"it is for {self.account}, but the key is that of {own}")
        try:
            chain, nonce, gas, *costs = (int(str(self.transaction[one]), 16) for one in _NUMBERS)
            to = bytes.fromhex(str(self.transaction["to"])[2:])
            data = bytes.fromhex(str(self.transaction["data"])[2:])
        except (KeyError, ValueError) as error:
            raise Malformed(f"no prepared transaction: {error!r}") from error
        if any(costs) or self.transaction.get("accessList") != []:
            raise PreparedWrongly("it would pay or carry something: nothing here costs anything")
        if len(to) != _ADDRESS_SIZE_BYTES:
            raise Malformed(f"no prepared transaction: it is to 0x{to.hex()}")
        if chain_id is not None and chain != chain_id:
            raise PreparedWrongly(f"it is for chain {chain}, not {chain_id}")
        try:
            raw = key.sign_transaction(
                {
                    "type": 2,
                    "chainId": chain,
                    "nonce": nonce,
                    "gas": gas,
                    "to": to,
                    "value": 0,
                    "data": data,
                    "maxFeePerGas": 0,
                    "maxPriorityFeePerGas": 0,
                }
            )
        except KeyMalformed as error:
            raise Malformed(f"no prepared transaction: {error}") from error
        return f"0x{raw.hex()}"
