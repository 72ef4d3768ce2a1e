"""What a node for building apps against tells when it is ready: addresses, and keys to act with."""

from __future__ import annotations

from ledger.crypto import AccountKey
from nodes.cli.output import out, print_json
from nodes.errors import NodeError
from nodes.founding import DEVELOPER_LABEL
from nodes.runtime import NodeRuntime
from nodes.serving import Addresses


def developer_account(node: NodeRuntime) -> AccountKey:
    """The account whose private key may be shown. Raises `NodeError` where it is on a token."""
    account = node.secrets.load_account(DEVELOPER_LABEL)
    if not isinstance(account, AccountKey):
        raise NodeError(f"the account {DEVELOPER_LABEL!r} is on a token; its key cannot be shown")
    return account


def tell_ready(
    node: NodeRuntime, addresses: Addresses, organisation: str, key: str, as_json: bool
) -> None:
    """One JSON object, or some lines for a person."""
    account = developer_account(node)
    if as_json:
        print_json(
            {
                "url": addresses.api,
                "rpc": addresses.rpc,
                "operations": addresses.operations,
                "chainId": node.ledger.chain_id,
                "organisation": organisation,
                "key": key,
                "account": {
                    "address": account.checksum_address,
                    "privateKey": "0x" + account.private_key.hex(),
                },
                "trust": str(node.directory.trust),
            }
        )
        return
    out.print(f"HTTP API    {addresses.api}   (documentation: {addresses.api}/docs)")
    out.print(f"JSON-RPC    {addresses.rpc}   chain id {node.ledger.chain_id}")
    out.print(f"acting as   {organisation}")
    out.print(f"bearer key  {key}", markup=False)
    out.print(
        f"account     {account.checksum_address}\n"
        f"private key 0x{account.private_key.hex()}   (for development only)",
        markup=False,
    )
    out.print("Ctrl-C stops the node; everything stays in the folder.")
