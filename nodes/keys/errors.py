"""What changing keys refuses."""

from __future__ import annotations

from nodes.errors import NodeError


class KeyChangeError(NodeError):
    """Base class of what is wrong when a node's keys are to be changed."""


class KeyChangeRefused(KeyChangeError):
    """The change cannot be made as things are; the message says what to do first."""
