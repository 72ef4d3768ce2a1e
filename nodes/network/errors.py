"""Errors of founding, running and joining a consortium."""

from __future__ import annotations

from nodes.errors import NodeError


class NetworkError(NodeError):
    """Base of the errors of this folder."""


class DescriptorInvalid(NetworkError):
    """A descriptor is malformed, or was changed after it was signed."""


class FoundingRefused(NetworkError):
    """Descriptors or organisations that cannot make a consortium together."""


class GenesisForeign(NetworkError):
    """A genesis that this node is not part of, or another one than it has."""


class MemberStopped(NetworkError):
    """A node of a network on one machine did not start, or ended."""


class JoinRefused(NetworkError):
    """What a network offers does not fit what we trust, or we are not admitted."""


class JoinStalled(JoinRefused):
    """Nothing comes any more from the others."""

    def __init__(self, message: str, *, before_anything: bool = False) -> None:
        """`before_anything`: a snapshot was waited for, and none has shown up."""
        super().__init__(message)
        self.before_anything = before_anything


class PromotionRefused(NetworkError):
    """A ledger that cannot become a consortium's, or not yet."""
