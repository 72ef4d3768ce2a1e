"""What can go wrong with webhooks."""

from __future__ import annotations

from api.errors import ApiError


class HookError(ApiError):
    """Base of all errors of this room."""


class AddressRefused(HookError):
    """Nothing is sent to this address: not https, or not a public one."""


class HookUnknown(HookError):
    """The organisation has no webhook of that id."""


class TooManyHooks(HookError):
    """The organisation, or the node, has as many webhooks as it may have."""


class SecretMalformed(HookError):
    """A text that is no secret of a webhook."""


class SignatureInvalid(HookError):
    """A message that the node has not signed, or not now."""
