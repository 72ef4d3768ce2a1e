"""Webhooks: notices sent to an organisation's own address, signed, retried, replayable."""

from api.hooks.addresses import check_url
from api.hooks.errors import (
    AddressRefused,
    HookError,
    HookUnknown,
    SecretMalformed,
    SignatureInvalid,
    TooManyHooks,
)
from api.hooks.service import HookService
from api.hooks.settings import HookSettings
from api.hooks.signing import sign_message, verify_message
from api.hooks.store import HookStore
from api.hooks.types import Attempt, Hook, HookDraft, HookState, Outcome

__all__ = [
    "AddressRefused",
    "Attempt",
    "Hook",
    "HookDraft",
    "HookError",
    "HookService",
    "HookSettings",
    "HookState",
    "HookStore",
    "HookUnknown",
    "Outcome",
    "SecretMalformed",
    "SignatureInvalid",
    "TooManyHooks",
    "check_url",
    "sign_message",
    "verify_message",
]
