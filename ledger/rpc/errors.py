"""Errors of the JSON-RPC room, with the codes that Ethereum clients expect.

Source: JSON-RPC 2.0 section 5.1; EIP-1474 "Error codes"; revert code 3 as in go-ethereum.
"""

from __future__ import annotations

from ledger.errors import LedgerError


class RpcError(LedgerError):
    """Base: anything that is answered as a JSON-RPC error object."""

    code = -32603

    def __init__(self, message: str, data: object = None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data

    def as_json(self) -> dict[str, object]:
        """The `error` member of a response."""
        answer: dict[str, object] = {"code": self.code, "message": self.message}
        if self.data is not None:
            answer["data"] = self.data
        return answer


class ParseError(RpcError):
    """The body is no JSON."""

    code = -32700


class InvalidRequest(RpcError):
    """The JSON is no request object, or the batch is empty or too long."""

    code = -32600


class MethodNotFound(RpcError):
    """No such method."""

    code = -32601


class InvalidParams(RpcError):
    """A parameter is missing, of the wrong type or out of range."""

    code = -32602


class ResourceNotFound(RpcError):
    """The named block or filter is not here (EIP-1474, EIP-1898)."""

    code = -32001


class TransactionRejected(RpcError):
    """The transaction was refused at the door."""

    code = -32000


class ReceiptLate(RpcError):
    """The transaction was taken, but no block held it in time (EIP-7966)."""

    code = 4


class ExecutionReverted(RpcError):
    """The call reverted; `data` holds the revert data."""

    code = 3


class ExecutionFailed(RpcError):
    """The call ended in another EVM failure (out of gas, invalid opcode, …)."""

    code = -32000


class LimitExceeded(RpcError):
    """The request asks for more than the node gives in one answer."""

    code = -32005
