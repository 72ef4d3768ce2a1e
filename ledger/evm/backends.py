"""Whether the native libraries that execution leans on are in use."""

from __future__ import annotations

from importlib.util import find_spec

from eth_keys.backends import get_backend
from eth_keys.backends.coincurve import CoinCurveECCBackend, is_coincurve_available

from ledger.evm.errors import BackendMissing


def require_native_backends() -> None:
    """Raise `BackendMissing` unless coincurve and blake2b-py do what Python alone does too slowly.

    Without coincurve ECRECOVER takes about a hundred times as long: a chain that seems to work,
    at a tenth of the transactions a second. Without blake2b-py one transaction that calls BLAKE2F
    (a gas a round, EIP-152) holds the chain up for minutes.
    """
    if not is_coincurve_available() or not isinstance(get_backend(), CoinCurveECCBackend):
        raise BackendMissing(
            "eth-keys does not use coincurve: install coincurve, and leave ECC_BACKEND_CLASS unset"
        )
    if find_spec("blake2b") is None:
        raise BackendMissing("py-evm does not find blake2b: install blake2b-py")
