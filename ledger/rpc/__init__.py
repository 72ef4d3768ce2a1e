"""Ethereum JSON-RPC, wide enough for unmodified web3.py, ethers, viem and wallets (L9).

Source: ethereum/execution-apis; JSON-RPC 2.0; EIP-1186, 1898, 7966.
"""

from ledger.rpc.server import RpcServer
from ledger.rpc.types import RpcSettings

__all__ = ["RpcServer", "RpcSettings"]
