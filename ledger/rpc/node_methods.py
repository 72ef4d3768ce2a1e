"""Methods about the node itself, and the ones that take transactions."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from platform import python_version, system

from eth_hash.auto import keccak

from ledger.evm.errors import TransactionRefused
from ledger.rpc import params as read
from ledger.rpc.errors import InvalidParams, ReceiptLate, TransactionRejected
from ledger.rpc.formatting import hex_data, receipt_json
from ledger.rpc.types import Method, RpcContext
from ledger.types import Hash32

Params = Sequence[object]
RECEIPT_WAIT_MS_MAX = 10_000


class NodeMethods:
    """web3_, net_, txpool_, and submission."""

    def __init__(self, context: RpcContext) -> None:
        self._ledger = context.ledger

    def methods(self) -> dict[str, Method]:
        """Name to method."""
        return {
            "web3_clientVersion": self.client_version,
            "web3_sha3": self.sha3,
            "net_version": self.net_version,
            "net_listening": self.listening,
            "net_peerCount": self.peer_count,
            "rpc_modules": self.modules,
            "eth_chainId": self.chain_id,
            "eth_syncing": self.syncing,
            "eth_accounts": self.accounts,
            "eth_sendRawTransaction": self.send_raw_transaction,
            "eth_sendRawTransactionSync": self.send_raw_transaction_sync,
            "txpool_status": self.txpool_status,
        }

    def client_version(self, params: Params) -> object:
        read.arity(params, 0, 0, "")
        return f"Tallystick/v{version('tallystick')}/{system().lower()}/python{python_version()}"

    def sha3(self, params: Params) -> object:
        read.arity(params, 1, 1, "data")
        return hex_data(keccak(read.data(params[0], "data")))

    def net_version(self, params: Params) -> object:
        read.arity(params, 0, 0, "")
        return str(self._ledger.chain_id)

    def listening(self, params: Params) -> object:
        read.arity(params, 0, 0, "")
        return True

    def peer_count(self, params: Params) -> object:
        """Peers belong to the consensus engine, not to the execution API: none are counted here."""
        read.arity(params, 0, 0, "")
        return "0x0"

    def modules(self, params: Params) -> object:
        read.arity(params, 0, 0, "")
        return dict.fromkeys(("debug", "eth", "net", "rpc", "txpool", "web3"), "1.0")

    def chain_id(self, params: Params) -> object:
        read.arity(params, 0, 0, "")
        return hex(self._ledger.chain_id)

    def syncing(self, params: Params) -> object:
        read.arity(params, 0, 0, "")
        return False

    def accounts(self, params: Params) -> object:
        """The node keeps no keys for clients: they sign for themselves."""
        read.arity(params, 0, 0, "")
        return []

    def send_raw_transaction(self, params: Params) -> object:
        read.arity(params, 1, 1, "signed transaction")
        return hex_data(self._submit(read.data(params[0], "signed transaction")))

    def send_raw_transaction_sync(self, params: Params) -> object:
        """EIP-7966: submit, wait until it is durable, answer the receipt."""
        read.arity(params, 1, 2, "signed transaction, timeout in ms")
        wait_ms = RECEIPT_WAIT_MS_MAX
        if len(params) > 1 and params[1] is not None:
            wait_ms = read.count(params[1], "timeout")
            if wait_ms == 0:
                raise InvalidParams("timeout: a number of milliseconds above zero is needed")
        tx_hash = self._submit(read.data(params[0], "signed transaction"))
        try:
            mined, receipt = self._ledger.wait_for(
                tx_hash, min(wait_ms, RECEIPT_WAIT_MS_MAX) / 1000
            )
        except TimeoutError as late:
            raise ReceiptLate(
                "the transaction was taken but is not in a block yet; ask for its receipt later",
                hex_data(tx_hash),
            ) from late
        except TransactionRefused as refused:
            raise TransactionRejected(str(refused)) from refused
        logs = [
            one
            for one in self._ledger.logs(mined.block_number)
            if one.transaction_index == mined.index
        ]
        return receipt_json(mined, receipt, logs)

    def txpool_status(self, params: Params) -> object:
        read.arity(params, 0, 0, "")
        return {"pending": hex(len(self._ledger.pending())), "queued": "0x0"}

    def _submit(self, raw: bytes) -> Hash32:
        try:
            return self._ledger.submit(raw)
        except TransactionRefused as refused:
            raise TransactionRejected(str(refused)) from refused
