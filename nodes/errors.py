"""Errors of the nodes room. The command line shows each as one line and exits with 2."""

from __future__ import annotations

from ledger.errors import TallystickError


class NodeError(TallystickError):
    """Base of the room's errors."""


class NotANodeDirectory(NodeError):
    """The folder holds no node."""


class DirectoryNotEmpty(NodeError):
    """A new node was asked for in a folder that holds something else."""


class SettingsInvalid(NodeError):
    """`node.toml` is no TOML, or a value in it is wrong."""


class NodeUnreachable(NodeError):
    """No node answered at the address."""


class RequestRefused(NodeError):
    """The node answered with a problem (RFC 7807)."""


class PortTaken(NodeError):
    """Another program listens where the node should."""
