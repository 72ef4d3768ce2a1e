"""eth_ methods that read or try out the state: balances, code, storage, proofs, calls, fees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ledger.evm.errors import CallFailed
from ledger.evm.protocol import CallRequest, CallResult
from ledger.rpc import params as read
from ledger.rpc.blocks import need_block
from ledger.rpc.errors import (
    ExecutionFailed,
    ExecutionReverted,
    InvalidParams,
    LimitExceeded,
    ResourceNotFound,
)
from ledger.rpc.formatting import effective_gas_price, hex_data
from ledger.rpc.revert import revert_reason
from ledger.rpc.types import Method, RpcContext
from ledger.state import NEW_ACCOUNT, prove
from ledger.types import Header

Params = Sequence[object]
PROOF_SLOTS_MAX = 1_024
FEE_HISTORY_BLOCKS_MAX = 1_024
BLOB_BASE_FEE = 1


class StateMethods:
    """Reading of state and calls that leave no trace."""

    def __init__(self, context: RpcContext) -> None:
        self._ledger = context.ledger
        self._settings = context.settings

    def methods(self) -> dict[str, Method]:
        """Name to method."""
        return {
            "eth_getBalance": self.balance,
            "eth_getTransactionCount": self.transaction_count,
            "eth_getCode": self.code,
            "eth_getStorageAt": self.storage_at,
            "eth_getProof": self.proof,
            "eth_call": self.call,
            "eth_estimateGas": self.estimate_gas,
            "eth_gasPrice": self.zero,
            "eth_maxPriorityFeePerGas": self.zero,
            "eth_blobBaseFee": self.blob_base_fee,
            "eth_feeHistory": self.fee_history,
        }

    def balance(self, params: Params) -> object:
        read.arity(params, 1, 2, "address, block")
        with self._ledger.state(self._number(params, 1)) as state:
            account = state.account(read.address(params[0]))
        return hex(account.balance if account else 0)

    def transaction_count(self, params: Params) -> object:
        read.arity(params, 1, 2, "address, block")
        address = read.address(params[0])
        if len(params) > 1 and params[1] == "pending":
            return hex(self._ledger.pending_nonce(address))
        with self._ledger.state(self._number(params, 1)) as state:
            account = state.account(address)
        return hex(account.nonce if account else 0)

    def code(self, params: Params) -> object:
        read.arity(params, 1, 2, "address, block")
        with self._ledger.state(self._number(params, 1)) as state:
            account = state.account(read.address(params[0]))
            return hex_data(state.code(account.code_hash)) if account else "0x"

    def storage_at(self, params: Params) -> object:
        read.arity(params, 2, 3, "address, slot, block")
        address, slot = read.address(params[0]), read.storage_key(params[1])
        with self._ledger.state(self._number(params, 2)) as state:
            return f"0x{state.storage(address, slot):064x}"

    def proof(self, params: Params) -> object:
        """EIP-1186."""
        read.arity(params, 2, 3, "address, storage keys, block")
        address = read.address(params[0])
        keys = params[1]
        if not isinstance(keys, list) or len(keys) > PROOF_SLOTS_MAX:
            raise InvalidParams(f"storage keys: a list of at most {PROOF_SLOTS_MAX} is needed")
        slots = [read.storage_key(key) for key in keys]
        with self._ledger.state(self._number(params, 2)) as state:
            proof = prove(state, address, slots)
        account = proof.account or NEW_ACCOUNT
        return {
            "address": hex_data(address),
            "accountProof": [hex_data(node) for node in proof.proof],
            "balance": hex(account.balance),
            "codeHash": hex_data(account.code_hash),
            "nonce": hex(account.nonce),
            "storageHash": hex_data(account.storage_root),
            "storageProof": [
                {
                    "key": key,
                    "value": hex(one.value),
                    "proof": [hex_data(node) for node in one.proof],
                }
                for key, one in zip(keys, proof.slots, strict=True)
            ],
        }

    def call(self, params: Params) -> object:
        """`pending`: in the block that comes next, in the state of the last one."""
        read.arity(params, 1, 3, "transaction, block, state overrides")
        request = self._request(params[0])
        if len(params) > 2:
            request = replace(request, code=read.code_overrides(params[2]))
        if len(params) > 1 and params[1] == "pending":
            return hex_data(_output(self._ledger.call_next(request)))
        return hex_data(_output(self._ledger.call(request, self._number(params, 1))))

    def estimate_gas(self, params: Params) -> object:
        read.arity(params, 1, 2, "transaction, block")
        request, number = self._request(params[0]), self._number(params, 1)
        try:
            return hex(self._ledger.estimate_gas(request, number))
        except CallFailed as failed:
            if failed.reverted:
                raise _reverted(failed.output) from failed
            raise ExecutionFailed(str(failed)) from failed

    def zero(self, params: Params) -> object:
        """Gas is metered but not priced (decision D1)."""
        read.arity(params, 0, 0, "")
        return "0x0"

    def blob_base_fee(self, params: Params) -> object:
        """What EIP-4844 computes without any excess blob gas; no blobs are carried."""
        read.arity(params, 0, 0, "")
        return hex(BLOB_BASE_FEE)

    def fee_history(self, params: Params) -> object:
        read.arity(params, 2, 3, "block count, newest block, reward percentiles")
        wanted = read.count(params[0], "block count")
        if wanted > FEE_HISTORY_BLOCKS_MAX:
            raise LimitExceeded(f"block count: at most {FEE_HISTORY_BLOCKS_MAX}")
        newest = need_block(self._ledger, read.block_name(params[1])).header.number
        percentiles = _percentiles(params[2]) if len(params) > 2 else None
        oldest = max(0, newest - wanted + 1)
        headers = [self._header(number) for number in range(oldest, newest + 1)]
        answer: dict[str, object] = {
            "oldestBlock": hex(oldest),
            "baseFeePerGas": ["0x0"] * (len(headers) + 1),
            "gasUsedRatio": [one.gas_used / one.gas_limit for one in headers],
            "baseFeePerBlobGas": [hex(BLOB_BASE_FEE)] * (len(headers) + 1),
            "blobGasUsedRatio": [0.0] * len(headers),
        }
        if percentiles is not None:
            answer["reward"] = [self._rewards(one, percentiles) for one in headers]
        return answer

    def _header(self, number: int) -> Header:
        header = self._ledger.header(number)
        if header is None:
            raise ResourceNotFound(f"block {number} not found")
        return header

    def _rewards(self, header: Header, percentiles: Sequence[float]) -> list[str]:
        """Tips a gas at percentiles of the block's gas, dearest last. Mostly zero (decision D1)."""
        block = self._ledger.block(header.number) if header.gas_used and percentiles else None
        if block is None:
            return ["0x0"] * len(percentiles)
        receipts = self._ledger.receipts(header.number)
        tips = sorted(
            (effective_gas_price(one), receipt.gas_used)
            for one, receipt in zip(block.transactions, receipts, strict=True)
        )
        answer, place, gas_seen = [], 0, tips[0][1]
        for percentile in percentiles:
            while gas_seen < header.gas_used * percentile / 100 and place < len(tips) - 1:
                place += 1
                gas_seen += tips[place][1]
            answer.append(hex(tips[place][0]))
        return answer

    def _number(self, params: Params, index: int) -> int | None:
        if len(params) <= index or params[index] is None:
            return None
        name = read.block_name(params[index])
        if isinstance(name, str) and name != "earliest":
            return None
        return need_block(self._ledger, name).header.number

    def _request(self, value: object) -> CallRequest:
        return read.call_request(value, self._settings.call_gas_max)


def _output(result: CallResult) -> bytes:
    """Output of a call that went well; else the error clients know."""
    if result.reverted:
        raise _reverted(result.output)
    if result.error is not None:
        raise ExecutionFailed(result.error)
    return result.output


def _reverted(output: bytes) -> ExecutionReverted:
    reason = revert_reason(output)
    message = "execution reverted" + (f": {reason}" if reason else "")
    return ExecutionReverted(message, hex_data(output))


def _percentiles(value: object) -> list[float]:
    if (
        not isinstance(value, list)
        or len(value) > 100
        or not all(isinstance(one, (int, float)) and 0 <= one <= 100 for one in value)
        or sorted(value) != value
    ):
        raise InvalidParams(
            "reward percentiles: a list of at most 100 rising numbers in 0…100 is needed"
        )
    return value
