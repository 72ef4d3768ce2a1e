"""HTTP for people and apps: EPCIS REST, the log, proofs, Digital Link, the consumer page."""

from api.app import create_app
from api.errors import ApiError, KeyRefused, Refusal
from api.keys import ApiKey, KeyStore
from api.services import EngineAccess, Services
from api.settings import ApiSettings

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
