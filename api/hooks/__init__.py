"""Webhooks: notices sent to an organisation's own address, signed, retried, replayable."""

from typing import TYPE_CHECKING

from api.lazy import lazily

if TYPE_CHECKING:
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
else:
    __getattr__ = lazily(
        __name__,
        {
            "check_url": "api.hooks.addresses",
            "AddressRefused": "api.hooks.errors",
            "HookError": "api.hooks.errors",
            "HookUnknown": "api.hooks.errors",
            "SecretMalformed": "api.hooks.errors",
            "SignatureInvalid": "api.hooks.errors",
            "TooManyHooks": "api.hooks.errors",
            "HookService": "api.hooks.service",
            "HookSettings": "api.hooks.settings",
            "sign_message": "api.hooks.signing",
            "verify_message": "api.hooks.signing",
            "HookStore": "api.hooks.store",
            "Attempt": "api.hooks.types",
            "Hook": "api.hooks.types",
            "HookDraft": "api.hooks.types",
            "HookState": "api.hooks.types",
            "Outcome": "api.hooks.types",
        },
    )

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
