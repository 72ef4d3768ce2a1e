"""What load needs on the ledger before it begins: permitted senders and a contract to call."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_utils import to_checksum_address

from contracts.consortium import CONSORTIUM_ADDRESS, add_account
from ledger.types import Address
from tests.acceptance.consortium.http import Http
from tests.acceptance.consortium.load import Signed, sign

NOTARY = json.loads((Path(__file__).parents[1] / "ethereum" / "Notary.json").read_text())
GAS = 5_000_000
RECEIPT_S = 60.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A contract, and the chain that it is on."""

    contract: str
    chain_id: int


def set_stage(
    client: Http, organisation: str, account: LocalAccount, senders: Sequence[LocalAccount]
) -> Stage:
    """Permit the senders for the account's organisation, deploy the contract."""
    chain_id = int(str(client.call("eth_chainId")), 16)
    nonce = int(str(client.call("eth_getTransactionCount", account.address, "latest")), 16)
    signed = [
        sign(
            account,
            chain_id,
            nonce + index,
            GAS,
            to=to_checksum_address(CONSORTIUM_ADDRESS),
            data=add_account(organisation, Address(bytes.fromhex(sender.address[2:]))),
        )
        for index, sender in enumerate(senders)
    ]
    title = (32).to_bytes(32, "big") + bytes(32)  # the constructor's argument: an empty string
    code = NOTARY["bytecode"] + title.hex()
    signed.append(sign(account, chain_id, nonce + len(senders), GAS, data=code))
    for one in signed:
        client.call("eth_sendRawTransaction", one.raw)
    receipts = [receipt_of(client, one) for one in signed]
    assert all(one["status"] == "0x1" for one in receipts), receipts
    return Stage(receipts[-1]["contractAddress"], chain_id)


def receipt_of(client: Http, signed: Signed, timeout_s: float = RECEIPT_S) -> dict[str, Any]:
    """Wait for a transaction's receipt."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        receipt: dict[str, Any] | None = client.call("eth_getTransactionReceipt", signed.tx_hash)
        if receipt is not None:
            return receipt
        time.sleep(0.05)
    raise AssertionError(f"no receipt of {signed.tx_hash} within {timeout_s:g} s")
