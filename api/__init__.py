"""HTTP for people and apps: EPCIS REST, the log, proofs, Digital Link, the consumer page."""

from typing import TYPE_CHECKING

from api.lazy import lazily

if TYPE_CHECKING:
    from api.app import create_app
    from api.errors import ApiError, KeyRefused, Refusal
    from api.keys import ApiKey, KeyStore
    from api.services import EngineAccess, Services
    from api.settings import ApiSettings
else:
    __getattr__ = lazily(
        __name__,
        {
            "create_app": "api.app",
            "ApiError": "api.errors",
            "KeyRefused": "api.errors",
            "Refusal": "api.errors",
            "ApiKey": "api.keys",
            "KeyStore": "api.keys",
            "EngineAccess": "api.services",
            "Services": "api.services",
            "ApiSettings": "api.settings",
        },
    )

__all__ = [
    "ApiError",
    "ApiKey",
    "ApiSettings",
    "EngineAccess",
    "KeyRefused",
    "KeyStore",
    "Refusal",
    "Services",
    "create_app",
]
