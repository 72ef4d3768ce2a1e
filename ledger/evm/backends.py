"""Whether the native libraries that execution leans on are in use."""

from __future__ import annotations

from eth_keys.backends import get_backend
from eth_keys.backends.coincurve import CoinCurveECCBackend, is_coincurve_available

from ledger.evm.errors import BackendMissing


def require_native_backends() -> None:
    """Raise `BackendMissing` unless signatures are recovered by libsecp256k1 (coincurve).

    Without it the ECRECOVER precompile takes about a hundred times as long: a chain that seems
    to work, at a tenth of the transactions a second.
    """
    if not is_coincurve_available() or not isinstance(get_backend(), CoinCurveECCBackend):
        raise BackendMissing(
            "eth-keys does not use coincurve: install coincurve, and leave ECC_BACKEND_CLASS unset"
        )
